"""Kernels compile with remembered signatures; numba and the collector are as before afterwards."""

from __future__ import annotations

import gc

import numba
import numpy as np
import pytest
from numba.core.types.functions import BaseFunction

from hemc.kernels import compiling
from hemc.kernels.compiling import KernelCompiler
from hemc.kernels.step import step

ASK = BaseFunction.get_call_type


@pytest.fixture(autouse=True)
def _left_as_it_was():
    before = BaseFunction.get_call_type, gc.get_threshold()
    yield
    assert (BaseFunction.get_call_type, gc.get_threshold()) == before


def test_each_call_is_typed_once_and_the_rest_of_the_process_never_notices(monkeypatch):
    asked = []

    def ask(function, context, args, kws):
        asked.append((function, args))
        return ASK(function, context, args, kws)

    monkeypatch.setattr(compiling, "_ask_candidates", ask)
    monkeypatch.setattr(compiling, "_signatures", {})

    @numba.njit(pipeline_class=KernelCompiler)
    def inner(x: float) -> float:
        return x * x

    @numba.njit(pipeline_class=KernelCompiler)
    def outer(x: float) -> float:
        return inner(x) + x * x + x * x

    assert outer(3.0) == 27.0
    assert len(asked) == len(set(asked)) == 2


def test_a_kernel_that_fails_to_compile_leaves_nothing_behind():
    @numba.njit(pipeline_class=KernelCompiler)
    def broken(x: float) -> float:
        return x + "one"

    with pytest.raises(numba.core.errors.TypingError):
        broken(1.0)


def test_a_step_may_not_allocate_because_a_kernel_may():
    @step
    def allocate(n: int) -> float:
        return float(np.zeros(n).sum())

    @numba.njit(pipeline_class=KernelCompiler)
    def may(n: int) -> float:
        return float(np.zeros(n).sum())

    @numba.njit(pipeline_class=KernelCompiler)
    def calls(n: int) -> float:
        return allocate(n)

    assert may(3) == 0.0
    with pytest.raises(numba.core.errors.NumbaError):
        calls(3)
