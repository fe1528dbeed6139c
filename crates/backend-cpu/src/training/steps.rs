//! One step of a training Plan: its buffers are gathered, and the op runs.

use hala_plan::ops::training::{
    TrainOp, attention_backward, concat_backward, convolve_backward, dropout, embed_backward, gate_backward,
    head_loss, matmul_backward_input, matmul_backward_weight, norm_backward, packed_attention,
    packed_convolve, turn_heads, turn_heads_backward,
};
use hala_plan::ops::{add, concat, embed, gate, matmul, norm};
use hala_plan::training::{Purpose, TrainRows, TrainStep};

use crate::ops;
use crate::ops::training as plain;
use crate::training::memory::Memory;

/// One run of a training Plan.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    pub(crate) memory: &'a mut Memory,
    pub(crate) rows: TrainRows<'a>,
    pub(crate) purpose: Purpose,
}

impl Run<'_> {
    /// Runs one step.
    pub(crate) fn step(&mut self, step: &TrainStep) {
        match &step.op {
            TrainOp::Add(_) => self.add(step),
            TrainOp::Concat(params) => self.concat(step, params),
            TrainOp::Embed(params) => self.embed(step, params),
            TrainOp::Gate(params) => self.gate(step, params),
            TrainOp::Matmul(params) => self.matmul(step, params),
            TrainOp::Norm(params) => self.norm(step, params),
            TrainOp::TurnHeads(params) => self.turn(step, params),
            TrainOp::PackedAttention(params) => self.attend(step, params),
            TrainOp::PackedConvolve(params) => self.convolve(step, params),
            TrainOp::Dropout(params) => self.dropout(step, params),
            TrainOp::HeadLoss(params) => self.head_loss(step, params),
            TrainOp::ConcatBackward(params) => self.concat_backward(step, params),
            TrainOp::EmbedBackward(params) => self.embed_backward(step, params),
            TrainOp::GateBackward(params) => self.gate_backward(step, params),
            TrainOp::MatmulBackwardInput(params) => self.matmul_backward_input(step, params),
            TrainOp::MatmulBackwardWeight(params) => self.matmul_backward_weight(step, params),
            TrainOp::NormBackward(params) => self.norm_backward(step, params),
            TrainOp::TurnHeadsBackward(params) => self.turn_backward(step, params),
            TrainOp::AttentionBackward(params) => self.attention_backward(step, params),
            TrainOp::ConvolveBackward(params) => self.convolve_backward(step, params),
        }
    }

    fn add(&mut self, step: &TrainStep) {
        let args = add::Args::of(step.io());
        self.memory.write(&step.outputs, |memory, out| {
            ops::add::run(memory.read(args.a), memory.read(args.b), out[0]);
        });
    }

    fn concat(&mut self, step: &TrainStep, params: &concat::Params) {
        self.memory.write(&step.outputs, |memory, out| {
            let mut parts: [&[f32]; concat::MAX_PARTS] = [&[]; concat::MAX_PARTS];
            parts.iter_mut().zip(&step.inputs).for_each(|(part, id)| *part = memory.read(*id));
            ops::concat::run(params, parts, out[0]);
        });
    }

    fn embed(&mut self, step: &TrainStep, params: &embed::Params) {
        let args = embed::Args::of(step.io(), params);
        self.memory.write(&step.outputs, |memory, out| {
            let inputs = (self.rows.ids, memory.read(args.table));
            plain::forward::embed(params.width as usize, params.scale, inputs, out[0]);
        });
    }

    fn gate(&mut self, step: &TrainStep, params: &gate::Params) {
        let args = gate::Args::of(step.io(), params);
        self.memory.write(&step.outputs, |memory, out| {
            ops::gate::run(params, memory.read(args.a), memory.read(args.b), out[0]);
        });
    }

    fn matmul(&mut self, step: &TrainStep, params: &matmul::Params) {
        let args = matmul::Args::of(step.io(), params);
        self.memory.write(&step.outputs, |memory, out| {
            let operands = [args.x, args.weights[0]].map(|id| memory.read(id));
            let bias = args.bias.map(|bias| memory.read(bias));
            plain::forward::product(params.n_in as usize, operands, bias, out[0]);
        });
    }

    fn norm(&mut self, step: &TrainStep, params: &norm::Params) {
        let args = norm::Args::of(step.io(), params);
        self.memory.write(&step.outputs, |memory, out| {
            ops::norm::run(params, memory.read(args.x), memory.read(args.norm.weight), out[0]);
        });
    }

    fn turn(&mut self, step: &TrainStep, params: &turn_heads::Params) {
        let args = turn_heads::Args::of(step.io(), params);
        self.memory.write(&step.outputs, |memory, out| {
            let inputs = plain::turn_heads::Inputs {
                qkv: memory.read(args.qkv),
                norms: args.norms.map(|norms| [norms.q, norms.k].map(|id| memory.read(id))),
                rope: args.turn.map(|turn| memory.read(turn.table)),
                rows: self.rows,
            };
            plain::turn_heads::run(params, inputs, out[0]);
        });
    }

    fn attend(&mut self, step: &TrainStep, params: &packed_attention::Params) {
        let args = packed_attention::Args::of(step.io(), params);
        self.memory.write(&step.outputs, |memory, out| {
            let [y, log_sums] = out else { return };
            plain::packed_attention::run(params, self.rows, memory.read(args.turned), y, log_sums);
        });
    }

    fn convolve(&mut self, step: &TrainStep, params: &packed_convolve::Params) {
        let args = packed_convolve::Args::of(step.io());
        self.memory.write(&step.outputs, |memory, out| {
            let inputs = plain::packed_convolve::Inputs {
                projected: memory.read(args.projected),
                taps: memory.read(args.taps),
                bias: args.bias.map(|bias| memory.read(bias)),
                rows: self.rows,
            };
            plain::packed_convolve::run(params, inputs, out[0]);
        });
    }

    fn dropout(&mut self, step: &TrainStep, params: &dropout::Params) {
        let args = dropout::Args::of(step.io(), params);
        self.memory.write(&step.outputs, |memory, out| {
            plain::dropout::run(params, self.purpose, 0, memory.read(args.x), out[0]);
        });
    }

    fn head_loss(&mut self, step: &TrainStep, params: &head_loss::Params) {
        let args = head_loss::Args::of(step.io(), params);
        self.memory.write(&step.outputs, |memory, out| {
            let [losses, dx, dhead, _] = out else { return };
            let [x, head] = [args.x, args.head].map(|id| memory.read(id));
            let inputs = plain::head_loss::Inputs { x, head, rows: self.rows, purpose: self.purpose };
            plain::head_loss::run(params, inputs, plain::head_loss::Outputs { losses, dx, dhead });
        });
    }

    fn concat_backward(&mut self, step: &TrainStep, params: &concat_backward::Params) {
        let args = concat_backward::Args::of(step.io());
        self.memory.write(&step.outputs, |memory, out| {
            plain::concat_backward::run(params, memory.read(args.dy), out);
        });
    }

    fn embed_backward(&mut self, step: &TrainStep, params: &embed_backward::Params) {
        let args = embed_backward::Args::of(step.io(), params);
        self.memory.write(&step.outputs, |memory, out| {
            plain::embed_backward::run(params, self.rows.ids, memory.read(args.dy), out[0]);
        });
    }

    fn gate_backward(&mut self, step: &TrainStep, params: &gate_backward::Params) {
        let args = gate_backward::Args::of(step.io(), params);
        self.memory.write(&step.outputs, |memory, out| {
            let [da, db] = out else { return };
            let inputs = [args.a, args.b, args.dy].map(|id| memory.read(id));
            plain::gate_backward::run(params, inputs, [da, db]);
        });
    }

    fn matmul_backward_input(&mut self, step: &TrainStep, params: &matmul_backward_input::Params) {
        let args = matmul_backward_input::Args::of(step.io(), params);
        self.memory.write(&step.outputs, |memory, out| {
            plain::matmul_backward_input::run(params, memory.read(args.dy), memory.read(args.w), out[0]);
        });
    }

    fn matmul_backward_weight(&mut self, step: &TrainStep, params: &matmul_backward_weight::Params) {
        let args = matmul_backward_weight::Args::of(step.io());
        self.memory.write(&step.outputs, |memory, out| {
            let Some((dw, db)) = out.split_first_mut() else { return };
            let inputs = [args.dy, args.x].map(|id| memory.read(id));
            plain::matmul_backward_weight::run(params, inputs, dw, db.first_mut().map(|db| &mut **db));
        });
    }

    fn norm_backward(&mut self, step: &TrainStep, params: &norm_backward::Params) {
        let args = norm_backward::Args::of(step.io(), params);
        self.memory.write(&step.outputs, |memory, out| {
            let [dx, dw] = out else { return };
            let [x, weight, dy] = [args.x, args.norm.weight, args.dy].map(|id| memory.read(id));
            plain::norm_backward::run(params, plain::norm_backward::Inputs { x, weight, dy }, dx, dw);
        });
    }

    fn turn_backward(&mut self, step: &TrainStep, params: &turn_heads_backward::Params) {
        let args = turn_heads_backward::Args::of(step.io(), params);
        self.memory.write(&step.outputs, |memory, out| {
            let Some((dqkv, dnorms)) = out.split_first_mut() else { return };
            let inputs = plain::turn_heads::Inputs {
                qkv: memory.read(args.qkv),
                norms: args.norms.map(|norms| [norms.q, norms.k].map(|id| memory.read(id))),
                rope: args.turn.map(|turn| memory.read(turn.table)),
                rows: self.rows,
            };
            plain::turn_heads_backward::run(params, inputs, memory.read(args.dturned), dqkv, dnorms);
        });
    }

    fn attention_backward(&mut self, step: &TrainStep, params: &attention_backward::Params) {
        let args = attention_backward::Args::of(step.io(), params);
        self.memory.write(&step.outputs, |memory, out| {
            let [turned, y, log_sums, dy] =
                [args.turned, args.y, args.log_sums, args.dy].map(|id| memory.read(id));
            let inputs = plain::attention_backward::Inputs { turned, y, log_sums, dy, rows: self.rows };
            plain::attention_backward::run(params, inputs, out[0]);
        });
    }

    fn convolve_backward(&mut self, step: &TrainStep, params: &convolve_backward::Params) {
        let args = convolve_backward::Args::of(step.io());
        self.memory.write(&step.outputs, |memory, out| {
            let [dprojected, dtaps, rest @ ..] = out else { return };
            let inputs = plain::packed_convolve::Inputs {
                projected: memory.read(args.projected),
                taps: memory.read(args.taps),
                bias: args.bias.map(|bias| memory.read(bias.bias)),
                rows: self.rows,
            };
            let dbias = rest.first_mut().map(|dbias| &mut **dbias);
            let outputs = plain::convolve_backward::Outputs { dprojected, dtaps, dbias };
            plain::convolve_backward::run(params, inputs, memory.read(args.dy), outputs);
        });
    }
}
