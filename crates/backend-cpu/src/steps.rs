//! One step of a Plan: its buffers are gathered, and the op runs plainly or on the machine's threads.

use hala_plan::ops::{
    add, attention, concat, convolve, embed, gate, gather, matmul, norm, rope_kv, round, sample, short_conv,
    softcap, swiglu,
};
use hala_plan::{BackendError, Op, Rows, Step};

use crate::chooser::Chooser;
use crate::loops::Running;
use crate::memory::Memory;
use crate::ops;
use crate::ops::rope_kv::Outputs as Turned;
use crate::ops::short_conv::Outputs as Convolved;
use crate::places::Placed;
use crate::simd;
use crate::states::{Cells, States};

/// One run of a Plan.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    pub(crate) memory: &'a mut Memory,
    pub(crate) states: &'a mut States,
    pub(crate) chooser: &'a mut Chooser,
    pub(crate) rows: Rows<'a>,
    pub(crate) places: Placed<'a>,
    pub(crate) loops: Running<'a>,
}

impl Run<'_> {
    /// Runs one step.
    ///
    /// # Errors
    /// A weight or state of a type that the op does not take.
    pub(crate) fn step(&mut self, step: &Step) -> Result<(), BackendError> {
        match &step.op {
            Op::Add(_) => self.add(step),
            Op::Concat(params) => self.concat(step, params),
            Op::Convolve(params) => self.convolve(step, params),
            Op::Gate(params) => self.gate(step, params),
            Op::Embed(params) => self.embed(step, params),
            Op::Gather(params) => self.gather(step, params),
            Op::Matmul(params) => self.matmul(step, params),
            Op::Norm(params) => self.norm(step, params),
            Op::Round(params) => self.round(step, params),
            Op::Swiglu(params) => self.swiglu(step, params),
            Op::ShortConv(params) => self.short_conv(step, params),
            Op::RopeKv(params) => self.rope_kv(step, params),
            Op::Attention(params) => self.attention(step, params),
            Op::Softcap(params) => self.softcap(step, params),
            Op::Sample(params) => {
                let logits = self.memory.rows(sample::Args::of(step.io()).logits);
                self.chooser.choose(logits, params.n_vocab as usize);
                Ok(())
            }
        }
    }

    fn add(&mut self, step: &Step) -> Result<(), BackendError> {
        let args = add::Args::of(step.io());
        let Self { memory, loops, .. } = self;
        memory.write([args.y], |memory, [y]| {
            let (a, b) = (memory.rows(args.a), memory.rows(args.b));
            match loops {
                Running::Fast(machine, scratch) => simd::add::run(machine, scratch, [a, b], y),
                Running::Plain(_) => ops::add::run(a, b, y),
            }
            Ok(())
        })
    }

    fn concat(&mut self, step: &Step, params: &concat::Params) -> Result<(), BackendError> {
        let args = concat::Args::of(step.io());
        let Self { memory, loops, .. } = self;
        memory.write([args.y], |memory, [y]| {
            let mut parts: [&[f32]; concat::MAX_PARTS] = [&[]; concat::MAX_PARTS];
            parts.iter_mut().zip(args.parts).for_each(|(part, id)| *part = memory.rows(*id));
            match loops {
                Running::Fast(machine, scratch) => simd::concat::run(machine, scratch, params, parts, y),
                Running::Plain(_) => ops::concat::run(params, parts, y),
            }
            Ok(())
        })
    }

    fn convolve(&mut self, step: &Step, params: &convolve::Params) -> Result<(), BackendError> {
        let args = convolve::Args::of(step.io());
        let Self { memory, rows, loops, states, .. } = self;
        let Cells::Slots(slots) = states.cells_mut(memory.state_idx(args.state)?) else {
            return Err(wrong_state("convolve"));
        };
        memory.write([args.y], |memory, [y]| {
            let (projected, taps) = (memory.rows(args.projected), memory.vector(args.taps)?);
            let bias = args.bias.map(|id| memory.vector(id)).transpose()?;
            let (spans, outputs) = (rows.spans, ops::convolve::Outputs { slots, y });
            match loops {
                Running::Fast(machine, scratch) => {
                    let inputs = simd::convolve::Inputs { projected, taps, bias, spans };
                    simd::convolve::run(machine, scratch, params, inputs, outputs);
                }
                Running::Plain(_) => {
                    let inputs = ops::convolve::Inputs { projected, taps, bias };
                    ops::convolve::run(params, inputs, spans, outputs);
                }
            }
            Ok(())
        })
    }

    fn gate(&mut self, step: &Step, params: &gate::Params) -> Result<(), BackendError> {
        let args = gate::Args::of(step.io(), params);
        let Self { memory, loops, .. } = self;
        memory.write([args.y], |memory, [y]| {
            let (a, b) = (memory.rows(args.a), memory.rows(args.b));
            match loops {
                Running::Fast(machine, scratch) => simd::gate::run(machine, scratch, params, [a, b], y),
                Running::Plain(_) => ops::gate::run(params, a, b, y),
            }
            Ok(())
        })
    }

    fn embed(&mut self, step: &Step, params: &embed::Params) -> Result<(), BackendError> {
        let args = embed::Args::of(step.io(), params);
        let Self { memory, rows, loops, .. } = self;
        memory.write([args.y], |memory, [y]| {
            match loops {
                Running::Fast(machine, scratch) => {
                    let table = memory.weight(args.table)?;
                    simd::embed::run(machine, scratch, (rows.ids, params.scale), table, y);
                }
                Running::Plain(_) => ops::embed::run(params, rows.ids, memory.tensor(args.table)?, y),
            }
            Ok(())
        })
    }

    fn gather(&mut self, step: &Step, params: &gather::Params) -> Result<(), BackendError> {
        let args = gather::Args::of(step.io());
        let Self { memory, rows, .. } = self;
        memory.write([args.y], |memory, [y]| {
            ops::gather::run(params, memory.rows(args.x), rows.wanted, y);
            Ok(())
        })
    }

    fn matmul(&mut self, step: &Step, params: &matmul::Params) -> Result<(), BackendError> {
        let args = matmul::Args::of(step.io(), params);
        let Self { memory, loops, .. } = self;
        memory.write([args.y], |memory, [y]| {
            let x = memory.rows(args.x);
            let norm = args.norm.map(|n| memory.vector(n.weight)).transpose()?;
            let bias = args.bias.map(|id| memory.vector(id)).transpose()?;
            match loops {
                Running::Fast(machine, scratch) => {
                    let mut weights = [None; matmul::MAX_WEIGHTS];
                    for (weight, id) in weights.iter_mut().zip(args.weights) {
                        *weight = Some(memory.weight(*id)?);
                    }
                    let inputs = simd::matmul::Inputs { x, norm, weights, bias };
                    simd::matmul::run(machine, scratch, params, inputs, y);
                }
                Running::Plain(_) => {
                    let mut weights = [None; matmul::MAX_WEIGHTS];
                    for (weight, id) in weights.iter_mut().zip(args.weights) {
                        *weight = Some(memory.tensor(*id)?);
                    }
                    ops::matmul::run(params, ops::matmul::Inputs { x, norm, weights, bias }, y);
                }
            }
            Ok(())
        })
    }

    fn norm(&mut self, step: &Step, params: &norm::Params) -> Result<(), BackendError> {
        let args = norm::Args::of(step.io(), params);
        let Self { memory, loops, .. } = self;
        memory.write([args.y], |memory, [y]| {
            let (x, weight) = (memory.rows(args.x), memory.vector(args.norm.weight)?);
            match loops {
                Running::Fast(machine, scratch) => simd::norm::run(machine, scratch, params, (x, weight), y),
                Running::Plain(_) => ops::norm::run(params, x, weight, y),
            }
            Ok(())
        })
    }

    fn round(&mut self, step: &Step, params: &round::Params) -> Result<(), BackendError> {
        let args = round::Args::of(step.io(), params);
        let Self { memory, loops, .. } = self;
        memory.write([args.y], |memory, [y]| {
            let x = memory.rows(args.x);
            match loops {
                Running::Fast(machine, scratch) => simd::round::run(machine, scratch, params, x, y),
                Running::Plain(_) => ops::round::run(params, x, y),
            }
            Ok(())
        })
    }

    fn softcap(&mut self, step: &Step, params: &softcap::Params) -> Result<(), BackendError> {
        let args = softcap::Args::of(step.io(), params);
        let Self { memory, loops, .. } = self;
        memory.write([args.x], |_, [x]| {
            match loops {
                Running::Fast(machine, scratch) => simd::softcap::run(machine, scratch, params, x),
                Running::Plain(_) => ops::softcap::run(params, x),
            }
            Ok(())
        })
    }

    fn swiglu(&mut self, step: &Step, params: &swiglu::Params) -> Result<(), BackendError> {
        let args = swiglu::Args::of(step.io(), params);
        let Self { memory, loops, .. } = self;
        memory.write([args.y], |memory, [y]| {
            let x = memory.rows(args.x);
            let norm = args.norm.map(|n| memory.vector(n.weight)).transpose()?;
            match loops {
                Running::Fast(machine, scratch) => {
                    let [w1, w3] = [memory.weight(args.w1)?, memory.weight(args.w3)?];
                    let inputs = simd::swiglu::Inputs { x, norm, w1, w3 };
                    simd::swiglu::run(machine, scratch, params, inputs, y);
                }
                Running::Plain(_) => {
                    let [w1, w3] = [memory.tensor(args.w1)?, memory.tensor(args.w3)?];
                    ops::swiglu::run(params, ops::swiglu::Inputs { x, norm, w1, w3 }, y);
                }
            }
            Ok(())
        })
    }

    fn short_conv(&mut self, step: &Step, params: &short_conv::Params) -> Result<(), BackendError> {
        let args = short_conv::Args::of(step.io(), params);
        let Self { memory, rows, loops, states, .. } = self;
        let Cells::Slots(slots) = states.cells_mut(memory.state_idx(args.state)?) else {
            return Err(wrong_state("short_conv"));
        };
        memory.write([args.y, args.projected], |memory, [y, projected]| {
            let x = memory.rows(args.x);
            let norm = args.norm.map(|n| memory.vector(n.weight)).transpose()?;
            let taps = memory.vector(args.taps)?;
            let bias = |b: short_conv::Bias| Ok((memory.vector(b.in_proj)?, memory.vector(b.conv)?));
            let bias = args.bias.map(bias).transpose()?;
            let outputs = Convolved { slots, projected, y };
            match loops {
                Running::Fast(machine, scratch) => {
                    let in_proj = memory.weight(args.in_proj)?;
                    let spans = rows.spans;
                    let inputs = simd::short_conv::Inputs { x, norm, in_proj, taps, bias, spans };
                    simd::short_conv::run(machine, scratch, params, inputs, outputs);
                }
                Running::Plain(_) => {
                    let in_proj = memory.tensor(args.in_proj)?;
                    let inputs = ops::short_conv::Inputs { x, norm, in_proj, taps, bias };
                    ops::short_conv::run(params, inputs, rows.spans, outputs);
                }
            }
            Ok(())
        })
    }

    fn rope_kv(&mut self, step: &Step, params: &rope_kv::Params) -> Result<(), BackendError> {
        let args = rope_kv::Args::of(step.io(), params);
        let Self { memory, places, loops, states, .. } = self;
        let cells = [memory.state_idx(args.keys)?, memory.state_idx(args.values)?];
        let cells = states.two_mut(cells).ok_or_else(|| wrong_state("rope_kv"))?;
        memory.write([args.q], |memory, [q]| {
            let norms = |n: rope_kv::Norms| Ok::<_, BackendError>([memory.vector(n.q)?, memory.vector(n.k)?]);
            let inputs = ops::rope_kv::Inputs {
                qkv: memory.rows(args.qkv),
                norms: args.norms.map(norms).transpose()?,
                rope: args.turn.map(|turn| memory.vector(turn.table)).transpose()?,
                places: *places,
            };
            match (cells, loops) {
                ([Cells::F32(keys), Cells::F32(values)], Running::Fast(machine, scratch)) => {
                    simd::rope_kv::run(machine, scratch, params, inputs, Turned { q, keys, values });
                }
                ([Cells::F16(keys), Cells::F16(values)], Running::Fast(machine, scratch)) => {
                    simd::rope_kv::run(machine, scratch, params, inputs, Turned { q, keys, values });
                }
                ([Cells::F32(keys), Cells::F32(values)], Running::Plain(_)) => {
                    ops::rope_kv::run(params, inputs, Turned { q, keys, values });
                }
                ([Cells::F16(keys), Cells::F16(values)], Running::Plain(_)) => {
                    ops::rope_kv::run(params, inputs, Turned { q, keys, values });
                }
                _ => return Err(wrong_state("rope_kv")),
            }
            Ok(())
        })
    }

    fn attention(&mut self, step: &Step, params: &attention::Params) -> Result<(), BackendError> {
        let args = attention::Args::of(step.io(), params);
        let Self { memory, rows, loops, states, .. } = self;
        let cells = [memory.state_idx(args.keys)?, memory.state_idx(args.values)?];
        let cells = cells.map(|idx| states.cells(idx));
        memory.write([args.y], |memory, [y]| {
            let (q, spans) = (memory.rows(args.q), rows.spans);
            match (cells, loops) {
                ([Cells::F32(keys), Cells::F32(values)], Running::Fast(machine, scratch)) => {
                    let inputs = ops::attention::Inputs { q, keys, values, spans };
                    simd::attention::run(machine, scratch, params, inputs, y);
                }
                ([Cells::F16(keys), Cells::F16(values)], Running::Fast(machine, scratch)) => {
                    let inputs = ops::attention::Inputs { q, keys, values, spans };
                    simd::attention::run(machine, scratch, params, inputs, y);
                }
                ([Cells::F32(keys), Cells::F32(values)], Running::Plain(_)) => {
                    ops::attention::run(params, ops::attention::Inputs { q, keys, values, spans }, y);
                }
                ([Cells::F16(keys), Cells::F16(values)], Running::Plain(_)) => {
                    ops::attention::run(params, ops::attention::Inputs { q, keys, values, spans }, y);
                }
                _ => return Err(wrong_state("attention")),
            }
            Ok(())
        })
    }
}

/// The error for states of mixed types, or one in two roles, which a Plan of this project never has.
fn wrong_state(op: &str) -> BackendError {
    let dtype = hala_tensor::DType::F16;
    BackendError::Unsupported { backend: "cpu", what: format!("{op}: states of this mixture"), dtype }
}
