//! What a device can run, and which kernels suit it.

use wgpu::DeviceType;

/// Which kernels a device gets where there is a choice, and the memory that they want.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// Lanes that load together, workgroup memory, barriers.
    Gpu,
    /// As [`Preset::Gpu`], with nothing but what every WebGPU device offers.
    Portable,
    /// Threads that go their own way, activations in uniform windows, weights as words of 64 bits.
    Software,
}

impl Preset {
    /// What a device runs fastest. Mesa's software device has words of 64 bits; Chromium's has not, and would take a minute to
    /// compile a kernel of the other preset.
    pub(crate) fn of(kind: DeviceType, has_int64: bool) -> Self {
        if kind == DeviceType::Cpu && has_int64 { Self::Software } else { Self::Gpu }
    }

    /// The preset in a word.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gpu => "gpu",
            Self::Portable => "portable",
            Self::Software => "software",
        }
    }
}

/// What of a device decides which kernels it can run, and likes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Abilities {
    /// Which kernels it gets.
    pub(crate) preset: Preset,
    /// Whether kernels may let lanes that run together add up by themselves.
    pub(crate) has_subgroups: bool,
}
