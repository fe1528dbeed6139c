"""The interface of the native library as hala.h has it: structs, signatures, and where the library is.

The tests compare all of it with crates/ffi/include/hala.h.
"""

from __future__ import annotations

import ctypes
import os
import sys
from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    c_bool,
    c_char_p,
    c_int32,
    c_size_t,
    c_uint32,
    c_uint64,
    c_void_p,
)
from pathlib import Path
from typing import Any, Dict, List, Tuple

#: HALA_ABI_VERSION of the header that this file follows.
ABI_VERSION = 1

STATUS_OK = 0

EVENT_TEXT = 1
EVENT_REASONING = 2
EVENT_TOOL_CALL = 3
EVENT_DONE = 4
EVENT_FAILED = 5

#: HalaProgressKind, by its words here.
PROGRESS_KINDS = {1: "downloading", 2: "verifying", 3: "retrying", 4: "loading", 5: "waiting"}

TRIM_UNUSED = 0
TRIM_SESSIONS = 1

LOG_ERROR = 1
LOG_WARN = 2
LOG_INFO = 3
LOG_DEBUG = 4


class HalaText(Structure):
    """UTF-8 text that somebody else holds; the bytes that it is made with live as long as it does."""

    _fields_ = [("data", c_char_p), ("len", c_size_t)]

    def read(self) -> str:
        """The text, whatever zeros are in it."""
        # The field itself reads as bytes up to the first zero.
        address = c_void_p.from_buffer(self).value
        return ctypes.string_at(address, self.len).decode() if address else ""


class HalaString(Structure):
    """UTF-8 text that is ours to free."""

    _fields_ = [("data", c_void_p), ("len", c_size_t)]


class HalaTokens(Structure):
    """Token ids that are ours to free."""

    _fields_ = [("data", POINTER(c_uint32)), ("len", c_size_t)]


class HalaRange(Structure):
    """A part of a text, in bytes."""

    _fields_ = [("start", c_size_t), ("end", c_size_t)]


class HalaProgress(Structure):
    """How far it has come."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("kind", c_int32),
        ("name", HalaText),
        ("done", c_uint64),
        ("total", c_uint64),
    ]


class HalaEvent(Structure):
    """What comes of work while it goes on."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("kind", c_int32),
        ("status", c_int32),
        ("index", c_size_t),
        ("text", HalaText),
        ("source", HalaRange),
        ("target", HalaRange),
        ("json", HalaText),
    ]


HalaProgressCallback = CFUNCTYPE(c_bool, POINTER(HalaProgress), c_void_p)
HalaEventCallback = CFUNCTYPE(c_bool, POINTER(HalaEvent), c_void_p)
HalaLogCallback = CFUNCTYPE(c_bool, c_int32, HalaText, c_void_p)


class HalaDownloadOptions(Structure):
    """What comes, and where it goes."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("hub", HalaText),
        ("url", HalaText),
        ("path", HalaText),
        ("sha256", HalaText),
        ("cancel", c_void_p),
        ("on_progress", HalaProgressCallback),
        ("user_data", c_void_p),
    ]


class HalaFile(Structure):
    """A file in memory."""

    _fields_ = [("name", HalaText), ("data", c_char_p), ("len", c_size_t)]


class HalaSource(Structure):
    """A model."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("path", HalaText),
        ("hub", HalaText),
        ("files", POINTER(HalaFile)),
        ("n_files", c_size_t),
    ]


class HalaLoadOptions(Structure):
    """Choices made when a model is loaded."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("backend", HalaText),
        ("adapter", HalaText),
        ("weights", HalaText),
        ("context", c_size_t),
        ("threads", c_size_t),
        ("parallel", c_size_t),
        ("cancel", c_void_p),
        ("on_progress", HalaProgressCallback),
        ("user_data", c_void_p),
        ("devices", HalaText),
    ]


class HalaEstimate(Structure):
    """Bytes that a model will take."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("weight_bytes", c_uint64),
        ("tokenizer_bytes", c_uint64),
        ("cache_bytes_per_token", c_uint64),
        ("session_bytes", c_uint64),
        ("peak_bytes", c_uint64),
    ]


class HalaTranslateOptions(Structure):
    """How a text is translated."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("from", HalaText),
        ("to", HalaText),
        ("cancel", c_void_p),
        ("on_event", HalaEventCallback),
        ("user_data", c_void_p),
    ]


class HalaRunOptions(Structure):
    """How a conversation is answered, or a prompt gone on with."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("session", c_void_p),
        ("cancel", c_void_p),
        ("on_event", HalaEventCallback),
        ("user_data", c_void_p),
    ]


class HalaTokenizeOptions(Structure):
    """How a text becomes tokens."""

    _fields_ = [("struct_size", c_size_t), ("special", c_int32), ("no_bos", c_int32)]


#: Engines, sessions, streams and flags are numbers here.
Handle = c_void_p

_TRANSLATE: List[Any] = [Handle, HalaText, POINTER(HalaTranslateOptions)]
_TRANSLATE_ALL: List[Any] = [Handle, POINTER(HalaText), c_size_t, POINTER(HalaTranslateOptions)]
_RUN: List[Any] = [Handle, HalaText, POINTER(HalaRunOptions)]

#: What each function returns and takes.
FUNCTIONS: Dict[str, Tuple[Any, List[Any]]] = {
    "hala_cancel_new": (Handle, []),
    "hala_cancel_raise": (c_int32, [Handle]),
    "hala_cancel_lower": (c_int32, [Handle]),
    "hala_cancel_retain": (c_int32, [Handle]),
    "hala_cancel_release": (c_int32, [Handle]),
    "hala_download": (c_int32, [POINTER(HalaDownloadOptions), POINTER(HalaString)]),
    "hala_engine_load": (c_int32, [POINTER(HalaSource), POINTER(HalaLoadOptions), POINTER(Handle)]),
    "hala_engine_retain": (c_int32, [Handle]),
    "hala_engine_release": (c_int32, [Handle]),
    "hala_engine_info": (c_int32, [Handle, POINTER(HalaString)]),
    "hala_estimate": (c_int32, [POINTER(HalaSource), POINTER(HalaLoadOptions), POINTER(HalaEstimate)]),
    "hala_set_log": (c_int32, [HalaLogCallback, c_void_p, c_int32]),
    "hala_string_free": (None, [POINTER(HalaString)]),
    "hala_tokens_free": (None, [POINTER(HalaTokens)]),
    "hala_translate": (c_int32, [*_TRANSLATE, POINTER(HalaString)]),
    "hala_translate_start": (c_int32, [*_TRANSLATE, POINTER(Handle)]),
    "hala_translate_all": (c_int32, [*_TRANSLATE_ALL, POINTER(HalaString)]),
    "hala_translate_all_start": (c_int32, [*_TRANSLATE_ALL, POINTER(Handle)]),
    "hala_chat": (c_int32, [*_RUN, POINTER(HalaString)]),
    "hala_chat_start": (c_int32, [*_RUN, POINTER(Handle)]),
    "hala_generate": (c_int32, [*_RUN, POINTER(HalaString)]),
    "hala_generate_start": (c_int32, [*_RUN, POINTER(Handle)]),
    "hala_trim": (c_int32, [Handle, c_int32]),
    "hala_session_new": (c_int32, [Handle, POINTER(Handle)]),
    "hala_session_save": (c_int32, [Handle, HalaText]),
    "hala_session_restore": (c_int32, [Handle, HalaText, POINTER(Handle)]),
    "hala_session_retain": (c_int32, [Handle]),
    "hala_session_release": (c_int32, [Handle]),
    "hala_status_name": (HalaText, [c_int32]),
    "hala_last_error": (HalaText, []),
    "hala_last_error_bytes": (c_size_t, []),
    "hala_stream_next": (c_int32, [Handle, POINTER(POINTER(HalaEvent))]),
    "hala_stream_cancel": (c_int32, [Handle]),
    "hala_stream_retain": (c_int32, [Handle]),
    "hala_stream_release": (c_int32, [Handle]),
    "hala_tokenize": (c_int32, [Handle, HalaText, POINTER(HalaTokenizeOptions), POINTER(HalaTokens)]),
    "hala_detokenize": (c_int32, [Handle, POINTER(c_uint32), c_size_t, POINTER(HalaString)]),
    "hala_count_prompt": (c_int32, [Handle, HalaText, POINTER(c_size_t)]),
    "hala_abi_version": (c_uint32, []),
    "hala_version": (HalaText, []),
    "hala_features": (HalaText, []),
}


def file_name() -> str:
    """The name of the library's file in this package, on this system."""
    if sys.platform == "win32":
        return "hala.dll"
    return "libhala.dylib" if sys.platform == "darwin" else "libhala.so"


def _path() -> Path:
    given = os.environ.get("HALA_LIBRARY")
    return Path(given) if given else Path(__file__).with_name(file_name())


def _load() -> ctypes.CDLL:
    path = _path()
    if not path.is_file():
        raise ImportError(
            f"the native library is not at {path}: install the package with `pip install crates/ffi/python`, "
            "or set HALA_LIBRARY to the path of a built libhala_ffi"
        )
    try:
        library = ctypes.CDLL(str(path))
    except OSError as error:
        raise ImportError(f"the native library at {path} cannot be loaded: {error}") from error
    for name, (result, arguments) in FUNCTIONS.items():
        try:
            function = getattr(library, name)
        except AttributeError as error:
            raise ImportError(f"the library at {path} has no {name}: it is older than this package") from error
        function.restype, function.argtypes = result, arguments
    found = library.hala_abi_version()
    if found != ABI_VERSION:
        raise ImportError(
            f"the library at {path} has version {found} of the interface, and this package knows version "
            f"{ABI_VERSION}: use those of one release"
        )
    return library


#: The library, with its functions' signatures set.
lib = _load()
