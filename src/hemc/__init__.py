"""Home equity Monte Carlo: servicing certificate in, loss and writedown distributions out.

From Python: `load_config`, `run`, `write_run`, `read_certificate`; see `hemc.api`. They are
imported when first used, so that `import hemc` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hemc.api import load_config, read_certificate, run, write_run

__all__ = ["load_config", "read_certificate", "run", "write_run"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'hemc' has no attribute '{name}'")
    from hemc import api

    return getattr(api, name)
