//! T of the Plans that are worth making.

/// For rows of many sequences: one kernel each serves all but the first.
pub(crate) const DECODE: [usize; 5] = [1, 2, 4, 8, 16];

/// For prompts.
pub(crate) const PREFILL: [usize; 3] = [32, 128, 512];

/// The same for software devices, where a chunk takes so long that a person waits for it.
pub(crate) const SOFTWARE_PREFILL: [usize; 2] = [32, 128];

/// Whether a Plan for T rows is for prompts, whose rows usually are a few sequences'.
pub(crate) fn is_for_prompts(n_tokens: usize) -> bool {
    DECODE.iter().all(|size| n_tokens > *size)
}
