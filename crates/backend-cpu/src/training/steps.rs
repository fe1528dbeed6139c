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
use crate::simd;
use crate::simd::training as fast;
use crate::simd::training::Engine;
use crate::training::memory::Memory;

/// One run of a training Plan.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    pub(crate) memory: &'a mut Memory,
    pub(crate) rows: TrainRows<'a>,
    pub(crate) purpose: Purpose,
    /// What the fast loops run on; without one the plain ones run.
    pub(crate) engine: Option<&'a mut Engine>,
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
            let terms = [args.a, args.b].map(|id| memory.read(id));
            match &mut self.engine {
                Some(engine) => simd::add::run(&engine.machine, &mut engine.scratch, terms, out[0]),
                None => ops::add::run(terms[0], terms[1], out[0]),
            }
        });
    }

    fn concat(&mut self, step: &TrainStep, params: &concat::Params) {
        self.memory.write(&step.outputs, |memory, out| {
            let mut parts: [&[f32]; concat::MAX_PARTS] = [&[]; concat::MAX_PARTS];
            parts.iter_mut().zip(&step.inputs).for_each(|(part, id)| *part = memory.read(*id));
            match &mut self.engine {
                Some(engine) => {
                    simd::concat::run(&engine.machine, &mut engine.scratch, params, parts, out[0]);
                }
                None => ops::concat::run(params, parts, out[0]),
            }
        });
    }

    fn embed(&mut self, step: &TrainStep, params: &embed::Params) {
        let args = embed::Args::of(step.io(), params);
        self.memory.write(&step.outputs, |memory, out| {
            let inputs = (self.rows.ids, memory.read(args.table));
            let width = params.width as usize;
            match &mut self.engine {
                Some(engine) => fast::embed::run(engine, width, params.scale, inputs, out[0]),
                None => plain::forward::embed(width, params.scale, inputs, out[0]),
            }
        });
    }

    fn gate(&mut self, step: &TrainStep, params: &gate::Params) {
        let args = gate::Args::of(step.io(), params);
        self.memory.write(&step.outputs, |memory, out| {
            let inputs = [args.a, args.b].map(|id| memory.read(id));
            match &mut self.engine {
                Some(engine) => simd::gate::run(&engine.machine, &mut engine.scratch, params, inputs, out[0]),
                None => ops::gate::run(params, inputs[0], inputs[1], out[0]),
            }
        });
    }

    fn matmul(&mut self, step: &TrainStep, params: &matmul::Params) {
        let args = matmul::Args::of(step.io(), params);
        self.memory.write(&step.outputs, |memory, out| {
            let operands = [args.x, args.weights[0]].map(|id| memory.read(id));
            let bias = args.bias.map(|bias| memory.read(bias));
            let n_in = params.n_in as usize;
            match &mut self.engine {
                Some(engine) => fast::matmul::forward(engine, n_in, operands, bias, out[0]),
                None => plain::forward::product(n_in, operands, bias, out[0]),
            }
        });
    }

    fn norm(&mut self, step: &TrainStep, params: &norm::Params) {
        let args = norm::Args::of(step.io(), params);
        self.memory.write(&step.outputs, |memory, out| {
            let (x, weight) = (memory.read(args.x), memory.read(args.norm.weight));
            match &mut self.engine {
                Some(engine) => {
                    simd::norm::run(&engine.machine, &mut engine.scratch, params, (x, weight), out[0]);
                }
                None => ops::norm::run(params, x, weight, out[0]),
            }
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
            match &mut self.engine {
                Some(engine) => fast::turn_heads::run(engine, params, inputs, out[0]),
                None => plain::turn_heads::run(params, inputs, out[0]),
            }
        });
    }

    fn attend(&mut self, step: &TrainStep, params: &packed_attention::Params) {
        let args = packed_attention::Args::of(step.io(), params);
        self.memory.write(&step.outputs, |memory, out| {
            let [y, log_sums] = out else { return };
            let (turned, rows) = (memory.read(args.turned), self.rows);
            match &mut self.engine {
                Some(engine) => fast::attention::run(engine, params, rows, turned, [y, log_sums]),
                None => plain::packed_attention::run(params, rows, turned, y, log_sums),
            }
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
            match &mut self.engine {
                Some(engine) => fast::convolve::run(engine, params, inputs, out[0]),
                None => plain::packed_convolve::run(params, inputs, out[0]),
            }
        });
    }

    fn dropout(&mut self, step: &TrainStep, params: &dropout::Params) {
        let args = dropout::Args::of(step.io(), params);
        self.memory.write(&step.outputs, |memory, out| {
            let (purpose, x) = (self.purpose, memory.read(args.x));
            match &mut self.engine {
                Some(engine) => fast::dropout::run(engine, params, purpose, x, out[0]),
                None => plain::dropout::run(params, purpose, 0, x, out[0]),
            }
        });
    }

    fn head_loss(&mut self, step: &TrainStep, params: &head_loss::Params) {
        let args = head_loss::Args::of(step.io(), params);
        self.memory.write(&step.outputs, |memory, out| {
            let [losses, dx, dhead, logits] = out else { return };
            let [x, head] = [args.x, args.head].map(|id| memory.read(id));
            let inputs = plain::head_loss::Inputs { x, head, rows: self.rows, purpose: self.purpose };
            let outputs = plain::head_loss::Outputs { losses, dx, dhead };
            match &mut self.engine {
                Some(engine) => fast::head_loss::run(engine, params, inputs, outputs, logits),
                None => plain::head_loss::run(params, inputs, outputs),
            }
        });
    }

    fn concat_backward(&mut self, step: &TrainStep, params: &concat_backward::Params) {
        let args = concat_backward::Args::of(step.io());
        self.memory.write(&step.outputs, |memory, out| {
            let dy = memory.read(args.dy);
            match &mut self.engine {
                Some(engine) => fast::concat_backward::run(engine, params, dy, out),
                None => plain::concat_backward::run(params, dy, out),
            }
        });
    }

    fn embed_backward(&mut self, step: &TrainStep, params: &embed_backward::Params) {
        let args = embed_backward::Args::of(step.io(), params);
        self.memory.write(&step.outputs, |memory, out| {
            let (ids, dy) = (self.rows.ids, memory.read(args.dy));
            match &mut self.engine {
                Some(engine) => fast::embed::backward(engine, params, ids, dy, out[0]),
                None => plain::embed_backward::run(params, ids, dy, out[0]),
            }
        });
    }

    fn gate_backward(&mut self, step: &TrainStep, params: &gate_backward::Params) {
        let args = gate_backward::Args::of(step.io(), params);
        self.memory.write(&step.outputs, |memory, out| {
            let [da, db] = out else { return };
            let inputs = [args.a, args.b, args.dy].map(|id| memory.read(id));
            match &mut self.engine {
                Some(engine) => fast::gate_backward::run(engine, params, inputs, [da, db]),
                None => plain::gate_backward::run(params, inputs, [da, db]),
            }
        });
    }

    fn matmul_backward_input(&mut self, step: &TrainStep, params: &matmul_backward_input::Params) {
        let args = matmul_backward_input::Args::of(step.io(), params);
        self.memory.write(&step.outputs, |memory, out| {
            let (operands, n_in) = ([args.dy, args.w].map(|id| memory.read(id)), params.n_in as usize);
            match &mut self.engine {
                Some(engine) => fast::matmul::input(engine, n_in, operands, out[0], args.write),
                None => plain::matmul_backward_input::run(params, operands[0], operands[1], out[0]),
            }
        });
    }

    fn matmul_backward_weight(&mut self, step: &TrainStep, params: &matmul_backward_weight::Params) {
        let args = matmul_backward_weight::Args::of(step.io());
        self.memory.write(&step.outputs, |memory, out| {
            let Some((dw, db)) = out.split_first_mut() else { return };
            let inputs = [args.dy, args.x].map(|id| memory.read(id));
            let db = db.first_mut().map(|db| &mut **db);
            match &mut self.engine {
                Some(engine) => fast::matmul::weight(engine, params.n_in as usize, inputs, dw, db),
                None => plain::matmul_backward_weight::run(params, inputs, dw, db),
            }
        });
    }

    fn norm_backward(&mut self, step: &TrainStep, params: &norm_backward::Params) {
        let args = norm_backward::Args::of(step.io(), params);
        self.memory.write(&step.outputs, |memory, out| {
            let [dx, dw] = out else { return };
            let [x, weight, dy] = [args.x, args.norm.weight, args.dy].map(|id| memory.read(id));
            let inputs = plain::norm_backward::Inputs { x, weight, dy };
            match &mut self.engine {
                Some(engine) => fast::norm_backward::run(engine, params, inputs, dx, dw),
                None => plain::norm_backward::run(params, inputs, dx, dw),
            }
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
            let dturned = memory.read(args.dturned);
            match &mut self.engine {
                Some(engine) => {
                    fast::turn_heads_backward::run(engine, params, (inputs, dturned), dqkv, dnorms);
                }
                None => plain::turn_heads_backward::run(params, inputs, dturned, dqkv, dnorms),
            }
        });
    }

    fn attention_backward(&mut self, step: &TrainStep, params: &attention_backward::Params) {
        let args = attention_backward::Args::of(step.io(), params);
        self.memory.write(&step.outputs, |memory, out| {
            let [turned, y, log_sums, dy] =
                [args.turned, args.y, args.log_sums, args.dy].map(|id| memory.read(id));
            let inputs = plain::attention_backward::Inputs { turned, y, log_sums, dy, rows: self.rows };
            match &mut self.engine {
                Some(engine) => fast::attention_backward::run(engine, params, inputs, out[0]),
                None => plain::attention_backward::run(params, inputs, out[0]),
            }
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
            let dy = memory.read(args.dy);
            match &mut self.engine {
                Some(engine) => fast::convolve_backward::run(engine, params, (inputs, dy), outputs),
                None => plain::convolve_backward::run(params, inputs, dy, outputs),
            }
        });
    }
}
