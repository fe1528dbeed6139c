//! The WGSL kernels of `shaders/`, as constants: one [`Variant`] for each line of `shaders/variants.txt`.
//!
//! They are expanded, parsed and validated while this crate is built; `shaders/README.md` says how. A backend picks a
//! variant by name and reads from it what pipelines and bind groups need, with no shader compiler on board.

mod body;
mod variant;

#[cfg(test)]
#[path = "../build/mod.rs"]
mod compile;

pub use body::Body;
pub use variant::{Binding, BindingKind, Member, Needs, Target, Variant};

/// Every variant, sorted by name; where this is compiled for browsers, those that browsers can run.
pub static VARIANTS: &[Variant] = &include!(concat!(env!("OUT_DIR"), "/variants.rs"));

/// The u32 constant `name` of the variant called `variant`, for constants of Rust that must agree with it: what is not there fails
/// the build.
///
/// # Panics
/// There is no such variant, or it has no such constant.
pub const fn constant(variant: &str, name: &str) -> u32 {
    let mut i = 0;
    while i < VARIANTS.len() {
        if is_same(VARIANTS[i].name, variant) {
            return constant_in(VARIANTS[i].constants, name);
        }
        i += 1;
    }
    panic!("there is no such variant");
}

const fn constant_in(constants: &[(&str, u32)], name: &str) -> u32 {
    let mut i = 0;
    while i < constants.len() {
        let (found, value) = constants[i];
        if is_same(found, name) {
            return value;
        }
        i += 1;
    }
    panic!("the variant has no such constant");
}

/// Strings cannot be compared by `==` while the caller is compiled.
const fn is_same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut i = 0;
    while i < a.len() && i < b.len() && a[i] == b[i] {
        i += 1;
    }
    i == a.len() && i == b.len()
}

/// The variant called `name`.
pub fn variant(name: &str) -> Option<&'static Variant> {
    let idx = VARIANTS.binary_search_by(|variant| variant.name.cmp(name)).ok()?;
    VARIANTS.get(idx)
}
