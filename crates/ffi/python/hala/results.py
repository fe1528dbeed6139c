"""What comes back: translations, completions, and what there is to know of models."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Dict, Generic, Mapping, Optional, Tuple, TypeVar

from ._positions import CodePoints, Span


@dataclass(frozen=True)
class Usage:
    """Tokens of an answer, as the OpenAI API counts them."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    #: Those of the prompt that were still held from before and cost nothing.
    cached_tokens: int = 0
    #: Those of thoughts before the answer.
    reasoning_tokens: int = 0

    @classmethod
    def _of(cls, told: Mapping[str, Any]) -> Usage:
        prompt = told.get("prompt_tokens_details") or {}
        completion = told.get("completion_tokens_details") or {}
        return cls(
            told["prompt_tokens"],
            told["completion_tokens"],
            told["total_tokens"],
            prompt.get("cached_tokens", 0),
            completion.get("reasoning_tokens", 0),
        )


@dataclass(frozen=True)
class Timings:
    """Where the time went."""

    #: Milliseconds for the prompt.
    prompt_ms: float = 0.0
    #: Tokens of the prompt a second.
    prompt_per_second: float = 0.0
    #: Milliseconds for the tokens after the first.
    predicted_ms: float = 0.0
    #: Tokens a second after the first.
    predicted_per_second: float = 0.0

    @classmethod
    def _of(cls, told: Mapping[str, Any]) -> Timings:
        return cls(**_known(cls, told))


@dataclass(frozen=True)
class Segment:
    """A sentence and its translation, and what there is to say of it."""

    #: Its place in the text.
    source: Span
    #: Its place in the translation.
    target: Span
    #: Why it was copied instead of translated.
    copied: Optional[str] = None
    #: What was done where the model began to repeat itself: `retried` or `cut`.
    looped: Optional[str] = None
    #: Whether it ran into its limit.
    truncated: bool = False
    #: The language that it seems to be in, where that is neither Arabic nor English.
    other_language: Optional[str] = None


@dataclass(frozen=True)
class Translation:
    """A whole translation. `str()` of it is its text."""

    #: The translation.
    text: str
    #: The language of the text.
    from_: str
    #: The language of the translation.
    to: str
    #: Which sentence became which.
    segments: Tuple[Segment, ...]
    #: Why it ended: `stop`, or `length` where a sentence ran into its limit.
    finish_reason: str
    usage: Usage
    timings: Timings
    #: The language that the text seems to be in, where that is neither Arabic nor English.
    other_language: Optional[str] = None

    def __str__(self) -> str:
        return self.text

    @classmethod
    def _of(cls, source: str, told: Mapping[str, Any]) -> Translation:
        sources, targets = CodePoints(source), CodePoints(told["text"])
        segments = []
        for segment in told["segments"]:
            known = _known(Segment, segment)
            known["source"], known["target"] = sources.pair(segment["source"]), targets.pair(segment["target"])
            segments.append(Segment(**known))
        return cls(
            text=told["text"],
            from_=told["from"],
            to=told["to"],
            segments=tuple(segments),
            finish_reason=told["finish_reason"],
            usage=Usage._of(told["usage"]),
            timings=Timings._of(told["timings"]),
            other_language=told.get("other_language"),
        )


@dataclass(frozen=True)
class Piece:
    """A piece of a translation, in whole characters; it follows the one before."""

    text: str
    #: The sentence, or the white space, of which it is the translation, in the text that was given.
    source: Span
    #: Where it is in the translation.
    target: Span


@dataclass(frozen=True)
class Message:
    """A reply as a message."""

    role: str
    content: str
    #: What the model thought before it answered, where it did.
    reasoning_content: Optional[str] = None


@dataclass(frozen=True)
class ChatChoice:
    """A whole reply."""

    index: int
    message: Message
    #: Why it ended: `stop` or `length`.
    finish_reason: str
    #: Of each token, where asked for, as in the OpenAI API.
    logprobs: Optional[Dict[str, Any]] = None


_Choice = TypeVar("_Choice")


@dataclass(frozen=True)
class _Completion(Generic[_Choice]):
    """What the two kinds of completions of the OpenAI API have in common."""

    id: str
    created: int
    model: str
    choices: Tuple[_Choice, ...]
    #: Of all together, the prompt counted once.
    usage: Usage
    timings: Timings
    _told: Dict[str, Any] = field(repr=False, compare=False, default_factory=dict)

    @property
    def text(self) -> str:
        """The first of the texts."""
        raise NotImplementedError

    def to_dict(self) -> Dict[str, Any]:
        """The completion as JSON has it."""
        return self._told

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class ChatCompletion(_Completion[ChatChoice]):
    """All replies to a conversation, in the shape of the OpenAI API. `str()` of it is the text of the first."""

    @property
    def text(self) -> str:
        """The text of the first reply."""
        return self.choices[0].message.content

    @classmethod
    def _of(cls, told: Dict[str, Any]) -> ChatCompletion:
        choices = []
        for choice in told["choices"]:
            message = Message(**_known(Message, choice["message"]))
            choices.append(ChatChoice(choice["index"], message, choice["finish_reason"], choice.get("logprobs")))
        return cls(_told=told, choices=tuple(choices), **_head(told))


@dataclass(frozen=True)
class TextChoice:
    """A whole text."""

    index: int
    text: str
    #: Why it ended: `stop` or `length`.
    finish_reason: str
    #: Of each token, where asked for, as in the OpenAI API.
    logprobs: Optional[Dict[str, Any]] = None


@dataclass(frozen=True)
class TextCompletion(_Completion[TextChoice]):
    """Texts after a prompt, in the shape of the OpenAI API. `str()` of it is the first."""

    @property
    def text(self) -> str:
        """The first text."""
        return self.choices[0].text

    @classmethod
    def _of(cls, told: Dict[str, Any]) -> TextCompletion:
        choices = tuple(TextChoice(**_known(TextChoice, choice)) for choice in told["choices"])
        return cls(_told=told, choices=choices, **_head(told))


@dataclass(frozen=True)
class ChatEvent:
    """What comes of a conversation while it is answered."""

    #: `text`, `reasoning`, `tool_call` or, at the end of all replies, `done`.
    kind: str
    #: Which reply, from 0.
    index: int
    #: The next of the reply, or of what the model thinks before it, in whole characters.
    text: str = ""
    #: A call of a function, as in `tool_calls` of the OpenAI API. No model's are told apart yet.
    tool_call: Optional[Dict[str, Any]] = None
    #: All that was said, where this is the end.
    completion: Optional[ChatCompletion] = None


@dataclass(frozen=True)
class TextEvent:
    """What comes of a prompt while it is gone on with."""

    #: `text` or, at the end of all texts, `done`.
    kind: str
    #: Which text, from 0.
    index: int
    #: The next of the text, in whole characters.
    text: str = ""
    #: All that was written, where this is the end.
    completion: Optional[TextCompletion] = None


@dataclass(frozen=True)
class Info:
    """What was loaded and what runs it."""

    #: The family, as config.json's `model_type` has it.
    family: str
    #: Elements in all weights.
    parameters: int
    layers: int
    width: int
    vocabulary: int
    #: Tokens that a sequence can hold.
    context: int
    #: Tokens that the model was made for.
    max_context: int
    #: Bytes of all weights as they are held.
    weight_bytes: int
    cache_bytes_per_token: int
    #: How a chat chooses tokens where its request does not say.
    sampling: Optional[Dict[str, Any]]
    #: `cpu` or `wgpu`.
    backend: str
    #: The device in its maker's words.
    device: str
    subgroups: bool
    #: Threads that compute.
    threads: int
    #: Why it is this device, in words.
    reason: str = ""
    #: The same as a word: `asked`, `gpu`, `small-model`, `no-adapter`, or why a GPU is left alone, as `died` or `slower-than-cpu`.
    reason_code: str = ""

    @classmethod
    def _of(cls, told: Mapping[str, Any]) -> Info:
        return cls(**_known(cls, {_snake(name): value for name, value in told.items()}))


@dataclass(frozen=True)
class Estimate:
    """Bytes that a model will take at most, known from the headers of its files."""

    #: Of all weights as they will be held.
    weight_bytes: int
    tokenizer_bytes: int
    #: Of caches for one token.
    cache_bytes_per_token: int
    #: Of caches and states of a session that fills its context.
    session_bytes: int
    #: The most while the model is loaded.
    peak_bytes: int


@dataclass(frozen=True)
class Progress:
    """How far loading or a download has come."""

    #: `loading`, `downloading`, `verifying`, `retrying` or, where nothing has come for a moment, `waiting`.
    kind: str
    #: The file or the tensor.
    name: str
    #: How much of it is done: bytes of a file, numbers of the weights.
    done: int
    #: How much there is; 0 where it is not known.
    total: int


def _head(told: Mapping[str, Any]) -> Dict[str, Any]:
    return {
        "id": told["id"],
        "created": told["created"],
        "model": told["model"],
        "usage": Usage._of(told["usage"]),
        "timings": Timings._of(told["timings"]),
    }


def _known(kind: Any, told: Mapping[str, Any]) -> Dict[str, Any]:
    """The fields that a class has; a newer library may tell more."""
    names = {field.name for field in fields(kind)}
    return {name: value for name, value in told.items() if name in names}


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
