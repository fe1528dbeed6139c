"""The library's log: notices of loading, lost devices, and what drivers say."""

from __future__ import annotations

import atexit
import logging
import sys
from typing import Any, Callable, List, Optional, Type, Union

from . import _native
from ._call import Guard, call
from ._native import HalaLogCallback, lib

_LEVELS = {
    _native.LOG_ERROR: logging.ERROR,
    _native.LOG_WARN: logging.WARNING,
    _native.LOG_INFO: logging.INFO,
    _native.LOG_DEBUG: logging.DEBUG,
}

#: All callbacks that were set: two threads may set theirs at once, and the library has whichever came last.
_kept: List[Any] = []


def set_log(to: Union[logging.Logger, Callable[[int, str], object], None], level: int = logging.INFO) -> None:
    """Sends the log to a logger, or to a function that is given the level (`logging.INFO` and the like) and the line; `None` ends it.

    Lines may come on any thread, and while a function of Hala runs: what takes them must not call Hala. What it raises is told to
    `sys.unraisablehook`, and the log goes on.
    """
    callback = HalaLogCallback()
    if to is not None:
        callback = HalaLogCallback(_taker(to.log if isinstance(to, logging.Logger) else to))
        _kept.append(callback)
    call(lib.hala_set_log, callback, None, _level(level))


def _level(level: int) -> int:
    """The library's level, of those that are not below Python's."""
    return max((ours for ours, theirs in _LEVELS.items() if theirs >= level), default=_native.LOG_ERROR)


def _taker(take: Callable[[int, str], object]) -> Callable[..., bool]:
    def taken(level: int, message: Any, _: object) -> bool:
        take(_LEVELS.get(level, logging.DEBUG), message.read())
        return True

    def told(*arguments: Any) -> bool:
        guard = Guard()
        guard.wrap(taken)(*arguments)
        raised = guard.take()
        if raised is not None:
            sys.unraisablehook(_Unraisable(raised, take))
        return True

    return told


class _Unraisable:
    """What `sys.unraisablehook` is given."""

    def __init__(self, raised: BaseException, taker: object) -> None:
        self.exc_type: Type[BaseException] = type(raised)
        self.exc_value: Optional[BaseException] = raised
        self.exc_traceback = raised.__traceback__
        self.err_msg: Optional[str] = "Exception ignored in what takes Hala's log"
        self.object = taker


def _end() -> None:
    # A driver's thread may have something to say while the interpreter goes away.
    lib.hala_set_log(HalaLogCallback(), None, _native.LOG_ERROR)


atexit.register(_end)
