//! Whole models against the reference implementation: logits, splits of a prompt, what is refused, and fidelity.

#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod fidelity;
mod logits;

use std::path::{Path, PathBuf};

use hala_backend_cpu::CpuBackend;
use hala_engine::{Engine, EngineError, LoadOptions};
use hala_model::WeightFormat;
use hala_plan::Cancel;
use hala_weights::Checkpoint;
use pollster::block_on;

/// The ways to run on the CPU, by name.
fn backends() -> [(&'static str, CpuBackend); 2] {
    [("plain", CpuBackend::plain()), ("threaded", CpuBackend::threaded(2).unwrap())]
}

fn load(
    backend: CpuBackend,
    checkpoint: &Checkpoint,
    weights: WeightFormat,
) -> Result<Engine<CpuBackend>, EngineError> {
    Engine::load(backend, checkpoint, LoadOptions { weights, ..LoadOptions::default() }, |_| true)
}

/// Logits `[T, V]` with the prompt computed in chunks.
fn logits(engine: &Engine<CpuBackend>, ids: &[u32], n_chunk: usize) -> Vec<f32> {
    block_on(engine.all_logits(ids, n_chunk, &Cancel::new())).unwrap()
}

fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// The published form of the built-in model, where the tests run beside it.
fn published_demo() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/models/demo-ar-en");
    path.join("model.safetensors").exists().then_some(path)
}
