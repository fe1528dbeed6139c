//! Plans on the host: prepared memory, and one op after the other.

use std::mem;
use std::ops::Range;
use std::sync::Arc;

use hala_plan::ops::{attention, embed, matmul, rope_kv, short_conv, swiglu};
use hala_plan::{Backend, BackendError, BufferId, Device, Op, Plan, StateSpec, Step, StepInput};
use hala_tensor::Tensor;

use crate::memory::Memory;
use crate::ops;
use crate::pool::Pool;
use crate::state::{Cells, Snapshot, State};

/// Tokens of a prompt that run at once: enough to read each weight rarely, few enough to keep scratch small.
const PREFILL_SIZE: usize = 256;

/// Runs Plans on the CPU.
#[derive(Debug)]
pub struct CpuBackend {
    device: Device,
    pool: Option<Pool>,
}

/// A Plan with its scratch memory.
#[derive(Debug)]
pub struct Prepared {
    plan: Plan,
    memory: Memory,
}

impl CpuBackend {
    /// Plain loops with f64 sums on one thread: slow, and the truth.
    pub fn plain() -> Self {
        let device = Device { backend: "cpu", name: "plain loops, 1 thread".to_owned() };
        Self { device, pool: None }
    }

    /// Fast loops on `n_threads` threads (0: as many as the machine runs at once).
    ///
    /// # Errors
    /// The system refuses the threads.
    pub fn threaded(n_threads: usize) -> Result<Self, BackendError> {
        let available = || std::thread::available_parallelism().map_or(1, usize::from);
        let pool = Pool::new(if n_threads == 0 { available() } else { n_threads })?;
        let name = format!("{}, {} threads", std::env::consts::ARCH, pool.n_threads());
        Ok(Self { device: Device { backend: "cpu", name }, pool: Some(pool) })
    }

    /// Threads that share the work of an op.
    pub fn n_threads(&self) -> usize {
        self.pool.as_ref().map_or(1, Pool::n_threads)
    }

    fn run_step(
        &self,
        memory: &mut Memory,
        state: &mut State,
        step: &Step,
        input: StepInput<'_>,
    ) -> Result<(), BackendError> {
        match &step.op {
            Op::Embed(_) => embed_step(memory, step, input),
            Op::Matmul(params) => matmul_step(memory, step, params, input),
            Op::Swiglu(params) => swiglu_step(memory, step, params, input),
            Op::ShortConv(params) => short_conv_step(memory, state, step, params, input),
            Op::RopeKv(params) => rope_kv_step(memory, state, step, params, input),
            Op::Attention(params) => attention_step(memory, state, step, params, input),
        }
    }
}

impl Backend for CpuBackend {
    type Weight = Arc<Tensor>;
    type State = State;
    type Prepared = Prepared;
    type Snapshot = Snapshot;

    fn device(&self) -> &Device {
        &self.device
    }

    fn prefill_sizes(&self) -> &[usize] {
        &[PREFILL_SIZE]
    }

    fn upload(&self, _label: &str, tensor: Tensor) -> Result<Self::Weight, BackendError> {
        Ok(Arc::new(tensor))
    }

    fn allocate(&self, states: &[StateSpec]) -> Result<State, BackendError> {
        State::allocate(states)
    }

    async fn prepare(
        &self,
        plan: &Plan,
        weights: &[Self::Weight],
        _state: &State,
    ) -> Result<Prepared, BackendError> {
        Ok(Prepared { plan: plan.clone(), memory: Memory::new(plan, weights) })
    }

    async fn run_steps(
        &self,
        prepared: &mut Prepared,
        state: &mut State,
        input: StepInput<'_>,
        steps: Range<usize>,
    ) -> Result<(), BackendError> {
        let Prepared { plan, memory } = prepared;
        check(plan, input)?;
        let steps = steps.start..steps.end.min(plan.steps().len());
        for step in &plan.steps()[steps] {
            if input.cancel.is_cancelled() {
                return Err(BackendError::Cancelled);
            }
            self.run_step(memory, state, step, input)?;
        }
        Ok(())
    }

    async fn read(
        &self,
        prepared: &Prepared,
        state: &State,
        buffer: BufferId,
        out: &mut Vec<f32>,
    ) -> Result<(), BackendError> {
        if let Some(idx) = prepared.memory.is_state(buffer) {
            state.cells[idx].copy_to(out);
        } else {
            out.clear();
            out.extend_from_slice(prepared.memory.rows(buffer, usize::MAX));
        }
        Ok(())
    }

    async fn snapshot(&self, state: &State) -> Result<Snapshot, BackendError> {
        Ok(state.snapshot())
    }

    async fn restore(&self, state: &mut State, snapshot: &Snapshot) -> Result<(), BackendError> {
        state.restore(snapshot);
        Ok(())
    }
}

/// Refuses ids and positions that a kernel would index out of bounds with.
fn check(plan: &Plan, input: StepInput<'_>) -> Result<(), BackendError> {
    let limit = |what, found, limit| {
        if found > limit { Err(BackendError::Limit { what, found, limit }) } else { Ok(()) }
    };
    if input.ids.is_empty() {
        return Err(BackendError::Limit { what: "tokens in one run", found: 0, limit: plan.n_tokens() });
    }
    limit("tokens in one run", input.ids.len(), plan.n_tokens())?;
    for step in plan.steps() {
        match &step.op {
            Op::Embed(params) => {
                if let Some(&id) = input.ids.iter().find(|id| **id >= params.n_vocab) {
                    return Err(BackendError::Id { id, n_vocab: params.n_vocab as usize });
                }
            }
            Op::RopeKv(rope_kv::Params { capacity, .. })
            | Op::Attention(attention::Params { capacity, .. }) => {
                limit("tokens in the context", input.position + input.ids.len(), *capacity as usize)?;
            }
            Op::Matmul(_) | Op::Swiglu(_) | Op::ShortConv(_) => {}
        }
    }
    Ok(())
}

fn embed_step(memory: &mut Memory, step: &Step, input: StepInput<'_>) -> Result<(), BackendError> {
    let args = embed::Args::of(step);
    memory.write([args.y], input.ids.len(), |memory, [y]| {
        ops::embed::run(input.ids, memory.weight(args.table)?, y);
        Ok(())
    })
}

fn matmul_step(
    memory: &mut Memory,
    step: &Step,
    params: &matmul::Params,
    input: StepInput<'_>,
) -> Result<(), BackendError> {
    let args = matmul::Args::of(step, params);
    memory.write([args.y], input.ids.len(), |memory, [y]| {
        let mut weights = [None; matmul::MAX_WEIGHTS];
        for (weight, id) in weights.iter_mut().zip(args.weights) {
            *weight = Some(memory.weight(*id)?);
        }
        let inputs = ops::matmul::Inputs {
            x: memory.rows(args.x, input.ids.len()),
            norm: args.norm.map(|n| memory.vector(n.weight)).transpose()?,
            weights,
            bias: args.bias.map(|id| memory.vector(id)).transpose()?,
        };
        ops::matmul::run(params, inputs, y);
        Ok(())
    })
}

fn swiglu_step(
    memory: &mut Memory,
    step: &Step,
    params: &swiglu::Params,
    input: StepInput<'_>,
) -> Result<(), BackendError> {
    let args = swiglu::Args::of(step, params);
    memory.write([args.y], input.ids.len(), |memory, [y]| {
        let inputs = ops::swiglu::Inputs {
            x: memory.rows(args.x, input.ids.len()),
            norm: memory.vector(args.norm.weight)?,
            w1: memory.weight(args.w1)?,
            w3: memory.weight(args.w3)?,
        };
        ops::swiglu::run(params, inputs, y);
        Ok(())
    })
}

fn short_conv_step(
    memory: &mut Memory,
    state: &mut State,
    step: &Step,
    params: &short_conv::Params,
    input: StepInput<'_>,
) -> Result<(), BackendError> {
    let args = short_conv::Args::of(step, params);
    let carried = memory.state_idx(args.state)?;
    let Cells::F32(carried) = &mut state.cells[carried] else {
        return Err(f32_state("short_conv"));
    };
    memory.write([args.y, args.projected], input.ids.len(), |memory, [y, projected]| {
        let bias = |b: short_conv::Bias| Ok((memory.vector(b.in_proj)?, memory.vector(b.conv)?));
        let inputs = ops::short_conv::Inputs {
            x: memory.rows(args.x, input.ids.len()),
            norm: memory.vector(args.norm.weight)?,
            in_proj: memory.weight(args.in_proj)?,
            taps: memory.vector(args.taps)?,
            bias: args.bias.map(bias).transpose()?,
        };
        ops::short_conv::run(params, inputs, carried, projected, y);
        Ok(())
    })
}

fn rope_kv_step(
    memory: &mut Memory,
    state: &mut State,
    step: &Step,
    params: &rope_kv::Params,
    input: StepInput<'_>,
) -> Result<(), BackendError> {
    let args = rope_kv::Args::of(step, params);
    let (keys, values) = (memory.state_idx(args.keys)?, memory.state_idx(args.values)?);
    let mut taken = [keys, values].map(|idx| mem::replace(&mut state.cells[idx], Cells::F32(Vec::new())));
    let result = memory.write([args.q], input.ids.len(), |memory, [q]| {
        let inputs = ops::rope_kv::Inputs {
            qkv: memory.rows(args.qkv, input.ids.len()),
            q_norm: memory.vector(args.q_norm)?,
            k_norm: memory.vector(args.k_norm)?,
            rope: memory.vector(args.rope)?,
            position: input.position,
        };
        match &mut taken {
            [Cells::F32(k), Cells::F32(v)] => ops::rope_kv::run(params, inputs, q, k, v),
            [Cells::F16(k), Cells::F16(v)] => ops::rope_kv::run(params, inputs, q, k, v),
            _ => return Err(f32_state("rope_kv")),
        }
        Ok(())
    });
    [state.cells[keys], state.cells[values]] = taken;
    result
}

fn attention_step(
    memory: &mut Memory,
    state: &State,
    step: &Step,
    params: &attention::Params,
    input: StepInput<'_>,
) -> Result<(), BackendError> {
    let args = attention::Args::of(step, params);
    let cells = [memory.state_idx(args.keys)?, memory.state_idx(args.values)?].map(|idx| &state.cells[idx]);
    memory.write([args.y], input.ids.len(), |memory, [y]| {
        let (q, position) = (memory.rows(args.q, input.ids.len()), input.position);
        match cells {
            [Cells::F32(keys), Cells::F32(values)] => {
                ops::attention::run(params, ops::attention::Inputs { q, keys, values, position }, y);
            }
            [Cells::F16(keys), Cells::F16(values)] => {
                ops::attention::run(params, ops::attention::Inputs { q, keys, values, position }, y);
            }
            _ => return Err(f32_state("attention")),
        }
        Ok(())
    })
}

/// The error for state buffers of mixed types, which a Plan of this project never has.
fn f32_state(op: &str) -> BackendError {
    let dtype = hala_tensor::DType::F16;
    BackendError::Unsupported { backend: "cpu", what: format!("{op}: states of this mixture"), dtype }
}
