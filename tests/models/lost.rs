//! Devices that go away, or were never there: each is an error that says so, and no panic.

use std::sync::Arc;

use hala_backend_cpu::CpuBackend;
use hala_backend_wgpu::{AdapterChoice, Prepared, States, Weight, WgpuBackend};
use hala_engine::{
    Collecting, Engine, EngineError, GenerateOptions, Generation, Scheduler, SchedulerOptions, Session,
};
use hala_model::WeightFormat;
use hala_plan::ops::embed;
use hala_plan::{
    Backend, BackendError, BufferId, Cancel, PAGE, Plan, PoolSize, Reading, Recorder, Rows, Span, StateKind,
    StateSpec, WeightId,
};
use hala_tensor::{DType, Shape, Tensor};
use hala_tests::devices;
use hala_tests::random::Rng;
use hala_weights::Checkpoint;
use pollster::block_on;

use crate::golden::{Text, texts};
use crate::{load, small_350m};

/// A table of four rows that one run looks up in, and states beside it.
struct Lookup {
    backend: WgpuBackend,
    plan: Plan,
    y: BufferId,
    weights: Vec<Weight>,
    states: States,
    prepared: Prepared,
}

const TABLE: Shape = Shape::matrix(4, 8);

fn table() -> Tensor {
    Rng::new("table").matrix(4, 8, 1.0)
}

fn specs() -> [StateSpec; 2] {
    let spec =
        |label: &str, shape, kind| StateSpec { label: label.to_owned(), shape, dtype: DType::F32, kind };
    [
        spec("state", Shape::matrix(2, 8), StateKind::Recurrent),
        spec("keys", Shape::cube(1, PAGE, 8), StateKind::Paged { table: 0 }),
    ]
}

fn size() -> PoolSize {
    PoolSize { n_slots: 3, n_pages: vec![2] }
}

fn plan() -> (Plan, BufferId) {
    let mut recorder = Recorder::new("look-up", 1);
    let ids = recorder.ids();
    let table = recorder.weight(WeightId(0), "table", TABLE, DType::F32);
    let y = recorder.output("y", Shape::matrix(1, 8));
    recorder.add(embed::Args { ids, table, scale: 1.0, y }).unwrap();
    (recorder.finish(), y)
}

impl Lookup {
    fn new(device: &str) -> Self {
        let backend = devices::open(device);
        let (plan, y) = plan();
        let weights = vec![backend.upload("table", table()).unwrap()];
        let states = backend.allocate(&specs(), &size()).unwrap();
        let prepared = block_on(backend.prepare(&plan, &weights)).unwrap();
        Self { backend, plan, y, weights, states, prepared }
    }

    fn run(&mut self) -> Result<(), BackendError> {
        let spans = [Span { n_rows: 1, position: 0, slot: 1, tables: &[vec![0]] }];
        let rows = Rows { ids: &[3], spans: &spans, wanted: &[], cancel: &Cancel::new() };
        block_on(self.backend.run(&mut self.prepared, &mut self.states, rows))
    }

    fn read(&self) -> Result<Vec<f32>, BackendError> {
        let mut values = Vec::new();
        let reading = Reading { buffer: self.y, n_rows: 1 };
        block_on(self.backend.read(&self.prepared, &self.states, reading, &mut values))?;
        Ok(values)
    }
}

#[track_caller]
fn assert_lost<T>(what: &str, result: Result<T, BackendError>) {
    match result {
        Err(BackendError::DeviceLost { .. }) => {}
        Err(other) => panic!("{what}: {other}"),
        Ok(_) => panic!("{what}: no error"),
    }
}

#[test]
fn whatever_is_asked_of_a_lost_device_says_that_it_is_lost() {
    for device in devices::for_models() {
        let mut lookup = Lookup::new(device);
        lookup.run().unwrap();
        assert_eq!(lookup.read().unwrap(), table().to_f32()[24..]);
        lookup.run().unwrap();
        lookup.backend.destroy();
        assert_lost("read", lookup.read());
        assert_lost("run", lookup.run());
        let Lookup { backend, plan, weights, mut states, .. } = lookup;
        assert_lost("upload", backend.upload("table", table()));
        assert_lost("allocate", backend.allocate(&specs(), &size()));
        assert_lost("prepare", block_on(backend.prepare(&plan, &weights)));
        assert_lost("copy_slot", backend.copy_slot(&mut states, 1, 2));
        assert_lost("copy_page", backend.copy_page(&mut states, 0, [0, 1]));
        assert_lost("resize", backend.resize(&mut states, &PoolSize { n_slots: 9, n_pages: vec![9] }));
    }
}

#[test]
fn the_first_call_after_a_loss_says_so_whichever_it_is() {
    for device in devices::for_models() {
        let lost = || {
            let lookup = Lookup::new(device);
            lookup.backend.destroy();
            lookup
        };
        assert_lost("run", lost().run());
        assert_lost("upload", lost().backend.upload("table", table()));
        assert_lost("allocate", lost().backend.allocate(&specs(), &size()));
        let Lookup { backend, plan, weights, .. } = lost();
        assert_lost("prepare", block_on(backend.prepare(&plan, &weights)));
        let Lookup { backend, mut states, .. } = lost();
        assert_lost("copy_slot", backend.copy_slot(&mut states, 1, 2));
        let Lookup { backend, mut states, .. } = lost();
        assert_lost("copy_page", backend.copy_page(&mut states, 0, [0, 1]));
    }
}

#[test]
fn texts_of_a_scheduler_on_a_lost_device_go_on_with_another() {
    for device in devices::for_models() {
        let engine = |device| -> Arc<Engine<WgpuBackend>> {
            Arc::new(load(devices::open(device), &small_350m::checkpoint(), WeightFormat::Int8).unwrap())
        };
        let scheduler = |engine: &Arc<Engine<WgpuBackend>>| {
            Scheduler::new(Arc::clone(engine), SchedulerOptions::default()).unwrap()
        };
        let (lost, good) = (engine(device), engine(device));
        let options =
            GenerateOptions { max_tokens: Some(12), ignore_eos: true, ..GenerateOptions::default() };
        let tasks = |engine: &Engine<WgpuBackend>| {
            [[1, 2, 3], [4, 5, 6], [7, 8, 9]].map(|prompt| {
                Collecting::new(Generation::on(engine, &prompt, &options, &Cancel::new()).unwrap())
            })
        };
        let mut whole = tasks(&good);
        let mut on_good = scheduler(&good);
        while whole.iter().any(|task| !task.is_over()) {
            block_on(on_good.step(&mut whole)).unwrap();
        }
        let (mut cut, mut on_lost) = (tasks(&lost), scheduler(&lost));
        while cut[0].so_far().ids.len() < 4 {
            block_on(on_lost.step(&mut cut)).unwrap();
        }
        lost.backend().destroy();
        let error = loop {
            // What was read before the loss is still handed out.
            if let Err(error) = block_on(on_lost.step(&mut cut)) {
                break error;
            }
        };
        assert!(error.is_device_lost(), "{error}");
        while cut.iter().any(|task| !task.is_over()) {
            block_on(on_good.step(&mut cut)).unwrap();
        }
        for (cut, whole) in cut.iter().zip(&whole) {
            assert_eq!(cut.so_far().ids, whole.so_far().ids, "{device}");
        }
    }
}

#[test]
fn a_session_on_a_lost_device_says_so_and_one_on_another_device_goes_on() {
    for device in devices::for_models() {
        let [mut lost, mut good] = [(); 2].map(|()| {
            let engine = load(devices::open(device), &small_350m::checkpoint(), WeightFormat::Int8).unwrap();
            block_on(Session::new(Arc::new(engine))).unwrap()
        });
        for session in [&mut lost, &mut good] {
            block_on(session.prefill(&[1, 2, 3], &Cancel::new())).unwrap();
        }
        lost.engine().backend().destroy();
        for _ in 0..2 {
            let error = block_on(lost.decode(5, &Cancel::new())).unwrap_err();
            assert!(matches!(error, EngineError::Backend(BackendError::DeviceLost { .. })), "{error}");
        }
        block_on(good.decode(5, &Cancel::new())).unwrap();
    }
}

fn built_in(device: &str) -> Arc<Engine<WgpuBackend>> {
    let checkpoint = Checkpoint::from_files(hala_demo_model::files()).unwrap();
    Arc::new(load(devices::open(device), &checkpoint, WeightFormat::Auto).unwrap())
}

#[test]
fn a_session_that_is_rebuilt_after_a_loss_writes_the_text_that_it_would_have_written() {
    let Text { ids, n_prompt } = texts().swap_remove(0);
    let (options, cancel) = (GenerateOptions::default(), Cancel::new());
    for device in devices::for_models() {
        let mut whole = block_on(Session::new(built_in(device))).unwrap();
        let generation = Generation::new(&whole, &ids[..n_prompt], &options, &cancel).unwrap();
        let expected = block_on(generation.run(&mut whole)).unwrap();
        // Lost before the prompt, and after some tokens of the answer.
        for n_before in [0, 3] {
            let mut session = block_on(Session::new(built_in(device))).unwrap();
            let mut generation = Generation::new(&session, &ids[..n_prompt], &options, &cancel).unwrap();
            for _ in 0..n_before {
                block_on(generation.next(&mut session)).unwrap();
            }
            session.engine().backend().destroy();
            for _ in 0..2 {
                let error = block_on(generation.next(&mut session)).unwrap_err();
                assert!(error.is_device_lost(), "{error}");
            }
            let held = session.ids().to_vec();
            assert_eq!(held.len(), n_prompt + usize::saturating_sub(n_before, 1));
            block_on(session.rebuild(built_in(device), &cancel)).unwrap();
            assert_eq!(session.ids(), held);
            let found = block_on(generation.run(&mut session)).unwrap();
            assert_eq!((found.text, found.ids), (expected.text.clone(), expected.ids.clone()), "{device}");
        }
    }
}

#[test]
fn the_cpu_takes_a_generation_over_from_a_device_that_was_lost() {
    let Text { ids, n_prompt } = texts().swap_remove(0);
    let (options, cancel) = (GenerateOptions::default(), Cancel::new());
    let checkpoint = Checkpoint::from_files(hala_demo_model::files()).unwrap();
    let cpu = Arc::new(load(CpuBackend::threaded(2).unwrap(), &checkpoint, WeightFormat::Auto).unwrap());
    let mut whole = block_on(Session::new(Arc::clone(&cpu))).unwrap();
    let expected = Generation::new(&whole, &ids[..n_prompt], &options, &cancel).unwrap();
    let expected = block_on(expected.run(&mut whole)).unwrap();
    for device in devices::for_models() {
        let mut session = block_on(Session::new(built_in(device))).unwrap();
        let mut generation = Generation::new(&session, &ids[..n_prompt], &options, &cancel).unwrap();
        for _ in 0..3 {
            block_on(generation.next(&mut session)).unwrap();
        }
        session.engine().backend().destroy();
        let mut on_cpu = block_on(Session::new(Arc::clone(&cpu))).unwrap();
        block_on(on_cpu.prefill(session.ids(), &cancel)).unwrap();
        let found = block_on(generation.run(&mut on_cpu)).unwrap();
        assert_eq!((found.text, found.ids), (expected.text.clone(), expected.ids.clone()), "{device}");
    }
}

#[test]
fn a_rebuilding_that_fails_leaves_the_tokens_for_the_next() {
    for device in devices::for_models() {
        let engine = || {
            let engine = load(devices::open(device), &small_350m::checkpoint(), WeightFormat::Int8).unwrap();
            Arc::new(engine)
        };
        let mut session = block_on(Session::new(engine())).unwrap();
        block_on(session.prefill(&[1, 2, 3], &Cancel::new())).unwrap();
        session.engine().backend().destroy();
        block_on(session.decode(4, &Cancel::new())).unwrap_err();
        let stopped = Cancel::new();
        stopped.cancel();
        assert!(block_on(session.rebuild(engine(), &stopped)).unwrap_err().is_cancelled());
        let lost = engine();
        lost.backend().destroy();
        assert!(block_on(session.rebuild(lost, &Cancel::new())).unwrap_err().is_device_lost());
        assert_eq!(session.ids(), [1, 2, 3]);
        block_on(session.rebuild(engine(), &Cancel::new())).unwrap();
        block_on(session.decode(4, &Cancel::new())).unwrap();
        assert_eq!(session.ids(), [1, 2, 3, 4]);
    }
}

#[test]
fn a_generation_on_a_device_that_is_lost_says_so() {
    for device in devices::for_models() {
        let engine = load(devices::open(device), &small_350m::checkpoint(), WeightFormat::Int8).unwrap();
        let mut session = block_on(Session::new(Arc::new(engine))).unwrap();
        let generation = Generation::new(&session, &[1, 2, 3], &GenerateOptions::default(), &Cancel::new());
        let mut generation = generation.unwrap();
        for _ in 0..2 {
            block_on(generation.next(&mut session)).unwrap();
        }
        session.engine().backend().destroy();
        // Tokens that the host has already may still come.
        let next = |_| block_on(generation.next(&mut session)).err();
        let error = (0..10).find_map(next).unwrap();
        assert!(matches!(error, EngineError::Backend(BackendError::DeviceLost { .. })), "{device}: {error}");
        assert!(block_on(session.prefill(&[1, 2], &Cancel::new())).is_err(), "{device}");
    }
}

#[test]
fn an_adapter_that_is_not_there_is_named_with_those_that_are() {
    let error = block_on(WgpuBackend::new(&AdapterChoice::Named("no such".to_owned()))).unwrap_err();
    assert!(matches!(error, BackendError::Unavailable { backend: "wgpu", .. }), "{error}");
    let text = error.to_string();
    for report in block_on(hala_backend_wgpu::adapters()) {
        assert!(text.contains("no such") && text.contains(&report.name), "{text}");
    }
}
