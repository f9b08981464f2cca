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
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ParamSpec, TypeVar, cast

import numba
from numba.core import types

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
    compiled = numba.njit(**_OPTIONS)(function)
    _once_per_type(compiled)
    return cast(Callable[P, R], compiled)


def _once_per_type(dispatcher: Any) -> None:
    """Have a step compiled for a type, not again for each constant that it is called with.

    numba compiles f(0) and f(n) apart, and the optimiser sees the constant anyway. Integers of 32
    bits must stay what they are: as indices they are unsigned, and wider ones are looked at for
    being negative.
    """
    resolve = dispatcher.get_call_template

    def get_call_template(args: Sequence[Any], kws: Mapping[str, Any]) -> Any:
        named = {name: _without_constant(kind) for name, kind in kws.items()}
        return resolve([_without_constant(kind) for kind in args], named)

    dispatcher.get_call_template = get_call_template


def _without_constant(kind: Any) -> Any:
    """Return the type of an argument without the value that the caller knows."""
    return types.unliteral(kind)
