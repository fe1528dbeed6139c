"""Conversations that keep their tokens' states between turns, and take them to a file and back."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Optional, Type, Union

from ._call import Held, as_text, call
from ._native import lib


class Session:
    """Keeps the states of a conversation's tokens between its turns, so that none is computed twice.

    Made by `Engine.session`, for `session=` of `Engine.chat` and `Engine.generate`. One turn at a time: another one meanwhile
    is `hala.Busy`. Turns of several sessions run together.
    """

    def __init__(self, held: Held) -> None:
        self._held = held

    def save(self, path: Union[str, os.PathLike[str]]) -> None:
        """Writes the tokens and their states to a file, which appears under its name when it is whole."""
        call(lib.hala_session_save, self._held.handle, as_text(os.fspath(path)))

    def close(self) -> None:
        """Gives its memory back. A turn that is under way goes on."""
        self._held.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()


def new_handle() -> Held:
    """A place for a session's handle."""
    return Held("session", lib.hala_session_release)


def handle(session: Optional[Session]) -> Optional[int]:
    """The handle of a session, where one is given."""
    return None if session is None else session._held.handle
