"""Calls into the library: statuses become exceptions, handles are let go when nobody has them, and callbacks may raise.

The last error belongs to a thread, and releasing a handle overwrites it. The garbage collector may want to release one between a call that failed
and the reading of its error, so whatever is released on a thread that is in a call waits until that call is over.
"""

from __future__ import annotations

import atexit
import ctypes
import threading
import weakref
from collections import deque
from typing import Any, Callable, Deque, Optional, Tuple

from . import errors
from ._native import HalaString, HalaText, Handle, lib

_thread = threading.local()
_to_release: Deque[Tuple[Any, int]] = deque()


def call(function: Any, *arguments: Any) -> None:
    """Calls a function that returns a status, and raises what it says."""
    call_while(_once, function, *arguments)


def _once() -> bool:
    return False


def call_while(goes_on: Callable[[], bool], function: Any, *arguments: Any) -> None:
    """The same, again and again until it is to go on no more.

    After the work of a token nothing of the interpreter is left in the processor's caches, so that every line costs many times what it costs alone.
    """
    was_inside = getattr(_thread, "is_inside", False)
    _thread.is_inside = True
    try:
        while True:
            status = function(*arguments)
            if status:
                raise _error(status)
            if not goes_on():
                return
    finally:
        _thread.is_inside = was_inside
        if _to_release and not was_inside:
            _release_waiting()


def _error(status: int) -> errors.Error:
    code, n_bytes = code_of(status), lib.hala_last_error_bytes()
    # A signal's handler that raises a flag may have come in between: then the code must do.
    return errors.of(code, lib.hala_last_error().read() or code, n_bytes)


def code_of(status: int) -> str:
    """The word for a status."""
    name: HalaText = lib.hala_status_name(status)
    return name.read()


def _release_waiting() -> None:
    while _to_release:
        try:
            release, handle = _to_release.popleft()
        except IndexError:
            # Another thread was quicker.
            return
        release(handle)


def _let_go(release: Any, place: ctypes.c_void_p) -> None:
    handle = place.value
    place.value = None
    if not handle:
        return
    if getattr(_thread, "is_inside", False):
        _to_release.append((release, handle))
    else:
        release(handle)


class Held:
    """A place for a handle of the library, which is released when this is closed, or when nobody has it any more."""

    def __init__(self, what: str, release: Any) -> None:
        self._what = what
        self._place = Handle()
        self._finalizer = weakref.finalize(self, _let_go, release, self._place)
        # The end of the process gives everything back, and threads may still be at work with it until then.
        self._finalizer.atexit = False

    @property
    def place(self) -> Any:
        """A pointer for a function that makes a handle."""
        return ctypes.byref(self._place)

    @property
    def handle(self) -> int:
        """The handle."""
        handle = self._place.value
        if not handle:
            raise errors.Closed("invalid-handle", f"the {self._what} is closed")
        return handle

    @property
    def is_closed(self) -> bool:
        """Whether it was closed."""
        return not self._place.value

    def put(self, handle: int) -> None:
        """Keeps a handle that a function returned."""
        self._place.value = handle

    def close(self) -> None:
        """Releases the handle, once."""
        self._finalizer()


def as_text(value: str) -> HalaText:
    """A text for the library, which says itself where one is no Unicode."""
    data = value.encode("utf-8", "surrogatepass")
    return HalaText(data, len(data))


def wanted(value: Optional[str]) -> HalaText:
    """A text that may be left out."""
    return as_text(value) if value else HalaText()


def sized(kind: Any) -> Any:
    """A struct with its size set and all else zero."""
    made = kind()
    made.struct_size = ctypes.sizeof(kind)
    return made


def string(function: Any, *arguments: Any) -> str:
    """Calls a function whose last argument is a place for a text, and gives that text."""
    place = HalaString()
    try:
        call(function, *arguments, ctypes.byref(place))
        return ctypes.string_at(place.data, place.len).decode() if place.data else ""
    finally:
        lib.hala_string_free(ctypes.byref(place))


class _End:
    """The end of the interpreter. A thread that comes out of the library into a callback then would be ended inside of it, which aborts the
    process. So those who call back are stopped and waited for."""

    #: How long the end waits for them, in seconds: one may be in the middle of a connection that hangs.
    PATIENCE = 10

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._n_calls = 0
        self._has_come = False

    def come(self) -> None:
        """Stops all others, and waits for them."""
        self._has_come = True
        with self._changed:
            self._changed.wait_for(lambda: self._n_calls == 0, self.PATIENCE)

    def is_here(self) -> bool:
        """Whether this thread has nothing left to do: at the end all that are left but the first are daemons."""
        return self._has_come and threading.current_thread() is not threading.main_thread()

    def __enter__(self) -> None:
        with self._changed:
            self._n_calls += 1

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._n_calls -= 1
            self._changed.notify_all()
        if self.is_here():
            threading.Event().wait()


_end = _End()
atexit.register(_end.come)


class Guard:
    """Keeps what a callback raises: it cannot pass through the library, which is told to stop, and is raised again after the call."""

    def __init__(self) -> None:
        self._raised: Optional[BaseException] = None

    def wrap(self, callback: Callable[..., object]) -> Callable[..., bool]:
        """The callback as the library wants it: anything but `False` goes on."""

        def called(*arguments: Any) -> bool:
            was_inside = getattr(_thread, "is_inside", False)
            _thread.is_inside = False
            try:
                if _end.is_here():
                    return False
                return callback(*arguments) is not False
            except BaseException as raised:  # Of whatever kind: none may get lost, Ctrl-C's least of all.
                self._raised = raised
                return False
            finally:
                _thread.is_inside = was_inside

        return called

    def call(self, function: Any, *arguments: Any) -> None:
        """As `call`, with what the callback raised in place of what the library says of it."""
        try:
            with _end:
                call(function, *arguments)
        except errors.Aborted:
            self._raise()
            raise
        self._raise()

    def take(self) -> Optional[BaseException]:
        """What the callback raised, once."""
        raised, self._raised = self._raised, None
        return raised

    def _raise(self) -> None:
        raised = self.take()
        if raised is not None:
            try:
                raise raised from None
            finally:
                # The exception's traceback knows this frame: no circle of them is left.
                del raised
