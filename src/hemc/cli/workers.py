"""What `--cluster` adds to a command, the same wherever paths may run on other machines."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from hemc.scale.threads import Workers

_ADDRESS = click.option(
    "--cluster", metavar="ADDRESS", help="tls://HOST:PORT of a Dask scheduler, local:N."
)
_INSECURE = click.option(
    "--insecure-cluster", is_flag=True, help="Allow tcp:// to another machine."
)


def may_use_cluster(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add both options of a cluster to a command."""
    return _ADDRESS(_INSECURE(command))


def workers_asked(cluster: str | None, insecure: bool) -> AbstractContextManager[Workers | None]:
    """Return the cluster asked for; None stands for threads of this process."""
    if cluster is None:
        return nullcontext()
    from hemc.scale.cluster import connected_cluster

    return connected_cluster(cluster, insecure)
