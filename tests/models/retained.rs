//! Conversations that share a scheduler: each keeps what it computed between its turns, and gets the tokens that it gets alone.

use std::sync::Arc;

use hala_backend_cpu::CpuBackend;
use hala_engine::{
    Collecting, Draft, Engine, GenerateOptions, Generation, LoadOptions, Piece, Retained, Sampling,
    Scheduler, SchedulerOptions, Session,
};
use hala_model::{Options, WeightFormat};
use hala_plan::{Backend, Cancel};
use hala_tests::fixtures::{Fixture, ONE_OF_EACH};
use hala_tests::random::Rng;
use hala_tests::{backends, devices};
use hala_weights::Checkpoint;
use pollster::block_on;

/// Tokens of a conversation at most.
const CONTEXT: usize = 448;

/// Tokens at the end of a prompt that a thinking model's next one does not have.
const N_OPENED: usize = 3;

/// Tokens that a turn computes at most beside those that are new: it goes back to a state a few before the last prompt's end, where it parts from it.
const N_BACK: usize = 16;

fn engine<B: Backend>(backend: B, (family, name): (&str, &str)) -> Arc<Engine<B>> {
    let checkpoint = Checkpoint::open(&Fixture::new(family, name).path).unwrap();
    let model = Options { context: Some(CONTEXT), ..Options::default() };
    let options = LoadOptions { weights: WeightFormat::F32, model };
    Arc::new(Engine::load(backend, &checkpoint, options, |_| true).unwrap())
}

fn scheduler<B: Backend>(engine: &Arc<Engine<B>>, n_tokens: Option<usize>) -> Scheduler<B> {
    let options = SchedulerOptions { n_parallel: Some(4), n_tokens, ..SchedulerOptions::default() };
    Scheduler::new(Arc::clone(engine), options).unwrap()
}

fn options(seed: u64, max_tokens: usize) -> GenerateOptions {
    let sampling = Sampling { temperature: 0.9, top_k: 20, seed, ..Sampling::default() };
    // Log-probabilities tell a difference in the last bit.
    let logprobs = seed.is_multiple_of(2).then_some(1);
    let max_tokens = Some(max_tokens);
    GenerateOptions { sampling, max_tokens, logprobs, ignore_eos: true, ..GenerateOptions::default() }
}

/// What a fresh session gives.
fn alone<B: Backend>(engine: &Arc<Engine<B>>, prompt: &[u32], options: &GenerateOptions) -> Vec<Piece> {
    let options = GenerateOptions { draft: Draft::Off, ..options.clone() };
    let mut session = block_on(Session::new(Arc::clone(engine))).unwrap();
    let mut generation = Generation::new(&session, prompt, &options, &Cancel::new()).unwrap();
    let mut pieces = Vec::new();
    while let Some(piece) = block_on(generation.next(&mut session)).unwrap() {
        pieces.push(piece);
    }
    pieces
}

/// Runs tasks to their ends.
fn finish<B: Backend>(scheduler: &mut Scheduler<B>, tasks: &mut [Collecting]) {
    while tasks.iter().any(|task| !task.is_over()) {
        block_on(scheduler.step(tasks)).unwrap();
    }
}

/// How the next prompt follows on the last one and its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Following {
    /// It has all of both.
    Whole,
    /// It leaves out a thought, with the tag in which the last prompt ended.
    WithoutThought,
    /// The answer is drawn once more.
    Again,
}

/// A conversation with its next turn on the way.
struct Talk {
    retained: Retained,
    prompt: Vec<u32>,
    options: GenerateOptions,
    task: Option<Collecting>,
    pieces: Vec<Piece>,
    answer: Vec<u32>,
    /// Tokens that the turn may compute.
    n_most: usize,
    cancel: Cancel,
    /// Pieces after which it is cancelled.
    ends_at: usize,
}

impl Talk {
    fn new() -> Self {
        Self {
            retained: Retained::new(),
            prompt: Vec::new(),
            options: options(0, 1),
            task: None,
            pieces: Vec::new(),
            answer: Vec::new(),
            n_most: 0,
            cancel: Cancel::new(),
            ends_at: 0,
        }
    }

    /// Begins the next turn; `n_ahead` tokens of the last answer may have to be computed again.
    fn begin<B: Backend>(&mut self, engine: &Engine<B>, rng: &mut Rng, n_ahead: usize) {
        let n_vocab = engine.model().facts().n_vocab;
        let following = [Following::Whole, Following::WithoutThought, Following::Again][rng.below(3)];
        let was_stopped = self.cancel.is_cancelled();
        let answer = std::mem::take(&mut self.answer);
        let n_new = N_OPENED + 1 + rng.below(60);
        let (n_before, n_back) = (self.prompt.len(), N_BACK + 1);
        if n_before + answer.len() + n_new + 60 > CONTEXT {
            // Another conversation in the place of this one.
            *self = Self::new();
        }
        self.n_most = match following {
            _ if self.prompt.is_empty() => {
                self.prompt = rng.ids(20 + n_new, n_vocab);
                usize::MAX
            }
            // Of a prompt that was stopped in the middle a part is there.
            _ if was_stopped => {
                self.prompt.extend(rng.ids(n_new, n_vocab));
                usize::MAX
            }
            Following::Whole => {
                self.prompt.extend(&answer);
                self.prompt.extend(rng.ids(n_new, n_vocab));
                // The last token of an answer is not computed.
                n_new + 1 + n_ahead
            }
            Following::WithoutThought => {
                self.prompt.truncate(n_before - N_OPENED);
                self.prompt.extend(rng.ids(n_new, n_vocab));
                n_new + n_back
            }
            Following::Again => n_back,
        };
        self.options = options(rng.below(1000) as u64, 1 + rng.below(50));
        self.options.draft = [Draft::Off, Draft::Auto, Draft::Lookup][rng.below(3)];
        self.cancel = Cancel::new();
        self.ends_at = [usize::MAX, usize::MAX, rng.below(10)][rng.below(3)];
        let generation = Generation::on(engine, &self.prompt, &self.options, &self.cancel).unwrap();
        self.task = Some(Collecting::new(generation.retaining(&self.retained)));
    }
}

/// What a run of [`talk`] is of.
#[derive(Debug, Clone, Copy)]
struct Talking {
    n_turns: usize,
    /// Tokens in all caches; `None` where all have room, and then what each turn computes is counted.
    n_tokens: Option<usize>,
    /// Tokens at the end of an answer that a turn may have to compute again.
    n_ahead: usize,
}

/// Three conversations with sentences between their turns; `same` is asked of what each gives and what a fresh session does.
fn talk<B: Backend>(
    engine: &Arc<Engine<B>>,
    rng: &mut Rng,
    talking: Talking,
    same: impl Fn(&[Piece], &[Piece]) -> bool,
) {
    let mut scheduler = scheduler(engine, talking.n_tokens);
    let mut talks = [(); 3].map(|()| Talk::new());
    let mut sentences: Vec<Collecting> = Vec::new();
    let mut n_done = 0;
    while n_done < talking.n_turns {
        for talk in &mut talks {
            if talk.task.is_none() && rng.below(4) == 0 {
                talk.begin(engine, rng, talking.n_ahead);
            }
        }
        sentences.retain(|sentence| !sentence.is_over());
        if sentences.len() < 2 && rng.below(6) == 0 {
            let prompt = {
                let n = 1 + rng.below(100);
                rng.ids(n, engine.model().facts().n_vocab)
            };
            let generation = Generation::on(engine, &prompt, &options(1, 12), &Cancel::new()).unwrap();
            sentences.push(Collecting::new(generation));
        }
        let going = talks.iter_mut().filter_map(|talk| talk.task.as_mut());
        let mut tasks: Vec<&mut Collecting> = going.chain(&mut sentences).collect();
        block_on(scheduler.step(&mut tasks)).unwrap();
        for talk in &mut talks {
            let Some(mut task) = talk.task.take() else { continue };
            talk.pieces.extend(task.pieces());
            if talk.pieces.len() >= talk.ends_at {
                talk.cancel.cancel();
            }
            if !task.is_over() {
                talk.task = Some(task);
                continue;
            }
            let mut pieces = std::mem::take(&mut talk.pieces);
            talk.answer.clone_from(&task.so_far().ids);
            let n = talk.answer.len();
            if talk.cancel.is_cancelled() {
                // One more piece has text that was held back.
                pieces.truncate(n);
            }
            let expected = alone(engine, &talk.prompt, &talk.options);
            assert!(same(&pieces, &expected[..pieces.len()]), "{talking:?}, turn {n_done}");
            assert!(talk.ends_at < usize::MAX || pieces.len() == expected.len());
            let usage = task.so_far().usage;
            if talking.n_tokens.is_none() && n > 0 {
                let n_computed = usage.prompt_tokens - usage.cached_tokens;
                let most = talk.n_most;
                assert!(
                    n_computed <= most,
                    "{n_computed} and not {most}, {usage:?} turn {n_done} of {talking:?}"
                );
            }
            n_done += 1;
        }
    }
    drop(talks);
    block_on(scheduler.step(&mut sentences[..0])).unwrap();
    scheduler.trim().unwrap();
    assert!(scheduler.n_pages().iter().all(|n| *n == 0), "{:?}", scheduler.n_pages());
}

fn equal(found: &[Piece], expected: &[Piece]) -> bool {
    found == expected
}

/// The same tokens: on GPUs a row of a batch may be summed in another order than alone.
fn same_tokens(found: &[Piece], expected: &[Piece]) -> bool {
    found.iter().map(|piece| piece.id).eq(expected.iter().map(|piece| piece.id))
}

/// Where all have room: on the CPU an answer may end amid drafts, whose run is taken back.
const ROOMY: Talking = Talking { n_turns: 30, n_tokens: None, n_ahead: 16 };

/// Where tokens are chosen ahead, a snapshot is kept every 16 tokens, and some were computed beyond the end.
const AHEAD: Talking = Talking { n_ahead: 16 + backends::N_AHEAD, ..ROOMY };

/// Where memory is too small for all.
const LITTLE: Talking = Talking { n_tokens: Some(CONTEXT + 64), n_ahead: 0, ..ROOMY };

#[test]
fn turns_compute_only_what_is_new_and_write_what_a_fresh_session_does() {
    for model in ONE_OF_EACH {
        let engine = engine(CpuBackend::threaded(2).unwrap(), model);
        talk(&engine, &mut Rng::new(&format!("{model:?}")), ROOMY, equal);
    }
}

#[test]
fn turns_are_the_same_where_memory_is_too_small_for_all_of_them() {
    for model in ONE_OF_EACH {
        let engine = engine(CpuBackend::threaded(2).unwrap(), model);
        talk(&engine, &mut Rng::new(&format!("little {model:?}")), LITTLE, equal);
    }
}

#[test]
fn turns_go_on_where_the_backend_chose_tokens_ahead() {
    for model in ONE_OF_EACH {
        let backend = CpuBackend::threaded(2).unwrap().choosing_ahead(backends::N_AHEAD);
        talk(&engine(backend, model), &mut Rng::new(&format!("ahead {model:?}")), AHEAD, equal);
    }
}

#[test]
#[ignore = "long: many turns"]
fn many_turns_write_what_a_fresh_session_does() {
    for (i, model) in (0..12).flat_map(|i| ONE_OF_EACH.map(|model| (i, model))) {
        let cpu = || CpuBackend::threaded(2).unwrap();
        let (own, ahead) = (engine(cpu(), model), engine(cpu().choosing_ahead(backends::N_AHEAD), model));
        for (name, engine, talking) in [
            ("roomy", &own, ROOMY),
            ("ahead", &ahead, AHEAD),
            ("little", &own, LITTLE),
            ("both", &ahead, LITTLE),
        ] {
            let mut rng = Rng::new(&format!("long {name} {model:?} {i}"));
            talk(engine, &mut rng, Talking { n_turns: 60, ..talking }, equal);
        }
    }
}

#[test]
fn devices_write_the_same_text_turn_by_turn() {
    for device in devices::for_models() {
        for model in ONE_OF_EACH {
            let engine = engine(devices::shared(device), model);
            let talking = Talking { n_turns: 8, ..AHEAD };
            talk(&engine, &mut Rng::new(&format!("{device} {model:?}")), talking, same_tokens);
        }
    }
}

/// One turn of a conversation; gives the tokens that it computed.
fn turn<B: Backend>(
    scheduler: &mut Scheduler<B>,
    prompt: &[u32],
    retained: &Retained,
    n_tokens: usize,
) -> usize {
    let engine = Arc::clone(scheduler.engine());
    let generation = Generation::on(&engine, prompt, &options(1, n_tokens), &Cancel::new()).unwrap();
    let mut tasks = [Collecting::new(generation.retaining(retained))];
    finish(scheduler, &mut tasks);
    block_on(scheduler.step(&mut tasks)).unwrap();
    let usage = tasks[0].so_far().usage;
    usage.prompt_tokens - usage.cached_tokens
}

#[test]
fn the_conversation_that_was_unused_longest_is_let_go_of_first() {
    for model in ONE_OF_EACH {
        let engine = engine(CpuBackend::threaded(2).unwrap(), model);
        let mut scheduler = scheduler(&engine, Some(CONTEXT));
        let prompt = |i: usize| Rng::new(&i.to_string()).ids(CONTEXT / 2, 100);
        let mut talks: Vec<Retained> = Vec::new();
        while talks.iter().all(|talk| scheduler.n_retained(talk) > 0) {
            assert!(talks.len() < 20, "{model:?}: nothing was let go of");
            talks.push(Retained::new());
            let i = talks.len() - 1;
            assert_eq!(turn(&mut scheduler, &prompt(i), &talks[i], 4), CONTEXT / 2);
            // The first is used again and again.
            assert!(i == 0 || turn(&mut scheduler, &prompt(0), &talks[0], 4) <= N_BACK + 1, "{model:?}");
        }
        let is_gone = |talk: &Retained| scheduler.n_retained(talk) == 0;
        let gone: Vec<usize> = (0..talks.len()).filter(|i| is_gone(&talks[*i])).collect();
        assert_eq!(gone, (1..=gone.len()).collect::<Vec<_>>(), "{model:?}");
        assert_eq!(turn(&mut scheduler, &prompt(1), &talks[1], 4), CONTEXT / 2, "{model:?}");
    }
}

#[test]
fn memory_is_given_back_once_nobody_holds_the_conversation_or_all_are_evicted() {
    let engine = engine(CpuBackend::threaded(2).unwrap(), ONE_OF_EACH[0]);
    let mut scheduler = scheduler(&engine, None);
    let prompt = Rng::new("held").ids(100, 100);
    let (left, held) = (Retained::new(), Retained::new());
    turn(&mut scheduler, &prompt, &left, 4);
    turn(&mut scheduler, &Rng::new("other").ids(100, 100), &held, 4);
    let n_both = scheduler.n_pages()[0];
    drop(left);
    scheduler.trim().unwrap();
    assert_eq!(scheduler.n_pages()[0], n_both / 2);
    assert_eq!(scheduler.n_retained(&held), 103);
    scheduler.evict_retained();
    scheduler.trim().unwrap();
    assert_eq!((scheduler.n_pages(), scheduler.n_retained(&held)), (vec![0], 0));
}

#[test]
fn of_two_texts_at_once_the_second_begins_without_the_conversation() {
    for model in ONE_OF_EACH {
        let engine = engine(CpuBackend::threaded(2).unwrap(), model);
        let mut scheduler = scheduler(&engine, None);
        let prompt = Rng::new("two at once").ids(90, 100);
        let retained = Retained::new();
        turn(&mut scheduler, &prompt, &retained, 4);
        for n_new in [[5, 5], [5, 9]] {
            let prompts = n_new.map(|n| [&prompt[..], &Rng::new("new").ids(n, 100)].concat());
            let mut tasks = prompts.each_ref().map(|prompt| {
                let generation = Generation::on(&engine, prompt, &options(2, 20), &Cancel::new()).unwrap();
                Collecting::new(generation.retaining(&retained))
            });
            finish(&mut scheduler, &mut tasks);
            for (task, prompt) in tasks.iter_mut().zip(&prompts) {
                let pieces: Vec<Piece> = task.pieces().collect();
                assert_eq!(pieces, alone(&engine, prompt, &options(2, 20)), "{model:?}");
            }
        }
        assert!(turn(&mut scheduler, &prompt, &retained, 4) <= N_BACK + 1, "{model:?}");
    }
}
