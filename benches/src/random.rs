//! LFM2 models with random weights: a checkpoint whose tensors are made when they are read, so that beside what a device holds memory holds one.

use std::borrow::Cow;
use std::ops::Range;

use anyhow::Result;
use hala_model::{LogitRows, Options, PlanShape, Role, Source, WeightFormat, WeightSpec};
use hala_plan::{Backend, Plan, fuse};
use hala_tensor::{DType, Tensor};
use hala_weights::{Checkpoint, Reader};
use pollster::block_on;
use serde_json::{Map, Value, json};

use crate::session::Setup;
use crate::weights::{Rng, matrix, vector};

/// Taps of the short convolution.
const N_TAPS: usize = 3;

/// Bytes of an element in the file: bf16.
const ELEMENT: usize = 2;

/// Sizes of a model.
#[derive(Debug, Clone)]
pub struct Sizes {
    /// The model.
    pub name: &'static str,
    /// D
    pub width: usize,
    /// F
    pub n_ff: usize,
    /// H
    pub n_heads: usize,
    /// K
    pub n_kv_heads: usize,
    /// A
    pub head_size: usize,
    /// V
    pub n_vocab: usize,
    /// L
    pub n_layers: usize,
    /// Which of them attend; the others convolve.
    pub attention: &'static [usize],
}

impl Sizes {
    /// LFM2-350M.
    pub const LFM2_350M: Self = Self {
        name: "350M",
        width: 1024,
        n_ff: 4608,
        n_heads: 16,
        n_kv_heads: 8,
        head_size: 64,
        n_vocab: 65536,
        n_layers: 16,
        attention: &[2, 5, 8, 10, 12, 14],
    };

    /// LFM2-1.2B.
    pub const LFM2_1_2B: Self =
        Self { name: "1.2B", width: 2048, n_ff: 8192, n_heads: 32, ..Self::LFM2_350M };

    fn config(&self) -> Value {
        let kind = |i| if self.attention.contains(&i) { "full_attention" } else { "conv" };
        json!({
            "model_type": "lfm2",
            "vocab_size": self.n_vocab,
            "hidden_size": self.width,
            "intermediate_size": self.n_ff,
            "block_auto_adjust_ff_dim": false,
            "num_hidden_layers": self.n_layers,
            "layer_types": (0..self.n_layers).map(kind).collect::<Vec<_>>(),
            "num_attention_heads": self.n_heads,
            "num_key_value_heads": self.n_kv_heads,
            "head_dim": self.head_size,
            "conv_L_cache": N_TAPS,
            "max_position_embeddings": 128_000,
            "rope_theta": 1e6,
            "norm_eps": 1e-5,
            "tie_word_embeddings": true,
        })
    }

    /// The tensors' names and dimensions.
    fn tensors(&self) -> Vec<(String, Vec<usize>)> {
        let Self { width: d, n_ff: f, head_size: a, .. } = *self;
        let (q, kv) = (self.n_heads * a, self.n_kv_heads * a);
        let mut all = vec![("embed_tokens".to_owned(), vec![self.n_vocab, d])];
        all.push(("embedding_norm".to_owned(), vec![d]));
        for i in 0..self.n_layers {
            let mixer: &[(&str, Vec<usize>)] = match self.attention.contains(&i) {
                true => &[
                    ("self_attn.q_proj", vec![q, d]),
                    ("self_attn.k_proj", vec![kv, d]),
                    ("self_attn.v_proj", vec![kv, d]),
                    ("self_attn.out_proj", vec![d, q]),
                    ("self_attn.q_layernorm", vec![a]),
                    ("self_attn.k_layernorm", vec![a]),
                ],
                false => &[
                    ("conv.in_proj", vec![3 * d, d]),
                    ("conv.conv", vec![d, 1, N_TAPS]),
                    ("conv.out_proj", vec![d, d]),
                ],
            };
            let others = [
                ("operator_norm", vec![d]),
                ("ffn_norm", vec![d]),
                ("feed_forward.w1", vec![f, d]),
                ("feed_forward.w2", vec![d, f]),
                ("feed_forward.w3", vec![f, d]),
            ];
            let named = |(part, dims): &(&str, Vec<usize>)| (format!("layers.{i}.{part}"), dims.clone());
            all.extend(mixer.iter().chain(&others).map(named));
        }
        all.into_iter().map(|(name, dims)| (format!("model.{name}.weight"), dims)).collect()
    }
}

/// A weight file that is made as it is read.
#[derive(Debug)]
pub struct RandomFile {
    header: Vec<u8>,
    /// Each tensor's bytes in the file, and the values of a row; 1 where it is a vector.
    tensors: Vec<(Range<u64>, usize)>,
}

impl RandomFile {
    fn new(sizes: &Sizes) -> Result<Self> {
        let (mut entries, mut offsets, mut end) = (Map::new(), Vec::new(), 0);
        for (name, dims) in sizes.tensors() {
            let start = end;
            end += (ELEMENT * dims.iter().product::<usize>()) as u64;
            let n_columns = if dims.len() == 2 { dims[1] } else { 1 };
            entries.insert(name, json!({ "dtype": "BF16", "shape": dims, "data_offsets": [start, end] }));
            offsets.push((start..end, n_columns));
        }
        let json = serde_json::to_vec(&entries)?;
        let header = [&(json.len() as u64).to_le_bytes()[..], &json].concat();
        let first = header.len() as u64;
        let placed = |(range, n): (Range<u64>, usize)| (first + range.start..first + range.end, n);
        Ok(Self { header, tensors: offsets.into_iter().map(placed).collect() })
    }

    /// The bytes of the tensor at an offset: numbers of a magnitude that products keep, and around 1 where they scale.
    fn tensor(&self, start: u64) -> Result<Vec<u8>, String> {
        let found = self.tensors.iter().find(|(range, _)| range.start == start);
        let (range, n_columns) = found.ok_or_else(|| format!("no tensor begins at byte {start}"))?;
        let mut rng = Rng(start);
        let factor = (3.0 / *n_columns as f32).sqrt();
        let mut value = || match n_columns {
            1 => 1.0 + 0.2 * rng.uniform(),
            _ => rng.uniform() * factor,
        };
        let n = (range.end - range.start) as usize / ELEMENT;
        // The upper half of an f32 is a bf16.
        Ok((0..n).flat_map(|_| ((value().to_bits() >> 16) as u16).to_le_bytes()).collect())
    }
}

impl Reader for RandomFile {
    async fn size(&self, _: &str) -> Result<u64, String> {
        Ok(self.tensors.last().map_or(0, |(range, _)| range.end))
    }

    async fn read(&self, _: &str, range: Range<u64>) -> Result<Vec<u8>, String> {
        match self.header.get(range.start as usize..range.end as usize) {
            Some(bytes) => Ok(bytes.to_vec()),
            None => self.tensor(range.start),
        }
    }
}

/// A checkpoint of these sizes without its tensors, and the file that they are read from.
///
/// # Errors
/// None for sizes that fit together.
pub fn checkpoint(sizes: &Sizes) -> Result<(Checkpoint, RandomFile)> {
    let file = RandomFile::new(sizes)?;
    let config = serde_json::to_vec(&sizes.config())?;
    let files = vec![("config.json".to_owned(), Cow::Owned(config))];
    Ok((block_on(Checkpoint::from_reader(files, &file))?, file))
}

/// A model whose matrices are of one type, uploaded without a checkpoint's tensors.
#[derive(Debug)]
pub struct Random {
    model: Box<dyn hala_model::Model>,
    dtypes: Vec<DType>,
}

impl Random {
    /// Uploads random weights and declares states for contexts of `n_positions`. Matrices of one shape are copies of each other: the values do not matter, the
    /// bytes do.
    ///
    /// # Errors
    /// Those of the backend.
    pub fn new<B: Backend>(
        setup: &mut Setup<'_, B>,
        sizes: &Sizes,
        dtype: DType,
        n_positions: usize,
    ) -> Result<Self> {
        let (checkpoint, _) = checkpoint(sizes)?;
        let options = Options { context: Some(n_positions), cache: Some(DType::F16), ..Options::default() };
        let model = hala_model::open(&checkpoint, options)?;
        let mut made: Vec<Tensor> = Vec::new();
        let mut dtypes = Vec::new();
        for spec in model.weights() {
            let known = made.iter().find(|tensor| tensor.shape() == spec.shape && spec.role != Role::Vector);
            let tensor = match known {
                Some(tensor) => tensor.clone(),
                None => weight(spec, dtype, &checkpoint)?,
            };
            if spec.role != Role::Vector && known.is_none() {
                made.push(tensor.clone());
            }
            dtypes.push(tensor.dtype());
            setup.weight(tensor)?;
        }
        setup.declare(model.states());
        Ok(Self { model, dtypes })
    }

    /// The Plan for up to `n_tokens` rows, as a backend is given it.
    ///
    /// # Errors
    /// None for sizes that fit together.
    pub fn plan<B: Backend>(&self, backend: &B, n_tokens: usize, logits: LogitRows) -> Result<Plan> {
        Ok(fuse(self.model.record(PlanShape { n_tokens, logits }, &self.dtypes)?, backend))
    }
}

fn weight(spec: &WeightSpec, dtype: DType, checkpoint: &Checkpoint) -> Result<Tensor> {
    if let Source::Rope(_) = spec.source {
        return Ok(spec.load(checkpoint, WeightFormat::F32)?);
    }
    match (spec.role, spec.shape) {
        (Role::Vector, shape) => vector(&mut Rng(1), shape),
        (Role::Matrix | Role::Vocabulary, shape) => {
            matrix(&mut Rng(1), shape.n_rows(), shape.n_columns(), dtype)
        }
    }
}
