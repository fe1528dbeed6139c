//! Whether the CPU is compared with a GPU.

/// With which GPUs that `auto` took the CPU is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compares {
    /// Those that share the CPU's memory, as phones' GPUs do: others are faster without a doubt.
    #[default]
    Integrated,
    /// All.
    All,
    /// None.
    Nothing,
}
