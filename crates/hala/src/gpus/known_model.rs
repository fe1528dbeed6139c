//! A small model with weights that are always the same: a GPU runs it first, and what it computes is compared with the CPU's plain loops.
//!
//! It has the layers of LFM2, a convolution and an attention, as small as the kernels' blocks allow; its matrices are held as those of the model
//! that is to run. So every kind of kernel that a model needs computes something whose result is known, before the model's own first run.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use hala_backend_cpu::CpuBackend;
use hala_engine::{EngineError, LoadOptions, Session};
use hala_model::{ModelError, Options, WeightFormat};
use hala_plan::{Backend, Cancel};
use hala_tensor::{Shape, Tensor, TensorError};
use hala_weights::{Checkpoint, SafetensorsWriter};
use serde_json::json;

use crate::any_backend::AnyBackend;
use crate::engine::Engine;
use crate::error::Error;

/// V, and the rest of the alphabet: D, F, A, H·A, K·A.
const V: usize = 256;
const D: usize = 128;
const F: usize = 256;
const A: usize = 64;
const Q: usize = 2 * A;
const KV: usize = A;

/// Tokens of the prompts: one that is cut off within a tile, and one of few rows. After each a token is decoded.
const PROMPTS: [usize; 2] = [41, 5];

/// The root mean square of a row of logits may be wrong by this part of its own. Sums in f32, codes of 8 bits for activations and cells of f16
/// make a thousandth of it; a kernel that was compiled wrongly is off by the whole.
const MOST_WRONG: f64 = 0.02;

/// Runs the model on a GPU and compares its logits with the CPU's; gives the GPU back, and what is wrong, if anything is.
///
/// # Errors
/// A GPU that refuses, has no memory, or is lost.
pub(crate) async fn check(
    gpu: AnyBackend,
    format: WeightFormat,
) -> Result<(AnyBackend, Option<String>), Error> {
    let checkpoint = checkpoint()?;
    let cache = Some(gpu.cache_dtype());
    let model = Options { cache, context: Some(64), ..Options::default() };
    let options = LoadOptions { weights: format, model };
    let engine = Arc::new(Engine::load(gpu, &checkpoint, options, |_| true)?);
    let plain = Arc::new(Engine::load(CpuBackend::plain().into(), &checkpoint, options, |_| true)?);
    let found = [logits(&engine).await?, logits(&plain).await?];
    let wrong = difference(&found).filter(|wrong| *wrong > MOST_WRONG || wrong.is_nan());
    let told = wrong.map(|wrong| format!("the logits of a small model differ by {:.0} %", 100.0 * wrong));
    let engine = Arc::into_inner(engine).ok_or(EngineError::Cancelled)?;
    Ok((engine.into_backend(), told))
}

/// The logits after each prompt and after one more token.
async fn logits(engine: &Arc<Engine>) -> Result<Vec<Vec<f32>>, EngineError> {
    let cancel = Cancel::new();
    let mut all = Vec::new();
    for n in PROMPTS {
        let mut session = Session::new(Arc::clone(engine)).await?;
        let ids: Vec<u32> = (0..n).map(|i| ((i * 37 + n) % V) as u32).collect();
        session.prefill(&ids, &cancel).await?;
        all.push(session.logits().to_vec());
        session.decode(1, &cancel).await?;
        all.push(session.logits().to_vec());
    }
    Ok(all)
}

/// The largest root mean square of a row's errors, as a part of that of the row itself; NaN where something is no number.
fn difference([found, expected]: &[Vec<Vec<f32>>; 2]) -> Option<f64> {
    let mean_square = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>();
    let of_row = |(found, expected): (&Vec<f32>, &Vec<f32>)| {
        let mut errors = found.iter().zip(expected).map(|(x, y)| f64::from(*x) - f64::from(*y));
        let errors = mean_square(&mut errors);
        (errors / mean_square(&mut expected.iter().map(|x| f64::from(*x)))).sqrt()
    };
    let is_more = |a: &f64, b: &f64| a.total_cmp(b);
    found.iter().zip(expected).map(of_row).map(f64::abs).max_by(is_more)
}

/// The model's checkpoint, in memory.
fn checkpoint() -> Result<Checkpoint, Error> {
    let refused = |source| ModelError::Tensor { name: "a small model's".to_owned(), source };
    let tensors = tensors().map_err(refused)?;
    let mut writer = SafetensorsWriter::new();
    for (name, tensor) in &tensors {
        writer.declare(name, tensor.shape(), tensor.dtype())?;
    }
    let weights = writer.to_bytes(|name| Ok(Cow::Borrowed(&tensors[name])))?;
    let files = [("config.json", config().into_bytes()), ("model.safetensors", weights)];
    let files = files.map(|(name, bytes)| (name.to_owned(), Cow::Owned(bytes)));
    Ok(Checkpoint::from_files(files.into())?)
}

fn config() -> String {
    json!({
        "model_type": "lfm2",
        "vocab_size": V,
        "hidden_size": D,
        "intermediate_size": F,
        "block_auto_adjust_ff_dim": false,
        "num_hidden_layers": 2,
        "layer_types": ["conv", "full_attention"],
        "num_attention_heads": Q / A,
        "num_key_value_heads": KV / A,
        "head_dim": A,
        "conv_L_cache": 3,
        "max_position_embeddings": 64,
        "rope_theta": 1e4,
        "norm_eps": 1e-5,
        "tie_word_embeddings": true,
    })
    .to_string()
}

/// Names and shapes of the matrices that tell the two layers apart.
const MIXERS: [&[(&str, [usize; 2])]; 2] = [
    &[("conv.in_proj", [3 * D, D]), ("conv.out_proj", [D, D])],
    &[
        ("self_attn.q_proj", [Q, D]),
        ("self_attn.k_proj", [KV, D]),
        ("self_attn.v_proj", [KV, D]),
        ("self_attn.out_proj", [D, Q]),
    ],
];

/// All weights, in the names of the published checkpoints.
fn tensors() -> Result<BTreeMap<String, Tensor>, TensorError> {
    let mut numbers = Numbers(1);
    let mut tensors = BTreeMap::new();
    let mut add = |name: &str, tensor| tensors.insert(format!("model.{name}.weight"), tensor);
    add("embed_tokens", numbers.matrix(V, D)?);
    add("embedding_norm", ones(D)?);
    for (i, matrices) in MIXERS.into_iter().enumerate() {
        add(&format!("layers.{i}.operator_norm"), ones(D)?);
        add(&format!("layers.{i}.ffn_norm"), ones(D)?);
        let shared = [("feed_forward.w1", [F, D]), ("feed_forward.w2", [D, F]), ("feed_forward.w3", [F, D])];
        for (part, [n_out, n_in]) in matrices.iter().chain(&shared) {
            add(&format!("layers.{i}.{part}"), numbers.matrix(*n_out, *n_in)?);
        }
    }
    add("layers.0.conv.conv", Tensor::from_f32(Shape::cube(D, 1, 3), numbers.take(3 * D, 1.0))?);
    add("layers.1.self_attn.q_layernorm", ones(A)?);
    add("layers.1.self_attn.k_layernorm", ones(A)?);
    Ok(tensors)
}

fn ones(n: usize) -> Result<Tensor, TensorError> {
    Tensor::from_f32(Shape::vector(n), vec![1.0; n])
}

/// Numbers that look random and are the same everywhere: splitmix64 (Steele, Lea and Flood, 2014).
struct Numbers(u64);

impl Numbers {
    /// So many numbers between `-most` and `most`.
    fn take(&mut self, n: usize, most: f32) -> Vec<f32> {
        (0..n).map(|_| most * self.next()).collect()
    }

    /// A matrix that leaves the size of what it is multiplied with about as it is.
    fn matrix(&mut self, n_out: usize, n_in: usize) -> Result<Tensor, TensorError> {
        let most = (3.0 / n_in as f32).sqrt();
        Tensor::from_f32(Shape::matrix(n_out, n_in), self.take(n_out * n_in, most))
    }

    /// Between -1 and 1.
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f32 / (1 << 23) as f32 - 1.0
    }
}

#[cfg(test)]
mod tests {
    use hala_backend_wgpu::{Preset, WgpuBackend};
    use hala_shaders::{Target, variant};
    use hala_tests::devices;
    use pollster::block_on;

    use super::*;

    #[test]
    fn the_cpu_s_fast_path_is_right_in_every_format() {
        for format in [WeightFormat::Int8, WeightFormat::F32, WeightFormat::Int4] {
            let cpu = CpuBackend::threaded(1).unwrap().into();
            let (_, wrong) = block_on(check(cpu, format)).unwrap();
            assert_eq!(wrong, None, "{format}");
        }
    }

    /// A kernel as a faulty compiler might make it: what stands there, and what then does.
    fn broken(device: &str, kernel: &str, [from, to]: [&str; 2]) -> Option<WgpuBackend> {
        let source = variant(kernel).unwrap().source(Target::Native);
        assert!(source.contains(from), "{kernel} has no `{from}`");
        devices::open_with(device, Preset::Software)?.with_kernel(kernel, source.replace(from, to))
    }

    #[test]
    fn a_gpu_is_right_and_one_that_has_a_kernel_compiled_wrongly_is_not() {
        let faults = [
            ("rope_kv.f16", ["z.y * angle.x + z.x * angle.y", "z.y * angle.x - z.x * angle.y"]),
            ("matmul.int8.rows8", ["var value = sum;", "var value = select(sum, 0.0, token == 2u);"]),
            ("matmul.int8.rows1.norm.three", ["var value = sum;", "var value = 0.9 * sum;"]),
        ];
        for device in devices::for_models() {
            let (_, wrong) = block_on(check(devices::open(device).into(), WeightFormat::Int8)).unwrap();
            assert_eq!(wrong, None, "{device}");
            for (kernel, change) in faults {
                let Some(gpu) = broken(device, kernel, change) else { continue };
                let (_, wrong) = block_on(check(gpu.into(), WeightFormat::Int8)).unwrap();
                assert!(wrong.is_some(), "{kernel} on {device}");
            }
        }
    }

    #[test]
    fn what_is_off_by_a_few_logits_is_seen_and_roundings_are_not() {
        let right = vec![vec![1.0, -2.0, 0.5, 3.0]; 2];
        let mut rounded = right.clone();
        rounded[1][3] += 0.003;
        assert!(difference(&[rounded, right.clone()]).unwrap() < MOST_WRONG);
        let mut wrong = right.clone();
        wrong[0][2] = -0.5;
        assert!(difference(&[wrong, right.clone()]).unwrap() > MOST_WRONG);
        let mut no_number = right.clone();
        no_number[1][0] = f32::NAN;
        assert!(difference(&[no_number, right]).unwrap().is_nan());
    }
}
