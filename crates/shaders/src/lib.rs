//! The WGSL kernels of `shaders/`, as constants: one [`Variant`] for each line of `shaders/variants.txt`.
//!
//! They are expanded, parsed and validated while this crate is built; `shaders/README.md` says how. A backend picks a
//! variant by name and reads from it what pipelines and bind groups need, with no shader compiler on board.

mod variant;

#[cfg(test)]
#[path = "../build/mod.rs"]
mod compile;

pub use variant::{Binding, BindingKind, Member, Needs, Target, Variant};

/// Every variant, sorted by name.
pub static VARIANTS: &[Variant] = &include!(concat!(env!("OUT_DIR"), "/variants.rs"));

/// The variant called `name`.
pub fn variant(name: &str) -> Option<&'static Variant> {
    let idx = VARIANTS.binary_search_by(|variant| variant.name.cmp(name)).ok()?;
    VARIANTS.get(idx)
}
