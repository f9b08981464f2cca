"""The one decorator of every kernel, and the cache directory that a change of any kernel renews.

numba keys its cache on the file of the outer function alone; since callees are inlined, an edit
in a helper would leave the old machine code in use (numba #1833). Here the directory carries a
digest of all kernel sources, so that no kernel survives a change of another.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import numba
import platformdirs
from numba.core import config

from hemc.kernels.compiling import KernelCompiler

P = ParamSpec("P")
R = TypeVar("R")

_HERE = Path(__file__).parent
_numba_config = cast(Any, config)  # its settings are set at run time, unknown to type checkers
_KEPT_DIGESTS = 4

# Nobody calls a kernel from C. `no_cfunc_wrapper` is an option that numba's types leave out.
_OPTIONS: dict[str, Any] = {
    "nogil": True,
    "cache": True,
    "error_model": "numpy",
    "no_cfunc_wrapper": True,
    "pipeline_class": KernelCompiler,
}


def _kernel_digest() -> str:
    """Return the digest of all kernel sources, numba's version and the switches of compilation."""
    digest = hashlib.sha256()
    for path in sorted(_HERE.rglob("*.py")):
        digest.update(path.relative_to(_HERE).as_posix().encode() + b"\0" + path.read_bytes())
    switches = [os.environ.get(name, "") for name in ("NUMBA_BOUNDSCHECK", "HEMC_CALLABLE_STEPS")]
    for word in (numba.__version__, *switches):
        digest.update(b"\0" + word.encode())
    return digest.hexdigest()[:16]


def _cache_root() -> Path:
    """Return the user's own cache folder; compiled kernels are pickles, never shared."""
    named = os.environ.get("HEMC_CACHE_DIR")
    return Path(named or platformdirs.user_cache_dir("hemc")) / "kernels"


KERNEL_DIGEST = _kernel_digest()
CACHE_DIR = _cache_root() / KERNEL_DIGEST


def is_cold() -> bool:
    """Tell whether no kernel of these sources has been compiled on this machine yet."""
    return not any(CACHE_DIR.rglob("*.nbi"))


def _prepare_cache() -> None:
    """Make the cache private and drop the oldest digests; a read-only home is no error."""
    with contextlib.suppress(OSError):
        CACHE_DIR.mkdir(parents=True, exist_ok=True)
        CACHE_DIR.parent.chmod(0o700)
        CACHE_DIR.touch()
        others = sorted(CACHE_DIR.parent.iterdir(), key=lambda p: p.stat().st_mtime)
        for old in others[:-_KEPT_DIGESTS]:
            shutil.rmtree(old, ignore_errors=True)


@contextlib.contextmanager
def _own_cache() -> Iterator[None]:
    """Point numba at our cache while it looks up where to keep a function's code."""
    before = _numba_config.CACHE_DIR
    _numba_config.CACHE_DIR = str(CACHE_DIR)
    try:
        yield
    finally:
        _numba_config.CACHE_DIR = before


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` lazily: releases the GIL, cached, IEEE division, no fastmath."""
    with _own_cache():
        compiled = numba.njit(**_OPTIONS)(function)
    return cast(Callable[P, R], compiled)


def plain(compiled: Callable[..., Any]) -> Callable[..., Any]:
    """Return the Python function behind a kernel; tests step through it or break a callee."""
    return cast(Callable[..., Any], getattr(compiled, "py_func", compiled))


_prepare_cache()
