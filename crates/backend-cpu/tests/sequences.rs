//! Rows of several sequences on several threads: small enough for Miri, which looks at how threads share pages and slots.
#![allow(clippy::unwrap_used, reason = "test code")]

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use hala_backend_cpu::{CpuBackend, Instructions};
use hala_plan::ops::{attention, embed, rope_kv, short_conv};
use hala_plan::{
    Backend, Cancel, PAGE, Plan, PoolSize, Reading, Recorder, Rows, Span, StateId, StateKind, StateSpec,
    WeightId,
};
use hala_tensor::{DType, Shape, Tensor};

/// A, elements of the one head.
const A: usize = 4;

/// Rows of the embedding.
const N_VOCAB: usize = 5;

fn states() -> Vec<StateSpec> {
    let page = Shape::cube(1, PAGE, A);
    let cache = |label: &str| StateSpec {
        label: label.to_owned(),
        shape: page,
        dtype: DType::F32,
        kind: StateKind::Paged { table: 0 },
    };
    let shape = Shape::matrix(1, A);
    let kept = StateSpec { label: "kept".to_owned(), shape, dtype: DType::F32, kind: StateKind::Recurrent };
    vec![cache("keys"), cache("values"), kept]
}

/// The embedding, the projection and the taps of the convolution.
fn weights() -> [Tensor; 3] {
    let numbers = |n: usize| (0..n).map(|i| (i * 7 % 11) as f32 / 4.0 - 1.2).collect();
    let matrix = |n, m| Tensor::from_f32(Shape::matrix(n, m), numbers(n * m)).unwrap();
    [matrix(N_VOCAB, 3 * A), matrix(3 * A, A), matrix(A, 2)]
}

/// Attention, and a convolution of what it gives.
fn plan(n_rows: usize) -> Plan {
    let mut r = Recorder::new("sequences", n_rows);
    let [table, in_proj, taps] = weights();
    let mut weight = |i, tensor: &Tensor| r.weight(WeightId(i), "weight", tensor.shape(), DType::F32);
    let (table, in_proj, taps) = (weight(0, &table), weight(1, &in_proj), weight(2, &taps));
    let [keys, values, state] = [0, 1, 2].map(|i| r.state(StateId(i as u32), &states()[i]));
    let mut room = |label, n| r.scratch(label, Shape::matrix(n_rows, n), DType::F32);
    let (qkv, q, attended, projected) =
        (room("qkv", 3 * A), room("q", A), room("x", A), room("projected", 3 * A));
    let y = r.output("y", Shape::matrix(n_rows, A));
    let ids = r.ids();
    let n_positions = 2 * PAGE;
    r.add(embed::Args { ids, table, scale: 1.0, y: qkv }).unwrap();
    r.add(rope_kv::Args { qkv, norms: None, turn: None, q, keys, values, n_positions }).unwrap();
    let (scale, softcap, window) = (1.0, None, None);
    let args = attention::Args { q, keys, values, y: attended, n_positions, scale, softcap, window };
    r.add(args).unwrap();
    let (x, norm, bias) = (attended, None, None);
    r.add(short_conv::Args { x, norm, in_proj, taps, bias, state, projected, y }).unwrap();
    r.finish()
}

/// What never waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("the CPU backend waits for nothing"),
    }
}

/// The outputs of two runs: prompts of three sequences, then tokens of each, and more of the first.
fn outputs(backend: &CpuBackend) -> Vec<f32> {
    let plan = plan(80);
    let weights = weights().map(|tensor| backend.upload("weight", tensor).unwrap());
    let mut pool = backend.allocate(&states(), &PoolSize { n_slots: 5, n_pages: vec![6] }).unwrap();
    let mut prepared = now(backend.prepare(&plan, &weights)).unwrap();
    let tables = [[vec![4, 1]], [vec![3, 5]], [vec![2, 0]]];
    let (cancel, mut all, mut values) = (Cancel::new(), Vec::new(), Vec::new());
    for (lengths, positions) in [([63, 2, 5], [0, 0, 0]), ([5, 1, 1], [63, 2, 5])] {
        let span = |i: usize| Span {
            n_rows: lengths[i],
            position: positions[i],
            slot: [3, 1, 2][i],
            tables: &tables[i],
        };
        let spans = [span(0), span(1), span(2)];
        let ids: Vec<u32> = (0..lengths.iter().sum()).map(|i: usize| (i * 3 % N_VOCAB) as u32).collect();
        let rows = Rows { ids: &ids, spans: &spans, wanted: &[], cancel: &cancel };
        now(backend.run(&mut prepared, &mut pool, rows)).unwrap();
        let reading = Reading { buffer: plan.output().unwrap(), n_rows: ids.len() };
        now(backend.read(&prepared, &pool, reading, &mut values)).unwrap();
        all.extend_from_slice(&values);
    }
    all
}

#[test]
fn threads_share_pages_and_slots_of_several_sequences() {
    let portable = *Instructions::all().last().unwrap();
    let threaded = |n| outputs(&CpuBackend::threaded_with(n, portable).unwrap());
    let (plain, one, three) = (outputs(&CpuBackend::plain()), threaded(1), threaded(3));
    assert_eq!(one, three);
    assert!(plain.len() == 77 * A && plain.iter().any(|x| x.abs() > 0.5));
    plain.iter().zip(&one).for_each(|(x, y)| assert!((x - y).abs() < 1e-4, "{x} and {y}"));
}
