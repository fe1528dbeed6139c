//! One sentence on its way through a session: text that may be taken back is held until it is certain.

use std::ops::Range;

use hala_plan::{Backend, Cancel};
use hala_text::Tokenizer;

use crate::draft::mode::Draft;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::generate::Generation;
use crate::generated::{FinishReason, Generated, Piece};
use crate::loops::LoopFinder;
use crate::options::GenerateOptions;
use crate::sampling::Sampling;
use crate::segment::Looped;
use crate::task::Task;
use crate::usage::{Timings, Usage};

/// How much less favoured a token of the translation is once that began to repeat itself. Weaker ones (1.05 to 1.2, as
/// in conversation) leave a loop as likely as it was.
const REPETITION_PENALTY: f32 = 1.5;

/// A sentence that is being translated.
///
/// What is handed out stays. A translation that begins to repeat itself goes back to the end of the first of the equal
/// n-grams, and on from there with a penalty; where it does so once more it ends there.
#[derive(Debug)]
pub(crate) struct Sentence {
    /// Where it is in the source.
    pub(crate) source: Range<usize>,
    generation: Generation,
    finder: LoopFinder,
    /// Generated text, without line breaks and white space around it.
    text: String,
    /// Bytes of the text after each token.
    ends: Vec<usize>,
    /// White space that came last, and is left out unless more text follows.
    has_space: bool,
    /// Bytes of the text that were handed out.
    n_given: usize,
    /// What the first try came to, where it ran into a loop.
    first: Option<String>,
    looped: Option<Looped>,
    is_over: bool,
    error: Option<EngineError>,
}

/// What a sentence has become.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) source: Range<usize>,
    pub(crate) looped: Option<Looped>,
    pub(crate) finish: FinishReason,
    pub(crate) usage: Usage,
    pub(crate) timings: Timings,
}

impl Sentence {
    /// Prepares to translate `sentence`, which is at `source` of the whole text.
    ///
    /// # Errors
    /// As for [`Generation::on`].
    pub(crate) fn new<B: Backend>(
        engine: &Engine<B>,
        (sentence, source): (&str, Range<usize>),
        prompt: &[u32],
        cancel: &Cancel,
    ) -> Result<Self, EngineError> {
        // A translation is rarely twice as long as its source; the rest is for very short ones.
        let max_tokens = Some(2 * prompt.len() + 32);
        // Another language repeats nothing of the source but names.
        let options = GenerateOptions { max_tokens, draft: Draft::Off, ..GenerateOptions::default() };
        Ok(Self {
            source,
            generation: Generation::on(engine, prompt, &options, cancel)?,
            finder: LoopFinder::new(sentence),
            text: String::new(),
            ends: Vec::new(),
            has_space: false,
            n_given: 0,
            first: None,
            looped: None,
            is_over: false,
            error: None,
        })
    }

    /// The next text that stays: nothing where more must be generated first.
    ///
    /// # Errors
    /// What ended this sentence alone.
    pub(crate) fn give_settled(&mut self) -> Result<String, EngineError> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        let end = if self.is_over { self.text.len() } else { self.token_end(self.finder.settled()) };
        let given = self.text[self.n_given..end.max(self.n_given)].to_owned();
        self.n_given += given.len();
        Ok(given)
    }

    /// Where it is in the source.
    pub(crate) fn source(&self) -> Range<usize> {
        self.source.clone()
    }

    /// Whether all of it was generated.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Bytes of text that were handed out.
    pub(crate) fn n_given(&self) -> usize {
        self.n_given
    }

    /// Ends the sentence, wherever it is.
    ///
    /// # Errors
    /// Text that cannot be decoded.
    pub(crate) fn finish(self) -> Result<Finished, EngineError> {
        let Self { source, looped, generation, .. } = self;
        let Generated { finish, usage, timings, .. } = generation.finish()?;
        // A loop is left in the middle of a generation.
        let finish = if looped == Some(Looped::Cut) { FinishReason::Stop } else { finish };
        Ok(Finished { source, looped, finish, usage, timings })
    }

    /// Takes in generated text: no white space around a sentence, and no line break in it. Gives the end of what stays
    /// where it began to repeat itself.
    fn take_text(&mut self, text: &str) -> Option<usize> {
        let start = self.text.len();
        for c in text.chars() {
            if c.is_whitespace() {
                self.has_space = true;
                continue;
            }
            if std::mem::take(&mut self.has_space) && !self.text.is_empty() {
                self.text.push(' ');
            }
            self.text.push(c);
        }
        self.ends.push(self.text.len());
        self.finder.push(&self.text[start..])
    }

    /// Goes back to the last token that ends within the first `keep` bytes, or, the second time, ends there.
    fn leave_loop(&mut self, tokenizer: Option<&Tokenizer>, keep: usize) -> Result<(), EngineError> {
        let stays = keep + closing_len(&self.text[keep..]);
        if self.looped.is_some() {
            self.text.truncate(stays);
            self.looped = Some(Looped::Cut);
            self.end();
            self.generation.end(FinishReason::Stop)?;
            return Ok(());
        }
        self.first = Some(self.text[..stays].to_owned());
        self.looped = Some(Looped::Retried);
        let n_bytes = self.token_end(keep);
        let n_kept = self.ends.partition_point(|end| *end < n_bytes) + usize::from(n_bytes > 0);
        let sampling = Sampling { repetition_penalty: REPETITION_PENALTY, ..Sampling::default() };
        self.generation.go_back(tokenizer, n_kept, &sampling)?;
        self.ends.truncate(n_kept);
        self.text.truncate(n_bytes);
        self.has_space = false;
        self.finder.restart(&self.text);
        Ok(())
    }

    /// Nothing more comes. A second try that gave nothing at all is worse than what the first one came to.
    fn end(&mut self) {
        self.is_over = true;
        if let Some(first) = self.first.take().filter(|_| self.text.is_empty()) {
            self.text = first;
            self.looped = Some(Looped::Cut);
        }
    }

    /// The end of the last token that ends within the first `n_bytes`: what is handed out must be able to stay.
    fn token_end(&self, n_bytes: usize) -> usize {
        self.ends.iter().rev().find(|end| **end <= n_bytes).copied().unwrap_or(0)
    }

    /// Takes a piece in; the end of the generation may be the end of a loop, from which it then goes on.
    fn add(&mut self, tokenizer: Option<&Tokenizer>, piece: Option<&Piece>) -> Result<(), EngineError> {
        if self.is_over {
            return Ok(());
        }
        let found = match piece {
            Some(piece) => self.take_text(&piece.text),
            None => self.finder.finish(),
        };
        match found {
            Some(keep) => self.leave_loop(tokenizer, keep)?,
            None if piece.is_none() => self.end(),
            None => {}
        }
        Ok(())
    }
}

impl Task for Sentence {
    fn generation(&self) -> &Generation {
        &self.generation
    }

    fn generation_mut(&mut self) -> &mut Generation {
        &mut self.generation
    }

    fn take(&mut self, tokenizer: Option<&Tokenizer>, piece: Result<Option<Piece>, EngineError>) {
        if let Err(error) = piece.and_then(|piece| self.add(tokenizer, piece.as_ref())) {
            let _ = self.generation.end(FinishReason::Cancelled);
            (self.error, self.is_over) = (Some(error), true);
        }
    }
}

/// Bytes of the marks at the start of `rest` that end a sentence or close what was opened.
fn closing_len(rest: &str) -> usize {
    let closes = |c: char| {
        matches!(
            c,
            '.' | '!' | '?' | '؟' | '۔' | '…' | '»' | '”' | '’' | '"' | '\'' | ')' | ']' | '}' | '\u{64B}'
                ..='\u{65F}'
        )
    };
    // The marks of a longer run are the loop itself.
    let mut last = None;
    rest.chars().take_while(|c| closes(*c) && last.replace(*c) != Some(*c)).map(char::len_utf8).sum()
}
