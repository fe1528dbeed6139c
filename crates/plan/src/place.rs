//! Placement of scratch buffers: those whose lifetimes do not meet share one memory slot.

use crate::buffer::{Buffer, BufferId, BufferKind};
use crate::spec::Io;

/// First and last step that touch a buffer, both included.
#[derive(Debug, Clone, Copy)]
struct Lifetime {
    first: usize,
    last: usize,
}

/// Gives every scratch buffer that a step touches a slot, and takes the memory of the others; returns the slots' sizes
/// in bytes.
///
/// Buffers are taken in the order of their first use, and each takes the free slot that fits it best; buffers of
/// one step never share a slot, because WebGPU forbids reading and writing one buffer in one dispatch.
pub(crate) fn place<'a>(buffers: &mut [Buffer], steps: impl Iterator<Item = Io<'a>>) -> Vec<usize> {
    let lifetimes = lifetimes(buffers.len(), steps);
    let mut order: Vec<(usize, Lifetime)> = Vec::new();
    for (i, (buffer, lifetime)) in buffers.iter_mut().zip(lifetimes).enumerate() {
        match (buffer.kind, lifetime) {
            (BufferKind::Scratch { .. }, Some(lifetime)) => order.push((i, lifetime)),
            (BufferKind::Scratch { .. }, None) => buffer.kind = BufferKind::Joined,
            _ => {}
        }
    }
    order.sort_by_key(|(_, lifetime)| lifetime.first);
    let mut slots: Vec<usize> = Vec::new();
    let mut busy_until: Vec<usize> = Vec::new();
    for (i, lifetime) in order {
        let n_bytes = buffers[i].dtype.n_bytes(buffers[i].shape);
        let free = (0..slots.len()).filter(|s| busy_until[*s] < lifetime.first);
        let slot = free.min_by_key(|s| slots[*s].abs_diff(n_bytes)).unwrap_or(slots.len());
        if slot == slots.len() {
            slots.push(0);
            busy_until.push(0);
        }
        slots[slot] = slots[slot].max(n_bytes);
        busy_until[slot] = lifetime.last;
        buffers[i].kind = BufferKind::Scratch { slot };
    }
    slots
}

fn lifetimes<'a>(n_buffers: usize, steps: impl Iterator<Item = Io<'a>>) -> Vec<Option<Lifetime>> {
    let mut lifetimes: Vec<Option<Lifetime>> = vec![None; n_buffers];
    for (step, io) in steps.enumerate() {
        for BufferId(id) in io.inputs.iter().chain(io.outputs) {
            let lifetime = lifetimes[*id as usize].get_or_insert(Lifetime { first: step, last: step });
            lifetime.last = step;
        }
    }
    lifetimes
}

#[cfg(test)]
mod tests {
    use hala_tensor::{DType, Shape};

    use crate::buffer::{BufferId, BufferKind, WeightId};
    use crate::ops::{embed, matmul};
    use crate::plan::Plan;
    use crate::record::Recorder;

    const D: usize = 8;

    /// A chain of products, each reading what the last one wrote.
    fn chain(n_steps: usize) -> Plan {
        let mut recorder = Recorder::new("chain", 3);
        let ids = recorder.ids();
        let table = recorder.weight(WeightId(0), "table", Shape::matrix(5, D), DType::F32);
        let mut x = recorder.scratch("x", Shape::matrix(3, D), DType::F32);
        recorder.add(embed::Args { ids, table, scale: 1.0, y: x }).unwrap();
        for i in 0..n_steps {
            let w = recorder.weight(WeightId(1), "w", Shape::matrix(D, D), DType::F32);
            let y = recorder.scratch(&format!("y{i}"), Shape::matrix(3, D), DType::F32);
            recorder.add(product(x, &[w], y)).unwrap();
            x = y;
        }
        recorder.finish()
    }

    fn product(x: BufferId, weights: &[BufferId], y: BufferId) -> matmul::Args<'_> {
        matmul::Args { x, norm: None, weights, bias: None, y, write: matmul::Write::Set }
    }

    fn slot(plan: &Plan, id: BufferId) -> Option<usize> {
        match plan.buffer(id).kind {
            BufferKind::Scratch { slot } => Some(slot),
            _ => None,
        }
    }

    #[test]
    fn a_chain_needs_two_slots_however_long() {
        assert_eq!(chain(9).slots(), [3 * D * 4; 2]);
    }

    #[test]
    fn no_step_reads_and_writes_one_slot_through_two_buffers() {
        let plan = chain(5);
        for step in plan.steps() {
            let reads = step.inputs.iter().filter(|i| !step.outputs.contains(i));
            for (input, output) in reads.flat_map(|i| step.outputs.iter().map(move |o| (*i, *o))) {
                let (input, output) = (slot(&plan, input), slot(&plan, output));
                assert!(input.is_none() || input != output);
            }
        }
    }

    #[test]
    fn a_weight_that_two_steps_read_is_counted_by_its_buffers() {
        assert_eq!(chain(1).weight_bytes(), D * D * 4);
    }

    #[test]
    fn shapes_that_do_not_fit_are_named() {
        let mut recorder = Recorder::new("bad", 3);
        let x = recorder.scratch("x", Shape::matrix(3, D), DType::F32);
        let w = recorder.weight(WeightId(0), "w", Shape::matrix(D, D + 1), DType::F32);
        let y = recorder.scratch("y", Shape::matrix(3, D), DType::F32);
        let message = recorder.add(product(x, &[w], y)).unwrap_err().to_string();
        assert!(message.contains("matmul: the buffer w has the shape [8, 9]"), "{message}");
        assert!(recorder.add(product(x, &[], y)).is_err());
    }
}
