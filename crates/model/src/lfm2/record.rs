//! LFM2's forward pass, recorded.

use hala_plan::ops::{attention, embed, matmul, rope_kv, sample, short_conv, swiglu};
use hala_plan::{BufferId, Plan, Recorder, StateId, WeightId};
use hala_tensor::{DType, Shape};

use super::{Attention, Conv, Layer, Lfm2, Operator};
use crate::{LogitRows, ModelError, PlanShape};

/// Records the whole forward pass for up to `shape.n_tokens` tokens.
pub(super) fn record(model: &Lfm2, shape: PlanShape, dtypes: &[DType]) -> Result<Plan, ModelError> {
    let label = if shape.n_tokens == 1 { "decode" } else { "prefill" };
    let recorder = Recorder::new(label, shape.n_tokens);
    let mut pass = Pass { model, recorder, dtypes, weights: vec![None; model.weights.len()] };
    let ids = pass.recorder.ids();
    let h = pass.embed(ids)?;
    for (i, layer) in model.names.layers.iter().enumerate() {
        pass.layer(i, layer, h)?;
    }
    let logits = pass.head(h, shape.logits)?;
    if shape.logits == LogitRows::Chosen {
        pass.recorder.sample(sample::Args { logits, ids })?;
    }
    Ok(pass.recorder.finish())
}

/// One recording: each weight is declared once, where it is first read.
struct Pass<'a> {
    model: &'a Lfm2,
    recorder: Recorder,
    dtypes: &'a [DType],
    weights: Vec<Option<BufferId>>,
}

impl Pass<'_> {
    fn weight(&mut self, id: WeightId) -> BufferId {
        let idx = id.0 as usize;
        if let Some(buffer) = self.weights[idx] {
            return buffer;
        }
        let spec = &self.model.weights[idx];
        let buffer = self.recorder.weight(id, &spec.name, spec.shape, self.dtypes[idx]);
        self.weights[idx] = Some(buffer);
        buffer
    }

    fn norm(&mut self, id: WeightId) -> matmul::Norm {
        matmul::Norm { weight: self.weight(id), eps: self.model.config.eps }
    }

    fn state(&mut self, id: StateId) -> BufferId {
        self.recorder.state(id, &self.model.states[id.0 as usize])
    }

    /// A scratch buffer `[T, n_columns]`.
    fn scratch(&mut self, label: &str, n_columns: usize) -> BufferId {
        let shape = Shape::matrix(self.recorder.n_tokens(), n_columns);
        self.recorder.scratch(label, shape)
    }

    /// `h = embed_tokens[ids]`
    fn embed(&mut self, ids: BufferId) -> Result<BufferId, ModelError> {
        let table = self.weight(self.model.names.embed_tokens);
        let y = self.scratch("h", self.model.config.width);
        self.recorder.embed(embed::Args { ids, table, scale: 1.0, y })?;
        Ok(y)
    }

    /// `h += operator(h); h += feed_forward(h)`
    fn layer(&mut self, i: usize, layer: &Layer, h: BufferId) -> Result<(), ModelError> {
        let norm = self.norm(layer.operator_norm);
        match &layer.operator {
            Operator::Conv(conv) => self.conv(i, conv, norm, h)?,
            Operator::Attention(attention) => self.attention(i, attention, norm, h)?,
        }
        let norm = Some(self.norm(layer.ffn_norm));
        let (w1, w3) = (self.weight(layer.w1), self.weight(layer.w3));
        let y = self.scratch(&format!("layers.{i}.gated"), self.model.config.ff_width);
        self.recorder.swiglu(swiglu::Args { x: h, norm, activation: swiglu::Activation::Silu, w1, w3, y })?;
        self.add(y, layer.w2, None, h)
    }

    /// `h += out_proj(short_conv(h))`
    fn conv(&mut self, i: usize, conv: &Conv, norm: matmul::Norm, h: BufferId) -> Result<(), ModelError> {
        let width = self.model.config.width;
        let bias = conv
            .bias
            .as_ref()
            .map(|b| short_conv::Bias { in_proj: self.weight(b.in_proj), conv: self.weight(b.conv) });
        let args = short_conv::Args {
            x: h,
            norm,
            in_proj: self.weight(conv.in_proj),
            taps: self.weight(conv.taps),
            bias,
            state: self.state(conv.state),
            projected: self.scratch(&format!("layers.{i}.projected"), 3 * width),
            y: self.scratch(&format!("layers.{i}.convolved"), width),
        };
        self.recorder.short_conv(args)?;
        self.add(args.y, conv.out_proj, conv.bias.as_ref().map(|b| b.out_proj), h)
    }

    /// `h += out_proj(attention(rope(norm(q)), rope(norm(k)), v))`
    fn attention(
        &mut self,
        i: usize,
        layer: &Attention,
        norm: matmul::Norm,
        h: BufferId,
    ) -> Result<(), ModelError> {
        let config = &self.model.config;
        let (q_width, kv_width) = (config.n_heads * config.head_size, config.n_kv_heads * config.head_size);
        let (eps, scale) = (config.eps, 1.0 / (config.head_size as f32).sqrt());
        let qkv = self.scratch(&format!("layers.{i}.qkv"), q_width + 2 * kv_width);
        let weights = [layer.q_proj, layer.k_proj, layer.v_proj].map(|id| self.weight(id));
        self.recorder.matmul(matmul::Args {
            x: h,
            norm: Some(norm),
            weights: &weights,
            bias: None,
            y: qkv,
            write: matmul::Write::Set,
            rows: matmul::Rows::All,
        })?;
        let norms =
            rope_kv::Norms { q: self.weight(layer.q_layernorm), k: self.weight(layer.k_layernorm), eps };
        let table = self.weight(self.model.names.rope);
        let turn = rope_kv::Turn { table, pairs: rope_kv::Pairs::Halves };
        let rope_kv = rope_kv::Args {
            qkv,
            norms: Some(norms),
            turn: Some(turn),
            q: self.scratch(&format!("layers.{i}.q"), q_width),
            keys: self.state(layer.keys),
            values: self.state(layer.values),
        };
        self.recorder.rope_kv(rope_kv)?;
        let y = self.scratch(&format!("layers.{i}.attended"), q_width);
        let rope_kv::Args { q, keys, values, .. } = rope_kv;
        let args = attention::Args { q, keys, values, y, scale, softcap: None, window: None };
        self.recorder.attention(args)?;
        self.add(y, layer.out_proj, None, h)
    }

    /// `h += x · Wᵀ + b`
    fn add(
        &mut self,
        x: BufferId,
        weight: WeightId,
        bias: Option<WeightId>,
        h: BufferId,
    ) -> Result<(), ModelError> {
        let weight = self.weight(weight);
        let bias = bias.map(|id| self.weight(id));
        self.recorder.matmul(matmul::Args {
            x,
            norm: None,
            weights: &[weight],
            bias,
            y: h,
            write: matmul::Write::Add,
            rows: matmul::Rows::All,
        })?;
        Ok(())
    }

    /// `logits = RMS(h; embedding_norm) · lm_headᵀ`
    fn head(&mut self, h: BufferId, logits: LogitRows) -> Result<BufferId, ModelError> {
        let (rows, n_rows) = match logits {
            LogitRows::Last | LogitRows::Chosen => (matmul::Rows::Last, 1),
            LogitRows::All => (matmul::Rows::All, self.recorder.n_tokens()),
        };
        let norm = self.norm(self.model.names.embedding_norm);
        let weight = self.weight(self.model.names.lm_head);
        let shape = Shape::matrix(n_rows, self.model.config.n_vocab);
        let y = match logits {
            LogitRows::Chosen => self.recorder.scratch("logits", shape),
            LogitRows::Last | LogitRows::All => self.recorder.output("logits", shape),
        };
        self.recorder.matmul(matmul::Args {
            x: h,
            norm: Some(norm),
            weights: &[weight],
            bias: None,
            y,
            write: matmul::Write::Set,
            rows,
        })?;
        Ok(y)
    }
}
