"""Models and options as the library takes them."""

from __future__ import annotations

import json
import os
import re
from typing import Any, Callable, Mapping, Optional, Union

from . import errors
from ._call import Guard, as_text, sized, wanted
from ._native import (
    PROGRESS_KINDS,
    HalaFile,
    HalaLoadOptions,
    HalaProgressCallback,
    HalaRunOptions,
    HalaSource,
    HalaTranslateOptions,
)
from .cancel import Cancel, handle
from .results import Progress

Model = Union[str, "os.PathLike[str]"]
OnProgress = Callable[[Progress], object]

#: `owner/name[@revision][:file]`
_HUB_ID = re.compile(r"[A-Za-z0-9][^/\\:@\s]*/[^/\\:@\s]+(@[^:\s]+)?(:[^\s]+)?")
_FILES = (".safetensors", ".gguf", ".json")


def source(model: Optional[Model], files: Optional[Mapping[str, bytes]]) -> HalaSource:
    """Which model is meant. A path that exists goes before a Hub id."""
    made: HalaSource = sized(HalaSource)
    if files is not None:
        if model is not None:
            raise errors.InvalidRequest("invalid-argument", "both model and files are given: give one")
        made.files = (HalaFile * len(files))(
            *(HalaFile(as_text(name), bytes(data), len(data)) for name, data in files.items())
        )
        made.n_files = len(files)
        if not files:
            raise errors.InvalidRequest("invalid-argument", "files is empty: give those of a model's folder")
    elif isinstance(model, str) and is_hub_id(model):
        made.hub = as_text(model)
    elif model is not None:
        path = os.fspath(model)
        if not path:
            raise errors.InvalidRequest("invalid-argument", "model is an empty text: leave it out for the built-in one")
        made.path = as_text(path)
    return made


def is_hub_id(model: str) -> bool:
    """Whether a text is a Hub id, and no path that exists."""
    looks_so = _HUB_ID.fullmatch(model) is not None and not model.partition(":")[0].endswith(_FILES)
    return looks_so and not os.path.exists(model)


def load(
    backend: str,
    adapter: Optional[str],
    weights: str,
    numbers: Mapping[str, Optional[int]],
    cancel: Optional[Cancel],
) -> HalaLoadOptions:
    """Choices made when a model is loaded."""
    made: HalaLoadOptions = sized(HalaLoadOptions)
    made.backend, made.adapter, made.weights = as_text(backend), wanted(adapter), as_text(weights)
    for name, value in numbers.items():
        if value is not None and value < 1:
            raise errors.InvalidRequest("invalid-argument", f"{name} is {value}: it must be at least 1, or left out")
        setattr(made, name, value or 0)
    made.cancel = handle(cancel)
    return made


def progress(guard: Guard, tell: Optional[OnProgress]) -> Any:
    """A callback for progress. It is there without anybody to tell too: then Ctrl-C is seen while it goes on."""

    def told(pointer: Any, _: object) -> object:
        if tell is None:
            return True
        at = pointer.contents
        kind = PROGRESS_KINDS.get(at.kind)
        return kind is None or tell(Progress(kind, at.name.read(), at.done, at.total))

    return HalaProgressCallback(guard.wrap(told))


def translate(to: Optional[str], from_: Optional[str], cancel: Optional[Cancel]) -> HalaTranslateOptions:
    """How a text is translated."""
    made: HalaTranslateOptions = sized(HalaTranslateOptions)
    setattr(made, "from", wanted(from_))
    made.to = wanted(to)
    made.cancel = handle(cancel)
    return made


def run(session: Optional[int], cancel: Optional[Cancel]) -> HalaRunOptions:
    """How a conversation is answered, or a prompt gone on with."""
    made: HalaRunOptions = sized(HalaRunOptions)
    made.session, made.cancel = session, handle(cancel)
    return made


def request(given: Mapping[str, Any]) -> str:
    """A request as JSON."""
    try:
        return json.dumps(given, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise errors.InvalidRequest("invalid-request", f"the request is no JSON: {error}") from error
