"""The compiler of kernels: numba's own, but it remembers how calls were typed.

To type a call numba asks every candidate, of which `a + b` and `a[i]` have dozens, whether it takes
these arguments; it does so each time that a call is met and, in a loop, until types settle. A
quarter of the time of a cold start went there. And Python's collector looked for garbage in
millions of objects that compiling keeps.

This uses parts of numba that its documentation leaves out. With a release that lacks them,
importing this module or compiling a kernel fails loudly.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Iterator
from typing import Any

from numba.core.compiler import Compiler
from numba.core.targetconfig import ConfigStack
from numba.core.types.functions import BaseFunction

_OBJECTS_UNTIL_COLLECTION = 200_000

_functions: Any = BaseFunction  # to type checkers its methods stay what they are
_ask_candidates = _functions.get_call_type
_signatures: dict[tuple[Any, ...], Any] = {}


def _call_type(function: Any, context: Any, args: tuple[Any, ...], kws: dict[str, Any]) -> Any:
    """Return the signature of a call.

    Only code that counts references may allocate, so that it has signatures of its own.
    """
    if kws:
        return _ask_candidates(function, context, args, kws)
    call = (function, args, ConfigStack.top_or_none().nrt)
    signature = _signatures.get(call)
    if signature is None:
        signature = _signatures[call] = _ask_candidates(function, context, args, kws)
    return signature


@contextlib.contextmanager
def _remembered_signatures() -> Iterator[None]:
    """Let numba look up how a call was typed before; it compiles under a lock."""
    before = _functions.get_call_type  # a kernel may call another, which compiles within it
    _functions.get_call_type = _call_type
    try:
        yield
    finally:
        _functions.get_call_type = before


@contextlib.contextmanager
def _rare_collections() -> Iterator[None]:
    """Let Python look for garbage seldom."""
    before = gc.get_threshold()
    gc.set_threshold(_OBJECTS_UNTIL_COLLECTION, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


class KernelCompiler(Compiler):
    """Compiles a kernel and all that it calls."""

    def compile_extra(self, func: Callable[..., Any]) -> Any:
        """Compile a function of Python."""
        with _remembered_signatures(), _rare_collections():
            return super().compile_extra(func)
