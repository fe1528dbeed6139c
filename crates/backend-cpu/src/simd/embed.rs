//! `y[t] = table[ids[t]] · scale`

use std::ops::Range;

use super::isa::{Isa, Work};
use super::{Machine, Scratch};
use crate::shared::Shared;
use crate::weight::Stored;

/// Tokens that one thread takes at a time.
const PIECE: usize = 32;

/// `ids [T]`, `table [V, D]`, `y [T, D]`
pub(crate) fn run(
    machine: &Machine,
    scratch: &mut Scratch,
    (ids, scale): (&[u32], f32),
    table: &Stored,
    y: &mut [f32],
) {
    let y = Shared::new(y);
    machine.pool.share(&mut scratch.locals, ids.len(), PIECE, |_, tokens| {
        machine.level.run(Rows { ids, scale, table, y: &y, tokens });
    });
}

/// The rows of some tokens.
struct Rows<'a> {
    ids: &'a [u32],
    scale: f32,
    table: &'a Stored,
    y: &'a Shared<'a, f32>,
    tokens: Range<usize>,
}

impl Work for Rows<'_> {
    #[inline(always)]
    fn run<I: Isa>(self, _: I) {
        let width = self.table.shape().n_columns();
        for t in self.tokens {
            // SAFETY: each token is given to one thread.
            let y = unsafe { self.y.part(t * width..(t + 1) * width) };
            match self.table {
                Stored::Rows(tensor) => tensor.row(self.ids[t] as usize, y),
                Stored::Panels(panels) => panels.row(self.ids[t] as usize, y),
                Stored::Floats(panels) => panels.row(self.ids[t] as usize, y),
            }
            if self.scale != 1.0 {
                for y in y.iter_mut() {
                    *y *= self.scale;
                }
            }
        }
    }
}
