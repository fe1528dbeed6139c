//! What runs of several sequences cost a GPU: one submission each, and nothing made once all has run.

use hala_backend_wgpu::{Created, Prepared, States, WgpuBackend};
use hala_plan::ops::sample::{Choice, TokenSet};
use hala_plan::{Ahead, AheadRow, Backend, Cancel, PoolSize, Rows, Span, Start, fuse};
use hala_tensor::DType;
use hala_tests::devices;
use pollster::block_on;

use crate::blocks::{Between, Blocks, Logits, N_VOCAB};

/// Rows of a run, each another sequence's.
const N: usize = 4;

/// Pages of each sequence.
const N_PAGES: usize = 2;

/// A device of its own, a plan for `N` rows and a pool with room for twice as many sequences.
struct Ready {
    backend: WgpuBackend,
    prepared: Prepared,
    states: States,
    tables: Vec<Vec<Vec<u32>>>,
}

impl Ready {
    fn new(name: &str, is_choosing: bool) -> Self {
        let backend = devices::open(name);
        let mut blocks = Blocks::new(DType::Int8 { group: DType::INT8_GROUP }, DType::F16);
        match is_choosing {
            true => blocks.plan_to_choose(N),
            false => blocks.plan(N, Between::Scratch, Logits::All),
        };
        let case = blocks.case;
        let upload = |(label, tensor): &(String, _)| backend.upload(label, Clone::clone(tensor)).unwrap();
        let weights: Vec<_> = case.weights().iter().map(upload).collect();
        let states = backend.allocate(case.states(), &size(case.tables().len(), 2 * N)).unwrap();
        let prepared =
            block_on(backend.prepare(&fuse(case.plans()[0].plan.clone(), &backend), &weights)).unwrap();
        let pages = |i: usize| (i * N_PAGES..(i + 1) * N_PAGES).map(|page| page as u32).collect();
        let tables = (0..N).map(|i| vec![pages(i); case.tables().len()]).collect();
        Self { backend, prepared, states, tables }
    }

    /// A token of each of the first `n` sequences.
    fn run(&mut self, n: usize, position: usize) {
        let tables = self.tables.clone();
        let span = |i: usize| Span { n_rows: 1, position, slot: i as u32 + 1, tables: &tables[i] };
        let spans: Vec<Span<'_>> = (0..n).map(span).collect();
        let (ids, cancel) = (vec![position as u32 % N_VOCAB as u32; n], Cancel::new());
        let rows = Rows { ids: &ids, spans: &spans, wanted: &[], cancel: &cancel };
        block_on(self.backend.run(&mut self.prepared, &mut self.states, rows)).unwrap();
    }

    /// What was made, without what was run.
    fn made(&self) -> Created {
        Created { submits: 0, dispatches: 0, ..self.backend.created() }
    }
}

fn size(n_tables: usize, n_sequences: usize) -> PoolSize {
    PoolSize { n_slots: n_sequences + 1, n_pages: vec![N_PAGES * n_sequences; n_tables] }
}

#[test]
fn a_run_of_many_sequences_is_one_submission_and_copies_of_states_are_none() {
    for name in devices::for_models() {
        let mut ready = Ready::new(name, false);
        ready.run(N, 0);
        let (made, before) = (ready.made(), ready.backend.created().submits);
        for position in 1..100 {
            ready.backend.copy_slot(&mut ready.states, 1, N as u32 + 1).unwrap();
            ready.backend.copy_page(&mut ready.states, 0, [0, (N * N_PAGES) as u32]).unwrap();
            ready.run(1 + position % N, position);
            assert_eq!(ready.backend.created().submits - before, position as u64, "{name}");
        }
        assert_eq!(ready.made(), made, "{name}");
    }
}

#[test]
fn another_size_of_the_pool_makes_its_buffers_and_bind_groups_alone() {
    for name in devices::for_models() {
        let mut ready = Ready::new(name, false);
        ready.run(N, 0);
        let before = ready.made();
        ready.backend.resize(&mut ready.states, &size(ready.tables[0].len(), N)).unwrap();
        ready.run(N, 1);
        let after = ready.made();
        assert_eq!(after.pipelines, before.pipelines, "{name}");
        // The state of the convolution, keys and values: seen by short_conv, by rope_kv, and by attention.
        assert_eq!(
            [after.buffers - before.buffers, after.bind_groups - before.bind_groups],
            [3, 3],
            "{name}"
        );
        let made = ready.made();
        ready.backend.resize(&mut ready.states, &size(ready.tables[0].len(), N)).unwrap();
        ready.run(N, 2);
        assert_eq!(ready.made(), made, "{name}");
    }
}

#[test]
fn rows_that_choose_their_tokens_cost_one_submission_a_run_and_make_nothing() {
    for name in devices::for_models() {
        let mut ready = Ready::new(name, true);
        let (none, cancel) = (TokenSet::new(N_VOCAB), Cancel::new());
        let mut counts = Vec::new();
        for call in 0..3 {
            let tables = ready.tables.clone();
            let row = |i: usize| AheadRow {
                start: (call == 0).then_some(Start { id: i as u32, banned: &none, seen: &none }),
                span: Span { n_rows: 1, position: 2 * call, slot: i as u32 + 1, tables: &tables[i] },
                choice: Choice::GREEDY,
                draws: &[0.5, 0.5],
            };
            let rows: Vec<AheadRow<'_>> = (0..N).map(row).collect();
            let ahead = Ahead { rows: &rows, cancel: &cancel };
            block_on(ready.backend.queue(&mut ready.prepared, &mut ready.states, ahead)).unwrap();
            let mut chosen = Vec::new();
            block_on(ready.backend.chosen(&mut ready.prepared, &mut chosen)).unwrap();
            assert_eq!(chosen.len(), 2 * N, "{name}");
            counts.push((ready.backend.created().submits, ready.made()));
        }
        assert_eq!(counts[1].0 - counts[0].0, 2, "{name}");
        assert_eq!(counts[2].1, counts[0].1, "{name}");
    }
}
