//! Choices of kernels that were measured on one device, to be used instead of the table's own.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wgpu::AdapterInfo;

use crate::capabilities::{Abilities, Preset};
use crate::choose::{Layout, Question};
use crate::names::{device_name, driver};

/// What choices were measured with; where any of it is another, they are worth nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Origin {
    /// The device, as messages name it.
    pub device: String,
    /// Its driver.
    pub driver: String,
    /// Hala's version.
    pub version: String,
    /// A hash of all kernels.
    pub kernels: String,
}

/// Which way each product goes, by what is asked: `matmul.norm int8 T=1 1024→3072` goes `lanes`.
///
/// An answer that the device cannot follow is passed over, so no file of choices can make a wrong result.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Choices {
    /// What they were measured with.
    pub origin: Origin,
    /// The way for each question.
    pub ways: BTreeMap<String, String>,
}

impl Choices {
    /// The way to go: the chosen one where there is one that the device can go, or else the table's.
    pub(crate) fn answer(&self, device: Abilities, question: &Question) -> Layout {
        let chosen = self.ways.get(&question.to_string());
        let chosen = chosen.and_then(|name| question.layouts(device).find(|layout| layout.name() == name));
        chosen.or_else(|| question.layouts(device).next()).unwrap_or(Layout::Lanes)
    }
}

impl Origin {
    /// This build on a device.
    pub(crate) fn of(info: &AdapterInfo, preset: Option<Preset>) -> Self {
        Self {
            device: device_name(info, preset),
            driver: driver(info),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            kernels: format!("{:016x}", kernels_hash()),
        }
    }
}

/// FNV-1a (Fowler, Noll and Vo) over the names and texts of all kernels.
fn kernels_hash() -> u64 {
    let texts = hala_shaders::VARIANTS.iter().flat_map(|v| std::iter::once(v.name).chain(v.body.parts()));
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    texts.flat_map(str::bytes).fold(0xcbf2_9ce4_8422_2325, mix)
}

#[cfg(test)]
mod tests {
    use hala_tensor::DType;

    use super::*;

    const SOFTWARE: Abilities = Abilities { preset: Preset::Software, has_subgroups: false };
    const GPU: Abilities = Abilities { preset: Preset::Gpu, has_subgroups: false };

    fn question() -> Question {
        let (op, dtype) = ("swiglu", DType::BF16);
        Question { op, is_normed: false, n_matrices: 1, dtype, n_tokens: 1, n_in: 64, n_out: 96 }
    }

    fn answer(device: Abilities, asked: &str, way: &str) -> String {
        let ways = [(asked.to_owned(), way.to_owned())].into();
        let choices = Choices { ways, ..Choices::default() };
        choices.answer(device, &question()).name().to_owned()
    }

    #[test]
    fn what_was_chosen_goes_before_the_table() {
        assert_eq!(Choices::default().answer(SOFTWARE, &question()).name(), "rows1");
        assert_eq!(answer(SOFTWARE, "swiglu bf16 T=1 64→96", "lanes"), "lanes");
    }

    #[test]
    fn a_choice_for_something_else_or_that_the_device_cannot_follow_is_passed_over() {
        assert_eq!(answer(SOFTWARE, "swiglu bf16 T=2 64→96", "lanes"), "rows1");
        for way in ["rows8", "lanes_sub", "no such", ""] {
            assert_eq!(answer(SOFTWARE, "swiglu bf16 T=1 64→96", way), "rows1", "{way}");
        }
        assert_eq!(answer(GPU, "swiglu bf16 T=1 64→96", "rows1"), "lanes");
    }
}
