//! Whether drafts are proposed.

/// Whether tokens are proposed by look-up (prompt look-up decoding: drafts from n-grams of the prompt and of the text itself).
///
/// A draft is verified by choosing the token there as without it, from the same logits and with the same draw, so it changes
/// how many tokens a run gives and never which: on CPUs ids and log-probabilities are the same to the bit with any sampling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Draft {
    /// Where it pays, by what runs of one row and of several were measured to take; never on devices that choose tokens themselves, some runs ahead
    /// of the host, which waiting for a verdict would cost.
    #[default]
    Auto,
    /// Wherever the text repeats, as many as a run takes, on any device. On GPUs a run of several rows sums in another order than a run of one: the
    /// text is what it would be in a batch.
    Lookup,
    /// Never.
    Off,
}
