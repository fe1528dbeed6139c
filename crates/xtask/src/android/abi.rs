//! The kinds of phones that the library is built for, as Android, Rust, linkers and compilers name them.

use crate::need::Need;
use crate::needs;

/// An application binary interface of Android.
pub(super) struct Abi {
    /// Android's name, which is that of the folder in the package.
    pub(super) name: &'static str,
    /// Rust's.
    pub(super) target: &'static str,
    /// Rust's standard library for it.
    pub(super) library: &'static Need,
    /// A linker's name of the files.
    pub(super) emulation: &'static str,
    /// What readelf says that they are for.
    pub(super) machine: &'static str,
    /// Debian's C compiler for the processor.
    pub(super) compiler: &'static str,
    /// What that has to be told for Android.
    pub(super) compiler_flags: &'static str,
}

/// Phones of the last ten years, and the emulator on a PC.
pub(super) const ALL: &[Abi] = &[
    Abi {
        name: "arm64-v8a",
        target: needs::ANDROID_ARM_TARGET,
        library: &needs::ANDROID_ARM,
        emulation: "aarch64linux",
        machine: "AArch64",
        compiler: "aarch64-linux-gnu-gcc",
        // Android keeps a second stack of return addresses in this register.
        compiler_flags: "-ffixed-x18",
    },
    Abi {
        name: "x86_64",
        target: needs::ANDROID_X86_TARGET,
        library: &needs::ANDROID_X86,
        emulation: "elf_x86_64",
        machine: "Advanced Micro Devices X86-64",
        compiler: "x86_64-linux-gnu-gcc",
        compiler_flags: "",
    },
];

/// The one of Android's name.
pub(super) fn named(name: &str) -> Option<&'static Abi> {
    ALL.iter().find(|abi| abi.name == name)
}
