//! What a model is opened with.

use hala_tensor::DType;

/// Choices that shape a model's states and plans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// S, tokens that a sequence can hold; `None` for the model's own limit or [`Options::DEFAULT_CONTEXT`],
    /// whichever is less.
    pub context: Option<usize>,
    /// What products of compressed weights are of.
    pub inputs: Inputs,
    /// Element type of the KV cache, f32 or f16; `None` for the one that suits the device, or f32 where there is none yet.
    pub cache: Option<DType>,
}

impl Options {
    /// Context of a sequence where none is asked for, in tokens.
    pub const DEFAULT_CONTEXT: usize = 4096;
}

/// What the products of a compressed checkpoint's weights are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Inputs {
    /// Floats, whatever the checkpoint asks of other engines: nearer to the model that was compressed.
    #[default]
    Floats,
    /// What they become in engines that do as the checkpoint asks and multiply codes: to see what those compute.
    Rounded,
}
