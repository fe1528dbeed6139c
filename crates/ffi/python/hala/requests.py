"""What requests have besides messages or a prompt: for type checkers."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Sequence, TypedDict, Union


class _Options(TypedDict, total=False):
    #: What the answer names as its model; the one that is loaded answers.
    model: str
    #: 0 takes the likeliest token; higher is more varied.
    temperature: float
    #: Chooses among the likeliest tokens that together reach this probability.
    top_p: float
    #: Chooses among this many of the likeliest tokens; 0 for all.
    top_k: int
    #: Chooses among tokens at least this many times as likely as the likeliest.
    min_p: float
    #: Makes tokens of prompt and output less likely by this factor.
    repetition_penalty: float
    frequency_penalty: float
    presence_penalty: float
    #: Added to the logits of ids.
    logit_bias: Mapping[int, float]
    #: How many replies or texts.
    n: int
    #: The same seed gives the same text.
    seed: int
    #: Strings that end it; they are not part of it.
    stop: Union[str, Sequence[str]]
    #: The most tokens.
    max_tokens: int


class ChatOptions(_Options, total=False):
    """Of a conversation."""

    #: `max_tokens` by its newer name.
    max_completion_tokens: int
    #: Whether each token comes with its log-probability.
    logprobs: bool
    #: Log-probabilities of so many of the likeliest tokens besides.
    top_logprobs: int
    #: Descriptions of functions that the model may call.
    tools: List[Dict[str, Any]]
    #: Variables for the chat template.
    chat_template_kwargs: Dict[str, Any]
    #: The local time that the chat template may print.
    now: str
    #: What happens where the conversation outgrows the context.
    overflow: str


class TextOptions(_Options, total=False):
    """Of a prompt."""

    #: Log-probabilities of each token and of so many of the likeliest besides.
    logprobs: int
    #: Goes on after the model's end-of-text tokens.
    ignore_eos: bool
