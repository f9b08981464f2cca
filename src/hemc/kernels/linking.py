"""The compiler of steps: numba's own, but for making machine code that nobody would run.

numba optimises every function together with all that it calls and makes machine code of it. Of a
step that is compiled into its caller both are thrown away, at each level of nesting: they took a
third of the time of a cold start. Here a step's code waits until it is linked into a kernel, where
all of it is optimised once.

This uses parts of numba that its documentation leaves out. With a release that lacks them,
importing this module or compiling a kernel fails loudly.
"""

from __future__ import annotations

from typing import Any

from numba import _dynfunc  # type: ignore[attr-defined]  # in C, unknown to type checkers
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import LoweringPass, register_pass
from numba.core.typed_passes import NativeLowering

#: Passes that look for what steps have none of: expressions of whole arrays, functions within
#: functions or inlined into Python's code, `with`, lists, messages made at run time.
_NOT_NEEDED = frozenset({
    "FindLiterallyCalls", "InlineClosureLikes", "InlineInlinables", "InlineOverloads",
    "LiteralPropagationSubPipelinePass", "LiteralUnroll", "MakeFunctionToJitFunction",
    "NopythonRewrites", "RewriteDynamicRaises", "WithLifting",
})  # fmt: skip


class _LinkedCode(JITCodeLibrary):
    """Code that waits to be linked into its caller."""

    def _optimize_final_module(self) -> None:
        """Leave it to the kernel."""

    def _finalize_final_module(self) -> None:
        """Make no machine code."""
        self._finalized = True


@register_pass(mutates_CFG=False, analysis_only=True)
class _OfferToCallers(LoweringPass):
    """Makes a step known to those that call it, as numba does for functions with machine code."""

    _name = "offer_to_callers"

    def __init__(self) -> None:
        super().__init__()

    def run_pass(self, state: Any) -> bool:
        """Register the lowered code under an entry point that leads nowhere."""
        function, library = state.cr.fndesc, state.library
        entry = _dynfunc.make_function(
            function.lookup_module(), function.qualname, "", 0, state.cr.env, (library,)
        )
        state.targetctx.insert_user_function(entry, function, [library])
        state.cr = state.cr._replace(cfunc=entry)
        return False


class LinkedCompiler(CompilerBase):
    """numba's passes, but for making machine code and for what steps have no use of."""

    def define_pipelines(self) -> list[Any]:
        """Return the one pipeline."""
        state = self.state
        state.flags.no_compile = True
        codegen, name = state.targetctx.codegen(), state.func_id.func_qualname
        state.library = _LinkedCode(codegen, name)
        builder: Any = DefaultPassBuilder
        pipeline = builder.define_nopython_pipeline(state)
        pipeline.passes = [p for p in pipeline.passes if p[0].__name__ not in _NOT_NEEDED]
        pipeline.add_pass_after(_OfferToCallers, NativeLowering)
        pipeline.finalize()
        return [pipeline]
