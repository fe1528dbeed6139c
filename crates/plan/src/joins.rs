//! Which plain steps are one step more than themselves: each join is looked for at the last of its steps.

use crate::buffer::BufferId;
use crate::ops::matmul::{self, Norm, Write};
use crate::ops::{Op, add, concat, convolve, gate, norm, short_conv, swiglu};
use crate::steps::{Join, Steps};

/// Finds what the step of this index ends.
pub(crate) type Find = fn(&Steps, usize) -> Option<Join>;

/// The joins, in the order that they are looked for: of two that end in one step, the one of more steps first.
pub(crate) const ALL: [Find; 6] = [side_by_side, gated, convolved_of_norm, convolved, normed, added];

/// A step that is a product of one matrix, whose result is read by step `reader` alone.
fn product(steps: &Steps, y: BufferId, reader: usize) -> Option<(usize, matmul::Args<'_>)> {
    let i = steps.sole_writer(y, reader)?;
    let Op::Matmul(params) = &steps.steps[i].op else { return None };
    let args = matmul::Args::of(steps.steps[i].io(), params);
    (args.weights.len() == 1 && args.norm.is_none() && args.write == Write::Set).then_some((i, args))
}

/// As [`product`], without a bias.
fn plain_product(steps: &Steps, y: BufferId, reader: usize) -> Option<(usize, BufferId, BufferId)> {
    let (i, args) = product(steps, y, reader)?;
    args.bias.is_none().then_some((i, args.x, args.weights[0]))
}

/// The RMS norm whose result step `reader` alone reads: its index, what it is of, and its weights.
fn norm_before(steps: &Steps, x: BufferId, reader: usize) -> Option<(usize, BufferId, Norm)> {
    let i = steps.sole_writer(x, reader)?;
    let Op::Norm(params) = &steps.steps[i].op else { return None };
    let args = norm::Args::of(steps.steps[i].io(), params);
    (args.kind == norm::Kind::Rms && args.write == Write::Set).then_some((i, args.x, args.norm))
}

/// `[x · W₁ᵀ, x · W₂ᵀ, …]`
fn side_by_side(steps: &Steps, i: usize) -> Option<Join> {
    let Op::Concat(_) = &steps.steps[i].op else { return None };
    let concat::Args { parts, y } = concat::Args::of(steps.steps[i].io());
    let products: Vec<_> = parts.iter().map(|y| plain_product(steps, *y, i)).collect::<Option<_>>()?;
    let (_, x, _) = *products.first()?;
    let weights: Vec<BufferId> = products.iter().map(|(_, _, weight)| *weight).collect();
    let are_of_one = products.iter().all(|(_, other, _)| *other == x);
    let write = Write::Set;
    let step = steps.step(matmul::Args { x, norm: None, weights: &weights, bias: None, y, write })?;
    let others = products.iter().map(|(i, _, _)| *i).collect();
    are_of_one.then_some(Join { step, others, renamed: None })
}

/// `act(x · W₁ᵀ) ⊙ (x · W₃ᵀ)`
fn gated(steps: &Steps, i: usize) -> Option<Join> {
    let Op::Gate(params) = &steps.steps[i].op else { return None };
    let gate::Args { a, b, activation, y } = gate::Args::of(steps.steps[i].io(), params);
    let (first, x, w1) = plain_product(steps, a, i)?;
    let (second, other, w3) = plain_product(steps, b, i)?;
    let step = steps.step(swiglu::Args { x, norm: None, activation, w1, w3, y })?;
    (other == x).then_some(Join { step, others: vec![first, second], renamed: None })
}

/// The product that a convolution alone reads, and the step of both.
fn convolution(steps: &Steps, i: usize) -> Option<(usize, short_conv::Args)> {
    let Op::Convolve(_) = &steps.steps[i].op else { return None };
    let convolve::Args { projected, taps, bias, state, y } = convolve::Args::of(steps.steps[i].io());
    let (product_idx, product) = product(steps, projected, i)?;
    let bias = match (product.bias, bias) {
        (None, None) => None,
        (Some(in_proj), Some(conv)) => Some(short_conv::Bias { in_proj, conv }),
        _ => return None,
    };
    let (x, in_proj) = (product.x, product.weights[0]);
    Some((product_idx, short_conv::Args { x, norm: None, in_proj, taps, bias, state, projected, y }))
}

/// The convolution of `x̂ · Wᵀ`, `x̂` the norm of `x`.
fn convolved_of_norm(steps: &Steps, i: usize) -> Option<Join> {
    let (product_idx, args) = convolution(steps, i)?;
    let (norm_idx, x, norm) = norm_before(steps, args.x, product_idx)?;
    let step = steps.step(short_conv::Args { x, norm: Some(norm), ..args })?;
    Some(Join { step, others: vec![norm_idx, product_idx], renamed: None })
}

/// The convolution of `x · Wᵀ`
fn convolved(steps: &Steps, i: usize) -> Option<Join> {
    let (product_idx, args) = convolution(steps, i)?;
    Some(Join { step: steps.step(args)?, others: vec![product_idx], renamed: None })
}

/// `x̂ · Wᵀ`, `x̂` the norm of `x`.
fn normed(steps: &Steps, i: usize) -> Option<Join> {
    let step = &steps.steps[i];
    let products = step.products().filter(|products| products.norm.is_none())?;
    let (norm_idx, x, norm) = norm_before(steps, products.x, i)?;
    let norm = Some(norm);
    let step = match &step.op {
        Op::Matmul(params) => steps.step(matmul::Args { x, norm, ..matmul::Args::of(step.io(), params) })?,
        Op::Swiglu(params) => steps.step(swiglu::Args { x, norm, ..swiglu::Args::of(step.io(), params) })?,
        // A convolution has its norm from the start.
        _ => return None,
    };
    Some(Join { step, others: vec![norm_idx], renamed: None })
}

/// `a += x̂ · Wᵀ + b`, or `a += N(x)`, where `a` is read by nobody later.
fn added(steps: &Steps, i: usize) -> Option<Join> {
    let Op::Add(_) = &steps.steps[i].op else { return None };
    let add::Args { a, b, y } = add::Args::of(steps.steps[i].io());
    if !steps.ends(a, i) || !steps.is_scratch(y) {
        return None;
    }
    let writer = steps.sole_writer(b, i)?;
    let step = &steps.steps[writer];
    if step.inputs.contains(&a) {
        return None;
    }
    let step = match &step.op {
        Op::Matmul(params) => {
            let args = matmul::Args::of(step.io(), params);
            let is_set = args.write == Write::Set;
            is_set.then(|| steps.step(matmul::Args { y: a, write: Write::Add, ..args }))?
        }
        Op::Norm(params) => {
            let args = norm::Args::of(step.io(), params);
            let is_set = args.write == Write::Set;
            is_set.then(|| steps.step(norm::Args { y: a, write: Write::Add, ..args }))?
        }
        _ => None,
    }?;
    Some(Join { step, others: vec![writer], renamed: Some([y, a]) })
}
