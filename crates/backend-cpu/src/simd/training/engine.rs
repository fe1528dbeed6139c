//! What the ops of training run on.

use super::gemm::Packs;
use super::kernel::Kernel;
use crate::simd::{Machine, Scratch};

/// The threads, the kernels of products, and room.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) machine: Machine,
    /// Of products with parameters.
    pub(super) kernel: Kernel,
    /// Of products of activations with each other, which are of f32 always.
    pub(super) exact: Kernel,
    pub(super) packs: Packs,
    pub(crate) scratch: Scratch,
    /// Sums of blocks of rows.
    pub(super) partial: Vec<f32>,
    /// Rows that are put side by side.
    pub(super) gathered: [Vec<f32>; 2],
}

impl Engine {
    /// An engine on these threads.
    pub(crate) fn new(machine: Machine, kernel: Kernel) -> Self {
        let n_threads = machine.pool.n_threads();
        Self {
            machine,
            kernel,
            exact: Kernel::f32(),
            packs: Packs::new(n_threads),
            scratch: Scratch::new(n_threads),
            partial: Vec::new(),
            gathered: [Vec::new(), Vec::new()],
        }
    }
}
