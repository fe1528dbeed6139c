//! Sequences saved to files: what is restored goes on as if it had never left memory, and no other file is taken for one.

use std::sync::Arc;

use hala_backend_cpu::CpuBackend;
use hala_engine::{
    Collecting, Engine, EngineError, GenerateOptions, Generation, LoadOptions, Piece, Retained, Sampling,
    SavedError, Scheduler, SchedulerOptions, Session,
};
use hala_model::{Options, WeightFormat};
use hala_plan::{Backend, Cancel};
use hala_tensor::DType;
use hala_tests::devices;
use hala_tests::fixtures::{Fixture, ONE_OF_EACH};
use hala_tests::random::Rng;
use hala_weights::Checkpoint;
use pollster::block_on;

/// Tokens of a sequence at most.
const CONTEXT: usize = 448;

/// How a model is loaded.
#[derive(Debug, Clone, Copy)]
struct Loaded {
    model: (&'static str, &'static str),
    cache: DType,
    context: usize,
    weights: WeightFormat,
}

impl Loaded {
    fn new(model: (&'static str, &'static str), cache: DType) -> Self {
        Self { model, cache, context: CONTEXT, weights: WeightFormat::F32 }
    }

    /// A model of its own, as another process has.
    fn scheduler<B: Backend>(self, backend: B) -> Scheduler<B> {
        let checkpoint = Checkpoint::open(&Fixture::new(self.model.0, self.model.1).path).unwrap();
        let model = Options { context: Some(self.context), cache: Some(self.cache), ..Options::default() };
        let options = LoadOptions { weights: self.weights, model };
        let engine = Engine::load(backend, &checkpoint, options, |_| true).unwrap();
        Scheduler::new(Arc::new(engine), SchedulerOptions::default()).unwrap()
    }
}

fn cpu() -> CpuBackend {
    CpuBackend::threaded(2).unwrap()
}

fn prompt(n: usize) -> Vec<u32> {
    Rng::new("saved").ids(n, 100)
}

fn options(temperature: f32) -> GenerateOptions {
    let sampling = Sampling { temperature, seed: 7, ..Sampling::default() };
    let logprobs = (temperature > 0.0).then_some(1);
    GenerateOptions {
        sampling,
        max_tokens: Some(24),
        logprobs,
        ignore_eos: true,
        ..GenerateOptions::default()
    }
}

/// A turn of a conversation: what it gives, and the tokens that it computed before.
fn turn<B: Backend>(
    scheduler: &mut Scheduler<B>,
    (retained, prompt): (&Retained, &[u32]),
    options: &GenerateOptions,
) -> (Vec<Piece>, usize) {
    let engine = Arc::clone(scheduler.engine());
    let generation = Generation::on(&engine, prompt, options, &Cancel::new()).unwrap();
    let mut tasks = [Collecting::new(generation.retaining(retained))];
    while !tasks[0].is_over() {
        block_on(scheduler.step(&mut tasks)).unwrap();
    }
    let usage = tasks[0].so_far().usage;
    (tasks[0].pieces().collect(), usage.prompt_tokens - usage.cached_tokens)
}

fn ids(pieces: &[Piece]) -> Vec<u32> {
    pieces.iter().map(|piece| piece.id).collect()
}

fn save<B: Backend>(scheduler: &mut Scheduler<B>, retained: &Retained) -> Vec<u8> {
    let mut file = Vec::new();
    block_on(scheduler.save(retained, &mut file)).unwrap();
    file
}

fn restore<B: Backend>(scheduler: &mut Scheduler<B>, file: &[u8]) -> Result<Retained, EngineError> {
    scheduler.restore(&mut &file[..], file.len() as u64)
}

/// A conversation of one turn with the file that it is saved to, and what its next prompt begins with.
fn saved(loaded: Loaded) -> (Vec<u8>, Vec<u32>) {
    let (mut scheduler, retained) = (loaded.scheduler(cpu()), Retained::new());
    let prompt = prompt(150);
    let (pieces, n_computed) = turn(&mut scheduler, (&retained, &prompt), &options(0.9));
    assert_eq!(n_computed, 150);
    (save(&mut scheduler, &retained), [prompt, ids(&pieces)].concat())
}

fn alone<B: Backend>(engine: &Arc<Engine<B>>, prompt: &[u32], options: &GenerateOptions) -> Vec<Piece> {
    let mut session = block_on(Session::new(Arc::clone(engine))).unwrap();
    let mut generation = Generation::new(&session, prompt, options, &Cancel::new()).unwrap();
    std::iter::from_fn(|| block_on(generation.next(&mut session)).unwrap()).collect()
}

#[test]
fn what_is_restored_in_another_process_goes_on_to_the_bit_and_computes_only_what_is_new() {
    for model in ONE_OF_EACH {
        for cache in [DType::F32, DType::F16] {
            let loaded = Loaded::new(model, cache);
            let (file, text) = saved(loaded);
            let next = |n_kept: usize| [&text[..n_kept], &Rng::new("next").ids(30, 100)].concat();
            // All of it, and a prompt that parts from it before the end of the last, as where a thought is cut.
            for (prompt, n_new) in [(next(text.len()), 31), (next(148), 36), (text[..150].to_vec(), 8)] {
                let mut scheduler = loaded.scheduler(cpu());
                let retained = restore(&mut scheduler, &file).unwrap();
                assert_eq!(scheduler.n_retained(&retained), text.len() - 1);
                let (pieces, n_computed) = turn(&mut scheduler, (&retained, &prompt), &options(0.9));
                assert!(n_computed <= n_new, "{loaded:?}: {n_computed} computed, and {n_new} expected");
                assert_eq!(pieces, alone(scheduler.engine(), &prompt, &options(0.9)), "{loaded:?}");
            }
        }
    }
}

#[test]
fn a_file_is_the_same_when_what_was_restored_is_saved_again() {
    for model in ONE_OF_EACH {
        let loaded = Loaded::new(model, DType::F16);
        let (file, _) = saved(loaded);
        let mut scheduler = loaded.scheduler(cpu());
        let retained = restore(&mut scheduler, &file).unwrap();
        assert!(save(&mut scheduler, &retained) == file, "{model:?}");
    }
}

#[test]
fn a_cache_of_another_type_and_another_device_go_on_with_the_same_text() {
    for model in ONE_OF_EACH {
        let of = |cache| Loaded::new(model, cache);
        let (file, text) = saved(of(DType::F16));
        let prompt = [text, prompt(20)].concat();
        let mut expected = Vec::new();
        for cache in [DType::F16, DType::F32] {
            let mut scheduler = of(cache).scheduler(cpu());
            let retained = restore(&mut scheduler, &file).unwrap();
            let (pieces, n_computed) = turn(&mut scheduler, (&retained, &prompt), &options(0.0));
            assert_eq!(n_computed, 21, "{model:?}");
            expected.push(ids(&pieces));
        }
        assert_eq!(expected[0], expected[1], "{model:?}");
        for device in devices::for_models() {
            let mut scheduler = of(DType::F32).scheduler(devices::shared(device));
            let retained = restore(&mut scheduler, &file).unwrap();
            let (pieces, n_computed) = turn(&mut scheduler, (&retained, &prompt), &options(0.0));
            assert_eq!((ids(&pieces), n_computed), (expected[0].clone(), 21), "{device}, {model:?}");
            // And back to the CPU, from what the device computed.
            let back = save(&mut scheduler, &retained);
            let prompt = [&prompt[..], &expected[0]].concat();
            let mut scheduler = of(DType::F32).scheduler(cpu());
            let retained = restore(&mut scheduler, &back).unwrap();
            let (pieces, n_computed) = turn(&mut scheduler, (&retained, &prompt), &options(0.0));
            assert!(n_computed <= 17, "{device}, {model:?}: {n_computed}");
            assert_eq!(ids(&pieces), ids(&alone(scheduler.engine(), &prompt, &options(0.0))), "{device}");
        }
    }
}

#[test]
fn a_sequence_can_be_saved_amid_its_text_which_then_goes_on() {
    for n_ahead in [0, 4] {
        for model in ONE_OF_EACH {
            let loaded = Loaded::new(model, DType::F32);
            let mut scheduler = loaded.scheduler(cpu().choosing_ahead(n_ahead));
            let (engine, retained, prompt) = (Arc::clone(scheduler.engine()), Retained::new(), prompt(90));
            let options = GenerateOptions { logprobs: None, ..options(0.9) };
            let task = |retaining: &Retained| {
                let generation = Generation::on(&engine, &prompt, &options, &Cancel::new()).unwrap();
                Collecting::new(generation.retaining(retaining))
            };
            let mut tasks = [task(&retained), task(&Retained::new())];
            let mut files = Vec::new();
            while tasks.iter().any(|task| !task.is_over()) {
                block_on(scheduler.step(&mut tasks)).unwrap();
                if files.len() < 4 {
                    files.push(save(&mut scheduler, &retained));
                }
            }
            let expected = alone(&engine, &prompt, &options);
            for task in &mut tasks {
                assert_eq!(task.pieces().collect::<Vec<_>>(), expected, "{model:?}");
            }
            for file in files {
                let mut scheduler = loaded.scheduler(cpu());
                let retained = restore(&mut scheduler, &file).unwrap();
                assert_eq!(turn(&mut scheduler, (&retained, &prompt), &options).0, expected, "{model:?}");
            }
        }
    }
}

fn refused<B: Backend>(scheduler: &mut Scheduler<B>, file: &[u8]) -> SavedError {
    match restore(scheduler, file) {
        Err(EngineError::Saved(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_fault_of_a_file_has_its_own_error() {
    let loaded = Loaded::new(ONE_OF_EACH[0], DType::F32);
    let (file, _) = saved(loaded);
    let mut scheduler = loaded.scheduler(cpu());
    let unheld = block_on(scheduler.save(&Retained::new(), &mut Vec::new()));
    assert!(matches!(unheld, Err(EngineError::Saved(SavedError::NotHeld))));
    for other in [&b""[..], b"GGUF", b"not a saved sequence at all", &[0; 64]] {
        assert!(matches!(refused(&mut scheduler, other), SavedError::NotSaved { .. }));
    }
    let weights = std::fs::read(Fixture::new("lfm2", "two-layer").path.join("model.safetensors")).unwrap();
    assert!(matches!(refused(&mut scheduler, &weights), SavedError::NotSaved { .. }));
    let cut = refused(&mut scheduler, &file[..file.len() - 1]);
    assert!(matches!(cut, SavedError::CutOff { expected, .. } if expected == file.len() as u64), "{cut}");
    // One that is cut off while it is read.
    let cut = scheduler.restore(&mut &file[..file.len() / 2], file.len() as u64);
    assert!(matches!(cut, Err(EngineError::Saved(SavedError::CutOff { .. }))));
    let mut damaged = file.clone();
    *damaged.last_mut().unwrap() ^= 1;
    assert!(matches!(refused(&mut scheduler, &damaged), SavedError::Damaged { .. }));
    let version = br#""version":"1""#;
    let at = file.windows(version.len()).position(|window| window == version).unwrap();
    let mut newer = file.clone();
    newer[at + version.len() - 2] = b'2';
    let newer = refused(&mut scheduler, &newer);
    assert!(matches!(&newer, SavedError::Version { found, .. } if found == "2"), "{newer}");
    let mut short = Loaded { context: 100, ..loaded }.scheduler(cpu());
    assert!(matches!(refused(&mut short, &file), SavedError::Context { found: 173, limit: 100 }));
    let mut long = Loaded { context: 512, ..loaded }.scheduler(cpu());
    assert!(restore(&mut long, &file).is_ok());
    let mut int8 = Loaded { weights: WeightFormat::Int8, ..loaded }.scheduler(cpu());
    let other = refused(&mut int8, &file).to_string();
    assert!(other.contains("lfm2 in f32") && other.contains("lfm2 in int8"), "{other}");
    let mut gemma = Loaded::new(ONE_OF_EACH[1], DType::F32).scheduler(cpu());
    assert!(matches!(refused(&mut gemma, &file), SavedError::OtherModel { .. }));
    // None of them took anything.
    scheduler.trim().unwrap();
    assert_eq!(scheduler.n_pages(), [0]);
    assert!(restore(&mut scheduler, &file).is_ok());
}

#[test]
fn weights_of_one_shape_that_differ_are_another_model() {
    let path = Fixture::new("lfm2", "two-layer").path;
    let config = std::fs::read(path.join("config.json")).unwrap();
    let weights = std::fs::read(path.join("model.safetensors")).unwrap();
    let scheduler = |weights: Vec<u8>| {
        let files = [("config.json", config.clone()), ("model.safetensors", weights)];
        let files = files.map(|(name, bytes)| (name.to_owned(), std::borrow::Cow::Owned(bytes)));
        let checkpoint = Checkpoint::from_files(files.into()).unwrap();
        let model = Options { context: Some(CONTEXT), ..Options::default() };
        let options = LoadOptions { weights: WeightFormat::F32, model };
        let engine = Engine::load(cpu(), &checkpoint, options, |_| true).unwrap();
        Scheduler::new(Arc::new(engine), SchedulerOptions::default()).unwrap()
    };
    let (mut own, retained) = (scheduler(weights.clone()), Retained::new());
    turn(&mut own, (&retained, &prompt(20)), &options(0.0));
    let file = save(&mut own, &retained);
    assert!(restore(&mut scheduler(weights.clone()), &file).is_ok());
    let mut tuned = weights;
    let n = tuned.len();
    // The last bit of some numbers, as a fine-tune changes at least.
    tuned[n / 2..].iter_mut().step_by(64).for_each(|byte| *byte ^= 1);
    assert!(matches!(refused(&mut scheduler(tuned), &file), SavedError::OtherModel { .. }));
}

/// A file with one thing changed.
fn mutated(rng: &mut Rng, file: &[u8]) -> Vec<u8> {
    let n_head = 8 + u64::from_le_bytes(*file.first_chunk().unwrap()) as usize;
    let mut mutated = file.to_vec();
    match rng.below(6) {
        0 => mutated.truncate(rng.below(file.len())),
        1 => mutated[rng.below(8)] = rng.below(256) as u8,
        2 => mutated[8 + rng.below(n_head - 8)] = rng.below(256) as u8,
        // Numbers of the head, most of which are of its layout.
        3 | 4 => {
            let digits: Vec<usize> = (8..n_head).filter(|i| file[*i].is_ascii_digit()).collect();
            for _ in 0..=rng.below(3) {
                mutated[digits[rng.below(digits.len())]] = b'0' + rng.below(10) as u8;
            }
        }
        _ => {
            let at = rng.below(file.len());
            mutated[at] ^= 1 << rng.below(8);
        }
    }
    mutated
}

#[test]
fn a_file_with_anything_changed_is_refused_and_takes_no_memory() {
    for model in ONE_OF_EACH {
        let loaded = Loaded::new(model, DType::F16);
        let (file, _) = saved(loaded);
        let mut scheduler = loaded.scheduler(cpu());
        let mut rng = Rng::new(&format!("mutated {model:?}"));
        for i in 0..1000 {
            let mutated = mutated(&mut rng, &file);
            if mutated != file {
                assert!(restore(&mut scheduler, &mutated).is_err(), "{model:?}, {i}");
            }
        }
        assert!(scheduler.n_pages().iter().all(|n| *n == 0));
    }
}

#[test]
fn a_sequence_may_be_saved_in_another_thread() {
    fn send<T: Send>(value: T) -> T {
        value
    }
    let (mut scheduler, retained) =
        (Loaded::new(ONE_OF_EACH[0], DType::F32).scheduler(cpu()), Retained::new());
    turn(&mut scheduler, (&retained, &prompt(20)), &options(0.0));
    let mut file = Vec::new();
    block_on(send(scheduler.save(&retained, &mut file))).unwrap();
    assert!(restore(&mut scheduler, &file).is_ok());
}
