//! Text to token ids and back: tokenizers, chat templates, languages and sentences.
