//! What a step of a Plan has to do at least: bytes of weights and cache, and multiplications.

use hala_plan::{BufferKind, Op, Plan, Step};

/// The work of one step.
#[derive(Debug, Clone, PartialEq)]
pub struct Work {
    /// The op and its sizes, as `matmul 1024 → 3072`.
    pub label: String,
    /// Bytes of weights, cache and logits that are read or written; other activations are left out.
    pub n_bytes: usize,
    /// Floating-point operations of its products.
    pub n_flops: usize,
}

/// The work of a step for as many tokens as its Plan takes, the first at `position`.
pub fn of(plan: &Plan, step: &Step, position: usize) -> Work {
    let n_tokens = plan.n_tokens();
    let weights = plan.weight_bytes_of(step);
    let product = |label: String, n_rows: usize, n_in: u32, n_tokens: usize| Work {
        label,
        n_bytes: weights,
        n_flops: 2 * n_rows * n_in as usize * n_tokens,
    };
    match &step.op {
        Op::Embed(params) => Work {
            label: format!("embed {}", params.width),
            n_bytes: weights / params.n_vocab as usize * n_tokens,
            n_flops: 0,
        },
        Op::Matmul(params) => {
            let (n_in, n_out) = (params.n_in, params.n_out_total());
            let n_tokens = plan.buffer(step.outputs[0]).shape.n_rows();
            product(format!("matmul {n_in} → {n_out}"), n_out, n_in, n_tokens)
        }
        Op::Swiglu(params) => {
            let (n_in, n_out) = (params.n_in, params.n_out);
            product(format!("swiglu {n_in} → {n_out}"), 2 * n_out as usize, n_in, n_tokens)
        }
        Op::ShortConv(params) => {
            let width = params.width;
            product(format!("short_conv {width}"), 3 * width as usize, width, n_tokens)
        }
        Op::RopeKv(params) => Work {
            label: format!("rope_kv of {}", n_tokens + position),
            n_bytes: cached_bytes(plan, step, n_tokens, (params.n_kv_heads * params.head_size) as usize),
            n_flops: 0,
        },
        Op::Gather(params) => Work { label: format!("gather {}", params.width), n_bytes: 0, n_flops: 0 },
        Op::Norm(params) => Work { label: format!("norm {}", params.width), n_bytes: weights, n_flops: 0 },
        Op::Round(params) => Work { label: format!("round {}", params.n_columns), n_bytes: 0, n_flops: 0 },
        Op::Softcap(params) => Work {
            label: format!("softcap {}", params.n_columns),
            n_bytes: 4 * params.n_columns as usize,
            n_flops: 0,
        },
        Op::Sample(params) => Work {
            label: format!("sample {}", params.n_vocab),
            n_bytes: 4 * params.n_vocab as usize,
            n_flops: 0,
        },
        Op::Attention(params) => {
            let n_seen = position + n_tokens;
            let n_pairs: usize = (position..n_seen).map(|p| p + 1 - params.first_seen(p)).sum();
            Work {
                label: format!("attention over {n_seen}"),
                n_bytes: cached_bytes(plan, step, n_seen, (params.n_kv_heads * params.head_size) as usize),
                n_flops: 4 * n_pairs * (params.n_heads * params.head_size) as usize,
            }
        }
    }
}

/// Bytes of `n_positions` of keys and values of `n_columns` each.
fn cached_bytes(plan: &Plan, step: &Step, n_positions: usize, n_columns: usize) -> usize {
    let buffers = step.inputs.iter().chain(&step.outputs).map(|id| plan.buffer(*id));
    let caches = buffers.filter(|buffer| matches!(buffer.kind, BufferKind::State(..)));
    caches.map(|cache| cache.dtype.n_bytes(hala_tensor::Shape::matrix(n_positions, n_columns))).sum()
}
