//! The CPU's threads: how many there are, and who else uses them, changes nothing.

use std::sync::Arc;
use std::thread;

use hala_backend_cpu::{CpuBackend, Instructions};
use hala_engine::{Engine, Session};
use hala_model::WeightFormat;
use hala_plan::Cancel;
use hala_weights::Checkpoint;
use pollster::block_on;

use crate::golden::{Text, texts};
use crate::greedy::likeliest;
use crate::{load, logits};

/// Tokens that each session decodes.
const N_TOKENS: usize = 24;

fn engine(n_threads: usize, instructions: Instructions, weights: WeightFormat) -> Engine<CpuBackend> {
    let checkpoint = Checkpoint::from_files(hala_demo_model::files()).unwrap();
    load(CpuBackend::threaded_with(n_threads, instructions).unwrap(), &checkpoint, weights).unwrap()
}

#[test]
fn logits_are_the_same_to_the_bit_with_any_number_of_threads_and_however_a_prompt_is_cut() {
    // Two sentences after each other are long enough to be shared out in many pieces.
    let ids: Vec<u32> = texts().into_iter().take(2).flat_map(|text| text.ids).collect();
    for (instructions, weights) in Instructions::all().into_iter().flat_map(|instructions| {
        [WeightFormat::Auto, WeightFormat::Fp8].map(|weights| (instructions, weights))
    }) {
        let expected = logits(&engine(1, instructions, weights), &ids, ids.len());
        for n_threads in [1, 2, 3, 5] {
            let engine = engine(n_threads, instructions, weights);
            for n_chunk in [ids.len(), 13, 7, 1] {
                let found = logits(&engine, &ids, n_chunk);
                let same = found.iter().zip(&expected).all(|(a, b)| a.to_bits() == b.to_bits());
                assert!(same, "{instructions}, {weights}, {n_threads} threads, chunks of {n_chunk}");
            }
        }
    }
}

/// The likeliest tokens after a prompt, each with the bits of its logit.
fn greedy(engine: &Arc<Engine<CpuBackend>>, prompt: &[u32]) -> Vec<(u32, u32)> {
    let mut session = block_on(Session::new(Arc::clone(engine))).unwrap();
    block_on(session.prefill(prompt, &Cancel::new())).unwrap();
    let mut next = || {
        let best = likeliest(&session);
        let found = (best, session.logits()[best as usize].to_bits());
        block_on(session.decode(best, &Cancel::new())).unwrap();
        found
    };
    (0..N_TOKENS).map(|_| next()).collect()
}

#[test]
fn sessions_on_several_threads_share_one_engine() {
    let engine = Arc::new(engine(2, Instructions::best(), WeightFormat::Auto));
    let prompts: Vec<Vec<u32>> =
        texts().into_iter().take(4).map(|Text { ids, n_prompt }| ids[..n_prompt].to_vec()).collect();
    let expected: Vec<_> = prompts.iter().map(|prompt| greedy(&engine, prompt)).collect();
    thread::scope(|scope| {
        let sessions: Vec<_> = prompts.iter().map(|prompt| scope.spawn(|| greedy(&engine, prompt))).collect();
        for (session, expected) in sessions.into_iter().zip(&expected) {
            assert_eq!(session.join().unwrap(), *expected);
        }
    });
}
