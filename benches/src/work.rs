//! What a step of a Plan has to do at least: bytes of weights and cache, and multiplications.

use hala_plan::{Plan, Step};

/// The work of one step.
#[derive(Debug, Clone, PartialEq)]
pub struct Work {
    /// The op and its sizes, as `matmul 1024 → 3072`.
    pub label: String,
    /// Bytes of matrices, cache and logits that are read or written; other activations are left out.
    pub n_bytes: usize,
    /// Floating-point operations of its products.
    pub n_flops: usize,
}

/// The work of a step for as many tokens as its Plan takes, the first at `position`.
pub fn of(plan: &Plan, step: &Step, position: usize) -> Work {
    let hala_plan::Work { sizes, n_bytes, n_flops } = plan.work(step, position);
    Work { label: format!("{} {sizes}", step.op.name()), n_bytes, n_flops }
}
