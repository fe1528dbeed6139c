//! One step of a Plan: its buffers are gathered, and the op runs plainly or on the machine's threads.

use std::mem;

use hala_plan::ops::{attention, embed, matmul, norm, rope_kv, round, sample, short_conv, softcap, swiglu};
use hala_plan::{BackendError, Op, Step, StepInput};

use crate::chooser::Chooser;
use crate::memory::Memory;
use crate::simd::{self, Machine, Scratch};
use crate::state::{Cells, State};
use crate::{ops, simd::rope_kv::Outputs as Turned, simd::short_conv::Outputs as Convolved};

/// One run of a Plan.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    pub(crate) memory: &'a mut Memory,
    pub(crate) state: &'a mut State,
    pub(crate) chooser: &'a mut Chooser,
    pub(crate) input: StepInput<'a>,
    /// The threaded path, where that is wanted.
    pub(crate) fast: Option<(&'a Machine, &'a mut Scratch)>,
}

impl Run<'_> {
    /// Runs one step.
    ///
    /// # Errors
    /// A weight or state of a type that the op does not take.
    pub(crate) fn step(&mut self, step: &Step) -> Result<(), BackendError> {
        match &step.op {
            Op::Embed(params) => self.embed(step, params),
            Op::Matmul(params) => self.matmul(step, params),
            Op::Norm(params) => self.norm(step, params),
            Op::Round(params) => self.round(step, params),
            Op::Swiglu(params) => self.swiglu(step, params),
            Op::ShortConv(params) => self.short_conv(step, params),
            Op::RopeKv(params) => self.rope_kv(step, params),
            Op::Attention(params) => self.attention(step, params),
            Op::Softcap(params) => self.softcap(step, params),
            Op::Sample(_) => {
                let logits = self.memory.rows(sample::Args::of(step).logits, 1);
                self.chooser.choose(logits);
                Ok(())
            }
        }
    }

    fn embed(&mut self, step: &Step, params: &embed::Params) -> Result<(), BackendError> {
        let args = embed::Args::of(step, params);
        let Self { memory, input, fast, .. } = self;
        memory.write([args.y], input.ids.len(), |memory, [y]| {
            match fast {
                Some((machine, scratch)) => {
                    let table = memory.weight(args.table)?;
                    simd::embed::run(machine, scratch, (input.ids, params.scale), table, y);
                }
                None => ops::embed::run(params, input.ids, memory.tensor(args.table)?, y),
            }
            Ok(())
        })
    }

    fn matmul(&mut self, step: &Step, params: &matmul::Params) -> Result<(), BackendError> {
        let args = matmul::Args::of(step, params);
        let Self { memory, input, fast, .. } = self;
        memory.write([args.y], input.ids.len(), |memory, [y]| {
            let x = memory.rows(args.x, input.ids.len());
            let norm = args.norm.map(|n| memory.vector(n.weight)).transpose()?;
            let bias = args.bias.map(|id| memory.vector(id)).transpose()?;
            match fast {
                Some((machine, scratch)) => {
                    let mut weights = [None; matmul::MAX_WEIGHTS];
                    for (weight, id) in weights.iter_mut().zip(args.weights) {
                        *weight = Some(memory.weight(*id)?);
                    }
                    let inputs = simd::matmul::Inputs { x, norm, weights, bias };
                    simd::matmul::run(machine, scratch, params, inputs, y);
                }
                None => {
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
        let args = norm::Args::of(step, params);
        let Self { memory, input, fast, .. } = self;
        memory.write([args.y], input.ids.len(), |memory, [y]| {
            let (x, weight) = (memory.rows(args.x, input.ids.len()), memory.vector(args.norm.weight)?);
            match fast {
                Some((machine, scratch)) => simd::norm::run(machine, scratch, params, (x, weight), y),
                None => ops::norm::run(params, x, weight, y),
            }
            Ok(())
        })
    }

    fn round(&mut self, step: &Step, params: &round::Params) -> Result<(), BackendError> {
        let args = round::Args::of(step, params);
        let Self { memory, input, fast, .. } = self;
        memory.write([args.y], input.ids.len(), |memory, [y]| {
            let x = memory.rows(args.x, input.ids.len());
            match fast {
                Some((machine, scratch)) => simd::round::run(machine, scratch, params, x, y),
                None => ops::round::run(params, x, y),
            }
            Ok(())
        })
    }

    fn softcap(&mut self, step: &Step, params: &softcap::Params) -> Result<(), BackendError> {
        let args = softcap::Args::of(step, params);
        let Self { memory, input, fast, .. } = self;
        memory.write([args.x], input.ids.len(), |_, [x]| {
            match fast {
                Some((machine, scratch)) => simd::softcap::run(machine, scratch, params, x),
                None => ops::softcap::run(params, x),
            }
            Ok(())
        })
    }

    fn swiglu(&mut self, step: &Step, params: &swiglu::Params) -> Result<(), BackendError> {
        let args = swiglu::Args::of(step, params);
        let Self { memory, input, fast, .. } = self;
        memory.write([args.y], input.ids.len(), |memory, [y]| {
            let x = memory.rows(args.x, input.ids.len());
            let norm = args.norm.map(|n| memory.vector(n.weight)).transpose()?;
            match fast {
                Some((machine, scratch)) => {
                    let [w1, w3] = [memory.weight(args.w1)?, memory.weight(args.w3)?];
                    let inputs = simd::swiglu::Inputs { x, norm, w1, w3 };
                    simd::swiglu::run(machine, scratch, params, inputs, y);
                }
                None => {
                    let [w1, w3] = [memory.tensor(args.w1)?, memory.tensor(args.w3)?];
                    ops::swiglu::run(params, ops::swiglu::Inputs { x, norm, w1, w3 }, y);
                }
            }
            Ok(())
        })
    }

    fn short_conv(&mut self, step: &Step, params: &short_conv::Params) -> Result<(), BackendError> {
        let args = short_conv::Args::of(step, params);
        let Self { memory, input, fast, state, .. } = self;
        let carried = memory.state_idx(args.state)?;
        let Cells::F32(carried) = &mut state.cells[carried] else {
            return Err(f32_state("short_conv"));
        };
        memory.write([args.y, args.projected], input.ids.len(), |memory, [y, projected]| {
            let x = memory.rows(args.x, input.ids.len());
            let norm = args.norm.map(|n| memory.vector(n.weight)).transpose()?;
            let taps = memory.vector(args.taps)?;
            let bias = |b: short_conv::Bias| Ok((memory.vector(b.in_proj)?, memory.vector(b.conv)?));
            let bias = args.bias.map(bias).transpose()?;
            match fast {
                Some((machine, scratch)) => {
                    let in_proj = memory.weight(args.in_proj)?;
                    let inputs = simd::short_conv::Inputs { x, norm, in_proj, taps, bias };
                    let outputs = Convolved { state: carried, projected, y };
                    simd::short_conv::run(machine, scratch, params, inputs, outputs);
                }
                None => {
                    let in_proj = memory.tensor(args.in_proj)?;
                    let inputs = ops::short_conv::Inputs { x, norm, in_proj, taps, bias };
                    ops::short_conv::run(params, inputs, carried, projected, y);
                }
            }
            Ok(())
        })
    }

    fn rope_kv(&mut self, step: &Step, params: &rope_kv::Params) -> Result<(), BackendError> {
        let args = rope_kv::Args::of(step, params);
        let Self { memory, input, fast, state, .. } = self;
        let (keys, values) = (memory.state_idx(args.keys)?, memory.state_idx(args.values)?);
        let mut taken = [keys, values].map(|idx| mem::replace(&mut state.cells[idx], Cells::F32(Vec::new())));
        let result = memory.write([args.q], input.ids.len(), |memory, [q]| {
            let norms = |n: rope_kv::Norms| Ok::<_, BackendError>([memory.vector(n.q)?, memory.vector(n.k)?]);
            let norms = args.norms.map(norms).transpose()?;
            let inputs = ops::rope_kv::Inputs {
                qkv: memory.rows(args.qkv, input.ids.len()),
                norms,
                rope: args.turn.map(|turn| memory.vector(turn.table)).transpose()?,
                position: input.position,
            };
            match (&mut taken, fast) {
                ([Cells::F32(keys), Cells::F32(values)], Some((machine, scratch))) => {
                    simd::rope_kv::run(machine, scratch, params, inputs, Turned { q, keys, values });
                }
                ([Cells::F16(keys), Cells::F16(values)], Some((machine, scratch))) => {
                    simd::rope_kv::run(machine, scratch, params, inputs, Turned { q, keys, values });
                }
                ([Cells::F32(k), Cells::F32(v)], None) => ops::rope_kv::run(params, inputs, q, k, v),
                ([Cells::F16(k), Cells::F16(v)], None) => ops::rope_kv::run(params, inputs, q, k, v),
                _ => return Err(f32_state("rope_kv")),
            }
            Ok(())
        });
        [state.cells[keys], state.cells[values]] = taken;
        result
    }

    fn attention(&mut self, step: &Step, params: &attention::Params) -> Result<(), BackendError> {
        let args = attention::Args::of(step, params);
        let Self { memory, input, fast, state, .. } = self;
        let cells = [memory.state_idx(args.keys)?, memory.state_idx(args.values)?];
        let cells = cells.map(|idx| &state.cells[idx]);
        memory.write([args.y], input.ids.len(), |memory, [y]| {
            let (q, position) = (memory.rows(args.q, input.ids.len()), input.position);
            match (cells, fast) {
                ([Cells::F32(keys), Cells::F32(values)], Some((machine, scratch))) => {
                    let inputs = ops::attention::Inputs { q, keys, values, position };
                    simd::attention::run(machine, scratch, params, inputs, y);
                }
                ([Cells::F16(keys), Cells::F16(values)], Some((machine, scratch))) => {
                    let inputs = ops::attention::Inputs { q, keys, values, position };
                    simd::attention::run(machine, scratch, params, inputs, y);
                }
                ([Cells::F32(keys), Cells::F32(values)], None) => {
                    ops::attention::run(params, ops::attention::Inputs { q, keys, values, position }, y);
                }
                ([Cells::F16(keys), Cells::F16(values)], None) => {
                    ops::attention::run(params, ops::attention::Inputs { q, keys, values, position }, y);
                }
                _ => return Err(f32_state("attention")),
            }
            Ok(())
        })
    }
}

/// The error for state buffers of mixed types, which a Plan of this project never has.
fn f32_state(op: &str) -> BackendError {
    let dtype = hala_tensor::DType::F16;
    BackendError::Unsupported { backend: "cpu", what: format!("{op}: states of this mixture"), dtype }
}
