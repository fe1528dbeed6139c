//! Text from a session, token by token.

use std::sync::Arc;

use hala_plan::ops::sample::Choice;
use hala_plan::{Backend, Cancel};
use hala_text::{Specials, StreamDecoder};
use serde::Serialize;
use web_time::Instant;

use crate::ahead::Choosing;
use crate::logits::logprobs;
use crate::stop::{Checked, StopStrings};
use crate::{EngineError, Sampler, Sampling, Session, Timings, TokenLogprob, Usage};

/// What to generate.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GenerateOptions {
    /// How tokens are chosen.
    pub sampling: Sampling,
    /// The most tokens; `None` for as many as the context has room for.
    pub max_tokens: Option<usize>,
    /// Strings that end the text; they are not part of it.
    pub stop: Vec<String>,
    /// Ids that end the text, besides those of the checkpoint.
    pub stop_ids: Vec<u32>,
    /// Whether the checkpoint's end-of-text ids are ignored.
    pub ignore_eos: bool,
    /// Whether special tokens are part of the text, such as the marks about a call of a tool. Those that end it never are.
    pub specials: Specials,
    /// Log-probabilities wanted with each token: of the chosen one and of this many of the likeliest.
    pub logprobs: Option<usize>,
}

/// Why a generation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FinishReason {
    /// The model ended it, or a stop string or id came.
    Stop,
    /// The token limit or the context was reached.
    Length,
    /// The caller stopped it.
    Cancelled,
}

/// One step of the stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    /// The token.
    pub id: u32,
    /// Text that is now certain: empty while a character or a stop string may still be incomplete.
    pub text: String,
    /// Its log-probabilities, where asked for.
    pub logprobs: Option<TokenLogprob>,
}

/// A finished generation.
#[derive(Debug, Clone, PartialEq)]
pub struct Generated {
    /// The tokens, without the one that ended it.
    pub ids: Vec<u32>,
    /// The whole text.
    pub text: String,
    /// Why it ended.
    pub finish: FinishReason,
    /// Tokens.
    pub usage: Usage,
    /// Times.
    pub timings: Timings,
}

/// A stream of text from a session, which is handed to every step. Dropping it leaves the session with the tokens
/// computed so far.
#[derive(Debug)]
pub struct Generation {
    prompt: Vec<u32>,
    cancel: Cancel,
    sampler: Sampler,
    decoder: Option<StreamDecoder>,
    stops: StopStrings,
    stop_ids: Vec<u32>,
    max_tokens: usize,
    n_logprobs: Option<usize>,
    /// How the device chooses, where it can.
    on_device: Option<Choice>,
    /// Tokens of the prompt, from its start, that penalties are for.
    n_penalised: usize,
    so_far: Generated,
    /// Whether the session still has to be brought to the prompt and the tokens so far.
    is_behind: bool,
    is_over: bool,
}

impl Generation {
    /// Prepares to generate after `prompt`; the first [`Generation::next`] computes it.
    ///
    /// Without a tokenizer the text stays empty and only ids come.
    ///
    /// # Errors
    /// An option outside of its range, an empty prompt, or one that leaves no room in the context.
    pub fn new<B: Backend>(
        session: &Session<B>,
        prompt: &[u32],
        options: &GenerateOptions,
        cancel: &Cancel,
    ) -> Result<Self, EngineError> {
        session.engine().check_prompt(prompt)?;
        let sampler = Sampler::new(options.sampling.clone())?;
        let n_vocab = session.engine().model().facts().n_vocab;
        if let Some((id, _)) = options.sampling.logit_bias.iter().find(|(id, _)| *id as usize >= n_vocab) {
            let expected = "for ids of the model's vocabulary";
            return Err(EngineError::Option {
                option: "logit_bias",
                found: format!("for the id {id}"),
                expected,
            });
        }
        let may_choose = session.engine().backend().n_ahead() > 0 && options.logprobs.is_none();
        let tokenizer = session.engine().tokenizer().ok();
        let mut stop_ids = options.stop_ids.clone();
        if !options.ignore_eos {
            stop_ids.extend_from_slice(session.engine().end_ids());
        }
        let room = session.context() - prompt.len() + 1;
        Ok(Self {
            decoder: tokenizer.map(|t| t.stream_decoder(options.specials)),
            prompt: prompt.to_vec(),
            cancel: cancel.clone(),
            sampler,
            stops: StopStrings::new(&options.stop),
            stop_ids,
            max_tokens: options.max_tokens.unwrap_or(room).min(room),
            n_logprobs: options.logprobs,
            on_device: options.sampling.on_device().filter(|_| may_choose),
            n_penalised: prompt.len(),
            so_far: Generated {
                ids: Vec::new(),
                text: String::new(),
                finish: FinishReason::Length,
                usage: Usage { prompt_tokens: prompt.len(), ..Usage::default() },
                timings: Timings::default(),
            },
            is_behind: true,
            is_over: false,
        })
    }

    /// The next token and the text that became certain with it; `None` when the generation has ended. The text
    /// held back for a stop string that did not come is part of the last piece or of [`Generation::finish`].
    ///
    /// # Errors
    /// A lost device, or logits that are no numbers. Cancellation is no error: the stream ends.
    pub async fn next<B: Backend>(&mut self, session: &mut Session<B>) -> Result<Option<Piece>, EngineError> {
        if self.is_over {
            return Ok(None);
        }
        if self.so_far.usage.completion_tokens >= self.max_tokens {
            return self.end(FinishReason::Length);
        }
        let chosen = match self.compute(session).await {
            Ok(chosen) => chosen,
            Err(error) if error.is_cancelled() => return self.end(FinishReason::Cancelled),
            Err(error) => return Err(error),
        };
        if self.cancel.is_cancelled() {
            return self.end(FinishReason::Cancelled);
        }
        match chosen {
            Some(id) => self.take(id, None),
            None => self.choose(session),
        }
    }

    /// Runs to the end.
    ///
    /// # Errors
    /// As for [`Generation::next`].
    pub async fn run<B: Backend>(mut self, session: &mut Session<B>) -> Result<Generated, EngineError> {
        while self.next(session).await?.is_some() {}
        self.finish()
    }

    /// What was generated so far.
    pub fn so_far(&self) -> &Generated {
        &self.so_far
    }

    /// The ids of the prompt.
    pub fn prompt(&self) -> &[u32] {
        &self.prompt
    }

    /// Ends the stream, wherever it is, and gives what was generated.
    ///
    /// # Errors
    /// Text that cannot be decoded.
    pub fn finish(mut self) -> Result<Generated, EngineError> {
        if !self.is_over {
            self.end(FinishReason::Cancelled)?;
        }
        Ok(self.so_far)
    }

    /// Takes back all but the first `n_kept` tokens, and goes on from there with tokens chosen by `sampling`, whose
    /// penalties are for the tokens of the text and not for those of the prompt. Tokens that were taken back stay
    /// counted as generated, and do not count towards the limit.
    ///
    /// # Errors
    /// An option outside of its range, or text that cannot be decoded.
    pub(crate) fn go_back<B: Backend>(
        &mut self,
        session: &Session<B>,
        n_kept: usize,
        sampling: &Sampling,
    ) -> Result<(), EngineError> {
        let n_before = self.so_far.ids.len();
        self.so_far.ids.truncate(n_kept);
        self.max_tokens += n_before - self.so_far.ids.len();
        self.sampler = Sampler::new(sampling.clone())?;
        (self.on_device, self.n_penalised) = (None, 0);
        let tokenizer = session.engine().tokenizer().ok();
        self.decoder = tokenizer.map(|t| t.stream_decoder(Specials::Skip));
        self.so_far.text.clear();
        if let Some(decoder) = &mut self.decoder {
            for id in &self.so_far.ids {
                self.so_far.text.push_str(&decoder.push(*id)?);
            }
        }
        (self.is_behind, self.is_over) = (true, false);
        Ok(())
    }

    /// The tokens that there are at first, then the token chosen last; gives the next one where the device chose it.
    async fn compute<B: Backend>(&mut self, session: &mut Session<B>) -> Result<Option<u32>, EngineError> {
        let start = Instant::now();
        let last = self.so_far.ids.last().copied().filter(|_| !self.is_behind);
        let Some(id) = last else {
            let tokens = [self.prompt.as_slice(), &self.so_far.ids].concat();
            let prefilled = session.prefill(&tokens, &self.cancel).await?;
            if self.so_far.usage.completion_tokens == 0 {
                self.so_far.usage.cached_tokens = prefilled.n_cached;
            }
            self.so_far.timings.prefill += start.elapsed();
            self.is_behind = false;
            return Ok(None);
        };
        let chosen = self.choose_ahead(session, id).await?;
        if chosen.is_none() {
            session.decode(id, &self.cancel).await?;
        }
        self.so_far.timings.decode += start.elapsed();
        Ok(chosen)
    }

    /// The token after `id`, where the device can choose it. Once it cannot, the host does to the end: what made it decline
    /// rarely comes alone, and each time costs what was computed ahead.
    async fn choose_ahead<B: Backend>(
        &mut self,
        session: &mut Session<B>,
        id: u32,
    ) -> Result<Option<u32>, EngineError> {
        let Some(choice) = self.on_device.filter(|_| session.engine().backend().n_ahead() > 0) else {
            return Ok(None);
        };
        let choosing = Choosing {
            choice,
            seed: self.sampler.sampling().seed,
            n_drawn: self.sampler.n_drawn(),
            n_wanted: self.max_tokens - self.so_far.usage.completion_tokens,
            so_far: [&self.prompt, &self.so_far.ids],
        };
        let chosen = session.decode_ahead(id, &choosing, &self.cancel).await?;
        match chosen {
            Some(_) => self.sampler.skip(),
            None => self.on_device = None,
        }
        Ok(chosen)
    }

    /// The next token by the host.
    fn choose<B: Backend>(&mut self, session: &mut Session<B>) -> Result<Option<Piece>, EngineError> {
        let engine = Arc::clone(session.engine());
        engine.mask_undefined(session.logits_mut());
        let raw = self.n_logprobs.map(|_| session.logits().to_vec());
        let penalised = &self.prompt[..self.n_penalised];
        let id = self.sampler.sample(session.logits_mut(), penalised, &self.so_far.ids)?;
        self.take(id, raw.as_deref())
    }

    /// Makes a token part of the result; `raw` are the logits that it was chosen from, where log-probabilities are wanted.
    fn take(&mut self, id: u32, raw: Option<&[f32]>) -> Result<Option<Piece>, EngineError> {
        self.so_far.usage.completion_tokens += 1;
        if self.stop_ids.contains(&id) {
            return self.end(FinishReason::Stop);
        }
        self.so_far.ids.push(id);
        let logprobs = raw.zip(self.n_logprobs).map(|(raw, n)| logprobs(raw, id, n));
        let text = match &mut self.decoder {
            Some(decoder) => decoder.push(id)?,
            None => String::new(),
        };
        let text = match self.stops.push(&text) {
            Checked::Pass(text) => text,
            Checked::Stop(text) => {
                self.so_far.finish = FinishReason::Stop;
                self.is_over = true;
                text
            }
        };
        self.so_far.text.push_str(&text);
        Ok(Some(Piece { id, text, logprobs }))
    }

    /// Marks the end; text that was held back becomes part of the result, and is given out as a last piece where
    /// there is a token to attach it to.
    fn end(&mut self, finish: FinishReason) -> Result<Option<Piece>, EngineError> {
        self.is_over = true;
        self.so_far.finish = finish;
        let text = self.decoder.take().map(StreamDecoder::finish).transpose()?.unwrap_or_default();
        let text = match self.stops.push(&text) {
            Checked::Pass(passed) => passed + &self.stops.finish(),
            Checked::Stop(before) => before,
        };
        self.so_far.text.push_str(&text);
        let last = self.so_far.ids.last().filter(|_| !text.is_empty());
        Ok(last.map(|id| Piece { id: *id, text, logprobs: None }))
    }
}
