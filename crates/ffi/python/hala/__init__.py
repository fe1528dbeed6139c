"""Hala: small language models on this device. Chat, and translation between Arabic and English, with no server.

    import hala

    engine = hala.load()                        # or hala.load("LiquidAI/LFM2-1.2B")
    print(engine.translate("صباح الخير."))      # Good morning.
"""

from ._native import lib as _lib
from ._positions import Span
from .cancel import Cancel
from .download import download
from .engine import Engine, estimate, load
from .errors import (
    Aborted,
    Busy,
    Closed,
    ContextLengthExceeded,
    DeviceError,
    DownloadError,
    Error,
    InternalError,
    InvalidRequest,
    MissingFile,
    ModelError,
    NetworkError,
    NotFound,
    NotInBuild,
    OutOfMemory,
    ReadError,
    Reentered,
    SameLanguage,
    SessionError,
    Unauthorized,
)
from .log import set_log
from .results import (
    ChatChoice,
    ChatCompletion,
    ChatEvent,
    Estimate,
    Info,
    Message,
    Piece,
    Progress,
    Segment,
    TextChoice,
    TextCompletion,
    TextEvent,
    Timings,
    Translation,
    Usage,
)
from .session import Session
from .streams import ChatStream, TextStream, Translations, TranslationStream

#: The version of the library.
__version__: str = _lib.hala_version().read()

#: What the library was built with, of `wgpu` (GPUs), `hub` (downloads) and `built-in` (the small translator).
features = tuple(name for name in _lib.hala_features().read().split(",") if name)

__all__ = [
    "Aborted",
    "Busy",
    "Cancel",
    "ChatChoice",
    "ChatCompletion",
    "ChatEvent",
    "ChatStream",
    "Closed",
    "ContextLengthExceeded",
    "DeviceError",
    "DownloadError",
    "Engine",
    "Error",
    "Estimate",
    "Info",
    "InternalError",
    "InvalidRequest",
    "Message",
    "MissingFile",
    "ModelError",
    "NetworkError",
    "NotFound",
    "NotInBuild",
    "OutOfMemory",
    "Piece",
    "Progress",
    "ReadError",
    "Reentered",
    "SameLanguage",
    "Segment",
    "Session",
    "SessionError",
    "Span",
    "TextChoice",
    "TextCompletion",
    "TextEvent",
    "TextStream",
    "Timings",
    "Translation",
    "TranslationStream",
    "Translations",
    "Unauthorized",
    "Usage",
    "download",
    "estimate",
    "features",
    "load",
    "set_log",
]
