"""A certificate's month as the kernel pays it → a table of 80 columns and a one-line verdict."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from hemc.model.replay import Replay
from hemc.outputs.screen import Screen
from hemc.outputs.tieout_text import line_record, tie_out_notes, tie_out_table


def replay_verdict(replay: Replay) -> str:
    """Return how many figures come out to the cent, and which do not."""
    failed = [line.name for line in replay.lines if line.status == "fail"]
    passed = sum(line.status == "pass" for line in replay.lines)
    head = f"{replay.certificate.payment_date}, payment {replay.payment_number}"
    if not failed:
        return f"{head}: replayed, {passed} figures to the cent"
    return f"{head}: {passed} figures to the cent, {len(failed)} off: {', '.join(failed)}"


def replay_json(replays: Sequence[Replay]) -> str:
    """Return every line of every replayed certificate as JSON, figures as decimal texts."""
    records = [
        {
            "file": str(one.certificate.path),
            "series": one.certificate.series,
            "payment_number": one.payment_number,
            "verdict": replay_verdict(one),
            "lines": [line_record(line) for line in one.lines],
        }
        for one in replays
    ]
    return json.dumps(records, indent=1)


def print_replay(replay: Replay) -> None:
    """Print table, notes and verdict to standard output."""
    screen = Screen(None, sys.stdout)
    screen.print(replay.certificate.path.name)
    screen.print(tie_out_table(replay.lines, "step or figure", "paid"))
    for note in tie_out_notes(replay.lines):
        screen.print(note)
    screen.print(replay_verdict(replay), soft_wrap=True)
