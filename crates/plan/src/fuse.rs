//! Joins the plain steps that a model records into those that a backend has kernels for.
//!
//! What is joined: products of one input side by side, where a `concat` reads them; two products and their `gate`, as `swiglu`; a
//! projection and the `convolve` that reads it, as `short_conv`; a norm and the product that reads it; and an `add` with the product or
//! norm whose result it adds, in place. The backend is asked for each. Buffers keep their ids; those that no step touches any more have
//! no memory.

use crate::backend::{Backend, Candidate, Kernel};
use crate::declared::Declared;
use crate::joins;
use crate::place::place;
use crate::plan::Plan;
use crate::steps::{Join, Steps};

/// The Plan with its steps joined as the backend has kernels for, and with the room that those want.
///
/// A backend that has a kernel for no joined step is given the Plan as it was recorded; so may anyone be who needs what joined steps
/// leave out or overwrite, as a backward pass does.
pub fn fuse<B: Backend>(plan: Plan, backend: &B) -> Plan {
    fuse_for(plan, &|candidate| backend.kernel(candidate))
}

fn fuse_for(plan: Plan, kernel: &dyn Fn(&Candidate<'_>) -> Option<Kernel>) -> Plan {
    let Plan { label, n_tokens, buffers, steps, .. } = plan;
    let mut steps = Steps { declared: Declared { n_tokens, buffers }, steps };
    let mut join = |find: joins::Find| {
        let mut i = 0;
        while i < steps.steps.len() {
            let Steps { declared, .. } = &steps;
            let is_there = |join: &Join| kernel(&Candidate { step: &join.step, declared }).is_some();
            match find(&steps, i).filter(is_there) {
                // The steps before this one may have become fewer.
                Some(join) => i = steps.replace(i, join) + 1,
                None => i += 1,
            }
        }
    };
    joins::ALL.into_iter().for_each(&mut join);
    give_room(&mut steps, kernel);
    let Steps { declared: Declared { mut buffers, .. }, steps } = steps;
    let slots = place(&mut buffers, steps.iter().map(|step| step.io()));
    Plan { label, n_tokens, buffers, steps, slots }
}

/// Adds a buffer to what each step writes whose kernels put something aside.
fn give_room(steps: &mut Steps, kernel: &dyn Fn(&Candidate<'_>) -> Option<Kernel>) {
    let Steps { declared, steps } = steps;
    for step in steps {
        let room = kernel(&Candidate { step, declared }).map_or(0, |kernel| kernel.room);
        let Some(y) = step.outputs.first().filter(|_| room > 0) else { continue };
        let label = format!("{} room", declared.buffer(*y).label);
        let room = declared.scratch_beside(&label, *y, room);
        step.outputs.push(room);
    }
}

#[cfg(test)]
mod tests {
    use hala_tensor::{DType, Shape};

    use super::*;
    use crate::buffer::{BufferId, BufferKind, WeightId};
    use crate::ops::matmul::{self, Norm, Write};
    use crate::ops::{Op, add, concat, embed, gate, norm};
    use crate::record::Recorder;

    const D: usize = 8;

    /// Plain layers, each into a buffer of its own.
    struct Layers(Recorder);

    impl Layers {
        fn new() -> (Self, BufferId) {
            let mut r = Recorder::new("layers", 3);
            let ids = r.ids();
            let table = r.weight(WeightId(0), "table", Shape::matrix(5, D), DType::F32);
            let y = r.scratch("h", Shape::matrix(3, D), DType::F32);
            r.add(embed::Args { ids, table, scale: 1.0, y }).unwrap();
            (Self(r), y)
        }

        fn room(&mut self, n_columns: usize) -> BufferId {
            self.0.scratch("room", Shape::matrix(3, n_columns), DType::F32)
        }

        fn norm(&mut self, x: BufferId, kind: norm::Kind) -> BufferId {
            let weight = self.0.weight(WeightId(1), "norm", Shape::vector(D), DType::F32);
            let y = self.room(D);
            self.0
                .add(norm::Args { x, norm: Norm { weight, eps: 1e-5 }, kind, y, write: Write::Set })
                .unwrap();
            y
        }

        fn product_into(&mut self, x: BufferId, y: BufferId) -> BufferId {
            let w = self.0.weight(WeightId(2), "w", Shape::matrix(D, D), DType::F32);
            let (weights, write) = (&[w], Write::Set);
            self.0.add(matmul::Args { x, norm: None, weights, bias: None, y, write }).unwrap();
            y
        }

        fn product(&mut self, x: BufferId) -> BufferId {
            let y = self.room(D);
            self.product_into(x, y)
        }

        fn add(&mut self, a: BufferId, b: BufferId) -> BufferId {
            let y = self.room(D);
            self.0.add(add::Args { a, b, y }).unwrap();
            y
        }

        fn output(mut self, x: BufferId) -> Plan {
            let y = self.0.output("y", Shape::matrix(3, D));
            self.product_into(x, y);
            self.0.finish()
        }
    }

    fn any(_: &Candidate<'_>) -> Option<Kernel> {
        Some(Kernel::default())
    }

    fn names(plan: &Plan) -> Vec<&'static str> {
        plan.steps().iter().map(|step| step.op.name()).collect()
    }

    #[test]
    fn a_norm_goes_into_the_one_product_that_reads_it_and_a_sum_into_the_product_before_it() {
        let (mut l, h) = Layers::new();
        let n = l.norm(h, norm::Kind::Rms);
        let between = l.product(n);
        let x = l.product(between);
        let h2 = l.add(h, x);
        let plan = fuse_for(l.output(h2), &any);
        assert_eq!(names(&plan), ["embed", "matmul", "matmul", "matmul"]);
        let choices = plan.steps()[1..].iter().map(|step| match &step.op {
            Op::Matmul(params) => [params.norm, params.add],
            _ => panic!("{plan}"),
        });
        assert_eq!(choices.collect::<Vec<_>>(), [[1, 0], [0, 1], [0, 0]]);
        assert_eq!((&plan.steps()[2].outputs[..], plan.steps()[3].inputs[0]), (&[h][..], h));
        assert_eq!(plan.buffer(n).kind, BufferKind::Joined);
        assert_eq!(plan.slots(), [3 * D * 4; 2]);
    }

    #[test]
    fn a_product_does_not_add_to_the_buffer_that_it_reads() {
        let (mut l, h) = Layers::new();
        let n = l.norm(h, norm::Kind::Rms);
        let x = l.product(n);
        let h2 = l.add(h, x);
        assert_eq!(names(&fuse_for(l.output(h2), &any)), ["embed", "matmul", "add", "matmul"]);
    }

    #[test]
    fn a_norm_that_two_steps_read_or_that_takes_a_mean_stays() {
        let (mut l, h) = Layers::new();
        let n = l.norm(h, norm::Kind::Rms);
        let (a, b) = (l.product(n), l.product(n));
        let h2 = l.add(a, b);
        let plan = fuse_for(l.output(h2), &any);
        assert_eq!(names(&plan), ["embed", "norm", "matmul", "matmul", "matmul"]);
        let (mut l, h) = Layers::new();
        let n = l.norm(h, norm::Kind::Layer);
        assert_eq!(names(&fuse_for(l.output(n), &any)), ["embed", "norm", "matmul"]);
    }

    #[test]
    fn what_is_read_later_is_not_added_to_in_place() {
        let (mut l, h) = Layers::new();
        let x = l.product(h);
        let h2 = l.add(h, x);
        let later = l.add(h2, h);
        let plan = fuse_for(l.output(later), &any);
        assert_eq!(names(&plan), ["embed", "matmul", "add", "add", "matmul"]);
    }

    #[test]
    fn a_product_is_not_moved_past_a_step_that_writes_over_what_it_reads() {
        let (mut l, h) = Layers::new();
        // Read before the sum that writes over h, and used after it.
        let early = l.product(h);
        let n = l.norm(h, norm::Kind::Layer);
        let x = l.product(n);
        let h2 = l.add(h, x);
        let late = l.add(h2, early);
        let plan = fuse_for(l.output(late), &any);
        assert_eq!(names(&plan), ["embed", "matmul", "norm", "matmul", "add", "matmul"]);
        assert_eq!(plan.steps()[3].outputs, [h]);
    }

    #[test]
    fn products_of_one_input_are_joined_by_a_concat_and_by_a_gate() {
        let (mut l, h) = Layers::new();
        let parts = &[l.product(h), l.product(h), l.product(h)];
        let y = l.room(3 * D);
        l.0.add(concat::Args { parts, y }).unwrap();
        let (a, b, gated) = (l.product(h), l.product(h), l.room(D));
        l.0.add(gate::Args { a, b, activation: gate::Activation::Silu, y: gated }).unwrap();
        let plan = l.output(gated);
        assert_eq!(names(&fuse_for(plan.clone(), &any)), ["embed", "matmul", "swiglu", "matmul"]);
        let no_gates =
            |candidate: &Candidate<'_>| (candidate.step.op.name() != "swiglu").then(Kernel::default);
        let apart = fuse_for(plan.clone(), &no_gates);
        assert_eq!(names(&apart), ["embed", "matmul", "matmul", "matmul", "gate", "matmul"]);
        assert_eq!(fuse_for(plan.clone(), &|_| None), plan);
    }

    #[test]
    fn room_that_a_kernel_wants_is_placed_with_all_else() {
        let (mut l, h) = Layers::new();
        let x = l.product(h);
        let kernel = |candidate: &Candidate<'_>| {
            Some(Kernel { room: if candidate.step.op.name() == "embed" { 64 } else { 0 } })
        };
        let plan = fuse_for(l.output(x), &kernel);
        let room = plan.steps()[0].outputs[1];
        assert_eq!(plan.buffer(room).shape, Shape::matrix(3, 64));
        assert!(plan.slots().contains(&(3 * 64 * 4)), "{plan}");
    }
}
