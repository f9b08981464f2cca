"""A report read back from its HTML: tables, sections, links, charts and every tag."""

import json
from html.parser import HTMLParser


class Page(HTMLParser):
    """Tables by caption as lists of rows of text, and what else tests ask about."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.tables, self.headings, self.links, self.ids = {}, [], [], []
        self.tags, self.attributes, self.charts, self.tiles = [], [], [], {}
        self.paragraphs, self.tones = [], {}
        self._row, self._text, self._json, self._rows, self._tile = None, None, None, None, ""
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.tags.append(tag)
        self.attributes += attributes
        if "id" in found:
            self.ids.append(found["id"])
        if tag == "table":
            self._rows = self.tables.setdefault(found["aria-label"], [])
        elif tag == "tr":
            self._row = []
            self.tones[len(self._rows), id(self._rows)] = found.get("class", "")
        elif tag in ("th", "td", "h2", "dt", "dd", "p"):
            self._text = ""
        elif tag == "a":
            self.links.append(found["href"])
        elif tag == "script" and found.get("type") == "application/json":
            self._json = ""

    def handle_data(self, data):
        if self._json is not None:
            self._json += data
        elif self._text is not None:
            self._text += data

    def handle_endtag(self, tag):
        text = " ".join((self._text or "").split())
        if tag in ("th", "td") and self._row is not None:
            self._row.append(text)
        elif tag == "tr":
            self._rows.append(self._row)
        elif tag == "h2":
            self.headings.append(text)
        elif tag == "p":
            self.paragraphs.append(text)
        elif tag == "dt":
            self._tile = text
        elif tag == "dd":
            self.tiles[self._tile] = text
        elif tag == "script" and self._json is not None:
            self.charts.append(json.loads(self._json))
            self._json = None

    def table(self, beginning):
        """Return header and rows by their first cell of the table whose caption begins so."""
        rows = next(rows for caption, rows in self.tables.items() if caption.startswith(beginning))
        return rows[0], {row[0]: row[1:] for row in rows[1:]}
