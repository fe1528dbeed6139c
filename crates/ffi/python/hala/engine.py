"""Models on a device, and what they are asked."""

from __future__ import annotations

import array
import json
import os
import sys
from ctypes import byref, c_size_t, c_uint32
from types import TracebackType
from typing import TYPE_CHECKING, Any, Dict, Iterable, List, Literal, Mapping, Optional, Sequence, Type, Union, overload

from . import _native, _options, errors
from ._call import Guard, Held, as_text, call, sized, string, wanted
from ._native import HalaEstimate, HalaTokenizeOptions, HalaTokens, lib
from ._options import Model, OnProgress
from .cancel import Cancel
from .results import ChatCompletion, Estimate, Info, TextCompletion, Translation
from .session import Session, new_handle
from .session import handle as session_handle
from .streams import ChatStream, TextStream, Translations, TranslationStream

if TYPE_CHECKING:
    if sys.version_info >= (3, 11):
        from typing import Unpack
    else:
        from typing_extensions import Unpack
    from .requests import ChatOptions, TextOptions

Messages = Union[str, Sequence[Mapping[str, Any]]]


def load(
    model: Optional[Model] = None,
    *,
    files: Optional[Mapping[str, bytes]] = None,
    backend: str = "auto",
    adapter: Optional[str] = None,
    weights: str = "auto",
    context: Optional[int] = None,
    threads: Optional[int] = None,
    parallel: Optional[int] = None,
    devices: Optional[Union[str, "os.PathLike[str]"]] = None,
    cancel: Optional[Cancel] = None,
    on_progress: Optional[OnProgress] = None,
) -> Engine:
    """Chooses a device, opens a model, and moves it to the device.

    Args:
        model: a folder in Hugging Face layout, one .safetensors or GGUF file, or a model of the Hugging Face Hub,
            `owner/name[@revision][:file]`, which is fetched where it is not there. Without it, the small translator that ships with Hala.
        files: instead, the files of a folder in Hugging Face layout, by their names.
        backend: `auto` (a real GPU, or else the CPU; for the model that ships with Hala the CPU), `cpu`, `wgpu` or `plain`.
        adapter: the GPU whose name contains this, whatever its case.
        weights: how matrices are held: `auto`, `f32`, `bf16`, `f16`, `fp8`, `int8` or `int4`.
        context: tokens that a sequence can hold.
        threads: threads of the CPU; as many as the machine runs at once by default.
        parallel: sequences at once; as many as suit the device by default.
        devices: where it is kept what is known of GPUs: which of them `auto` leaves alone, as after a driver's crash, and which kernels are
            fast. Hala's in the user's folder for caches by default.
        cancel: stops the loading.
        on_progress: is told how it goes; returning `False` stops it.

    Raises:
        hala.InvalidRequest: an option that means nothing.
        hala.ModelError: a model that cannot be run; `hala.MissingFile` where it is not there.
        hala.DownloadError: a model of the Hub that did not come.
        hala.DeviceError: a device that cannot be used.
        hala.OutOfMemory: memory was refused.
        hala.Aborted: it was stopped.
    """
    numbers = {"context": context, "threads": threads, "parallel": parallel}
    source = _options.source(model, files)
    made = _options.load(backend, adapter, weights, numbers, cancel)
    made.devices = wanted(None if devices is None else os.fspath(devices))
    guard = Guard()
    made.on_progress = _options.progress(guard, on_progress)
    held = Held("engine", lib.hala_engine_release)
    guard.call(lib.hala_engine_load, byref(source), byref(made), held.place)
    return Engine(held)


def estimate(
    model: Optional[Model] = None,
    *,
    files: Optional[Mapping[str, bytes]] = None,
    backend: str = "auto",
    weights: str = "auto",
    context: Optional[int] = None,
    threads: Optional[int] = None,
    parallel: Optional[int] = None,
) -> Estimate:
    """What a model will take of memory, without loading it: the headers of its files are read, and no weight.

    The arguments are those of `load`. A run's activations are not among it: some 20 MB for 350 million parameters.
    """
    numbers = {"context": context, "threads": threads, "parallel": parallel}
    source = _options.source(model, files)
    made = _options.load(backend, None, weights, numbers, None)
    told: HalaEstimate = sized(HalaEstimate)
    call(lib.hala_estimate, byref(source), byref(made), byref(told))
    names = [field[0] for field in HalaEstimate._fields_ if field[0] != "struct_size"]
    return Estimate(**{name: getattr(told, name) for name in names})


class Engine:
    """A model on a device. Made by `hala.load`.

    All of it may be called from any thread. Work is shared: several calls at once run together, as rows of one run, and Python's other threads run
    meanwhile. `with` closes it; so does the garbage collector. Sessions and streams that work with it go on after it was closed.
    """

    def __init__(self, held: Held) -> None:
        self._held = held

    def close(self) -> None:
        """Gives the model's memory back, once no session or stream is left that works with it."""
        self._held.close()

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        if self._held.is_closed:
            return "<hala.Engine, closed>"
        info = self.info
        return f"<hala.Engine, {info.family}, {info.parameters} parameters, {info.backend}>"

    @property
    def info(self) -> Info:
        """What was loaded and what runs it."""
        return Info._of(json.loads(string(lib.hala_engine_info, self._held.handle)))

    @overload
    def translate(
        self,
        text: str,
        to: Optional[str] = None,
        from_: Optional[str] = None,
        *,
        stream: Literal[False] = False,
        cancel: Optional[Cancel] = None,
    ) -> Translation: ...

    @overload
    def translate(
        self,
        text: str,
        to: Optional[str] = None,
        from_: Optional[str] = None,
        *,
        stream: Literal[True],
        cancel: Optional[Cancel] = None,
    ) -> TranslationStream: ...

    def translate(
        self,
        text: str,
        to: Optional[str] = None,
        from_: Optional[str] = None,
        *,
        stream: bool = False,
        cancel: Optional[Cancel] = None,
    ) -> Union[Translation, TranslationStream]:
        """Translates a text between Arabic and English; sentences, paragraphs and white space stay where they were.

        Args:
            text: the text.
            to: the language wanted, `ar` or `en`; the other one than the text's where it is not given.
            from_: the language of the text; found out where it is not given.
            stream: gives the pieces as they come, as `stream_translation` does.
            cancel: stops the work.

        Raises:
            hala.InvalidRequest: contradictory languages; `hala.SameLanguage` among them.
            hala.ModelError: a model that cannot translate.
            hala.Aborted: it was stopped.
        """
        made = self.stream_translation(text, to, from_, cancel=cancel)
        if stream:
            return made
        with made:
            return made.finish()

    def stream_translation(
        self,
        text: str,
        to: Optional[str] = None,
        from_: Optional[str] = None,
        *,
        cancel: Optional[Cancel] = None,
    ) -> TranslationStream:
        """Begins to translate a text: an iterator of `hala.Piece`, whose `result` is the whole `hala.Translation` at the end."""
        given, made = as_text(text), _options.translate(to, from_, cancel)
        engine = self._held.handle
        return TranslationStream(text, lambda place: call(lib.hala_translate_start, engine, given, byref(made), place))

    @overload
    def translate_all(
        self,
        texts: Iterable[str],
        to: Optional[str] = None,
        from_: Optional[str] = None,
        *,
        return_exceptions: Literal[False] = False,
        window: int = 64,
        cancel: Optional[Cancel] = None,
    ) -> Translations[Translation]: ...

    @overload
    def translate_all(
        self,
        texts: Iterable[str],
        to: Optional[str] = None,
        from_: Optional[str] = None,
        *,
        return_exceptions: Literal[True],
        window: int = 64,
        cancel: Optional[Cancel] = None,
    ) -> Translations[Union[Translation, errors.Error]]: ...

    def translate_all(
        self,
        texts: Iterable[str],
        to: Optional[str] = None,
        from_: Optional[str] = None,
        *,
        return_exceptions: bool = False,
        window: int = 64,
        cancel: Optional[Cancel] = None,
    ) -> Translations[Any]:
        """Translates texts, as many at once as the device likes: an iterator of translations in the order of the texts.

        What is wrong with one text stops no other.

        Args:
            texts: the texts, however many: they are asked for as there is room.
            to: as for `translate`.
            from_: as for `translate`.
            return_exceptions: gives an error in its text's place. Otherwise it is raised there, and the iterator can be asked for the next text.
            window: how many texts are on their way at once; those that the device has no room for wait.
            cancel: stops all of it.
        """
        return Translations(
            texts, lambda text: self.stream_translation(text, to, from_, cancel=cancel), window, return_exceptions
        )

    @overload
    def chat(
        self,
        messages: Union[Messages, Mapping[str, Any]],
        *,
        stream: Literal[False] = False,
        session: Optional[Session] = None,
        cancel: Optional[Cancel] = None,
        **options: Unpack[ChatOptions],
    ) -> ChatCompletion: ...

    @overload
    def chat(
        self,
        messages: Union[Messages, Mapping[str, Any]],
        *,
        stream: Literal[True],
        session: Optional[Session] = None,
        cancel: Optional[Cancel] = None,
        **options: Unpack[ChatOptions],
    ) -> ChatStream: ...

    def chat(
        self,
        messages: Union[Messages, Mapping[str, Any]],
        *,
        stream: bool = False,
        session: Optional[Session] = None,
        cancel: Optional[Cancel] = None,
        **options: Any,
    ) -> Union[ChatCompletion, ChatStream]:
        """Answers a conversation.

        Args:
            messages: the messages in the shape of the OpenAI API, `[{"role": "user", "content": "…"}]`; a text, which is one message of the user; or
                a whole request, `{"messages": […], "temperature": …}`.
            stream: gives an iterator of `hala.ChatEvent`, whose `result` is the whole completion at the end.
            session: what keeps the tokens between the turns of a conversation, so that none is computed twice.
            cancel: stops the work.
            options: what else a request of the OpenAI API has, as `temperature=0` or `max_tokens=100`. What is left open is as the model's
                publisher has it.

        Raises:
            hala.InvalidRequest: a message or an option that means nothing; `hala.ContextLengthExceeded` among them.
            hala.Busy: the session is at work.
            hala.Aborted: it was stopped.
        """
        if isinstance(messages, str):
            messages = [{"role": "user", "content": messages}]
        request = dict(messages) if isinstance(messages, Mapping) else {"messages": _listed(messages)}
        given = as_text(_options.request(_joined(request, options)))
        made = _options.run(session_handle(session), cancel)
        engine = self._held.handle
        begun = ChatStream(lambda place: call(lib.hala_chat_start, engine, given, byref(made), place))
        if stream:
            return begun
        with begun:
            return begun.finish()

    @overload
    def generate(
        self,
        prompt: Union[str, Sequence[int]],
        *,
        stream: Literal[False] = False,
        session: Optional[Session] = None,
        cancel: Optional[Cancel] = None,
        **options: Unpack[TextOptions],
    ) -> TextCompletion: ...

    @overload
    def generate(
        self,
        prompt: Union[str, Sequence[int]],
        *,
        stream: Literal[True],
        session: Optional[Session] = None,
        cancel: Optional[Cancel] = None,
        **options: Unpack[TextOptions],
    ) -> TextStream: ...

    def generate(
        self,
        prompt: Union[str, Sequence[int]],
        *,
        stream: bool = False,
        session: Optional[Session] = None,
        cancel: Optional[Cancel] = None,
        **options: Any,
    ) -> Union[TextCompletion, TextStream]:
        """Goes on with a prompt as it stands, in the model's own format: special tokens in its text are special.

        Args:
            prompt: the text, or its token ids.
            stream: gives an iterator of `hala.TextEvent`, whose `result` is the whole completion at the end.
            session: as for `chat`.
            cancel: stops the work.
            options: what else a request of the OpenAI API's completions has, as `max_tokens=100`.

        Raises:
            As for `chat`.
        """
        request = {"prompt": prompt if isinstance(prompt, str) else [int(token) for token in prompt]}
        given = as_text(_options.request(_joined(request, options)))
        made = _options.run(session_handle(session), cancel)
        engine = self._held.handle
        begun = TextStream(lambda place: call(lib.hala_generate_start, engine, given, byref(made), place))
        if stream:
            return begun
        with begun:
            return begun.finish()

    def tokenize(self, text: str, *, special: bool = False, bos: bool = True) -> List[int]:
        """The tokens of a text.

        Args:
            text: the text.
            special: takes special tokens in the text for what they are, as in a prompt in the model's own format. Not for text from outside.
            bos: adds the token that begins a text, where the model has one.
        """
        made: HalaTokenizeOptions = sized(HalaTokenizeOptions)
        made.special, made.no_bos = special, not bos
        place = HalaTokens()
        try:
            call(lib.hala_tokenize, self._held.handle, as_text(text), byref(made), byref(place))
            return place.data[: place.len] if place.len else []
        finally:
            lib.hala_tokens_free(byref(place))

    def detokenize(self, ids: Iterable[int]) -> str:
        """The text of tokens, special ones among them."""
        try:
            words = array.array("I", ids)
        except OverflowError as error:
            raise errors.InvalidRequest("invalid-argument", f"ids: {error}") from error
        n = len(words)
        place = (c_uint32 * n).from_buffer(words) if n else None
        return string(lib.hala_detokenize, self._held.handle, place, n)

    def count_prompt(self, messages: Messages) -> int:
        """Tokens of the prompt that messages make: what they take of the context."""
        if isinstance(messages, str):
            messages = [{"role": "user", "content": messages}]
        n = c_size_t()
        given = as_text(json.dumps(_listed(messages), ensure_ascii=False))
        call(lib.hala_count_prompt, self._held.handle, given, byref(n))
        return n.value

    def session(self) -> Session:
        """A session without any tokens."""
        held = new_handle()
        call(lib.hala_session_new, self._held.handle, held.place)
        return Session(held)

    def restore(self, path: Union[str, os.PathLike[str]]) -> Session:
        """A session from a file that `Session.save` wrote, with the same model held in the same way: nothing is computed again.

        Raises:
            hala.SessionError: the file is no saved session, is damaged, or is of another model.
        """
        held = new_handle()
        call(lib.hala_session_restore, self._held.handle, as_text(os.fspath(path)), held.place)
        return Session(held)

    def trim(self, sessions: bool = False) -> None:
        """Gives memory back to the system: what nothing holds, and what was kept of texts that have ended.

        Args:
            sessions: also the states of sessions, whose next turns compute their tokens again.
        """
        call(lib.hala_trim, self._held.handle, _native.TRIM_SESSIONS if sessions else _native.TRIM_UNUSED)


def _listed(messages: Iterable[Mapping[str, Any]]) -> List[Dict[str, Any]]:
    return [dict(message) for message in messages]


def _joined(request: Dict[str, Any], options: Mapping[str, Any]) -> Dict[str, Any]:
    """A request with what is given beside it; `None` is what is not given."""
    if "stream" in request:
        raise errors.InvalidRequest("invalid-request", "the request has `stream`: give `stream=True` beside it")
    request.update((name, value) for name, value in options.items() if value is not None)
    return request
