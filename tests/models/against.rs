//! A run step by step beside the plain CPU's: backends agree, and a fault in a kernel is found where it is.

use std::ops::Range;

use hala_backend_cpu::CpuBackend;
use hala_backend_wgpu::{Preset, WgpuBackend};
use hala_engine::{Comparison, Departure, Engine, EngineError, LoadOptions, Probe, ProbeRows, ProbeRun};
use hala_model::{Options, WeightFormat};
use hala_plan::{Backend, Cancel};
use hala_shaders::Target;
use hala_tests::devices;
use hala_tests::fixtures::{self, Fixture};
use hala_weights::Checkpoint;
use pollster::block_on;

/// Rows of three sequences that decode, at positions of their own.
const DECODE: ProbeRows = ProbeRows::Decode { position: None };

/// A prompt from its start.
const PROMPT: ProbeRows = ProbeRows::Prompt { position: 0 };

/// A model with caches in the type that the backend likes.
fn load<B: Backend>(backend: B, fixture: &Fixture, weights: WeightFormat) -> Engine<B> {
    with_cache(backend, fixture, weights, Options::default())
}

fn with_cache<B: Backend>(backend: B, fixture: &Fixture, weights: WeightFormat, model: Options) -> Engine<B> {
    let checkpoint = Checkpoint::open(&fixture.path).unwrap();
    Engine::load(backend, &checkpoint, LoadOptions { weights, model }, |_| true).unwrap()
}

/// A run of an engine beside the plain CPU's.
struct Beside<B: Backend> {
    engine: Engine<B>,
    plain: Engine<CpuBackend>,
    prompts: Vec<Vec<u32>>,
}

impl<B: Backend> Beside<B> {
    /// A fixture with its prompts, of which the first is short and the last crosses a page.
    fn new(backend: B, fixture: &Fixture, weights: WeightFormat) -> Self {
        let engine = load(backend, fixture, weights);
        let model = Options { cache: Some(engine.backend().cache_dtype()), ..Options::default() };
        let plain = with_cache(CpuBackend::plain(), fixture, weights, model);
        Self { engine, plain, prompts: fixture.prompts().into_iter().map(|prompt| prompt.ids).collect() }
    }

    fn compare(&self, prompts: &[&[u32]], rows: ProbeRows) -> Comparison {
        let run = ProbeRun { prompts, rows };
        block_on(Probe::new(&self.engine).compare(&self.plain, &run, &Cancel::new(), |_, _| {})).unwrap()
    }

    /// All prompts, decoding side by side.
    fn decoding(&self) -> Comparison {
        let prompts: Vec<&[u32]> = self.prompts.iter().map(Vec::as_slice).collect();
        self.compare(&prompts, DECODE)
    }

    /// The longest prompt.
    fn reading(&self) -> Comparison {
        self.compare(&[&self.prompts[2]], PROMPT)
    }
}

#[track_caller]
#[expect(clippy::print_stdout, reason = "what is measured is told")]
fn assert_agrees(name: &str, comparison: &Comparison) {
    if let Some(first) = comparison.first_departure() {
        panic!("{name}: {} of {} rows: {first}", comparison.run, comparison.n_rows);
    }
    let furthest = comparison.furthest().unwrap();
    let share = 100.0 * furthest.buffer.share;
    println!(
        "{name}: {} of {} rows: {share:.0} % at {} {}",
        comparison.run, comparison.n_rows, furthest.step.op, furthest.buffer.label
    );
}

/// Every fixture's longest prompt, a chunk of it, and its prompts side by side, both ways.
fn assert_all_agree<B: Backend>(open: impl Fn() -> B, fixtures: &[Fixture], formats: &[WeightFormat]) {
    for fixture in fixtures {
        for weights in formats {
            let beside = Beside::new(open(), fixture, *weights);
            let name = format!("{}: {} {weights}", beside.engine.device().name, fixture.name);
            assert_agrees(&name, &beside.reading());
            assert_agrees(&name, &beside.decoding());
            let [short, long] = [&beside.prompts[1][..], &beside.prompts[2][..20]];
            assert_agrees(&name, &beside.compare(&[short, long], ProbeRows::Prompt { position: 3 }));
            assert_agrees(&name, &beside.compare(&[&beside.prompts[2]], DECODE));
        }
    }
}

/// A fixture of each family.
fn one_of_each() -> Vec<Fixture> {
    fixtures::ONE_OF_EACH.map(|(family, name)| Fixture::new(family, name)).into()
}

#[test]
fn threads_agree_with_the_plain_loops_at_every_step_of_every_fixture() {
    let open = || CpuBackend::threaded(2).unwrap();
    assert_all_agree(open, &fixtures::all(), &[WeightFormat::F32, WeightFormat::Int8]);
    assert_all_agree(open, &one_of_each(), &[WeightFormat::BF16, WeightFormat::Fp8, WeightFormat::Int4]);
}

#[test]
fn devices_agree_with_the_plain_loops_at_every_step_of_every_family() {
    for device in devices::for_models() {
        assert_all_agree(
            || devices::shared(device),
            &one_of_each(),
            &[WeightFormat::F32, WeightFormat::Int8],
        );
        for preset in [Preset::Gpu, Preset::Portable] {
            let Some(backend) = devices::shared_with(device, preset) else { continue };
            assert_all_agree(|| backend, &one_of_each(), &[WeightFormat::F32, WeightFormat::Int8]);
        }
    }
}

/// A device whose kernel has another text where `from` stands in its own.
fn broken(device: &str, preset: Preset, kernel: &str, [from, to]: [&str; 2]) -> Option<WgpuBackend> {
    let backend = devices::open_with(device, preset)?;
    let source = hala_shaders::variant(kernel).unwrap().source(Target::Native);
    assert!(source.contains(from), "{kernel} has no `{from}`:\n{source}");
    Some(backend.with_kernel(kernel, source.replace(from, to)).unwrap())
}

/// A fault in a kernel, and where it shows.
struct Fault {
    preset: Preset,
    kernel: &'static str,
    /// What stands in the kernel, and what then stands there.
    change: [&'static str; 2],
    rows: ProbeRows,
    /// The op and the buffer of the first step that departs.
    step: [&'static str; 2],
    /// The rows that it is wrong in.
    wrong: Range<usize>,
}

impl Fault {
    /// What is found on each device.
    fn found(&self, check: impl Fn(&Beside<WgpuBackend>, Departure<'_>)) {
        for device in devices::for_models() {
            let Some(backend) = broken(device, self.preset, self.kernel, self.change) else { continue };
            let beside = Beside::new(backend, &Fixture::lfm2("two-layer"), WeightFormat::F32);
            let is_decode = matches!(self.rows, ProbeRows::Decode { .. });
            let comparison = if is_decode { beside.decoding() } else { beside.reading() };
            let Some(first) = comparison.first_departure() else {
                panic!("{}: nothing departs", self.kernel)
            };
            let worst = first.buffer.worst.unwrap();
            assert_eq!([first.step.op, &first.buffer.label], self.step, "{}: {first}", self.kernel);
            assert!(self.wrong.contains(&worst.row), "{}: {first}", self.kernel);
            check(&beside, first);
        }
    }
}

#[test]
fn a_fault_in_one_row_is_found_in_its_row() {
    let change = ["var value = sum;", "var value = select(sum, 1.01 * sum, token == 2u);"];
    let step = ["matmul", "layers.1.qkv"];
    let kernel = "matmul.f32.tile32.three";
    let fault = Fault { preset: Preset::Gpu, kernel, change, rows: DECODE, step, wrong: 2..3 };
    fault.found(|beside, first| {
        let told = first.to_string();
        assert!(told.contains("matmul layers.1.qkv, is the first that departs: row 2, column "), "{told}");
        let worst = first.buffer.worst.unwrap();
        assert_eq!((worst.prompt, worst.position), (2, 69));
        assert!((worst.found / worst.expected - 1.01).abs() < 1e-4, "{worst:?}");
        // All that comes after is right, from the right inputs.
        let departs = |at: &Departure<'_>| at.buffer.departs();
        let comparison = beside.decoding();
        assert_eq!(comparison.buffers().filter(departs).count(), 1);
    });
}

#[test]
fn a_fault_beyond_a_tile_s_edge_is_found_behind_it() {
    let change = ["min(first_token + token, n_tokens() - 1u)", "min(token, n_tokens() - 1u)"];
    let step = ["matmul", "layers.0.projected"];
    let kernel = "matmul.f32.tile64";
    let fault = Fault { preset: Preset::Portable, kernel, change, rows: PROMPT, step, wrong: 64..70 };
    fault.found(|beside, _| {
        let short = beside.compare(&[&beside.prompts[2][..64]], PROMPT);
        assert_eq!(short.first_departure(), None);
    });
}

#[test]
fn a_fault_that_shows_where_several_sequences_decode_is_found_in_the_second() {
    let change = ["table_of(span_of(token), params.table)", "table_of(0u, params.table)"];
    let step = ["rope_kv", "layers.1.keys"];
    let kernel = "rope_kv.f16";
    let fault = Fault { preset: Preset::Software, kernel, change, rows: DECODE, step, wrong: 1..2 };
    fault.found(|beside, first| {
        // What should be there was never written.
        assert!(first.buffer.error.is_infinite() && first.buffer.worst.unwrap().found.is_nan(), "{first}");
        assert_eq!(beside.compare(&[&beside.prompts[2]], DECODE).first_departure(), None);
    });
}

#[test]
fn a_row_that_is_left_out_is_found() {
    let change = ["write_four(token + 2u, a, sums.t2.a);", ""];
    let step = ["matmul", "layers.1.qkv"];
    let kernel = "matmul.f32.rows4.three";
    let fault = Fault { preset: Preset::Software, kernel, change, rows: DECODE, step, wrong: 2..3 };
    fault.found(|_, first| assert!(first.buffer.worst.unwrap().found.is_nan(), "{first}"));
}

#[test]
fn an_error_that_is_small_everywhere_is_found() {
    let change = ["var value = sum;", "var value = 1.00001 * sum;"];
    let step = ["matmul", "layers.1.qkv"];
    let kernel = "matmul.f32.tile64.three";
    Fault { preset: Preset::Gpu, kernel, change, rows: PROMPT, step, wrong: 0..70 }.found(|_, _| {});
}

#[test]
fn kernels_that_there_are_not_and_engines_that_are_not_alike_are_refused() {
    for device in devices::for_models() {
        assert!(devices::open(device).with_kernel("matmul.f32.tile31", String::new()).is_none());
    }
    let fixture = Fixture::lfm2("two-layer");
    let [f32, int8] = [WeightFormat::F32, WeightFormat::Int8].map(|w| load(CpuBackend::plain(), &fixture, w));
    let run = |position| ProbeRun { prompts: &[&[1, 5]], rows: ProbeRows::Decode { position } };
    let compare = |other: &Engine<CpuBackend>, position| {
        block_on(Probe::new(&f32).compare(other, &run(position), &Cancel::new(), |_, _| {})).unwrap_err()
    };
    assert!(matches!(compare(&int8, None), EngineError::Unlike { what: "weights" }));
    assert!(matches!(compare(&f32, Some(2)), EngineError::NoRow { position: 2, found: 2 }));
    let stopped = Cancel::new();
    stopped.cancel();
    let found = block_on(Probe::new(&f32).compare(&f32, &run(None), &stopped, |_, _| {}));
    assert!(found.unwrap_err().is_cancelled());
}
