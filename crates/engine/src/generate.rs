//! Text from a session, token by token.

use std::sync::Arc;
use std::time::Duration;

use hala_plan::ops::sample::Choice;
use hala_plan::{Backend, Cancel};
use hala_text::Tokenizer;
use web_time::Instant;

use crate::chain::Choosing;
use crate::draft::drafter::Drafter;
use crate::draft::mode::Draft;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::generated::{FinishReason, Generated, Piece};
use crate::logits::{TokenLogprob, logprobs};
use crate::options::GenerateOptions;
use crate::retained::{Claim, Retained};
use crate::sampler::Sampler;
use crate::sampling::Sampling;
use crate::session::Session;
use crate::ticket::Ticket;
use crate::usage::{Timings, Usage};
use crate::writing::{Writing, Written};

/// A stream of text from a session, which is handed to every step. Dropping it leaves the session with the tokens
/// computed so far.
#[derive(Debug)]
pub struct Generation {
    prompt: Vec<u32>,
    cancel: Cancel,
    sampler: Sampler,
    writing: Writing,
    stop_ids: Vec<u32>,
    max_tokens: usize,
    n_logprobs: Option<usize>,
    /// How the device chooses, where it can.
    on_device: Option<Choice>,
    /// What proposes tokens, where that is wanted.
    drafter: Option<Drafter>,
    /// Tokens of the prompt, from its start, that penalties are for.
    n_penalised: usize,
    so_far: Generated,
    /// Whether the session still has to be brought to the prompt and the tokens so far.
    is_behind: bool,
    is_over: bool,
    ticket: Ticket,
    retained: Option<Retained>,
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
        Self::on(session.engine(), prompt, options, cancel)
    }

    /// As [`Generation::new`], for a [`Scheduler`](crate::Scheduler) over this engine.
    ///
    /// # Errors
    /// As for [`Generation::new`].
    pub fn on<B: Backend>(
        engine: &Engine<B>,
        prompt: &[u32],
        options: &GenerateOptions,
        cancel: &Cancel,
    ) -> Result<Self, EngineError> {
        engine.check_prompt(prompt)?;
        let sampler = Sampler::new(options.sampling.clone())?;
        let facts = engine.model().facts();
        let biases = &options.sampling.logit_bias;
        if let Some((id, _)) = biases.iter().find(|(id, _)| *id as usize >= facts.n_vocab) {
            let expected = "for ids of the model's vocabulary";
            return Err(EngineError::Option {
                option: "logit_bias",
                found: format!("for the id {id}"),
                expected,
            });
        }
        let is_ahead = engine.backend().n_ahead() > 0;
        let drafter = match options.draft {
            Draft::Auto if is_ahead => None,
            draft => Drafter::new(draft, prompt),
        };
        let may_choose = is_ahead && options.logprobs.is_none() && drafter.is_none();
        let mut stop_ids = options.stop_ids.clone();
        if !options.ignore_eos {
            stop_ids.extend_from_slice(engine.end_ids());
        }
        let room = facts.context - prompt.len() + 1;
        Ok(Self {
            writing: Writing::new(engine.tokenizer().ok(), options),
            prompt: prompt.to_vec(),
            cancel: cancel.clone(),
            sampler,
            stop_ids,
            max_tokens: options.max_tokens.unwrap_or(room).min(room),
            n_logprobs: options.logprobs,
            on_device: options.sampling.on_device().filter(|_| may_choose),
            drafter,
            n_penalised: prompt.len(),
            so_far: Generated {
                ids: Vec::new(),
                reasoning: None,
                text: String::new(),
                finish: FinishReason::Length,
                usage: Usage { prompt_tokens: prompt.len(), ..Usage::default() },
                timings: Timings::default(),
            },
            is_behind: true,
            is_over: false,
            ticket: Ticket::next(),
            retained: None,
        })
    }

    /// Goes on with a sequence that a [`Scheduler`](crate::Scheduler) keeps, and leaves its own there for the next that carries it. A session keeps
    /// its sequence anyway.
    #[must_use]
    pub fn retaining(mut self, retained: &Retained) -> Self {
        self.retain(retained);
        self
    }

    /// As [`Generation::retaining`], of one that is somebody's already.
    pub fn retain(&mut self, retained: &Retained) {
        self.retained = Some(retained.clone());
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
        if self.has_all() {
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
            None => {
                let engine = Arc::clone(session.engine());
                self.choose(&engine, session.logits_mut())
            }
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
    pub(crate) fn go_back(
        &mut self,
        tokenizer: Option<&Tokenizer>,
        n_kept: usize,
        sampling: &Sampling,
    ) -> Result<(), EngineError> {
        let n_before = self.so_far.ids.len();
        self.so_far.ids.truncate(n_kept);
        self.max_tokens += n_before - self.so_far.ids.len();
        self.sampler = Sampler::new(sampling.clone())?;
        (self.on_device, self.drafter, self.n_penalised) = (None, None, 0);
        self.so_far.text = self.writing.rewrite(tokenizer, &self.so_far.ids)?;
        (self.is_behind, self.is_over) = (true, false);
        Ok(())
    }

    /// What tells it from all others.
    pub(crate) fn ticket(&self) -> Ticket {
        self.ticket
    }

    /// What it goes on with.
    pub(crate) fn claim(&self) -> Option<Claim> {
        self.retained.as_ref().map(Retained::claim)
    }

    /// Whether it has ended.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Whether all tokens that were asked for are there.
    pub(crate) fn has_all(&self) -> bool {
        self.so_far.usage.completion_tokens >= self.max_tokens
    }

    /// The flag that stops it.
    pub(crate) fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    /// The token that must be computed next; `None` where it is all of the tokens so far.
    pub(crate) fn next_id(&self) -> Option<u32> {
        self.so_far.ids.last().copied().filter(|_| !self.is_behind)
    }

    /// The tokens of the prompt and those generated.
    pub(crate) fn tokens(&self) -> Vec<u32> {
        [self.prompt.as_slice(), &self.so_far.ids].concat()
    }

    /// How many these are.
    pub(crate) fn n_tokens(&self) -> usize {
        self.prompt.len() + self.so_far.ids.len()
    }

    /// Notes that the states must be brought to the tokens so far again, as on another device than until now.
    pub fn fall_behind(&mut self) {
        self.is_behind = true;
        self.drafter.iter_mut().for_each(Drafter::abandon);
    }

    /// Notes that all tokens so far are computed, and how.
    pub(crate) fn caught_up(&mut self, n_cached: usize, elapsed: Duration) {
        if self.so_far.usage.completion_tokens == 0 {
            self.so_far.usage.cached_tokens = n_cached;
        }
        self.so_far.timings.prefill += elapsed;
        self.is_behind = false;
    }

    /// Notes how long a token took.
    pub(crate) fn decoded(&mut self, elapsed: Duration) {
        self.so_far.timings.decode += elapsed;
    }

    /// The tokens that there are at first, then the token chosen last; gives the next one where the device chose it.
    async fn compute<B: Backend>(&mut self, session: &mut Session<B>) -> Result<Option<u32>, EngineError> {
        let start = Instant::now();
        let Some(id) = self.next_id() else {
            let prefilled = session.prefill(&self.tokens(), &self.cancel).await?;
            self.caught_up(prefilled.n_cached, start.elapsed());
            return Ok(None);
        };
        let chosen = match self.choosing() {
            Some(choosing) if session.engine().backend().n_ahead() > 0 => {
                let chosen = session.decode_ahead(id, &choosing, &self.cancel).await?;
                self.chose_on_device(chosen.is_some());
                chosen
            }
            _ => None,
        };
        if chosen.is_none() {
            let cancel = self.cancel.clone();
            session.decode_drafting(id, self.drafting(), &cancel).await?;
        }
        self.decoded(start.elapsed());
        Ok(chosen)
    }

    /// What proposes tokens, with how many after the next one could still become part of the text; `None` where no drafts are wanted.
    pub(crate) fn drafting(&mut self) -> Option<(&mut Drafter, usize)> {
        let most = (self.max_tokens - self.so_far.usage.completion_tokens).saturating_sub(1);
        self.drafter.as_mut().map(|drafter| (drafter, most))
    }

    /// How the device chooses the next tokens, where it can.
    pub(crate) fn choosing(&self) -> Option<Choosing<'_>> {
        let choice = self.on_device?;
        Some(Choosing {
            choice,
            seed: self.sampler.sampling().seed,
            n_drawn: self.sampler.n_drawn(),
            n_wanted: self.max_tokens - self.so_far.usage.completion_tokens,
            so_far: [&self.prompt, &self.so_far.ids],
        })
    }

    /// Notes whether the device chose a token. Once it cannot, the host does to the end: what made it decline rarely comes alone, and
    /// each time costs what was computed ahead.
    pub(crate) fn chose_on_device(&mut self, could: bool) {
        match could {
            true => self.sampler.skip(),
            false => self.on_device = None,
        }
    }

    /// The next token by the host, from the `logits [V]` after the tokens so far, which it changes.
    pub(crate) fn choose<B: Backend>(
        &mut self,
        engine: &Engine<B>,
        logits: &mut [f32],
    ) -> Result<Option<Piece>, EngineError> {
        engine.mask_undefined(logits);
        let raw = self.n_logprobs.map(|_| logits.to_vec());
        let penalised = &self.prompt[..self.n_penalised];
        let id = self.sampler.sample(logits, penalised, &self.so_far.ids)?;
        self.take(id, raw.as_deref())
    }

    /// Makes a token part of the result; `raw` are the logits that it was chosen from, where log-probabilities are wanted.
    pub(crate) fn take(&mut self, id: u32, raw: Option<&[f32]>) -> Result<Option<Piece>, EngineError> {
        let usage = &mut self.so_far.usage;
        usage.completion_tokens += 1;
        self.drafter.iter_mut().for_each(|drafter| drafter.push(id, &mut usage.completion_tokens_details));
        if self.stop_ids.contains(&id) {
            return self.end(FinishReason::Stop);
        }
        self.so_far.ids.push(id);
        let logprobs = raw.zip(self.n_logprobs).map(|(raw, n)| logprobs(raw, id, n));
        let written = self.writing.push(id)?;
        if written.is_thought {
            self.so_far.usage.completion_tokens_details.reasoning_tokens = self.so_far.ids.len();
        }
        if written.is_stopped {
            self.finish_with(FinishReason::Stop);
        }
        Ok(Some(self.piece(id, written, logprobs)))
    }

    /// What a token adds, as part of the result and as a piece of it.
    fn piece(&mut self, id: u32, written: Written, logprobs: Option<TokenLogprob>) -> Piece {
        let Written { reasoning, text, .. } = written;
        if !reasoning.is_empty() {
            self.so_far.reasoning.get_or_insert_default().push_str(&reasoning);
        }
        self.so_far.text.push_str(&text);
        Piece { id, reasoning, text, logprobs }
    }

    /// Notes that no more tokens come, and that the text does not come to drafts that are left.
    fn finish_with(&mut self, finish: FinishReason) {
        self.is_over = true;
        let Generated { finish: told, usage, .. } = &mut self.so_far;
        *told = finish;
        self.drafter.iter_mut().for_each(|drafter| drafter.close(&mut usage.completion_tokens_details));
    }

    /// Marks the end; text that was held back becomes part of the result, and is given out as a last piece where
    /// there is a token to attach it to.
    pub(crate) fn end(&mut self, finish: FinishReason) -> Result<Option<Piece>, EngineError> {
        self.finish_with(finish);
        let written = self.writing.finish()?;
        let is_empty = written.text.is_empty() && written.reasoning.is_empty();
        Ok(self.so_far.ids.last().copied().filter(|_| !is_empty).map(|id| self.piece(id, written, None)))
    }
}
