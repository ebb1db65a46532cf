"""Proof, at the speed of reading, that a CSV file is plainly well-formed.

Positions of delimiters, line ends and quotes are compared as whole arrays. What is not
plain (a blank line, a quote in the middle of a field, a row too short) is not judged
here: `csv_rows` reads such a file strictly and says what is wrong, if anything is.
"""

import codecs

import numpy as np
from numpy.typing import NDArray

_NEWLINE, _QUOTE, _RETURN = b'\n"\r'
_ZERO, _SPACE = np.frombuffer(b"0 ", np.uint8)
_TEN = np.uint8(10)
MOST_DIGITS = 15  # that a double holds exactly
_MOST_CARRIED = 8 * 1024 * 1024
Positions = NDArray[np.intp]
Bytes = NDArray[np.uint8]


class PlainCsv:
    """Counts the records of a file for as long as all are plain.

    Plain is a record of exactly `width` fields that ends in a line feed, with quotes
    only around whole fields and doubled within.

    Attributes:
        is_plain: whether everything so far was.
        records: how many there were, the header among them.
    """

    def __init__(self, delimiter: str, width: int) -> None:
        self._delimiter = ord(delimiter)
        self._width = width
        self._rest = b""
        self._has_begun = False
        self._suspects = np.zeros(width, bool)
        self.is_plain = True
        self.records = 0

    @property
    def suspects(self) -> list[int]:
        """Places of columns with a code such as 007, a space, a quote, a long field."""
        return np.flatnonzero(self._suspects).tolist()

    def feed(self, chunk: bytes) -> None:
        """Take in the next piece of the file."""
        data = self._rest + chunk
        if not self._has_begun:
            if len(data) < len(codecs.BOM_UTF8):
                self._rest = data
                return
            data = data.removeprefix(codecs.BOM_UTF8)
            self._has_begun = True
        if self.is_plain:
            self._take(data)

    def finish(self) -> None:
        """Take in the end: a last record without a line end, blank lines after it."""
        rest = self._rest
        if self._width > 1:
            rest = rest.rstrip(b"\r\n")
        if self.is_plain and rest:
            self._take(rest if rest.endswith(b"\n") else rest + b"\n", final=True)
            self.is_plain &= not self._rest

    def _take(self, data: bytes, *, final: bool = False) -> None:
        seen = len(data)
        if not final and self._width > 1 and data.endswith((b"\n", b"\r")):
            # Blank lines may be the end of the file, so line ends at the end must wait.
            seen = len(data.rstrip(b"\r\n"))
        quotes, end = None, data.rfind(b"\n", 0, seen) + 1
        if b'"' in data:
            view = np.frombuffer(data, np.uint8, seen)
            quotes = np.flatnonzero(view == _QUOTE)
            newlines = _outside(quotes, np.flatnonzero(view == _NEWLINE))
            end = int(newlines[-1]) + 1 if len(newlines) else 0
        self._rest = data[end:]
        self.is_plain = len(self._rest) <= _MOST_CARRIED and (
            end == 0 or self._is_plain(data, end, quotes)
        )

    def _is_plain(self, data: bytes, end: int, quotes: Positions | None) -> bool:
        """Judge the whole records that `data` begins with, up to `end`."""
        view = np.frombuffer(data, np.uint8, end)
        is_newline = view == _NEWLINE
        is_mark = is_newline | (view == self._delimiter)
        marks = np.flatnonzero(is_mark)
        if quotes is None:
            line_ends = int(np.count_nonzero(is_newline))
        else:
            marks = _outside(quotes, marks)
            line_ends = int(np.count_nonzero(is_newline[marks]))
        last = marks[self._width - 1 :: self._width]
        self.records += line_ends
        is_even = (
            len(marks) == line_ends * self._width
            and bool(is_newline[last].all())
            and _has_plain_returns(data, end)
            and (quotes is None or self._has_plain_quotes(view, quotes))
        )
        if is_even:
            self._note_suspects(view, is_mark, marks, may_quote=quotes is not None)
        return is_even

    def _has_plain_quotes(self, view: Bytes, quotes: Positions) -> bool:
        """Whether each opens at the start of a field and closes at its end."""
        quotes = quotes[quotes < len(view)]
        opening, closing = quotes[::2], quotes[1::2]
        starts = np.isin(view[opening - 1], (self._delimiter, _NEWLINE))
        ends = np.isin(view[closing + 1], (self._delimiter, _NEWLINE, _RETURN))
        starts |= opening == 0
        doubled = closing[:-1] + 1 == opening[1:]
        starts[1:] |= doubled
        ends[:-1] |= doubled
        return bool(starts.all() and ends.all())

    def _note_suspects(
        self,
        view: Bytes,
        is_mark: NDArray[np.bool_],
        marks: Positions,
        *,
        may_quote: bool,
    ) -> None:
        """Note columns with a field that a number would not give back as written."""
        lead, follow = view[1:-1], view[2:]
        is_odd = (lead == _ZERO) & (follow - _ZERO < _TEN)  # below 0 wraps around
        is_odd |= lead == _SPACE
        if may_quote:
            is_odd |= lead == _QUOTE
        is_odd &= is_mark[:-2]
        places = np.searchsorted(marks, np.flatnonzero(is_odd)) + 1
        long = np.flatnonzero(marks[1:] - marks[:-1] > MOST_DIGITS) + 1
        columns = np.concatenate([places, long]) % self._width
        self._suspects[columns] = True
        self._suspects[0] |= marks[0] > MOST_DIGITS or _starts_odd(bytes(view[:2]))


def _starts_odd(head: bytes) -> bool:
    return head[:1] in (b" ", b'"') or (head[:1] == b"0" and head[1:].isdigit())


def _outside(quotes: Positions, places: Positions) -> Positions:
    """Keep the places that have an even number of quotes before them."""
    kept: Positions = places[np.searchsorted(quotes, places) & 1 == 0]
    return kept


def _has_plain_returns(data: bytes, end: int) -> bool:
    """Whether a carriage return comes only before a line feed."""
    if data.find(b"\r", 0, end) < 0:
        return True
    return data.count(b"\r", 0, end) == data.count(b"\r\n", 0, end)
