"""The decorator of the steps of a kernel: functions that only other kernels call.

A step gets arrays by the dozen, in NamedTuples. numba counts references to each of them at every
call, which took ten times as long as the arithmetic of the waterfall (2,350 against 200 ns per
path-month). So a step is compiled into its caller and counts no references; its caller holds them.

Two rules follow. A step cannot allocate: numba refuses to compile one that does. And a step that
returns arrays is called by steps only, for a kernel would release a reference that it never
received, and memory with it; tests/kernels/test_step.py reads the sources for such calls.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

import numba

from hemc.kernels.linking import LinkedCompiler

P = ParamSpec("P")
R = TypeVar("R")

# Tests call steps from Python, which takes wrappers and machine code; kernels need neither, and
# making them took more than half of the time of a cold start.
_CALLABLE = bool(os.environ.get("HEMC_CALLABLE_STEPS"))


# `_nrt` is an option of numba that its documentation and types leave out; with another release
# of numba that lacks it, decorating fails loudly.
_OPTIONS: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "forceinline": True,
    "_nrt": False,
}
if not _CALLABLE:
    _OPTIONS |= {
        "no_cpython_wrapper": True,
        "no_cfunc_wrapper": True,
        "pipeline_class": LinkedCompiler,
    }


def step(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` lazily into the kernels that call it; their cache covers it."""
    return cast(Callable[P, R], numba.njit(**_OPTIONS)(function))
