//! `y[t] = table[ids[t]]`

use super::rows::decode;
use super::{Machine, Scratch, isa::Isa, isa::with_isa};
use crate::shared::Shared;
use crate::weight::Stored;

/// Tokens that one thread takes at a time.
const PIECE: usize = 32;

/// `ids [T]`, `table [V, D]`, `y [T, D]`
pub(crate) fn run(machine: &Machine, scratch: &mut Scratch, ids: &[u32], table: &Stored, y: &mut [f32]) {
    let width = table.shape().n_columns();
    let y = Shared::new(y);
    machine.pool.share(&mut scratch.locals, ids.len(), PIECE, |_, tokens| {
        with_isa!(machine.level, isa => isa.vectorise(|| {
            for t in tokens {
                // SAFETY: each token is given to one thread.
                let y = unsafe { y.part(t * width..(t + 1) * width) };
                match table {
                    Stored::Rows(tensor) => decode(tensor, ids[t] as usize, y),
                    Stored::Panels(panels) => panels.row(ids[t] as usize, y),
                }
            }
        }));
    });
}
