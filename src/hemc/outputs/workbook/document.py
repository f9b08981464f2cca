"""A run's files → report.xlsx: formatted sheets with numbers as numbers and named figures.

Texts are written as texts: none becomes a formula or a link, whatever it begins with.
"""

from __future__ import annotations

from io import BytesIO
from typing import NamedTuple

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from hemc.outputs.run_files import RunFiles
from hemc.outputs.workbook.cells import PLAIN, Cell, Day, Number, Sheet
from hemc.outputs.workbook.sheets import sheets

WORKBOOK = "report.xlsx"

#: Rows above the first row of a table: the note and the headings.
_TOP = 2
_NOTE, _HEADINGS = 0, 1

# Widths in characters: what decimals, sign and per cent add to a number's digits, and limits.
_BESIDE_DIGITS, _LEAST, _MOST = 6, 9, 60
_HEADING_WIDTH = 16

#: Points, for headings of up to three lines.
_HEADING_HEIGHT = 48

#: Sheets with no more columns are printed one page wide.
_FEW_COLUMNS = 12

_AS_TEXT = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


class _Looks(NamedTuple):
    """Formats of a workbook."""

    note: Format
    heading: Format  # of texts
    number_heading: Format
    shapes: dict[str, Format]  # by Excel's number format
    text: Format


def render_workbook(run: RunFiles) -> bytes:
    """Return report.xlsx with every sheet whose table the run has written."""
    content = BytesIO()
    with xlsxwriter.Workbook(content, _AS_TEXT | {"in_memory": True}) as book:
        run_of = f"{run.manifest.issuer} {run.manifest.series}: {run.manifest.name}"
        book.set_properties({"title": run_of, "comments": "Written by hemc."})
        looks = _looks(book)
        for sheet in sheets(run):
            _write_sheet(book, sheet, looks)
    return content.getvalue()


def _looks(book: xlsxwriter.Workbook) -> _Looks:
    """Return the workbook's formats; those of numbers are made as they are met."""
    note = book.add_format({"italic": True, "font_color": "#586373"})
    heading = {"bold": True, "text_wrap": True, "valign": "bottom", "bottom": 1,
               "bg_color": "#E9EEF3"}  # fmt: skip
    left, right = heading | {"indent": 1}, heading | {"align": "right"}
    text = book.add_format({"valign": "top", "indent": 1})
    return _Looks(note, book.add_format(left), book.add_format(right), {}, text)


def _write_sheet(book: xlsxwriter.Workbook, sheet: Sheet, looks: _Looks) -> None:
    """Write note, headings and rows; headings and keys stay in view and every column filters."""
    page = book.add_worksheet(sheet.title)
    page.write_string(_NOTE, 0, sheet.note, looks.note)
    page.set_row(_HEADINGS, _HEADING_HEIGHT)
    for column, heading in enumerate(sheet.headings):
        look = looks.number_heading if _is_of_numbers(sheet, column) else looks.heading
        page.write_string(_HEADINGS, column, heading, look)
    for i, row in enumerate(sheet.rows):
        for column, cell in enumerate(row):
            _write_cell(book, page, (_TOP + i, column), cell, looks)
    for column, width in enumerate(_widths(sheet)):
        page.set_column(column, column, width)
    page.freeze_panes(_TOP, sheet.n_keys)
    if not sheet.names:
        page.autofilter(_HEADINGS, 0, _HEADINGS + len(sheet.rows), len(sheet.headings) - 1)
    for name, (i, column) in sheet.names.items():
        place = xlsxwriter.utility.xl_rowcol_to_cell(_TOP + i, column, True, True)
        book.define_name(name, f"='{sheet.title}'!{place}")
    _set_up_print(page, sheet)


def _write_cell(
    book: xlsxwriter.Workbook, page: Worksheet, place: tuple[int, int], cell: Cell, looks: _Looks
) -> None:
    """Write one cell by its kind."""
    if isinstance(cell, str):
        page.write_string(*place, cell, looks.text)
    elif isinstance(cell, Number):
        page.write_number(*place, cell.value, _shape(book, cell.shape, looks))
    elif isinstance(cell, Day):
        page.write_datetime(*place, cell.value, _shape(book, cell.shape, looks))


def _shape(book: xlsxwriter.Workbook, shape: str, looks: _Looks) -> Format:
    """Return the format of a number."""
    if shape not in looks.shapes:
        # Plain numbers stand among words, at the left as they do.
        place = {"align": "left", "indent": 1} if shape == PLAIN else {"align": "right"}
        look = {"num_format": shape, "valign": "top", **place}
        looks.shapes[shape] = book.add_format(look)
    return looks.shapes[shape]


def _column(sheet: Sheet, column: int) -> list[Cell]:
    """Return the cells of a column; short rows have none."""
    return [row[column] for row in sheet.rows if len(row) > column]


def _is_of_numbers(sheet: Sheet, column: int) -> bool:
    """Tell whether a column's cells stand at the right."""
    return any(isinstance(c, Number) and c.shape != PLAIN for c in _column(sheet, column))


def _widths(sheet: Sheet) -> list[int]:
    """Return the width of every column: that of its longest cell, within limits."""
    widths = []
    for column, heading in enumerate(sheet.headings):
        head = min(_HEADING_WIDTH, len(heading) + 3)  # the filter's button covers three letters
        widths.append(min(_MOST, max(_LEAST, head, _longest(_column(sheet, column)))))
    return widths


def _longest(cells: list[Cell]) -> int:
    """Return about how many characters a column shows; a number that does not fit shows none."""
    texts = [len(cell) for cell in cells if isinstance(cell, str)]
    numbers = [cell for cell in cells if isinstance(cell, Number)]
    if numbers:
        values = [cell.value for cell in numbers]
        ends = (f"{value:,.0f}" for value in (min(values), max(values)))
        texts += [len(text) + _BESIDE_DIGITS for text in ends]
        shapes = {cell.shape for cell in numbers}
        texts += [len(shape) for shape in shapes if shape.startswith('"')]
    return max(texts, default=0)


def _set_up_print(page: Worksheet, sheet: Sheet) -> None:
    """Print across, headings and keys on every page, one page wide where columns are few."""
    page.set_landscape()
    page.set_paper(9)  # A4
    page.repeat_rows(_HEADINGS)
    page.repeat_columns(0, sheet.n_keys - 1)
    if len(sheet.headings) <= _FEW_COLUMNS:
        page.fit_to_pages(1, 0)
