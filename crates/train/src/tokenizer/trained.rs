//! Training of a tokenizer: words are counted, then the pairs of bytes that occur most are joined, one after the other.

use hala_text::ChatTemplate;
use serde_json::json;
use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::processors::template::TemplateProcessing;
use tokenizers::{AddedToken, Model, Tokenizer, Trainer};

use crate::data::Source;
use crate::error::TrainError;
use crate::tokenizer::options::{BOS, EOS, PAD, TokenizerOptions};
use crate::tokenizer::texts::{Ended, Texts};
use crate::tokenizer::words::{Failed, Words};

/// Words that were counted.
#[derive(Debug)]
pub struct TokenizerTraining {
    options: TokenizerOptions,
    words: Words,
    trainer: BpeTrainer,
    ended: Ended,
}

/// A new tokenizer.
#[derive(Debug)]
pub struct TrainedTokenizer {
    /// `tokenizer.json`.
    pub tokenizer_json: String,
    /// `tokenizer_config.json`.
    pub tokenizer_config: String,
    /// `chat_template.jinja`.
    pub chat_template: String,
    /// Tokens in all; fewer than asked for where no more pairs occur often enough.
    pub n_vocab: usize,
    /// Bytes of a text for each of its tokens, measured on the first texts.
    pub bytes_per_token: f64,
}

impl TokenizerTraining {
    /// Reads all rows and counts their words; rows that cannot be read are passed over. `on_progress` is told the share of the files that was read, from
    /// 0 to 1, and says whether to go on.
    ///
    /// # Errors
    /// Options that make no sense, files that cannot be read, no text at all, and [`TrainError::Stopped`].
    pub fn read(
        sources: &[Source],
        options: TokenizerOptions,
        on_progress: &mut (dyn FnMut(f64) -> bool + Send),
    ) -> Result<Self, TrainError> {
        options.check()?;
        let words = Words::new(&options).map_err(failed)?;
        let special = options.all_special().into_iter().map(|token| AddedToken::from(token, true));
        let mut trainer = BpeTrainer::builder()
            .vocab_size(options.n_vocab - options.whole.len())
            .min_frequency(options.min_frequency)
            .show_progress(false)
            .special_tokens(special.collect())
            .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
            .build();
        let mut ended = Ended::default();
        let texts = Texts::new(sources, on_progress, &mut ended)?;
        trainer.feed(texts, |text| words.of(text)).map_err(failed)?;
        if let Some(error) = ended.error.take() {
            return Err(error);
        }
        if ended.n_texts == 0 {
            let files = sources.iter().map(|source| format!("`{}`", source.path.display()));
            let found = format!("{} rows that cannot be read", ended.n_refused);
            return Err(TrainError::NoRows { files: files.collect::<Vec<_>>().join(", "), found });
        }
        Ok(Self { options, words, trainer, ended })
    }

    /// Texts that were read.
    #[must_use]
    pub fn n_texts(&self) -> u64 {
        self.ended.n_texts
    }

    /// Rows that were passed over.
    #[must_use]
    pub fn n_refused(&self) -> u64 {
        self.ended.n_refused
    }

    /// Different words.
    #[must_use]
    pub fn n_words(&self) -> usize {
        self.trainer.get_word_count()
    }

    /// Finds the tokens.
    ///
    /// # Errors
    /// What the library reports.
    pub fn finish(self) -> Result<TrainedTokenizer, TrainError> {
        let tokenizer = self.tokenizer().map_err(failed)?;
        let chat_template = self.options.chat_template.as_deref().unwrap_or(ChatTemplate::LFM2).to_owned();
        // The template is a file of its own, as transformers saves it.
        let config = json!({
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": BOS,
            "eos_token": EOS,
            "pad_token": PAD,
            "clean_up_tokenization_spaces": false,
        });
        Ok(TrainedTokenizer {
            n_vocab: tokenizer.get_vocab_size(true),
            bytes_per_token: self.bytes_per_token(&tokenizer).map_err(failed)?,
            tokenizer_json: tokenizer.to_string(true).map_err(failed)? + "\n",
            tokenizer_config: format!("{config:#}\n"),
            chat_template,
        })
    }

    fn tokenizer(&self) -> Result<Tokenizer, Failed> {
        let mut model = BPE::default();
        let special = self.trainer.train(&mut model)?;
        let bos = model.token_to_id(BOS).ok_or("the token that begins a text was not made")?;
        let mut tokenizer = Tokenizer::new(model);
        tokenizer.with_pre_tokenizer(Some(self.words.rule()));
        tokenizer.with_decoder(Some(ByteLevel::new(false, true, false)));
        tokenizer.add_special_tokens(special)?;
        let whole =
            self.options.whole.iter().map(|text| AddedToken::from(text.as_str(), false).normalized(false));
        tokenizer.add_tokens(whole.collect::<Vec<_>>())?;
        let opening = TemplateProcessing::builder()
            .try_single(format!("{BOS} $A"))?
            .try_pair(format!("{BOS} $A $B:1"))?
            .special_tokens(vec![(BOS, bos)])
            .build()?;
        tokenizer.with_post_processor(Some(opening));
        Ok(tokenizer)
    }

    fn bytes_per_token(&self, tokenizer: &Tokenizer) -> Result<f64, Failed> {
        let (mut n_bytes, mut n_tokens) = (0, 0);
        for text in &self.ended.sample {
            n_bytes += text.len();
            n_tokens += tokenizer.encode(text.as_str(), false)?.len();
        }
        Ok(n_bytes as f64 / n_tokens.max(1) as f64)
    }
}

impl TrainedTokenizer {
    /// The files by their names.
    #[must_use]
    pub fn files(&self) -> [(&'static str, &str); 3] {
        [
            ("tokenizer_config.json", &self.tokenizer_config),
            ("chat_template.jinja", &self.chat_template),
            ("tokenizer.json", &self.tokenizer_json),
        ]
    }
}

fn failed(error: impl std::fmt::Display) -> TrainError {
    TrainError::Tokenizer { reason: error.to_string() }
}
