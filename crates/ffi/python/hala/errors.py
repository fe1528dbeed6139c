"""What can go wrong. Each error has a word for programs, `Error.code`, which is the same in all of Hala's interfaces."""

from __future__ import annotations

from typing import Dict, Tuple, Type


class Error(Exception):
    """Something that Hala could not do. Its text says what was found, what was expected, and what to do next."""

    #: A word that never changes, as `invalid-request`.
    code: str
    #: The same as `str(error)`.
    message: str

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> Tuple[object, ...]:
        return (type(self), (self.code, self.message))


class InvalidRequest(Error, ValueError):
    """Asked for wrongly: an option, a message, an empty prompt, a text that is no Unicode, a name that is no model."""


class SameLanguage(InvalidRequest):
    """A text was to be translated into the language that it is in."""


class ContextLengthExceeded(InvalidRequest):
    """The prompt leaves no room in the context."""


class Closed(Error, ValueError):
    """The engine, session or stream was closed."""


class Aborted(Error):
    """Stopped by whoever asked for it."""


class Busy(Error, RuntimeError):
    """The session or the stream is at work for another thread: one at a time."""


class Reentered(Error, RuntimeError):
    """Called inside of a callback, where Hala cannot be called."""


class NotInBuild(Error, RuntimeError):
    """This library was built without what the call needs."""


class ModelError(Error):
    """A model that cannot be run: damaged, of another kind, or without a tokenizer."""


class MissingFile(ModelError, FileNotFoundError):
    """A file of the model is not there."""


class ReadError(Error, OSError):
    """A file cannot be read or written."""


class DownloadError(Error, OSError):
    """What was to be downloaded did not come."""


class NetworkError(DownloadError, ConnectionError):
    """The server cannot be reached, or the connection broke."""


class NotFound(DownloadError, FileNotFoundError):
    """The server has no such model, revision or file."""


class Unauthorized(DownloadError, PermissionError):
    """The model is not open to this user."""


class OutOfMemory(Error, MemoryError):
    """Memory was refused."""

    #: How many bytes were asked for.
    n_bytes: int

    def __init__(self, code: str, message: str, n_bytes: int = 0) -> None:
        super().__init__(code, message)
        self.n_bytes = n_bytes

    def __reduce__(self) -> Tuple[object, ...]:
        return (type(self), (self.code, self.message, self.n_bytes))


class DeviceError(Error, RuntimeError):
    """The device went away, cannot be used, or refused its work."""


class SessionError(Error):
    """A file is no saved session, or one of another model, held in another way, or of another version of Hala."""


class InternalError(Error, RuntimeError):
    """A fault of Hala itself. Please report it."""


#: The class of each code; a code that is not here is an `Error`.
CLASSES: Dict[str, Type[Error]] = {
    "invalid-argument": InvalidRequest,
    "invalid-handle": Closed,
    "invalid-utf8": InvalidRequest,
    "invalid-struct-size": InternalError,
    "reentered": Reentered,
    "busy": Busy,
    "not-in-build": NotInBuild,
    "internal": InternalError,
    "invalid-request": InvalidRequest,
    "same-language": SameLanguage,
    "context-length-exceeded": ContextLengthExceeded,
    "aborted": Aborted,
    "missing-file": MissingFile,
    "damaged-model": ModelError,
    "unsupported-model": ModelError,
    "no-tokenizer": ModelError,
    "not-finite": ModelError,
    "reader": ReadError,
    "network": NetworkError,
    "http": DownloadError,
    "not-found": NotFound,
    "unauthorized": Unauthorized,
    "corrupt-download": DownloadError,
    "out-of-memory": OutOfMemory,
    "device-lost": DeviceError,
    "device-refused": DeviceError,
    "damaged-sequence": SessionError,
    "other-model": SessionError,
}


def of(code: str, message: str, n_bytes: int = 0) -> Error:
    """The error of a code."""
    found = CLASSES.get(code, Error)
    return OutOfMemory(code, message, n_bytes) if found is OutOfMemory else found(code, message)
