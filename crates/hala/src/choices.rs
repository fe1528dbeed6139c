//! Several replies to one conversation, generated at once.

use hala_engine::{Collecting, EngineError, GenerateOptions, Generated, Generation, Task};
use hala_plan::Cancel;
use hala_text::Tokenizer;

use crate::engine::Engine;
use crate::reply::ChatPiece;
use crate::sessions::Sessions;
use crate::work::Work;

/// Replies that share the runs of a scheduler.
#[derive(Debug)]
pub(crate) struct Choices {
    list: Vec<Choice>,
}

/// One of the replies.
#[derive(Debug)]
enum Choice {
    GoingOn(Box<Collecting>),
    Over(Generated),
}

impl Choice {
    /// Adds what came of it to `pieces`, and its end.
    ///
    /// # Errors
    /// What ended it alone: the replies are whole or none.
    fn told(
        self,
        tokenizer: &Tokenizer,
        index: usize,
        pieces: &mut Vec<ChatPiece>,
    ) -> Result<Self, EngineError> {
        let Self::GoingOn(mut task) = self else { return Ok(self) };
        pieces.extend(task.pieces().map(|piece| ChatPiece::new(tokenizer, index, piece)));
        if !task.is_over() {
            return Ok(Self::GoingOn(task));
        }
        let generated = task.into_generation()?.finish()?;
        pieces.push(ChatPiece::end(index, generated.finish));
        Ok(Self::Over(generated))
    }
}

impl Choices {
    /// Prepares `n` replies after `prompt`, drawn with seeds that follow each other.
    ///
    /// # Errors
    /// As for [`Generation::on`].
    pub(crate) fn new(
        engine: &Engine,
        prompt: &[u32],
        n: usize,
        options: &GenerateOptions,
        cancel: &Cancel,
    ) -> Result<Self, EngineError> {
        let mut list = Vec::with_capacity(n);
        for i in 0..n {
            let generation = Generation::on(engine, prompt, &options.of_choice(i as u64), cancel)?;
            list.push(Choice::GoingOn(Box::new(Collecting::new(generation))));
        }
        Ok(Self { list })
    }

    /// Ends all of them, wherever they are, and gives what was generated.
    ///
    /// # Errors
    /// Text that cannot be decoded.
    pub(crate) fn finish(self) -> Result<Vec<Generated>, EngineError> {
        let finished = |choice| match choice {
            Choice::GoingOn(task) => task.into_generation()?.finish(),
            Choice::Over(generated) => Ok(generated),
        };
        self.list.into_iter().map(finished).collect()
    }

    /// What came of them since this was asked last, and the ends of those that have ended.
    ///
    /// # Errors
    /// What ended one of them alone: the replies are whole or none.
    pub(crate) fn told(&mut self, tokenizer: &Tokenizer) -> Result<Vec<ChatPiece>, EngineError> {
        let mut pieces = Vec::new();
        for (index, choice) in std::mem::take(&mut self.list).into_iter().enumerate() {
            self.list.push(choice.told(tokenizer, index, &mut pieces)?);
        }
        Ok(pieces)
    }

    /// Those that a scheduler has to go on with.
    pub(crate) fn going_on(&mut self) -> Vec<&mut Collecting> {
        let tasks = self.list.iter_mut().filter_map(|choice| match choice {
            Choice::GoingOn(task) => Some(task.as_mut()),
            Choice::Over(_) => None,
        });
        tasks.collect()
    }
}

impl Work for Choices {
    type Piece = ChatPiece;

    async fn step(&mut self, sessions: &mut Sessions) -> Result<Option<Vec<ChatPiece>>, EngineError> {
        let mut tasks = self.going_on();
        if tasks.is_empty() {
            return Ok(None);
        }
        let scheduler = sessions.scheduler()?;
        scheduler.step(&mut tasks).await?;
        Ok(Some(self.told(sessions.engine().tokenizer()?)?))
    }

    fn lose(&mut self) {
        self.going_on().into_iter().for_each(|task| task.generation_mut().fall_behind());
    }
}

/// What a runtime that threads share asks of them.
#[cfg(feature = "blocking")]
impl Choices {
    /// The same, of which the first goes on with a sequence that the scheduler keeps, where one is given.
    pub(crate) fn retaining(mut self, retained: Option<&hala_engine::Retained>) -> Self {
        if let (Some(Choice::GoingOn(task)), Some(retained)) = (self.list.first_mut(), retained) {
            task.generation_mut().retain(retained);
        }
        self
    }

    /// Whether all of them have ended.
    pub(crate) fn is_over(&self) -> bool {
        self.list.iter().all(|choice| matches!(choice, Choice::Over(_)))
    }
}

#[cfg(test)]
mod tests {
    use hala_backend_cpu::CpuBackend;
    use hala_engine::{FinishReason, LoadOptions, Sampling, SchedulerOptions};
    use hala_text::Message;
    use hala_weights::Checkpoint;
    use pollster::block_on;

    use super::*;
    use crate::engine::Session;

    fn sessions() -> Sessions {
        let checkpoint = Checkpoint::from_files(hala_demo_model::files()).unwrap();
        let backend = CpuBackend::threaded(1).unwrap().into();
        let engine = Engine::load(backend, &checkpoint, LoadOptions::default(), |_| true).unwrap();
        Sessions::new(engine.into(), SchedulerOptions { n_parallel: Some(2), ..SchedulerOptions::default() })
    }

    fn prompt(sessions: &Sessions) -> Vec<u32> {
        let content = "Translate everything that follows into Arabic:\n\nGood morning.";
        sessions.engine().chat_prompt(&[Message::new(hala_text::Role::User, content)], &[]).unwrap()
    }

    /// Settings by which replies differ, drawn with a seed.
    fn options(seed: u64) -> GenerateOptions {
        let sampling = Sampling { temperature: 1.5, seed, ..Sampling::default() };
        GenerateOptions { sampling, max_tokens: Some(9), logprobs: Some(1), ..GenerateOptions::default() }
    }

    fn run(choices: &mut Choices, sessions: &mut Sessions) -> Vec<ChatPiece> {
        let mut pieces = Vec::new();
        while let Some(more) = block_on(choices.step(sessions)).unwrap() {
            pieces.extend(more);
        }
        pieces
    }

    #[test]
    fn each_is_the_reply_to_its_own_seed_and_its_pieces_say_whose_they_are() {
        let mut sessions = sessions();
        let prompt = prompt(&sessions);
        // The last seed but one, so that they begin anew.
        let first = u64::MAX - 1;
        let mut choices =
            Choices::new(sessions.engine(), &prompt, 5, &options(first), &Cancel::new()).unwrap();
        let pieces = run(&mut choices, &mut sessions);
        let replies = choices.finish().unwrap();
        let mut session = block_on(Session::new(sessions.engine().clone())).unwrap();
        for (i, reply) in replies.iter().enumerate() {
            let options = options(first.wrapping_add(i as u64));
            let alone = Generation::new(&session, &prompt, &options, &Cancel::new()).unwrap();
            let alone = block_on(alone.run(&mut session)).unwrap();
            assert_eq!((&reply.ids, reply.finish), (&alone.ids, alone.finish));
            let own: Vec<_> = pieces.iter().filter(|piece| piece.index == i).collect();
            let text: String = own.iter().map(|piece| piece.text.as_str()).collect();
            assert_eq!(text, reply.text);
            assert_eq!(own.iter().filter(|piece| piece.logprobs.is_some()).count(), reply.ids.len());
            let ends: Vec<usize> = (0..own.len()).filter(|at| own[*at].finish.is_some()).collect();
            assert_eq!(ends, [own.len() - 1]);
        }
        let texts: std::collections::BTreeSet<_> = replies.iter().map(|reply| &reply.text).collect();
        assert!(texts.len() > 1, "{texts:?}");
    }

    #[test]
    fn a_flag_ends_all_of_them() {
        let mut sessions = sessions();
        let prompt = prompt(&sessions);
        let cancel = Cancel::new();
        let mut choices = Choices::new(sessions.engine(), &prompt, 3, &options(1), &cancel).unwrap();
        block_on(choices.step(&mut sessions)).unwrap().unwrap();
        cancel.cancel();
        run(&mut choices, &mut sessions);
        let replies = choices.finish().unwrap();
        assert!(replies.iter().all(|reply| reply.finish == FinishReason::Cancelled), "{replies:?}");
    }
}
