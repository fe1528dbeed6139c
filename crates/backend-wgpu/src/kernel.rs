//! Kernels by name, and the numbers that they were compiled with.

use std::sync::LazyLock;

use hala_plan::BackendError;
use hala_shaders::{VARIANTS, Variant};

/// The windows that a kernel may read activations through, the first rows first.
const WINDOWS: [&str; 4] = ["x0", "x1", "x2", "x3"];

/// The kernel of this name.
///
/// # Errors
/// There is none.
pub(crate) fn kernel(name: &str) -> Result<&'static Variant, BackendError> {
    hala_shaders::variant(name).ok_or_else(|| lacking(&format!("there is no kernel {name}")))
}

/// A u32 constant of a kernel.
///
/// # Errors
/// It has none of this name.
pub(crate) fn number(kernel: &Variant, name: &str) -> Result<u32, BackendError> {
    kernel
        .constant(name)
        .ok_or_else(|| lacking(&format!("the kernel {} has no constant {name}", kernel.name)))
}

fn lacking(what: &str) -> BackendError {
    BackendError::Unavailable { backend: "wgpu", reason: format!("{what}; please report it") }
}

/// The windows that a kernel reads activations through; none where it reads them as storage.
pub(crate) fn windows(kernel: &Variant) -> Vec<&'static str> {
    kernel.bindings.iter().map(|binding| binding.name).filter(|name| WINDOWS.contains(name)).collect()
}

/// The most rows that one dispatch reads through windows.
pub(crate) static N_WINDOWED_ROWS: LazyLock<u32> = LazyLock::new(|| {
    let windowed = VARIANTS.iter().filter(|kernel| !windows(kernel).is_empty());
    windowed.filter_map(|kernel| kernel.constant("TOKENS")).max().unwrap_or(1)
});
