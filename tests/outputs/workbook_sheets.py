"""A workbook read back from its XML: cells by sheet and place, formulas, links, defined names."""

import re
import zipfile
from xml.etree import ElementTree

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


class Book:
    """Sheets by name as dicts of cells: "B3" → text or number."""

    def __init__(self, file):
        with zipfile.ZipFile(file) as parts:
            assert parts.testzip() is None
            tree = {name: ElementTree.fromstring(parts.read(name))
                    for name in parts.namelist() if name.endswith((".xml", ".rels"))}  # fmt: skip
        strings = [
            "".join(t.text or "" for t in item.iter(f"{_MAIN}t"))
            for item in tree["xl/sharedStrings.xml"]
        ]
        book = tree["xl/workbook.xml"]
        self.names = {n.get("name"): n.text for n in book.iter(f"{_MAIN}definedName")}
        self.formulas, self.links, self.sheets, self.panes, self.widths = [], [], {}, {}, {}
        for i, sheet in enumerate(book.iter(f"{_MAIN}sheet"), start=1):
            page = tree[f"xl/worksheets/sheet{i}.xml"]
            self.formulas += page.iter(f"{_MAIN}f")
            self.links += page.iter(f"{_MAIN}hyperlink")
            self.widths[sheet.get("name")] = {
                chr(ord("A") + number - 1): float(column.get("width"))
                for column in page.iter(f"{_MAIN}col")
                for number in range(int(column.get("min")), int(column.get("max")) + 1)
            }
            self.panes[sheet.get("name")] = next(page.iter(f"{_MAIN}pane")).attrib
            self.sheets[sheet.get("name")] = {
                cell.get("r"): _value(cell, strings) for cell in page.iter(f"{_MAIN}c")
            }

    def named(self, name):
        """Return the cell that a defined name stands for."""
        sheet, place = self.names[name].split("!")
        return self.sheets[sheet.strip("'")][place.replace("$", "")]

    def rows(self, sheet):
        """Return the rows beneath the headings as dicts by heading, without empty cells."""
        cells = self.sheets[sheet]
        heads = {re.sub(r"\d", "", place): value for place, value in cells.items()
                 if re.fullmatch(r"[A-Z]+2", place)}  # fmt: skip
        rows = {}
        for place, value in cells.items():
            row = int(re.sub(r"\D", "", place))
            if row > 2:
                rows.setdefault(row, {})[heads[re.sub(r"\d", "", place)]] = value
        return [rows[row] for row in sorted(rows)]


def _value(cell, strings):
    text = cell.findtext(f"{_MAIN}v")
    if text is None:
        return None
    return strings[int(text)] if cell.get("t") == "s" else float(text)
