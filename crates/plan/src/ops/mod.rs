//! The ops: one file each, with its parameters, its shape check, and all that a program asks of it.

pub mod add;
pub mod attention;
pub mod concat;
pub mod convolve;
pub mod embed;
pub mod gate;
pub mod gather;
pub mod matmul;
pub mod norm;
pub mod rope_kv;
pub mod round;
pub mod sample;
pub mod short_conv;
pub mod softcap;
pub mod swiglu;
#[cfg(feature = "training")]
pub mod training;

use crate::spec::OpSpec;

/// The ops with their modules, in one list: [`Op`], what each is made from, and the one match outside of backends.
macro_rules! ops {
    ($($(#[$doc:meta])* $variant:ident: $module:ident,)*) => {
        /// One op with its parameters. Backends match it without a wildcard, once each, so that a new op breaks the build of
        /// every backend that lacks it.
        #[derive(Debug, Clone, Copy, PartialEq)]
        pub enum Op {
            $($(#[$doc])* $variant($module::Params),)*
        }

        $(impl From<$module::Params> for Op {
            fn from(params: $module::Params) -> Self {
                Self::$variant(params)
            }
        })*

        impl Op {
            /// What the op says of itself.
            pub fn spec(&self) -> &dyn OpSpec {
                match self {
                    $(Self::$variant(params) => params,)*
                }
            }
        }
    };
}

ops! {
    /// The residual stream's sum.
    Add: add,
    /// Columns side by side.
    Concat: concat,
    /// The gated short convolution of what was projected.
    Convolve: convolve,
    /// Values through a gate.
    Gate: gate,
    /// Rows of the embedding.
    Embed: embed,
    /// The rows whose logits are wanted.
    Gather: gather,
    /// A matrix product with an optional norm before it and an optional sum after it.
    Matmul: matmul,
    /// A norm of its own.
    Norm: norm,
    /// Inputs rounded as other engines do.
    Round: round,
    /// Two products and the gate between them.
    Swiglu: swiglu,
    /// The gated short convolution with its input projection.
    ShortConv: short_conv,
    /// Norm and rotation of queries and keys; keys and values into the cache.
    RopeKv: rope_kv,
    /// Causal attention over the cache.
    Attention: attention,
    /// A bound on values, in place.
    Softcap: softcap,
    /// The next token, chosen from the logits.
    Sample: sample,
}

impl Op {
    /// The op's one name: of its files, its shader, its test and its profile rows.
    pub fn name(&self) -> &'static str {
        self.spec().name()
    }
}
