"""Work that gives its results one by one."""

from __future__ import annotations

import ctypes
import json
import threading
from collections import deque
from types import TracebackType
from typing import Any, Callable, Deque, Generic, Iterable, Iterator, NamedTuple, Optional, Type, TypeVar, Union, cast

from . import _native, errors
from ._call import Held, call, call_while, code_of
from ._native import HalaEvent, lib
from ._positions import CodePoints, Span
from .results import ChatCompletion, ChatEvent, Piece, TextCompletion, TextEvent, Translation

T = TypeVar("T")
R = TypeVar("R")
S = TypeVar("S", bound="Stream[Any, Any]")

_PIECES = (_native.EVENT_TEXT, _native.EVENT_REASONING)


class _Told(NamedTuple):
    """An event, copied."""

    kind: int
    status: int
    text_idx: int
    text: str
    source_start: int
    source_end: int
    target_start: int
    target_end: int
    json: str


class Stream(Generic[T, R]):
    """Work that was begun: an iterator of what comes, closed at its end, by `with`, and when nobody has it any more.

    Closing it ends the work wherever it is, and so does leaving a loop over it. Between two tokens Ctrl-C stops it. It goes on while somebody
    waits for it, or for other work on the same engine.
    """

    def __init__(self, begin: Callable[[Any], None]) -> None:
        self._held = Held("stream", lib.hala_stream_release)
        self._lock = threading.Lock()
        self._is_closed = False
        self._result: Optional[R] = None
        begin(self._held.place)

    @property
    def result(self) -> Optional[R]:
        """All of it, once it has ended."""
        return self._result

    def finish(self) -> R:
        """Waits for the end, and gives all of it."""
        while self._go_on(self._is_piece) is not None:
            pass
        if self._result is None:
            raise errors.Closed("invalid-handle", "the stream was closed before its end")
        return self._result

    def cancel(self) -> None:
        """Stops the work from any thread: whoever waits for it gets `hala.Aborted`.

        A `Cancel` that the work has stays down.
        """
        if not self._held.is_closed:
            call(lib.hala_stream_cancel, self._held.handle)

    def close(self) -> None:
        """Ends the work. After it the stream gives nothing more."""
        self._is_closed = True
        # An event is there until the handle goes: where another thread is about to read one, that thread closes.
        if self._lock.acquire(blocking=False):
            try:
                self._held.close()
            finally:
                self._lock.release()

    def __iter__(self: S) -> S:
        return self

    def __next__(self) -> T:
        given = self._go_on(_nothing)
        if given is None:
            raise StopIteration
        return given

    def __enter__(self: S) -> S:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    def _go_on(self, passes_over: Callable[[Any], bool]) -> Optional[T]:
        """Waits for the next that is something for whoever iterates; closes at the end, and when something is raised."""
        try:
            while True:
                event = self._next(passes_over)
                if event is None:
                    break
                given = self._given(event)
                if given is not None:
                    return given
        except BaseException:
            self.close()
            raise
        self.close()
        return None

    def _next(self, passes_over: Callable[[Any], bool]) -> Optional[_Told]:
        """The next event that is not passed over. Several threads that ask wait for each other."""
        event = ctypes.POINTER(HalaEvent)()
        with self._lock:
            if self._is_closed:
                return None
            call_while(lambda: passes_over(event), lib.hala_stream_next, self._held.handle, ctypes.byref(event))
            told = _copy(event.contents) if event else None
        if self._is_closed:
            self.close()
        return told

    def _is_piece(self, event: Any) -> bool:
        """Whether an event is to be passed over where only the end is wanted, which tells all of it."""
        return bool(event) and event.contents.kind in _PIECES and not self._is_closed

    def _given(self, told: _Told) -> Optional[T]:
        """What an event is for whoever iterates; `None` where it is nothing."""
        raise NotImplementedError


def _copy(event: HalaEvent) -> _Told:
    source, target = event.source, event.target
    return _Told(
        event.kind,
        event.status,
        event.index,
        event.text.read(),
        source.start,
        source.end,
        target.start,
        target.end,
        event.json.read(),
    )


def _nothing(_: Any) -> bool:
    return False


class TranslationStream(Stream[Piece, Translation]):
    """The pieces of a translation as they come."""

    def __init__(self, source: str, begin: Callable[[Any], None]) -> None:
        self._source = source
        self._points = CodePoints(source)
        self._n_written = 0
        super().__init__(begin)

    def _given(self, told: _Told) -> Optional[Piece]:
        if told.kind == _native.EVENT_TEXT:
            start = self._n_written
            self._n_written += len(told.text)
            source = self._points.span(told.source_start, told.source_end)
            return Piece(told.text, source, Span(start, self._n_written))
        if told.kind == _native.EVENT_DONE:
            self._result = Translation._of(self._source, json.loads(told.json))
        elif told.kind == _native.EVENT_FAILED:
            raise errors.of(code_of(told.status), told.text)
        return None


class ChatStream(Stream[ChatEvent, ChatCompletion]):
    """The replies to a conversation as they come."""

    def _given(self, told: _Told) -> Optional[ChatEvent]:
        if told.kind == _native.EVENT_TEXT:
            return ChatEvent("text", told.text_idx, told.text)
        if told.kind == _native.EVENT_REASONING:
            return ChatEvent("reasoning", told.text_idx, told.text)
        if told.kind == _native.EVENT_TOOL_CALL:
            return ChatEvent("tool_call", told.text_idx, tool_call=json.loads(told.json))
        if told.kind == _native.EVENT_DONE:
            self._result = ChatCompletion._of(json.loads(told.json))
            return ChatEvent("done", told.text_idx, completion=self._result)
        return None


class TextStream(Stream[TextEvent, TextCompletion]):
    """What is written after a prompt as it comes."""

    def _given(self, told: _Told) -> Optional[TextEvent]:
        if told.kind == _native.EVENT_TEXT:
            return TextEvent("text", told.text_idx, told.text)
        if told.kind == _native.EVENT_DONE:
            self._result = TextCompletion._of(json.loads(told.json))
            return TextEvent("done", told.text_idx, completion=self._result)
        return None


class Translations(Generic[T]):
    """Translations of many texts, in their order. Few texts are on their way at once, and no more are read ahead.

    After a text that could not be translated it goes on with the next.
    """

    def __init__(
        self,
        texts: Iterable[str],
        begin: Callable[[str], TranslationStream],
        window: int,
        return_exceptions: bool,
    ) -> None:
        if window < 1:
            raise errors.InvalidRequest("invalid-argument", f"window is {window}: it must be at least 1")
        self._texts: Optional[Iterator[str]] = iter(texts)
        self._begin = begin
        self._window = window
        self._return_exceptions = return_exceptions
        self._going: Deque[Union[TranslationStream, errors.Error]] = deque()
        self._lock = threading.Lock()

    def close(self) -> None:
        """Ends the work. After it there are no more translations."""
        self._texts = None
        while self._going:
            first = self._going.popleft()
            if isinstance(first, TranslationStream):
                first.close()

    def __iter__(self) -> Translations[T]:
        return self

    def __next__(self) -> T:
        with self._lock:
            try:
                self._fill()
                if not self._going:
                    raise StopIteration
                return cast(T, self._first(self._going.popleft()))
            except errors.Aborted:
                self.close()
                raise
            except errors.Error:
                # One text's: the others go on.
                raise
            except BaseException:
                self.close()
                raise

    def __enter__(self) -> Translations[T]:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    def _fill(self) -> None:
        while self._texts is not None and len(self._going) < self._window:
            try:
                text = next(self._texts)
            except StopIteration:
                self._texts = None
                return
            try:
                self._going.append(self._begin(text))
            except errors.Aborted:
                raise
            except errors.Error as error:
                self._going.append(error)

    def _first(self, first: Union[TranslationStream, errors.Error]) -> Union[Translation, errors.Error]:
        try:
            if isinstance(first, TranslationStream):
                with first:
                    return first.finish()
            raise first
        except errors.Aborted:
            raise
        except errors.Error as error:
            if self._return_exceptions:
                return error
            raise
