//! Many sequences in one run: each gets the tokens that it gets alone, whoever shares its runs and its memory.

use std::sync::Arc;

use hala_backend_cpu::CpuBackend;
use hala_engine::{
    Collecting, Draft, Engine, FinishReason, GenerateOptions, Generated, Generation, LoadOptions, Piece,
    Prompts, Sampling, Scheduler, SchedulerOptions, Session,
};
use hala_model::{Options, WeightFormat};
use hala_plan::{Backend, Cancel};
use hala_tests::fixtures::{Fixture, ONE_OF_EACH};
use hala_tests::random::Rng;
use hala_tests::{backends, devices};
use hala_weights::Checkpoint;
use pollster::block_on;

/// Tokens of a sequence at most.
const CONTEXT: usize = 320;

fn engine<B: Backend>(backend: B, (family, name): (&str, &str)) -> Arc<Engine<B>> {
    let checkpoint = Checkpoint::open(&Fixture::new(family, name).path).unwrap();
    let model = Options { context: Some(CONTEXT), ..Options::default() };
    let options = LoadOptions { weights: WeightFormat::F32, model };
    Arc::new(Engine::load(backend, &checkpoint, options, |_| true).unwrap())
}

/// One text to generate.
#[derive(Debug, Clone)]
struct Job {
    prompt: Vec<u32>,
    options: GenerateOptions,
}

impl Job {
    /// A prompt that may begin as another's does, and settings of its own.
    fn random(rng: &mut Rng, n_vocab: usize, others: &[Self]) -> Self {
        let n_prompt = [1, 2, 17, 63, 64, 65, 130, 200][rng.below(8)] + rng.below(9);
        let mut prompt = rng.ids(n_prompt, n_vocab);
        if !others.is_empty() && rng.below(4) == 0 {
            // Several texts after one prompt.
            prompt.clone_from(&others[others.len() - 1].prompt);
        } else if !others.is_empty() && rng.below(3) == 0 {
            let other = &others[rng.below(others.len())].prompt;
            // Anywhere, and near the end as in texts that are drawn more than once.
            let most = other.len().min(prompt.len());
            let n_common = most - [rng.below(most + 1), rng.below(12).min(most)][rng.below(2)];
            prompt[..n_common].copy_from_slice(&other[..n_common]);
        }
        let temperature = [0.0, 0.7, 1.3][rng.below(3)];
        let sampling = Sampling {
            temperature,
            top_k: [0, 5][rng.below(2)],
            repetition_penalty: [1.0, 1.3][rng.below(2)],
            seed: rng.below(1000) as u64,
            ..Sampling::default()
        };
        let max_tokens = Some(1 + rng.below(CONTEXT - 220));
        let draft = [Draft::Off, Draft::Auto, Draft::Lookup, Draft::Lookup][rng.below(4)];
        // Log-probabilities tell a difference in the last bit.
        let logprobs = (rng.below(2) == 0).then_some(1);
        let options = GenerateOptions {
            sampling,
            max_tokens,
            draft,
            logprobs,
            ignore_eos: true,
            ..GenerateOptions::default()
        };
        Self { prompt, options }
    }

    fn alone<B: Backend>(&self, session: &mut Session<B>) -> (Vec<Piece>, Generated) {
        block_on(session.clear()).unwrap();
        let options = GenerateOptions { draft: Draft::Off, ..self.options.clone() };
        let mut generation = Generation::new(session, &self.prompt, &options, &Cancel::new()).unwrap();
        let mut pieces = Vec::new();
        while let Some(piece) = block_on(generation.next(session)).unwrap() {
            pieces.push(piece);
        }
        (pieces, generation.finish().unwrap())
    }
}

/// A job on its way.
struct Going {
    job: usize,
    task: Collecting,
    pieces: Vec<Piece>,
    cancel: Cancel,
    /// Pieces after which it is cancelled.
    ends_at: usize,
}

/// What is done besides the jobs themselves.
#[derive(Debug, Clone, Copy)]
struct Schedule {
    n_parallel: usize,
    /// Tokens in all caches.
    n_tokens: usize,
    n_jobs: usize,
}

/// Runs jobs as they come, some of them cancelled or left, on schedulers that are replaced now and then; `same` is asked of each.
fn run<B: Backend>(
    engine: &Arc<Engine<B>>,
    rng: &mut Rng,
    schedule: Schedule,
    same: impl Fn(&[Piece], &[Piece]) -> bool,
) {
    let n_vocab = engine.model().facts().n_vocab;
    let options = SchedulerOptions {
        n_parallel: Some(schedule.n_parallel),
        n_tokens: Some(schedule.n_tokens),
        prompts: [Prompts::Beside, Prompts::First][rng.below(2)],
    };
    let mut scheduler = Scheduler::new(Arc::clone(engine), options).unwrap();
    let mut session = block_on(Session::new(Arc::clone(engine))).unwrap();
    let mut jobs: Vec<Job> = Vec::new();
    let (mut going, mut n_checked): (Vec<Going>, usize) = (Vec::new(), 0);
    while n_checked < schedule.n_jobs {
        while jobs.len() < schedule.n_jobs && (going.is_empty() || rng.below(3) == 0) {
            let job = Job::random(rng, n_vocab, &jobs);
            let cancel = Cancel::new();
            let generation = Generation::on(engine, &job.prompt, &job.options, &cancel).unwrap();
            let ends_at = [usize::MAX, usize::MAX, rng.below(20)][rng.below(3)];
            let task = Collecting::new(generation);
            going.push(Going { job: jobs.len(), task, pieces: Vec::new(), cancel, ends_at });
            jobs.push(job);
        }
        if rng.below(40) == 0 {
            // As after a lost device: another memory, the same texts.
            scheduler = Scheduler::new(Arc::clone(engine), options).unwrap();
        }
        let mut tasks: Vec<&mut Collecting> = going.iter_mut().map(|going| &mut going.task).collect();
        block_on(scheduler.step(&mut tasks)).unwrap();
        for one in &mut going {
            one.pieces.extend(one.task.pieces());
            if one.pieces.len() >= one.ends_at {
                one.cancel.cancel();
            }
        }
        let is_left = |one: &mut Going| one.task.is_over() || (one.ends_at < 5 && !one.pieces.is_empty());
        for one in going.extract_if(.., is_left) {
            let job = &jobs[one.job];
            let (pieces, generated) = job.alone(&mut session);
            let n = one.pieces.len();
            assert!(same(&one.pieces, &pieces[..n]), "job {} of {schedule:?}: {job:?}", one.job);
            if one.task.is_over() && one.ends_at == usize::MAX {
                let found = one.task.into_generation().unwrap().finish().unwrap();
                assert_eq!((found.finish, n), (generated.finish, pieces.len()));
            }
            n_checked += 1;
        }
    }
    drop(going);
    let mut none: [Collecting; 0] = [];
    block_on(scheduler.step(&mut none)).unwrap();
    scheduler.trim().unwrap();
    assert!(scheduler.n_pages().iter().all(|n| *n == 0), "{:?}", scheduler.n_pages());
}

/// The same tokens, and log-probabilities to the bit.
fn equal(found: &[Piece], expected: &[Piece]) -> bool {
    found == expected
}

/// Little memory, more of it, and more sequences than it holds.
const SCHEDULES: [Schedule; 4] = [
    Schedule { n_parallel: 1, n_tokens: CONTEXT, n_jobs: 6 },
    Schedule { n_parallel: 3, n_tokens: CONTEXT, n_jobs: 14 },
    Schedule { n_parallel: 8, n_tokens: 2 * CONTEXT, n_jobs: 24 },
    Schedule { n_parallel: 16, n_tokens: 16 * CONTEXT, n_jobs: 30 },
];

#[test]
fn each_sequence_gets_what_it_gets_alone() {
    for model in ONE_OF_EACH {
        let engine = engine(CpuBackend::threaded(2).unwrap(), model);
        for (i, schedule) in SCHEDULES.into_iter().enumerate() {
            run(&engine, &mut Rng::new(&format!("{model:?} {i}")), schedule, equal);
        }
    }
}

#[test]
#[ignore = "long: many schedules"]
fn each_sequence_gets_what_it_gets_alone_in_many_schedules() {
    for model in ONE_OF_EACH {
        let engine = engine(CpuBackend::threaded(3).unwrap(), model);
        for i in 0..40 {
            let schedule = SCHEDULES[i % SCHEDULES.len()];
            run(&engine, &mut Rng::new(&format!("long {model:?} {i}")), schedule, equal);
        }
    }
}

#[test]
fn plain_loops_take_batches_too() {
    let engine = engine(CpuBackend::plain(), ONE_OF_EACH[0]);
    let schedule = Schedule { n_jobs: 6, ..SCHEDULES[1] };
    run(&engine, &mut Rng::new("plain"), schedule, equal);
}

#[test]
fn tokens_that_the_backend_chooses_ahead_are_the_same_in_batches() {
    for model in ONE_OF_EACH {
        let backend = CpuBackend::threaded(2).unwrap().choosing_ahead(backends::N_AHEAD);
        let engine = engine(backend, model);
        for (i, schedule) in SCHEDULES.into_iter().take(3).enumerate() {
            run(&engine, &mut Rng::new(&format!("ahead {model:?} {i}")), schedule, equal);
        }
    }
}

/// The same tokens: on GPUs a row of a batch may be summed in another order than alone, so log-probabilities differ in their last digits.
fn same_tokens(found: &[Piece], expected: &[Piece]) -> bool {
    found.iter().map(|piece| piece.id).eq(expected.iter().map(|piece| piece.id))
}

#[test]
fn devices_write_the_same_text_in_batches() {
    for device in devices::for_models() {
        for model in ONE_OF_EACH {
            let engine = engine(devices::shared(device), model);
            let schedule = Schedule { n_jobs: 8, ..SCHEDULES[2] };
            run(&engine, &mut Rng::new(&format!("{device} {model:?}")), schedule, same_tokens);
        }
    }
}

#[test]
fn several_texts_after_one_prompt_compute_it_once() {
    for model in ONE_OF_EACH {
        let engine = engine(CpuBackend::threaded(2).unwrap(), model);
        let n_vocab = engine.model().facts().n_vocab;
        for n_prompt in [1, 40, 64, 300] {
            let prompt = Rng::new("one prompt").ids(n_prompt, n_vocab);
            let task = |seed: u64| {
                let sampling = Sampling { temperature: 1.5, seed, ..Sampling::default() };
                let options = GenerateOptions { sampling, max_tokens: Some(6), ..GenerateOptions::default() };
                Collecting::new(Generation::on(&engine, &prompt, &options, &Cancel::new()).unwrap())
            };
            let mut tasks: Vec<Collecting> = (0..4).map(task).collect();
            let mut scheduler = Scheduler::new(Arc::clone(&engine), SchedulerOptions::default()).unwrap();
            while tasks.iter().any(|task| !task.is_over()) {
                block_on(scheduler.step(&mut tasks)).unwrap();
            }
            let cached: Vec<usize> = tasks.iter().map(|task| task.so_far().usage.cached_tokens).collect();
            assert_eq!(cached, [0, n_prompt, n_prompt, n_prompt], "{model:?}");
        }
    }
}

/// Generates `n` tokens after a prompt of `n_prompt`.
fn generate<B: Backend>(session: &mut Session<B>, n_prompt: usize, n: usize) -> Generated {
    let prompt = Rng::new("prompt").ids(n_prompt, session.engine().model().facts().n_vocab);
    let options = GenerateOptions { max_tokens: Some(n), ignore_eos: true, ..GenerateOptions::default() };
    let generation = Generation::new(session, &prompt, &options, &Cancel::new()).unwrap();
    block_on(generation.run(session)).unwrap()
}

#[test]
fn layers_with_a_window_hold_no_more_than_that() {
    // Recurrent states are gone back to by a snapshot at most a page before.
    for (model, n_before) in [(("gemma2", "two-layer"), 0), (("lfm3", "five-layer"), 64)] {
        let engine = engine(CpuBackend::threaded(2).unwrap(), model);
        let tables = engine.model().tables().to_vec();
        let window = tables.iter().find_map(|table| table.window).unwrap() as usize;
        let mut session = block_on(Session::new(Arc::clone(&engine))).unwrap();
        assert_eq!(generate(&mut session, CONTEXT - 60, 60).finish, FinishReason::Length);
        for (table, n_pages) in tables.iter().zip(session.n_pages()) {
            let n_positions = table.window.map_or(CONTEXT, |window| window as usize + n_before);
            assert!(n_pages <= n_positions.div_ceil(64) + 1, "{n_pages} pages of {table:?}");
        }
        assert!(window < CONTEXT - 128, "a window of {window} tells nothing in a context of {CONTEXT}");
    }
}

#[test]
#[ignore = "long: 32,768 tokens, of which one layer sees all"]
fn a_window_of_4096_holds_its_own_pages_in_a_context_of_32768() {
    const WINDOW: usize = 4096;
    const LONG: usize = 32_768;
    let path = Fixture::new("gemma2", "two-layer").path;
    let mut config: serde_json::Value =
        serde_json::from_slice(&std::fs::read(path.join("config.json")).unwrap()).unwrap();
    (config["sliding_window"], config["max_position_embeddings"]) = (WINDOW.into(), LONG.into());
    let files = [
        ("config.json", serde_json::to_vec(&config).unwrap()),
        ("model.safetensors", std::fs::read(path.join("model.safetensors")).unwrap()),
    ];
    let files = files.map(|(name, bytes)| (name.to_owned(), std::borrow::Cow::Owned(bytes)));
    let checkpoint = Checkpoint::from_files(files.into()).unwrap();
    let model = Options { context: Some(LONG), ..Options::default() };
    let options = LoadOptions { weights: WeightFormat::F32, model };
    let engine = Engine::load(CpuBackend::threaded(2).unwrap(), &checkpoint, options, |_| true).unwrap();
    let mut session = block_on(Session::new(Arc::new(engine))).unwrap();
    generate(&mut session, LONG - 20, 20);
    let tables = session.engine().model().tables().to_vec();
    assert_eq!(tables.len(), 2);
    for (table, n_pages) in tables.iter().zip(session.n_pages()) {
        let n_positions = table.window.map_or(LONG, |window| window as usize);
        assert!(n_pages <= n_positions.div_ceil(64) + 1, "{n_pages} pages of {table:?}");
    }
}

#[test]
fn going_back_further_than_a_window_gives_the_same_text() {
    for model in ONE_OF_EACH {
        let engine = engine(CpuBackend::threaded(2).unwrap(), model);
        let mut session = block_on(Session::new(Arc::clone(&engine))).unwrap();
        let whole = generate(&mut session, 150, 100);
        for n_kept in [249, 200, 151, 150, 149, 100, 64, 1, 0] {
            generate(&mut session, 150, 100);
            block_on(session.truncate(n_kept.min(session.ids().len()))).unwrap();
            assert_eq!(generate(&mut session, 150, 100).ids, whole.ids, "{model:?}, {n_kept}");
        }
    }
}

#[test]
fn a_thousand_sequences_leave_no_more_memory_than_one() {
    let engine = engine(CpuBackend::threaded(2).unwrap(), ONE_OF_EACH[0]);
    let options =
        SchedulerOptions { n_parallel: Some(16), n_tokens: Some(4 * CONTEXT), ..SchedulerOptions::default() };
    let mut scheduler = Scheduler::new(Arc::clone(&engine), options).unwrap();
    let mut rng = Rng::new("a thousand");
    let (mut tasks, mut n_begun, mut n_pages): (Vec<Collecting>, usize, usize) = (Vec::new(), 0, 0);
    while n_begun < 1000 || !tasks.is_empty() {
        while tasks.len() < 20 && n_begun < 1000 {
            let n_prompt = 1 + rng.below(30);
            let prompt = rng.ids(n_prompt, engine.model().facts().n_vocab);
            let options =
                GenerateOptions { max_tokens: Some(1 + rng.below(4)), ..GenerateOptions::default() };
            tasks.push(Collecting::new(Generation::on(&engine, &prompt, &options, &Cancel::new()).unwrap()));
            n_begun += 1;
        }
        block_on(scheduler.step(&mut tasks)).unwrap();
        tasks.retain(|task| !task.is_over());
        n_pages = n_pages.max(scheduler.n_pages()[0]);
    }
    block_on(scheduler.step(&mut tasks)).unwrap();
    scheduler.trim().unwrap();
    assert_eq!(scheduler.n_pages(), [0]);
    assert!(n_pages <= 16, "{n_pages} pages of sequences that need one each");
}

#[test]
fn a_prompt_with_an_id_that_the_model_lacks_is_refused_before_it_shares_a_run() {
    let engine = engine(CpuBackend::threaded(2).unwrap(), ONE_OF_EACH[0]);
    let beyond = engine.model().facts().n_vocab as u32;
    let refused = Generation::on(&engine, &[1, beyond], &GenerateOptions::default(), &Cancel::new());
    assert!(refused.unwrap_err().to_string().contains(&beyond.to_string()));
}

/// Fails to compile where what threads pass on is not theirs to pass on.
#[test]
fn work_may_go_on_in_another_thread() {
    fn send<T: Send>(value: T) -> T {
        value
    }
    let engine = send(engine(CpuBackend::threaded(2).unwrap(), ONE_OF_EACH[0]));
    let mut session = send(block_on(send(Session::new(Arc::clone(&engine)))).unwrap());
    let options = GenerateOptions { max_tokens: Some(3), ..GenerateOptions::default() };
    let mut generation = send(Generation::new(&session, &[1, 2], &options, &Cancel::new()).unwrap());
    assert!(block_on(send(generation.next(&mut session))).unwrap().is_some());
    let mut scheduler = send(Scheduler::new(engine, SchedulerOptions::default()).unwrap());
    let mut tasks = send([Collecting::new(generation)]);
    block_on(send(scheduler.step(&mut tasks))).unwrap();
}
