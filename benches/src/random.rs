//! LFM2 and LFM3 models with random weights: a checkpoint whose tensors are made when they are read, so that beside what a device holds memory holds one.

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

/// Bytes of an element in the file: bf16.
const ELEMENT: usize = 2;

/// Whose layers a model has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Every layer that attends sees everything.
    Lfm2,
    /// Every second one sees a window, heads pass gates, and blocks have norms behind them.
    Lfm3,
}

/// Sizes of a model.
#[derive(Debug, Clone)]
pub struct Sizes {
    /// The model.
    pub name: &'static str,
    /// Its family.
    pub family: Family,
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
    /// Taps of the convolutions.
    pub n_taps: usize,
}

impl Sizes {
    /// LFM2-350M.
    pub const LFM2_350M: Self = Self {
        name: "350M",
        family: Family::Lfm2,
        width: 1024,
        n_ff: 4608,
        n_heads: 16,
        n_kv_heads: 8,
        head_size: 64,
        n_vocab: 65536,
        n_layers: 16,
        attention: &[2, 5, 8, 10, 12, 14],
        n_taps: 3,
    };

    /// LFM2-1.2B.
    pub const LFM2_1_2B: Self =
        Self { name: "1.2B", width: 2048, n_ff: 8192, n_heads: 32, ..Self::LFM2_350M };

    /// LFM3-1.7B.
    pub const LFM3_1_7B: Self = Self {
        name: "1.7B",
        family: Family::Lfm3,
        width: 2048,
        n_ff: 7680,
        n_heads: 16,
        n_kv_heads: 4,
        head_size: 128,
        n_vocab: 128_000,
        n_layers: 24,
        attention: &[2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22],
        n_taps: 7,
    };

    /// What a model can be asked for.
    pub const ALL: [Self; 3] = [Self::LFM2_350M, Self::LFM2_1_2B, Self::LFM3_1_7B];

    /// The kind of a layer.
    fn kind(&self, i: usize) -> &'static str {
        match self.attention.iter().position(|layer| *layer == i) {
            None => "conv",
            Some(n) if self.family == Family::Lfm3 && n % 2 == 1 => "sliding_attention",
            Some(_) => "full_attention",
        }
    }

    fn config(&self) -> Value {
        let family = if self.family == Family::Lfm2 { "lfm2" } else { "lfm3" };
        json!({
            "model_type": family,
            "vocab_size": self.n_vocab,
            "hidden_size": self.width,
            "intermediate_size": self.n_ff,
            "block_auto_adjust_ff_dim": false,
            "num_hidden_layers": self.n_layers,
            "layer_types": (0..self.n_layers).map(|i| self.kind(i)).collect::<Vec<_>>(),
            "num_attention_heads": self.n_heads,
            "num_key_value_heads": self.n_kv_heads,
            "head_dim": self.head_size,
            "conv_L_cache": self.n_taps,
            "max_position_embeddings": 128_000,
            "rope_theta": 1e6,
            "norm_eps": 1e-5,
            "tie_word_embeddings": true,
        })
    }

    /// The tensors' names and dimensions.
    fn tensors(&self) -> Vec<(String, Vec<usize>)> {
        let (d, f) = (self.width, self.n_ff);
        let mut all = vec![("embed_tokens".to_owned(), vec![self.n_vocab, d])];
        all.push(("embedding_norm".to_owned(), vec![d]));
        for i in 0..self.n_layers {
            let mut parts =
                if self.attention.contains(&i) { self.attention_parts() } else { self.conv_parts() };
            parts.extend([
                ("operator_norm", vec![d]),
                ("ffn_norm", vec![d]),
                ("feed_forward.w1", vec![f, d]),
                ("feed_forward.w2", vec![d, f]),
                ("feed_forward.w3", vec![f, d]),
            ]);
            if self.family == Family::Lfm3 {
                parts.extend(["post_operator_norm", "post_ffn_norm"].map(|norm| (norm, vec![d])));
            }
            all.extend(parts.into_iter().map(|(part, dims)| (format!("layers.{i}.{part}"), dims)));
        }
        all.into_iter().map(|(name, dims)| (format!("model.{name}.weight"), dims)).collect()
    }

    fn attention_parts(&self) -> Vec<(&'static str, Vec<usize>)> {
        let (d, a) = (self.width, self.head_size);
        let (q, kv) = (self.n_heads * a, self.n_kv_heads * a);
        let projections = [
            ("self_attn.q_proj", vec![q, d]),
            ("self_attn.k_proj", vec![kv, d]),
            ("self_attn.v_proj", vec![kv, d]),
        ];
        let others = match self.family {
            Family::Lfm2 => vec![
                ("self_attn.out_proj", vec![d, q]),
                ("self_attn.q_layernorm", vec![a]),
                ("self_attn.k_layernorm", vec![a]),
            ],
            Family::Lfm3 => vec![
                ("self_attn.gate_proj", vec![self.n_heads, d]),
                ("self_attn.o_proj", vec![d, q]),
                ("self_attn.q_norm", vec![a]),
                ("self_attn.k_norm", vec![a]),
            ],
        };
        projections.into_iter().chain(others).collect()
    }

    fn conv_parts(&self) -> Vec<(&'static str, Vec<usize>)> {
        let d = self.width;
        let taps = vec![d, 1, self.n_taps];
        vec![("conv.in_proj", vec![3 * d, d]), ("conv.conv", taps), ("conv.out_proj", vec![d, d])]
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
