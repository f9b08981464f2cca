"""Lines and tables → a screen 80 columns wide, on which words of inputs are never commands."""

from __future__ import annotations

from io import StringIO
from typing import IO, Any

from rich.console import Console
from rich.text import Text

from hemc.printable import printable

WIDTH = 80


class Screen(Console):
    """A console that neither reads markup nor passes on characters that a terminal obeys.

    It writes into `text` where no file is given; `color` for a terminal, None: if the file is one.
    """

    def __init__(self, color: bool | None = False, file: IO[str] | None = None) -> None:
        self._kept = StringIO()
        super().__init__(
            file=file or self._kept, width=WIDTH, force_terminal=color, highlight=False,
            markup=False, emoji=False, soft_wrap=False, legacy_windows=False,
        )  # fmt: skip

    @property
    def text(self) -> str:
        """What was printed."""
        return self._kept.getvalue()

    def render_str(self, text: str, **options: Any) -> Text:
        """Return a text as it stands, in a line or in a cell."""
        return super().render_str(printable(text), **options)
