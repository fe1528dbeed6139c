"""Models that come over the network."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import Optional, Union

from . import _options, errors
from ._call import Guard, as_text, sized, wanted
from ._native import HalaDownloadOptions, HalaString, lib
from .cancel import Cancel, handle


def download(
    model: Optional[str] = None,
    *,
    url: Optional[str] = None,
    path: Union[str, os.PathLike[str], None] = None,
    sha256: Optional[str] = None,
    cancel: Optional[Cancel] = None,
    on_progress: Optional[_options.OnProgress] = None,
) -> Path:
    """Fetches a model, or goes on where an earlier call stopped, and gives where it is: what `hala.load` takes.

    Args:
        model: a model of the Hugging Face Hub, `owner/name[@revision][:file]`, into the cache that Python shares. What the Hub says of its
            files' SHA-256 is checked.
        url: instead, one file by its address, which goes to `path`. Until it is whole and checked it is `path` with `.part` behind it.
        path: where the file of `url` goes.
        sha256: what that file's SHA-256 must be, in hexadecimal; not checked where it is not given.
        cancel: stops the download; what has come is kept.
        on_progress: is told how it goes; returning `False` stops it.

    Raises:
        hala.DownloadError: and its kinds, `hala.NotFound` and `hala.NetworkError` among them.
        hala.NotInBuild: this library was built without downloads.
        hala.Aborted: it was stopped.
    """
    if (model is None) == (url is None):
        raise errors.InvalidRequest("invalid-argument", "give a model of the Hub, or url with path")
    made: HalaDownloadOptions = sized(HalaDownloadOptions)
    made.hub, made.url, made.sha256 = wanted(model), wanted(url), wanted(sha256)
    made.path = as_text(os.fspath(path)) if path is not None else wanted(None)
    made.cancel = handle(cancel)
    guard = Guard()
    made.on_progress = _options.progress(guard, on_progress)
    place = HalaString()
    try:
        guard.call(lib.hala_download, ctypes.byref(made), ctypes.byref(place))
        return Path(ctypes.string_at(place.data, place.len).decode())
    finally:
        lib.hala_string_free(ctypes.byref(place))
