//! The ops: one file each, with its parameters, its shape check and its recording.

pub mod attention;
pub mod embed;
pub mod gather;
pub mod matmul;
pub mod norm;
pub mod rope_kv;
pub mod round;
pub mod sample;
pub mod short_conv;
pub mod softcap;
pub mod swiglu;

/// One op with its parameters. Matched without a wildcard everywhere, so that a new op breaks the build of
/// every backend that lacks it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Op {
    /// Rows of the embedding.
    Embed(embed::Params),
    /// The rows whose logits are wanted.
    Gather(gather::Params),
    /// A matrix product with an optional norm before it and an optional sum after it.
    Matmul(matmul::Params),
    /// A norm of its own.
    Norm(norm::Params),
    /// Inputs rounded as other engines do.
    Round(round::Params),
    /// The gated half of a feed-forward block.
    Swiglu(swiglu::Params),
    /// The gated short convolution with its input projection.
    ShortConv(short_conv::Params),
    /// Norm and rotation of queries and keys; keys and values into the cache.
    RopeKv(rope_kv::Params),
    /// Causal attention over the cache.
    Attention(attention::Params),
    /// A bound on values, in place.
    Softcap(softcap::Params),
    /// The next token, chosen from the logits.
    Sample(sample::Params),
}

impl Op {
    /// The op's one name: of its files, its shader, its test and its profile rows.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Embed(_) => embed::NAME,
            Self::Gather(_) => gather::NAME,
            Self::Matmul(_) => matmul::NAME,
            Self::Norm(_) => norm::NAME,
            Self::Round(_) => round::NAME,
            Self::Swiglu(_) => swiglu::NAME,
            Self::ShortConv(_) => short_conv::NAME,
            Self::RopeKv(_) => rope_kv::NAME,
            Self::Attention(_) => attention::NAME,
            Self::Softcap(_) => softcap::NAME,
            Self::Sample(_) => sample::NAME,
        }
    }
}
