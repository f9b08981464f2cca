"""The command `hemc`: its groups and commands, and the exit code of each kind of error."""

from __future__ import annotations

import atexit
import gc
import sys
from typing import Any

import click

from hemc.cli.backtest import backtest
from hemc.cli.calibrate import calibrate
from hemc.cli.certificate import certificate
from hemc.cli.configuration import init, schema
from hemc.cli.panel import panel
from hemc.cli.portfolio import portfolio
from hemc.cli.run import run, validate, warmup
from hemc.cli.score import score
from hemc.cli.stored_runs import compare, publish, report
from hemc.cli.stress import stress
from hemc.cli.studies import breakeven, sensitivities, vector
from hemc.cli.trace import trace
from hemc.errors import HemcError

_INTERNAL_FAULT = 3
_INTERRUPTED = 130

# Python looks for cycles after each 700 new objects. A run imports two thousand modules and makes
# a workbook of sixty thousand cells, all kept to the end: looking so often took an eighth of that.
_OBJECTS_BETWEEN_COLLECTIONS = 100_000

# The last thing a process does is to look for cycles among all that is about to go anyway.
atexit.register(gc.freeze)


class HemcGroup(click.Group):
    """A click group that turns each kind of error into its message and exit code."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run the command and exit with its code; docs/architecture.md lists the codes."""
        extra["standalone_mode"] = False
        gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
        try:
            sys.exit(super().main(*args, **extra))
        except HemcError as error:
            click.echo(f"hemc: {error}", err=True)
            sys.exit(error.exit_code)
        except click.ClickException as error:
            error.show()
            sys.exit(error.exit_code)
        except (click.Abort, KeyboardInterrupt):
            click.echo("interrupted", err=True)
            sys.exit(_INTERRUPTED)
        except MemoryError:
            click.echo(
                "hemc: out of memory; fewer --threads or a smaller block_paths takes less", err=True
            )
            sys.exit(HemcError.exit_code)
        except Exception:
            import traceback

            traceback.print_exc()
            sys.exit(_INTERNAL_FAULT)


@click.group(cls=HemcGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hemc", prog_name="hemc")
def main() -> None:
    """Home equity Monte Carlo: from a servicing certificate to what the notes can lose.

    \b
    Examples:
      hemc run configs/base.toml
      hemc trace results/base --path worst
      hemc certificate check configs/certificates/gmacm-2003-he2_2004-02-25.txt
    """


for command in (
    backtest,
    breakeven,
    calibrate,
    certificate,
    compare,
    init,
    panel,
    portfolio,
    publish,
    report,
    run,
    schema,
    score,
    sensitivities,
    stress,
    trace,
    validate,
    vector,
    warmup,
):  # one a line, so that branches with new commands merge
    main.add_command(command)
