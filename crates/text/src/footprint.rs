//! What a tokenizer takes in memory, told from the words in its file before it is read.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::error::TextError;

/// Patterns with classes of Unicode are a third of a megabyte, whatever the vocabulary; what is made once for all tokenizers is a fifth.
const FIXED: usize = 640 << 10;

/// An added token: its texts, and its letters in the automaton that finds it.
const ADDED: usize = 420;

/// While a file is read, a word of the vocabulary is there as JSON and as JSON's values, in tables that double.
const READ_WORD: usize = 500;
/// The same of a merge that is a list of two words.
const READ_PAIR: usize = 700;
/// The same of a merge that is one text.
const READ_JOINED: usize = 110;
/// The same of a word with its score.
const READ_SCORED: usize = 200;

/// Unigram models: a byte of a word in the tree that finds words. Random words need so much; those of a language share more beginnings.
const TREE_BYTE: usize = 180;
/// Unigram models: the table of texts that were met before, whose room is there from the start.
const CACHE: usize = 800 << 10;

/// Bytes that a tokenizer takes at most; nearly all are its vocabulary's.
///
/// Tables and texts are computed as the crate `tokenizers` lays them out, each text with what a system's allocator takes for it. The
/// figures besides were measured with an allocator that counts, over vocabularies from a thousand words to 256,000; `tests/memory` holds them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Footprint {
    /// Once it is loaded.
    pub held_bytes: usize,
    /// The most while it is read, with the file itself.
    pub reading_bytes: usize,
}

impl Footprint {
    /// What the tokenizer of a `tokenizer.json` will take; its words are counted, and none is kept.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn of(tokenizer_json: &[u8]) -> Result<Self, TextError> {
        let wrong = |e: serde_json::Error| TextError::TokenizerFile { reason: e.to_string() };
        let File { model, added_tokens } = serde_json::from_slice(tokenizer_json).map_err(wrong)?;
        let Model { vocab, merges } = model;
        let besides = FIXED + ADDED * added_tokens.len();
        let held_bytes = besides + vocab.held_bytes() + table(merges.n(), size_of::<[u32; 4]>());
        let merging = READ_PAIR * merges.n_pairs + READ_JOINED * merges.n_joined;
        let reading = match vocab.kind {
            Kind::Map => besides + READ_WORD * vocab.n_words + merging,
            Kind::Scored => held_bytes + READ_SCORED * vocab.n_words,
        };
        Ok(Self { held_bytes, reading_bytes: tokenizer_json.len() + reading.max(held_bytes) })
    }
}

/// Bytes of a hash table of the standard library: a power of two of places, seven of eight used, each with a byte of its hash.
fn table(n: usize, entry_bytes: usize) -> usize {
    if n == 0 { 0 } else { (n * 8 / 7).next_power_of_two() * (entry_bytes + 1) }
}

/// Bytes that an allocator takes for a text: glibc's has eight before each, and steps of 16 from 32 bytes on.
fn text(n_bytes: usize) -> usize {
    (n_bytes + 8).next_multiple_of(16).max(32)
}

#[derive(serde::Deserialize)]
struct File {
    model: Model,
    #[serde(default)]
    added_tokens: Vec<IgnoredAny>,
}

#[derive(serde::Deserialize)]
struct Model {
    #[serde(default)]
    vocab: Vocabulary,
    #[serde(default)]
    merges: Merges,
}

/// How a vocabulary is written, by which the kind of model is known.
#[derive(Debug, Clone, Copy, Default)]
enum Kind {
    /// Words to ids: BPE, WordPiece, WordLevel.
    #[default]
    Map,
    /// Words with scores: Unigram.
    Scored,
}

/// What a vocabulary holds.
#[derive(Debug, Default)]
struct Vocabulary {
    kind: Kind,
    n_words: usize,
    /// Bytes of all words.
    n_bytes: usize,
    /// Bytes that an allocator takes for them.
    text_bytes: usize,
}

impl Vocabulary {
    fn add(&mut self, word: &Word) {
        self.n_words += 1;
        self.n_bytes += word.n_bytes;
        self.text_bytes += text(word.n_bytes);
    }

    /// Words to ids, and back; of scored ones a list and the tree.
    fn held_bytes(&self) -> usize {
        let entry = size_of::<(String, u32)>();
        let by_word = table(self.n_words, entry) + self.text_bytes;
        match self.kind {
            Kind::Map => 2 * by_word,
            Kind::Scored => {
                let list = self.n_words.next_power_of_two() * size_of::<(String, f64)>() + self.text_bytes;
                by_word + list + TREE_BYTE * self.n_bytes + CACHE
            }
        }
    }
}

impl<'de> Deserialize<'de> for Vocabulary {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self::default())
    }
}

impl<'de> Visitor<'de> for Vocabulary {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("words with ids, or a list of words with scores")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self, A::Error> {
        while let Some((word, IgnoredAny)) = map.next_entry::<Word, IgnoredAny>()? {
            self.add(&word);
        }
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Self, A::Error> {
        self.kind = Kind::Scored;
        while let Some((word, IgnoredAny)) = list.next_element::<(Word, IgnoredAny)>()? {
            self.add(&word);
        }
        Ok(self)
    }
}

/// A word of the vocabulary, or a merge; its text is not kept.
#[derive(Debug, Default)]
struct Word {
    /// Of a text.
    n_bytes: usize,
    is_list: bool,
}

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self::default())
    }
}

impl<'de> Visitor<'de> for Word {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, or a list of texts")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self, E> {
        Ok(Self { n_bytes: text.len(), is_list: false })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self { n_bytes: 0, is_list: true })
    }
}

/// The merges of a BPE model.
#[derive(Debug, Default)]
struct Merges {
    /// Those that are lists of two words, as files have them since 2024.
    n_pairs: usize,
    /// Those that are one text, with a space between the two.
    n_joined: usize,
}

impl Merges {
    fn n(&self) -> usize {
        self.n_pairs + self.n_joined
    }
}

impl<'de> Deserialize<'de> for Merges {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Self::default())
    }
}

impl<'de> Visitor<'de> for Merges {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of merges")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Self, A::Error> {
        while let Some(Word { is_list, .. }) = list.next_element()? {
            let count = if is_list { &mut self.n_pairs } else { &mut self.n_joined };
            *count += 1;
        }
        Ok(self)
    }
}
