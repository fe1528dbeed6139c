//! Sessions over a model: prefill, decode, sampling, chat and translation.
