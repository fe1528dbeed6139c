"""Flags that stop work from any thread."""

from __future__ import annotations

from typing import Optional

from ._call import Held, call
from ._native import lib


class Cancel:
    """A flag that one thread raises to stop what another is doing: loading, a download, a translation, a reply.

    It has the methods of `threading.Event`. What is stopped raises `hala.Aborted`, also in the middle of a long prompt. `set` may be called inside
    of callbacks and of signal handlers.
    """

    def __init__(self) -> None:
        self._held = Held("flag", lib.hala_cancel_release)
        self._held.put(lib.hala_cancel_new())
        self._is_set = False

    def set(self) -> None:
        """Stops all work that has this flag."""
        self._is_set = True
        call(lib.hala_cancel_raise, self._held.handle)

    def clear(self) -> None:
        """Lowers the flag, for the next work."""
        call(lib.hala_cancel_lower, self._held.handle)
        self._is_set = False

    def is_set(self) -> bool:
        """Whether `set` was called, and `clear` not since."""
        return self._is_set


def handle(cancel: Optional[Cancel]) -> Optional[int]:
    """The handle of a flag, where one is given."""
    return None if cancel is None else cancel._held.handle
