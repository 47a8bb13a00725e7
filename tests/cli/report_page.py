# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the pages of `walras report`, and what Chromium makes pictures of."""

import html.parser
import struct
import zlib

import numpy

VOID = {"meta", "br", "hr", "img", "input", "link"}


class Page(html.parser.HTMLParser):
    """Walks through a page, and notes what is not sound, what it shows and what it asks for."""

    def __init__(self, text):
        super().__init__()
        self.open, self.wrong, self.ids, self.asks = [], [], [], []
        self.figures, self.headings, self.text, self.tables = [], [], [], []
        self.feed(text)
        self.close()
        if self.open:
            self.wrong.append(f"never closed: {self.open}")

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag not in VOID:
            self.open.append(tag)
        if tag in ("script", "link", "iframe", "object", "embed", "foreignobject"):
            self.wrong.append(f"<{tag}>")
        self.wrong += [f"{name}=" for name in attributes if name.startswith("on")]
        if "id" in attributes:
            self.ids.append(attributes["id"])
        for name in ("href", "xlink:href", "src", "srcset", "action", "data", "poster"):
            if name in attributes:
                self.asks.append(attributes[name])
        if tag == "figure":
            self.figures.append({"h3": "", "p": "", "svg": 0, "tables": 0, "rows": 0, "label": ""})
        if "figure" in self.open:
            if tag == "svg":
                self.figures[-1]["svg"] += 1
                self.figures[-1]["label"] = attributes.get("aria-label", "")
            if tag == "table" and "details" in self.open:
                self.figures[-1]["tables"] += 1
            if tag == "tr" and "tbody" in self.open:
                self.figures[-1]["rows"] += 1
        if tag == "table":
            self.tables.append([])
            if "div" not in self.open:
                self.wrong.append("a table out of its box")
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("td", "th"):
            self.tables[-1][-1].append("")
        if tag == "h2":
            self.headings.append("")

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            self.wrong.append(f"</{tag}> in {self.open[-3:]} at {self.getpos()}")
        elif tag not in VOID:
            self.open.pop()

    def handle_data(self, data):
        if "style" in self.open:
            if "url(" in data or "@import" in data:
                self.wrong.append("a style that fetches")
            return
        self.text.append(data)
        inner = self.open[-1] if self.open else ""
        if "figcaption" in self.open and inner in ("h3", "p"):
            self.figures[-1][inner] += data
        if inner == "h2":
            self.headings[-1] += data
        if inner in ("td", "th"):
            self.tables[-1][-1][-1] += data

    def figure(self, title):
        return next(figure for figure in self.figures if figure["h3"] == title)

    def table(self, *heads):
        """The first table with these heads, as rows of texts."""
        return next(table[1:] for table in self.tables if table[0][: len(heads)] == list(heads))


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def shown(value):
    return "-" if numpy.isnan(value) else f"{value:.0f}" if value == int(value) else f"{value:.6g}"


def pixels(png):
    """A PNG of 8 bits a channel as numpy has it: [row, column, channel]."""
    place, data, shape = 8, b"", None
    while place < len(png):
        size, kind = struct.unpack(">I4s", png[place:place + 8])
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", png[place + 8:place + 18])
            shape = height, width, {2: 3, 6: 4}[colour]
            assert depth == 8
        if kind == b"IDAT":
            data += png[place + 8:place + 8 + size]
        place += size + 12
    height, width, channels = shape
    rows = numpy.frombuffer(zlib.decompress(data), numpy.uint8).reshape(height, 1 + width * channels)
    out = numpy.zeros((height + 1, width + 1, channels), int)  # with a margin of zeros
    for i, row in enumerate(rows):
        delta = row[1:].reshape(width, channels).astype(int)
        up, line = out[i], out[i + 1]
        if row[0] == 0:
            line[1:] = delta
        elif row[0] == 1:
            line[1:] = delta.cumsum(axis=0) % 256
        elif row[0] == 2:
            line[1:] = (delta + up[1:]) % 256
        else:
            for j in range(width):
                left, above, corner = line[j], up[j + 1], up[j]
                if row[0] == 3:
                    guess = (left + above) // 2
                else:
                    p = left + above - corner
                    by = numpy.abs([p - left, p - above, p - corner])
                    guess = numpy.where((by[0] <= by[1]) & (by[0] <= by[2]), left,
                                        numpy.where(by[1] <= by[2], above, corner))
                line[j + 1] = (delta[j] + guess) % 256
    return out[1:, 1:]
