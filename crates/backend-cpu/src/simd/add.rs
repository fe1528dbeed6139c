//! `y = a + b`, shared out by elements.

use super::{Machine, Scratch};
use crate::ops::add;
use crate::shared::Shared;

/// Elements that one thread takes at a time.
const PIECE: usize = 16 << 10;

/// `a [T, D]`, `b [T, D]`, `y [T, D]`
pub(crate) fn run(machine: &Machine, scratch: &mut Scratch, [a, b]: [&[f32]; 2], y: &mut [f32]) {
    let n_elements = y.len();
    let y = Shared::new(y);
    machine.pool.share(&mut scratch.locals, n_elements, PIECE, |_, elements| {
        // SAFETY: each element is given to one thread.
        add::run(&a[elements.clone()], &b[elements.clone()], unsafe { y.part(elements) });
    });
}
