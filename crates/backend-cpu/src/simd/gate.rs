//! `y = act(a) ⊙ b`, shared out by gates.

use std::marker::PhantomData;
use std::ops::Range;

use hala_plan::ops::gate::{Activation, Params};

use super::isa::{Isa, Work};
use super::math::{gelu, sigmoid, silu};
use super::{Machine, Scratch};
use crate::shared::Shared;

/// Elements that one thread takes at a time.
const PIECE: usize = 4096;

/// `a [T, F / n_each]`, `b [T, F]`, `y [T, F]`
pub(crate) fn run(
    machine: &Machine,
    scratch: &mut Scratch,
    params: &Params,
    [a, b]: [&[f32]; 2],
    y: &mut [f32],
) {
    let tensors = Tensors { n_each: params.n_each as usize, a, b, y: Shared::new(y) };
    match Activation::of_code(params.activation) {
        Activation::Silu => share::<Silu>(machine, scratch, &tensors),
        Activation::GeluTanh => share::<GeluTanh>(machine, scratch, &tensors),
        Activation::Sigmoid => share::<Sigmoid>(machine, scratch, &tensors),
    }
}

/// What gates pass through. Each has loops that are compiled by themselves: with those of all three in one function, prefill in WebAssembly was 5 % slower.
trait Activate {
    fn of(z: f32) -> f32;
}

struct Silu;
struct GeluTanh;
struct Sigmoid;

impl Activate for Silu {
    #[inline(always)]
    fn of(z: f32) -> f32 {
        silu(z)
    }
}

impl Activate for GeluTanh {
    #[inline(always)]
    fn of(z: f32) -> f32 {
        gelu(z)
    }
}

impl Activate for Sigmoid {
    #[inline(always)]
    fn of(z: f32) -> f32 {
        sigmoid(z)
    }
}

struct Tensors<'a> {
    /// Elements that each gate lets through.
    n_each: usize,
    a: &'a [f32],
    b: &'a [f32],
    y: Shared<'a, f32>,
}

fn share<A: Activate>(machine: &Machine, scratch: &mut Scratch, tensors: &Tensors<'_>) {
    let n_each = tensors.n_each;
    machine.pool.share(&mut scratch.locals, tensors.a.len(), (PIECE / n_each).max(1), |_, gates| {
        let activation = PhantomData::<A>;
        match n_each {
            1 => machine.level.run(Elements { activation, tensors, elements: gates }),
            _ => machine.level.run(Shares { activation, tensors, gates }),
        }
    });
}

/// Some elements, each with a gate of its own.
struct Elements<'a, A> {
    activation: PhantomData<A>,
    tensors: &'a Tensors<'a>,
    elements: Range<usize>,
}

impl<A: Activate> Work for Elements<'_, A> {
    #[inline(always)]
    fn run<I: Isa>(self, _: I) {
        let Tensors { a, b, y, .. } = self.tensors;
        let (a, b) = (&a[self.elements.clone()], &b[self.elements.clone()]);
        // SAFETY: each element is given to one thread.
        let y = unsafe { y.part(self.elements) };
        // Loops, not closures, here and below: what is not inlined is not compiled for the instruction set.
        for (y, (a, b)) in y.iter_mut().zip(a.iter().zip(b)) {
            *y = A::of(*a) * b;
        }
    }
}

/// Some gates of several elements each.
struct Shares<'a, A> {
    activation: PhantomData<A>,
    tensors: &'a Tensors<'a>,
    gates: Range<usize>,
}

impl<A: Activate> Work for Shares<'_, A> {
    #[inline(always)]
    fn run<I: Isa>(self, _: I) {
        let Tensors { n_each, a, b, y } = self.tensors;
        let elements = self.gates.start * n_each..self.gates.end * n_each;
        let (a, b) = (&a[self.gates], &b[elements.clone()]);
        // SAFETY: each element is given to one thread.
        let y = unsafe { y.part(elements) };
        for ((a, b), y) in a.iter().zip(b.chunks(*n_each)).zip(y.chunks_mut(*n_each)) {
            let share = A::of(*a);
            for (y, b) in y.iter_mut().zip(b) {
                *y = share * b;
            }
        }
    }
}
