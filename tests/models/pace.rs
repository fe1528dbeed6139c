//! Prompts in submissions that are kept short: how many there are follows from the times that are told, and what is computed from none of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hala_backend_wgpu::WgpuBackend;
use hala_engine::{Engine, Session};
use hala_model::WeightFormat;
use hala_plan::{Backend, Cancel};
use hala_tests::devices;
use pollster::block_on;

use crate::{load, small_350m};

/// A clock that goes on by the same time whenever it is looked at, as it is before and after each submission.
#[derive(Clone, Default)]
struct Told(Arc<[AtomicU64; 2]>);

impl Told {
    /// From now on each submission takes so long.
    fn each_takes(&self, milliseconds: u64) {
        self.0[0].store(milliseconds, Ordering::SeqCst);
    }

    fn now(&self) -> Duration {
        let each = self.0[0].load(Ordering::SeqCst);
        Duration::from_millis(self.0[1].fetch_add(each, Ordering::SeqCst) + each)
    }
}

/// A session with nothing in it.
fn session(backend: WgpuBackend) -> Session<WgpuBackend> {
    let engine = load(backend, &small_350m::checkpoint(), WeightFormat::Int8).unwrap();
    block_on(Session::new(Arc::new(engine))).unwrap()
}

/// Computes a prompt from its beginning; gives the number of submissions and the logits.
fn prompt(session: &mut Session<WgpuBackend>, n_tokens: u32) -> (u64, Vec<f32>) {
    let submits = |engine: &Engine<WgpuBackend>| engine.backend().created().submits;
    let ids: Vec<u32> = (0..n_tokens).map(|i| i * 7 % small_350m::N_VOCAB as u32).collect();
    block_on(session.clear()).unwrap();
    let before = submits(session.engine());
    block_on(session.prefill(&ids, &Cancel::new())).unwrap();
    (submits(session.engine()) - before, session.logits().to_vec())
}

#[test]
fn a_slow_device_gets_a_prompt_in_many_submissions_and_a_fast_one_in_one_with_the_same_logits() {
    for device in devices::for_models() {
        let (_, expected) = prompt(&mut session(devices::open(device)), 30);
        let told = Told::default();
        let clock = told.clone();
        let mut paced = session(devices::open(device).with_clock(move || clock.now()));
        let (n, logits) = prompt(&mut paced, 30);
        assert_eq!((n, &logits), (1, &expected), "{device}");
        // The first that is slow is seen when it is done.
        told.each_takes(1000);
        assert_eq!(prompt(&mut paced, 30).0, 1, "{device}");
        let (n, logits) = prompt(&mut paced, 30);
        assert!(n >= 10, "{n} submissions on {device}");
        assert_eq!(logits, expected, "{device}");
        told.each_takes(0);
        let counts: Vec<u64> = (0..4).map(|_| prompt(&mut paced, 30).0).collect();
        assert_eq!(counts.last(), Some(&1), "{counts:?} on {device}");
    }
}

#[test]
fn a_device_whose_steps_take_long_gets_few_rows_at_once() {
    for device in devices::for_models() {
        let told = Told::default();
        let clock = told.clone();
        let mut paced = session(devices::open(device).with_clock(move || clock.now()));
        let sizes = paced.engine().backend().prefill_sizes().to_vec();
        let rows = |session: &Session<WgpuBackend>| session.engine().backend().prompt_rows();
        // Nothing is known at first.
        assert_eq!(rows(&paced), sizes[0], "{device}");
        prompt(&mut paced, 100);
        assert_eq!(rows(&paced), *sizes.last().unwrap(), "{device}");
        told.each_takes(60_000);
        for _ in 0..3 {
            prompt(&mut paced, 100);
        }
        assert_eq!(rows(&paced), sizes[0], "{device}");
    }
}
