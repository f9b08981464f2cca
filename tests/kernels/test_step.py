"""Steps keep the two rules that make them safe without reference counts."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import numba
import numpy as np
import pytest

import hemc.kernels
from hemc.kernels.linking import LinkedCompiler
from hemc.kernels.step import step

SOURCES = sorted(Path(hemc.kernels.__file__).parent.glob("*.py"))
PLAIN_RESULTS = {"None", "float", "int", "bool"}


def functions(tree: ast.Module, decorator: str) -> Iterator[ast.FunctionDef]:
    """Yield the functions of a module that carry a decorator."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            names = [d.id for d in node.decorator_list if isinstance(d, ast.Name)]
            if decorator in names:
                yield node


def unsafe_calls(sources: list[str]) -> list[str]:
    """Name the calls in kernels of steps that return more than a number."""
    trees = [ast.parse(source) for source in sources]
    returning = {
        f.name
        for tree in trees
        for f in functions(tree, "step")
        if f.returns is None or ast.unparse(f.returns) not in PLAIN_RESULTS
    }
    return [
        f"{f.name} calls {call.func.id}"
        for tree in trees
        for f in functions(tree, "kernel")
        for call in ast.walk(f)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id in returning
    ]


def test_no_kernel_receives_arrays_from_a_step() -> None:
    assert unsafe_calls([path.read_text(encoding="utf-8") for path in SOURCES]) == []


def test_a_kernel_that_receives_arrays_from_a_step_is_found() -> None:
    source = "@step\ndef cut(a) -> Rows: ...\n@kernel\ndef pay(a) -> None:\n    cut(a)\n"
    assert unsafe_calls([source]) == ["pay calls cut"]


def test_a_step_that_allocates_is_refused() -> None:
    @step
    def allocate(n: int) -> float:
        return float(np.zeros(n).sum())

    with pytest.raises(numba.core.errors.NumbaError):
        allocate(3)


def test_a_linked_step_works_in_its_caller_and_has_no_machine_code() -> None:
    linked = numba.njit(
        forceinline=True, no_cpython_wrapper=True, no_cfunc_wrapper=True, _nrt=False,
        pipeline_class=LinkedCompiler,
    )  # fmt: skip

    @linked
    def square(x: float) -> float:
        return x * x

    @linked
    def norm(x: np.ndarray) -> float:
        total = 0.0
        for i in range(x.size):
            total += square(x[i])
        return total

    @numba.njit
    def twice(x: np.ndarray) -> float:
        return norm(x) + norm(x)

    assert twice(np.array([1.0, 2.0])) == 10.0
    for step_of in (square, norm):
        (compiled,) = step_of.overloads.values()
        assert compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name) == 0
