//! The Plan of an LFM2 model with random weights, recorded by hand: what a run costs without the model crate.

use anyhow::Result;
use hala_plan::ops::matmul::{self, Norm, Write};
use hala_plan::ops::swiglu::Activation;
use hala_plan::ops::{attention, embed, gather, rope_kv, short_conv, swiglu};
use hala_plan::{Backend, BufferId, Plan, Recorder, StateId, WeightId};
use hala_tensor::{DType, Shape, Tensor};

use crate::session::Setup;
use crate::weights::{Rng, matrix, vector};

const EPS: f32 = 1e-5;
const N_TAPS: usize = 3;

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
}

/// The rows whose logits a Plan computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Logits {
    /// Each.
    All,
    /// One, which a run names.
    One,
}

#[derive(Debug)]
struct Layer {
    norms: [WeightId; 2],
    operator: Operator,
    out_proj: WeightId,
    w1: WeightId,
    w3: WeightId,
    w2: WeightId,
}

#[derive(Debug)]
enum Operator {
    Conv { in_proj: WeightId, taps: WeightId, state: StateId },
    Attention(Attention),
}

#[derive(Debug)]
struct Attention {
    qkv: [WeightId; 3],
    norms: [WeightId; 2],
    cache: [StateId; 2],
}

/// A model's weights and states.
#[derive(Debug)]
pub struct Model {
    sizes: Sizes,
    dtype: DType,
    n_positions: usize,
    table: WeightId,
    rope: WeightId,
    norm: WeightId,
    layers: Vec<Layer>,
}

/// Makes each random matrix once and uploads copies: the values do not matter, the bytes do.
#[derive(Debug)]
struct Matrices {
    dtype: DType,
    made: Vec<Tensor>,
    rng: Rng,
}

impl Matrices {
    fn get(&mut self, n_rows: usize, n_columns: usize) -> Result<Tensor> {
        let shape = Shape::matrix(n_rows, n_columns);
        if let Some(tensor) = self.made.iter().find(|t| t.shape() == shape) {
            return Ok(tensor.clone());
        }
        let tensor = matrix(&mut self.rng, n_rows, n_columns, self.dtype)?;
        self.made.push(tensor.clone());
        Ok(tensor)
    }
}

impl Model {
    /// Uploads random weights and declares states for contexts of `n_positions`.
    ///
    /// # Errors
    /// Those of the backend.
    pub fn new<B: Backend>(
        setup: &mut Setup<'_, B>,
        sizes: &Sizes,
        dtype: DType,
        n_positions: usize,
    ) -> Result<Self> {
        let mut matrices = Matrices { dtype, made: Vec::new(), rng: Rng(1) };
        let mut rng = Rng(2);
        let table = setup.weight(matrices.get(sizes.n_vocab, sizes.width)?)?;
        let rope = setup.weight(vector(&mut rng, Shape::matrix(n_positions, sizes.head_size))?)?;
        let norm = setup.weight(vector(&mut rng, Shape::vector(sizes.width))?)?;
        let mut layers = Vec::new();
        for idx in 0..sizes.n_layers {
            layers.push(layer(setup, sizes, &mut matrices, idx)?);
        }
        Ok(Self { sizes: sizes.clone(), dtype, n_positions, table, rope, norm, layers })
    }

    /// The Plan for up to `n_tokens` rows.
    ///
    /// # Errors
    /// None for sizes that fit together.
    pub fn plan<B: Backend>(&self, setup: &Setup<'_, B>, n_tokens: usize, logits: Logits) -> Result<Plan> {
        let Sizes { width, n_vocab, .. } = self.sizes;
        let mut recorder = Recorder::new("bench", n_tokens);
        let ids = recorder.ids();
        let table = recorder.weight(self.table, "table", Shape::matrix(n_vocab, width), self.dtype);
        let x = recorder.scratch("x", Shape::matrix(n_tokens, width));
        recorder.add(embed::Args { ids, table, scale: 1.0, y: x })?;
        for layer in &self.layers {
            self.record(setup, &mut recorder, layer, x)?;
        }
        let norm = recorder.weight(self.norm, "norm", Shape::vector(width), DType::F32);
        let (last, y) = match logits {
            Logits::All => (x, recorder.output("logits", Shape::matrix(n_tokens, n_vocab))),
            Logits::One => {
                let last = recorder.scratch_of_wanted("last", Shape::matrix(1, width));
                recorder.add(gather::Args { x, y: last })?;
                (last, recorder.output_of_wanted("logits", Shape::matrix(1, n_vocab)))
            }
        };
        recorder.add(matmul::Args {
            x: last,
            norm: Some(Norm { weight: norm, eps: EPS }),
            weights: &[table],
            bias: None,
            y,
            write: Write::Set,
        })?;
        Ok(recorder.finish())
    }

    fn record<B: Backend>(
        &self,
        setup: &Setup<'_, B>,
        r: &mut Recorder,
        layer: &Layer,
        x: BufferId,
    ) -> Result<()> {
        let Sizes { width, n_ff, n_heads, head_size, .. } = self.sizes;
        let t = r.n_tokens();
        let [operator_norm, ffn_norm] =
            layer.norms.map(|id| r.weight(id, "norm", Shape::vector(width), DType::F32));
        let operator_norm = Norm { weight: operator_norm, eps: EPS };
        let (y, n) = match &layer.operator {
            Operator::Conv { .. } => (r.scratch("y", Shape::matrix(t, width)), width),
            Operator::Attention(_) => {
                (r.scratch("y", Shape::matrix(t, n_heads * head_size)), n_heads * head_size)
            }
        };
        match &layer.operator {
            Operator::Conv { in_proj, taps, state } => {
                let in_proj = r.weight(*in_proj, "in_proj", Shape::matrix(3 * width, width), self.dtype);
                let taps = r.weight(*taps, "taps", Shape::matrix(width, N_TAPS), DType::F32);
                let state = r.state(*state, setup.spec(*state));
                let projected = r.scratch("projected", Shape::matrix(t, 3 * width));
                let norm = Some(operator_norm);
                r.add(short_conv::Args { x, norm, in_proj, taps, bias: None, state, projected, y })?;
            }
            Operator::Attention(operator) => {
                let q = self.project(setup, r, operator, (x, operator_norm))?;
                let [keys, values] = operator.cache.map(|id| r.state(id, setup.spec(id)));
                let scale = 1.0 / (head_size as f32).sqrt();
                r.add(attention::Args {
                    q,
                    keys,
                    values,
                    y,
                    n_positions: self.n_positions,
                    scale,
                    softcap: None,
                    window: None,
                })?;
            }
        }
        let out_proj = r.weight(layer.out_proj, "out_proj", Shape::matrix(width, n), self.dtype);
        add(r, y, out_proj, x)?;
        let w1 = r.weight(layer.w1, "w1", Shape::matrix(n_ff, width), self.dtype);
        let w3 = r.weight(layer.w3, "w3", Shape::matrix(n_ff, width), self.dtype);
        let w2 = r.weight(layer.w2, "w2", Shape::matrix(width, n_ff), self.dtype);
        let gated = r.scratch("gated", Shape::matrix(t, n_ff));
        let norm = Some(Norm { weight: ffn_norm, eps: EPS });
        r.add(swiglu::Args { x, norm, activation: Activation::Silu, w1, w3, y: gated })?;
        add(r, gated, w2, x)
    }

    /// Queries, turned; keys and values go into the cache.
    fn project<B: Backend>(
        &self,
        setup: &Setup<'_, B>,
        r: &mut Recorder,
        operator: &Attention,
        (x, norm): (BufferId, Norm),
    ) -> Result<BufferId> {
        let Attention { qkv, norms, cache } = operator;
        let Sizes { width, n_heads, n_kv_heads, head_size, .. } = self.sizes;
        let t = r.n_tokens();
        let rows = [n_heads, n_kv_heads, n_kv_heads].map(|n| n * head_size);
        let mut weights = [x; 3];
        for ((weight, id), n) in weights.iter_mut().zip(qkv).zip(rows) {
            *weight = r.weight(*id, "qkv", Shape::matrix(n, width), self.dtype);
        }
        let joined = r.scratch("qkv", Shape::matrix(t, rows.iter().sum()));
        r.add(matmul::Args {
            x,
            norm: Some(norm),
            weights: &weights,
            bias: None,
            y: joined,
            write: Write::Set,
        })?;
        let [q_norm, k_norm] =
            norms.map(|id| r.weight(id, "head norm", Shape::vector(head_size), DType::F32));
        let rope = r.weight(self.rope, "rope", Shape::matrix(self.n_positions, head_size), DType::F32);
        let q = r.scratch("q", Shape::matrix(t, n_heads * head_size));
        let [keys, values] = cache.map(|id| r.state(id, setup.spec(id)));
        let norms = Some(rope_kv::Norms { q: q_norm, k: k_norm, eps: EPS });
        let turn = Some(rope_kv::Turn { table: rope, pairs: rope_kv::Pairs::Halves });
        r.add(rope_kv::Args { qkv: joined, norms, turn, q, keys, values, n_positions: self.n_positions })?;
        Ok(q)
    }
}

fn layer<B: Backend>(
    setup: &mut Setup<'_, B>,
    sizes: &Sizes,
    matrices: &mut Matrices,
    idx: usize,
) -> Result<Layer> {
    let Sizes { width, n_ff, n_heads, n_kv_heads, head_size, .. } = *sizes;
    let mut rng = Rng(idx as u64);
    let mut norm = |setup: &mut Setup<'_, B>, n| setup.weight(vector(&mut rng, Shape::vector(n))?);
    let norms = [norm(setup, width)?, norm(setup, width)?];
    let operator = if sizes.attention.contains(&idx) {
        let [q, kv] = [n_heads * head_size, n_kv_heads * head_size];
        let mut state = || setup.cache([n_kv_heads, head_size], DType::F16);
        Operator::Attention(Attention {
            cache: [state(), state()],
            norms: [norm(setup, head_size)?, norm(setup, head_size)?],
            qkv: [
                setup.weight(matrices.get(q, width)?)?,
                setup.weight(matrices.get(kv, width)?)?,
                setup.weight(matrices.get(kv, width)?)?,
            ],
        })
    } else {
        Operator::Conv {
            state: setup.recurrent(Shape::matrix(N_TAPS - 1, width)),
            taps: setup.weight(vector(&mut Rng(3), Shape::matrix(width, N_TAPS))?)?,
            in_proj: setup.weight(matrices.get(3 * width, width)?)?,
        }
    };
    let n_mixed = if sizes.attention.contains(&idx) { n_heads * head_size } else { width };
    Ok(Layer {
        norms,
        operator,
        out_proj: setup.weight(matrices.get(width, n_mixed)?)?,
        w1: setup.weight(matrices.get(n_ff, width)?)?,
        w3: setup.weight(matrices.get(n_ff, width)?)?,
        w2: setup.weight(matrices.get(width, n_ff)?)?,
    })
}

/// Adds a product to the residual stream.
fn add(r: &mut Recorder, x: BufferId, weight: BufferId, y: BufferId) -> Result<()> {
    r.add(matmul::Args { x, norm: None, weights: &[weight], bias: None, y, write: Write::Add })?;
    Ok(())
}
