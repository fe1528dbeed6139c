//! The kinds of LFM3's layers.

/// What a layer mixes tokens with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mixer {
    /// The gated short convolution.
    Conv,
    /// Attention over the last tokens, as many as the window has.
    Sliding,
    /// Attention over all earlier tokens.
    Full,
}
