//! The ops that only training has: no browser gets them, and no shader is needed.

pub mod adamw;
pub mod attention_backward;
pub mod concat_backward;
pub mod convolve_backward;
pub mod dropout;
pub mod embed_backward;
pub mod gate_backward;
pub mod gradient_norm;
pub mod head_loss;
pub mod matmul_backward_input;
pub mod matmul_backward_weight;
pub mod norm_backward;
pub mod packed_attention;
pub mod packed_convolve;
pub mod turn_heads;
pub mod turn_heads_backward;

use crate::ops::{add, concat, embed, gate, matmul, norm};

/// The ops of a training Plan with their modules, in one list.
macro_rules! train_ops {
    ($($(#[$doc:meta])* $variant:ident: $module:ident,)*) => {
        /// One op of a training Plan with its parameters: plain ops of inference, and those of training alone. Backends that train match it without a
        /// wildcard.
        #[derive(Debug, Clone, Copy, PartialEq)]
        pub enum TrainOp {
            $($(#[$doc])* $variant($module::Params),)*
        }

        impl TrainOp {
            /// The op's one name: of its files, its test and its profile rows.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $module::NAME,)*
                }
            }
        }
    };
}

train_ops! {
    /// The residual stream's sum; also that of two gradients.
    Add: add,
    /// Columns side by side.
    Concat: concat,
    /// Rows of the embedding.
    Embed: embed,
    /// Values through a gate.
    Gate: gate,
    /// A product with one matrix.
    Matmul: matmul,
    /// A norm of its own.
    Norm: norm,
    /// Queries and keys, normalised and turned.
    TurnHeads: turn_heads,
    /// Attention inside each document.
    PackedAttention: packed_attention,
    /// The gated short convolution inside each document.
    PackedConvolve: packed_convolve,
    /// Elements left out at random.
    Dropout: dropout,
    /// The head, the loss, and the gradient of both.
    HeadLoss: head_loss,
    /// The gradient of [`TrainOp::Concat`].
    ConcatBackward: concat_backward,
    /// The gradient of [`TrainOp::Embed`].
    EmbedBackward: embed_backward,
    /// The gradient of [`TrainOp::Gate`].
    GateBackward: gate_backward,
    /// The gradient of [`TrainOp::Matmul`] in its input.
    MatmulBackwardInput: matmul_backward_input,
    /// The gradient of [`TrainOp::Matmul`] in its weights.
    MatmulBackwardWeight: matmul_backward_weight,
    /// The gradient of [`TrainOp::Norm`].
    NormBackward: norm_backward,
    /// The gradient of [`TrainOp::TurnHeads`].
    TurnHeadsBackward: turn_heads_backward,
    /// The gradient of [`TrainOp::PackedAttention`].
    AttentionBackward: attention_backward,
    /// The gradient of [`TrainOp::PackedConvolve`].
    ConvolveBackward: convolve_backward,
}
