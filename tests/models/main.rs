//! Whole models: logits against the reference implementation and between backends, splits of a prompt, what decoding costs,
//! lost devices, tuning, what is refused, and fidelity.

#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod against;
mod agreement;
mod ahead;
mod batch;
mod decode;
mod drafts;
mod families;
mod fidelity;
mod gguf;
mod golden;
mod greedy;
mod lfm3_shape;
mod logits;
mod lost;
mod pace;
mod plans;
mod retained;
mod saved;
mod small_350m;
mod thinking;
mod threads;
mod tune;
mod ways;

use std::path::{Path, PathBuf};

use hala_engine::{Engine, EngineError, LoadOptions, Probe};
use hala_model::{Options, WeightFormat};
use hala_plan::{Backend, Cancel};
use hala_tensor::DType;
use hala_weights::Checkpoint;
use pollster::block_on;

/// A model with its cache in f32 on every backend, so that logits differ by the order of sums alone.
fn load<B: Backend>(
    backend: B,
    checkpoint: &Checkpoint,
    weights: WeightFormat,
) -> Result<Engine<B>, EngineError> {
    let model = Options { cache: Some(DType::F32), ..Options::default() };
    Engine::load(backend, checkpoint, LoadOptions { weights, model }, |_| true)
}

/// Logits `[T, V]` with the prompt computed in chunks.
fn logits<B: Backend>(engine: &Engine<B>, ids: &[u32], n_chunk: usize) -> Vec<f32> {
    block_on(Probe::new(engine).all_logits(ids, n_chunk, &Cancel::new())).unwrap()
}

fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let differ = |(a, b): (&f32, &f32)| if (a - b).is_nan() { f32::INFINITY } else { (a - b).abs() };
    a.iter().zip(b).map(differ).fold(0.0, f32::max)
}

/// The published form of the built-in model, where the tests run beside it.
fn published_demo() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/models/demo-ar-en");
    path.join("model.safetensors").exists().then_some(path)
}
