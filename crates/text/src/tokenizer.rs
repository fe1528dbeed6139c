//! Any Hugging Face `tokenizer.json`: text to ids, ids to text, special tokens.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use tokenizers::{AddedToken, Encoding};

use crate::config::{TokenizerConfig, generation_bos};
use crate::error::TextError;
use crate::template::{ChatTemplate, TemplateSources};

/// The files of a checkpoint that this crate reads, as bytes.
#[derive(Debug, Clone, Copy, Default)]
pub struct TokenizerFiles<'a> {
    /// `tokenizer.json`.
    pub tokenizer_json: &'a [u8],
    /// `tokenizer_config.json`: special tokens, chat template.
    pub tokenizer_config: Option<&'a [u8]>,
    /// `chat_template.jinja`; it goes before the template in `tokenizer_config.json`, as in transformers.
    pub chat_template: Option<&'a str>,
    /// `generation_config.json`: the id that begins a text.
    pub generation_config: Option<&'a [u8]>,
}

/// Whether encoding begins with the BOS token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bos {
    /// As the checkpoint says, and never twice: a text that already opens with the BOS text (a rendered chat)
    /// gets no second one.
    Auto,
    /// Only the text itself, nothing added at either end.
    Never,
}

/// What decoding does with special tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Specials {
    /// Leave them out.
    #[default]
    Skip,
    /// Write their text, such as `<|im_end|>`.
    Keep,
}

/// One token of an encoded text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenPiece {
    /// The token's id.
    pub id: u32,
    /// The token as the vocabulary spells it (byte-level tokenizers write a space as `Ġ`).
    pub token: String,
    /// The bytes of the text that the token covers; empty for a token that was added. The tokens of a
    /// character that is split among several all cover the whole character.
    pub range: Range<usize>,
}

/// A loaded tokenizer with its special tokens and chat template. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    tokenizer: tokenizers::Tokenizer,
    n_vocab: usize,
    special_ids: BTreeSet<u32>,
    adds_bos: bool,
    post_processor_adds_bos: bool,
    bos_id: Option<u32>,
    /// Empty where the checkpoint has none.
    chat_template: ChatTemplate,
}

impl Tokenizer {
    /// Loads a tokenizer and compiles its chat template.
    ///
    /// # Errors
    /// Any file that cannot be read, a template that is not valid Jinja, and a `tokenizer_config.json` that
    /// gives another token's id to an added token.
    pub fn new(files: TokenizerFiles<'_>) -> Result<Self, TextError> {
        let mut tokenizer = read_tokenizer(files.tokenizer_json)?;
        let config = files.tokenizer_config.map(TokenizerConfig::from_bytes).transpose()?.unwrap_or_default();
        let generation_bos = files.generation_config.map(generation_bos).transpose()?.flatten();
        add_declared_tokens(&mut tokenizer, &config)?;

        let opening_id = first_added_id(&tokenizer)?;
        let bos_id = token_id(&tokenizer, &config, "bos_token").or(generation_bos).or(opening_id);
        let post_processor_adds_bos = opening_id.is_some() && opening_id == bos_id;
        // Where tokenizer.json has a post-processor it decides alone, as in transformers 5.
        let asked_for = tokenizer.get_post_processor().is_none() && config.add_bos_token == Some(true);
        let bos_text = bos_id.and_then(|id| tokenizer.id_to_token(id));
        let chat_template = load_template(&tokenizer, &config, files.chat_template, bos_text)?;
        let inner = Inner {
            n_vocab: n_vocab(&tokenizer),
            special_ids: special_ids(&tokenizer),
            adds_bos: post_processor_adds_bos || (asked_for && bos_id.is_some()),
            post_processor_adds_bos,
            bos_id,
            chat_template,
            tokenizer,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The ids of a text, in order.
    ///
    /// # Errors
    /// [`TextError::Encode`] where the tokenizer itself fails.
    pub fn encode(&self, text: &str, bos: Bos) -> Result<Vec<u32>, TextError> {
        let encoding = self.encoding(text, bos)?;
        let ids = encoding.get_ids();
        let mut out = Vec::with_capacity(ids.len() + 1);
        out.extend(self.missing_bos(ids, bos));
        out.extend_from_slice(&ids[self.surplus_bos(ids, bos)..]);
        Ok(out)
    }

    /// The tokens of a text with the bytes that each covers.
    ///
    /// # Errors
    /// As [`Tokenizer::encode`].
    pub fn pieces(&self, text: &str, bos: Bos) -> Result<Vec<TokenPiece>, TextError> {
        let encoding = self.encoding(text, bos)?;
        let ids = encoding.get_ids();
        let mut out = Vec::with_capacity(ids.len() + 1);
        if let Some(id) = self.missing_bos(ids, bos) {
            out.push(TokenPiece { id, token: self.token_of(id).unwrap_or_default(), range: 0..0 });
        }
        let rows = ids.iter().zip(encoding.get_tokens()).zip(encoding.get_offsets());
        for ((&id, token), &(start, end)) in rows.skip(self.surplus_bos(ids, bos)) {
            out.push(TokenPiece { id, token: token.clone(), range: start..end });
        }
        Ok(out)
    }

    /// The text of ids. Bytes that are no UTF-8 become U+FFFD.
    ///
    /// # Errors
    /// [`TextError::IdOutsideVocabulary`] for an id that has no token.
    pub fn decode(&self, ids: &[u32], specials: Specials) -> Result<String, TextError> {
        for &id in ids {
            if self.token_of(id).is_none() {
                return Err(self.outside(id));
            }
        }
        self.inner
            .tokenizer
            .decode(ids, specials == Specials::Skip)
            .map_err(|e| TextError::Decode { reason: e.to_string() })
    }

    /// One more than the greatest id that has a token. A model's logits may be wider (its vocabulary is often
    /// rounded up): the sampler must mask the ids from here on.
    #[must_use]
    pub fn n_vocab(&self) -> usize {
        self.inner.n_vocab
    }

    /// The id that begins a text, where the checkpoint names one.
    #[must_use]
    pub fn bos_id(&self) -> Option<u32> {
        self.inner.bos_id
    }

    /// The id of a token as the vocabulary spells it.
    #[must_use]
    pub fn id_of(&self, token: &str) -> Option<u32> {
        self.inner.tokenizer.token_to_id(token)
    }

    /// The token of an id, as the vocabulary spells it.
    #[must_use]
    pub fn token_of(&self, id: u32) -> Option<String> {
        self.inner.tokenizer.id_to_token(id)
    }

    /// Whether the id is a special token, one that [`Specials::Skip`] leaves out.
    #[must_use]
    pub fn is_special(&self, id: u32) -> bool {
        self.inner.special_ids.contains(&id)
    }

    /// The checkpoint's chat template, or LFM2's own where it has none.
    ///
    /// # Errors
    /// [`TextError::NoChatTemplate`] where there is none and the tokenizer lacks LFM2's turn tokens.
    pub fn chat_template(&self) -> Result<&ChatTemplate, TextError> {
        Some(&self.inner.chat_template)
            .filter(|template| !template.is_empty())
            .ok_or(TextError::NoChatTemplate)
    }

    /// A chat template in place of the checkpoint's, with its special tokens.
    ///
    /// # Errors
    /// [`TextError::TemplateSyntax`] with what is wrong in the source, and where.
    pub fn template_of(&self, source: &str) -> Result<ChatTemplate, TextError> {
        self.inner.chat_template.with_source(source)
    }

    pub(crate) fn raw(&self) -> &tokenizers::Tokenizer {
        &self.inner.tokenizer
    }

    pub(crate) fn outside(&self, id: u32) -> TextError {
        TextError::IdOutsideVocabulary { id, n_vocab: self.inner.n_vocab }
    }

    fn encoding(&self, text: &str, bos: Bos) -> Result<Encoding, TextError> {
        self.inner
            .tokenizer
            .encode(text, bos == Bos::Auto)
            .map_err(|e| TextError::Encode { text_bytes: text.len(), reason: e.to_string() })
    }

    /// 1 where the post-processor put a BOS before a text that has its own, else 0.
    pub(crate) fn surplus_bos(&self, ids: &[u32], bos: Bos) -> usize {
        let inner = &self.inner;
        let doubled = ids.len() >= 2 && inner.bos_id == Some(ids[0]) && ids[0] == ids[1];
        usize::from(bos == Bos::Auto && inner.post_processor_adds_bos && doubled)
    }

    pub(crate) fn missing_bos(&self, ids: &[u32], bos: Bos) -> Option<u32> {
        let wanted = bos == Bos::Auto && self.inner.adds_bos;
        self.inner.bos_id.filter(|id| wanted && ids.first() != Some(id))
    }
}

fn read_tokenizer(bytes: &[u8]) -> Result<tokenizers::Tokenizer, TextError> {
    let wrong = |reason: String| TextError::TokenizerFile { reason };
    if bytes.is_empty() {
        return Err(wrong("the file is empty".to_owned()));
    }
    let mut tokenizer = tokenizers::Tokenizer::from_bytes(bytes).map_err(|e| wrong(e.to_string()))?;
    // Some published files carry the padding and truncation of their training run; a prompt must stay whole.
    tokenizer.with_truncation(None).map_err(|e| wrong(e.to_string()))?;
    tokenizer.with_padding(None);
    Ok(tokenizer)
}

/// Adds the tokens that `tokenizer_config.json` declares and `tokenizer.json` does not list as added.
fn add_declared_tokens(
    tokenizer: &mut tokenizers::Tokenizer,
    config: &TokenizerConfig,
) -> Result<(), TextError> {
    let listed = tokenizer.get_added_tokens_decoder();
    let known: BTreeSet<&str> = listed.values().map(|token| token.content.as_str()).collect();
    let conflict = |id: u32, declared: &str, found: String| TextError::AddedTokenConflict {
        id,
        declared: declared.to_owned(),
        found,
    };
    let mut missing = Vec::new();
    for (&id, declared) in &config.added_tokens {
        let content = declared.content.as_str();
        if known.contains(content) || content.is_empty() {
            continue;
        }
        if let Some(other) = tokenizer.id_to_token(id).filter(|token| token != content) {
            return Err(conflict(id, content, format!("{other:?}")));
        }
        missing.push(
            AddedToken::from(content, declared.special)
                .lstrip(declared.lstrip)
                .rstrip(declared.rstrip)
                .single_word(declared.single_word)
                .normalized(declared.normalized),
        );
    }
    if missing.is_empty() {
        return Ok(());
    }
    tokenizer.add_tokens(missing).map_err(|e| TextError::TokenizerFile { reason: e.to_string() })?;
    for (&id, declared) in &config.added_tokens {
        if let Some(given) = tokenizer.token_to_id(&declared.content).filter(|given| *given != id) {
            return Err(conflict(
                id,
                &declared.content,
                format!("unused, and the token would get id {given}"),
            ));
        }
    }
    Ok(())
}

/// The id that the post-processor puts before every text.
fn first_added_id(tokenizer: &tokenizers::Tokenizer) -> Result<Option<u32>, TextError> {
    let encoding = tokenizer
        .encode("a", true)
        .map_err(|e| TextError::TokenizerFile { reason: format!("the tokenizer fails on \"a\": {e}") })?;
    let first_is_added = encoding.get_special_tokens_mask().first() == Some(&1);
    Ok(encoding.get_ids().first().copied().filter(|_| first_is_added))
}

fn token_id(tokenizer: &tokenizers::Tokenizer, config: &TokenizerConfig, name: &str) -> Option<u32> {
    tokenizer.token_to_id(config.special_tokens.get(name)?)
}

fn n_vocab(tokenizer: &tokenizers::Tokenizer) -> usize {
    tokenizer.get_vocab(true).into_values().max().map_or(0, |id| id as usize + 1)
}

fn special_ids(tokenizer: &tokenizers::Tokenizer) -> BTreeSet<u32> {
    tokenizer
        .get_added_tokens_decoder()
        .into_iter()
        .filter_map(|(id, token)| token.special.then_some(id))
        .collect()
}

const TURN_START: &str = "<|im_start|>";
const TURN_END: &str = "<|im_end|>";

fn load_template(
    tokenizer: &tokenizers::Tokenizer,
    config: &TokenizerConfig,
    file: Option<&str>,
    bos_text: Option<String>,
) -> Result<ChatTemplate, TextError> {
    let mut templates = config.chat_templates.clone();
    if let Some(text) = file {
        templates.insert("default".to_owned(), text.to_owned());
    }
    let has = |token: &str| tokenizer.token_to_id(token).is_some();
    if templates.is_empty() && has(TURN_START) && has(TURN_END) {
        templates.insert("default".to_owned(), ChatTemplate::LFM2.to_owned());
    }
    let mut special_tokens: BTreeMap<String, String> = config.special_tokens.clone();
    if let Some(text) = bos_text {
        special_tokens.entry("bos_token".to_owned()).or_insert(text);
    }
    ChatTemplate::new(&TemplateSources { templates, special_tokens })
}
