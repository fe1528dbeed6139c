"""Places in texts: the library counts bytes of UTF-8, and Python code points."""

from __future__ import annotations

from typing import NamedTuple, Tuple


class Span(NamedTuple):
    """A part of a text, in code points as Python counts them: `text[span.start:span.end]`."""

    #: The first code point.
    start: int
    #: The one after the last.
    end: int

    def of(self, text: str) -> str:
        """The part of a text."""
        return text[self.start : self.end]


class CodePoints:
    """Counts code points in a text. Spans come in the order of where they begin, so that each byte is counted few times."""

    def __init__(self, text: str) -> None:
        self._data = text.encode("utf-8", "surrogatepass")
        self._is_ascii = len(self._data) == len(text)
        self._byte, self._point = 0, 0

    def span(self, start: int, end: int) -> Span:
        """The span of a range of bytes."""
        if self._is_ascii:
            return Span(start, end)
        if start < self._byte:
            self._byte, self._point = 0, 0
        self._point += self._count(self._byte, start)
        self._byte = start
        return Span(self._point, self._point + self._count(start, end))

    def pair(self, ends: Tuple[int, int]) -> Span:
        """The span of a range of bytes, given as both ends."""
        return self.span(ends[0], ends[1])

    def _count(self, start: int, end: int) -> int:
        return len(self._data[start:end].decode())
