//! A backend that was chosen while the program runs computes what it computes by itself, and takes nothing of another's.

use std::fmt::Debug;

use hala::{AnyBackend, Engine};
use hala_backend_cpu::CpuBackend;
use hala_engine::{LoadOptions, Probe};
use hala_plan::{Backend, BackendError, Cancel, PoolSize, Reading, Recorder, Rows, Span};
use hala_tensor::{Shape, Tensor};
use hala_tests::devices;
use hala_weights::Checkpoint;
use pollster::block_on;

fn cpu() -> CpuBackend {
    CpuBackend::threaded(1).unwrap()
}

#[test]
fn logits_are_those_of_the_backend_itself_to_the_bit() {
    fn logits<B: Backend>(backend: B) -> Vec<f32> {
        let checkpoint = Checkpoint::from_files(hala_demo_model::files()).unwrap();
        let engine =
            hala_engine::Engine::load(backend, &checkpoint, LoadOptions::default(), |_| true).unwrap();
        block_on(Probe::new(&engine).all_logits(&[1, 5, 9, 5], 3, &Cancel::new())).unwrap()
    }
    assert_eq!(logits(AnyBackend::from(cpu())), logits(cpu()));
    for device in devices::for_models() {
        assert_eq!(
            logits(AnyBackend::from(devices::open(device))),
            logits(devices::open(device)),
            "{device}"
        );
    }
}

#[track_caller]
fn assert_foreign<T: Debug>(given: Result<T, BackendError>, named: &str) {
    let error = given.unwrap_err();
    assert!(matches!(error, BackendError::OfAnother { what, .. } if what == named), "{named}: {error}");
}

#[test]
fn what_another_backend_made_is_an_error() {
    for device in devices::for_models() {
        let (cpu, gpu) = (AnyBackend::from(cpu()), AnyBackend::from(devices::open(device)));
        for [own, other] in [[&cpu, &gpu], [&gpu, &cpu]] {
            let mut recorder = Recorder::new("look up", 1);
            let y = recorder.output("y", Shape::matrix(1, 4));
            let plan = recorder.finish();
            let size = PoolSize { n_slots: 2, n_pages: Vec::new() };
            let table = Tensor::from_f32(Shape::matrix(2, 4), vec![0.0; 8]).unwrap();
            let foreign = other.upload("table", table).unwrap();
            assert_foreign(block_on(own.prepare(&plan, &[foreign])).map(drop), "weights");

            let mut states = own.allocate(&[], &size).unwrap();
            let mut prepared = block_on(own.prepare(&plan, &[])).unwrap();
            let mut other_states = other.allocate(&[], &size).unwrap();
            let mut other_prepared = block_on(other.prepare(&plan, &[])).unwrap();
            assert_foreign(own.resize(&mut other_states, &size), "states");
            assert_foreign(own.copy_slot(&mut other_states, 0, 1), "states");
            assert_foreign(own.copy_page(&mut other_states, 0, [0, 1]), "states");

            let cancel = Cancel::new();
            let spans = [Span { n_rows: 1, position: 0, slot: 1, tables: &[] }];
            let rows = Rows { ids: &[0], spans: &spans, wanted: &[], cancel: &cancel };
            assert_foreign(block_on(own.run(&mut other_prepared, &mut states, rows)), "prepared Plan");
            assert_foreign(block_on(own.run(&mut prepared, &mut other_states, rows)), "states");
            assert_foreign(block_on(own.profile(&mut other_prepared, &mut states, rows)), "prepared Plan");
            assert_foreign(block_on(own.chosen(&mut other_prepared, &mut Vec::new())), "prepared Plan");
            let reading = Reading { buffer: y, n_rows: 1 };
            assert_foreign(block_on(own.read(&prepared, &other_states, reading, &mut Vec::new())), "states");
        }
    }
}

/// It is no error of types alone: an engine is one, whatever it runs on.
#[test]
fn engines_on_any_device_fit_one_list() {
    let checkpoint = Checkpoint::from_files(hala_demo_model::files()).unwrap();
    let mut backends = vec![AnyBackend::from(cpu()), CpuBackend::plain().into()];
    backends.extend(devices::for_models().into_iter().map(|device| devices::open(device).into()));
    let load = |backend| Engine::load(backend, &checkpoint, LoadOptions::default(), |_| true).unwrap();
    let engines: Vec<Engine> = backends.into_iter().map(load).collect();
    assert!(engines.len() >= 2);
    for engine in engines {
        assert_eq!(engine.model().facts().family, "lfm2", "{:?}", engine.device());
    }
}
