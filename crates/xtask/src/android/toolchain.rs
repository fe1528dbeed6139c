//! What compiles C and links for Android: an NDK, or without one this machine's compilers and the linker of Rust.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::abi::Abi;
use crate::need::{self, Install};
use crate::needs;
use crate::verdict::{Verdict, ready};

/// The variables that name an NDK, as other tools read them.
const NDK: &[&str] = &["ANDROID_NDK_HOME", "ANDROID_NDK_ROOT"];

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Toolchain {
    /// The folder of an NDK's programs.
    Ndk(PathBuf),
    /// Rust's linker, for what is then linked against stubs.
    Stubs(PathBuf),
}

/// Whether an NDK may be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    WhatIsThere,
    WithoutNdk,
}

impl Toolchain {
    /// The NDK that a variable names, or else what links without one.
    pub(super) fn find(choice: Choice, install: Install) -> Result<Result<Self, Verdict>> {
        let folders = NDK.iter().filter_map(std::env::var_os).map(PathBuf::from);
        match folders.into_iter().next() {
            Some(folder) if choice == Choice::WhatIsThere => Ok(of_ndk(&folder)),
            _ => without_ndk(install),
        }
    }

    /// Features of crate `ffi` that the library needs with it.
    pub(super) fn features(&self) -> &'static [&'static str] {
        match self {
            // It has a library for unwinding.
            Toolchain::Ndk(_) => &[],
            Toolchain::Stubs(_) => &["unwinder"],
        }
    }

    /// What tells build scripts which C compiler there is.
    pub(super) fn environment(&self, abi: &Abi, level: u32) -> Vec<(String, OsString)> {
        let setting =
            |name: &str, value: OsString| (format!("{name}_{}", abi.target.replace('-', "_")), value);
        match self {
            Toolchain::Ndk(folder) => vec![
                setting("CC", clang(folder, abi, level).into()),
                setting("AR", folder.join("llvm-ar").into()),
            ],
            Toolchain::Stubs(_) => vec![
                setting("CC", abi.compiler.into()),
                setting("AR", abi.compiler.replace("gcc", "gcc-ar").into()),
                // Without the headers of this machine's system, which ring has a setting for.
                setting(
                    "CFLAGS",
                    format!("-ffreestanding -DRING_CORE_NOSTDLIBINC=1 {}", abi.compiler_flags).into(),
                ),
            ],
        }
    }
}

/// An NDK's C compiler, which knows the linker and what must be linked.
pub(super) fn clang(folder: &Path, abi: &Abi, level: u32) -> PathBuf {
    let ending = if cfg!(windows) { ".cmd" } else { "" };
    folder.join(format!("{}{level}-clang{ending}", abi.target))
}

fn of_ndk(folder: &Path) -> Result<Toolchain, Verdict> {
    let hosts = std::fs::read_dir(folder.join("toolchains/llvm/prebuilt")).into_iter().flatten().flatten();
    let programs = hosts.map(|host| host.path().join("bin")).find(|programs| programs.is_dir());
    programs.map(Toolchain::Ndk).ok_or_else(|| Verdict::Skipped {
        why: format!("{} is no NDK: toolchains/llvm/prebuilt/*/bin is not in it", folder.display()),
        remedy: format!("{}=FOLDER, with NDK 28 or later, or without that variable", NDK[0]),
    })
}

fn without_ndk(install: Install) -> Result<Result<Toolchain, Verdict>> {
    if let Err(skipped) = ready(&needs::ANDROID_COMPILERS, install) {
        return Ok(Err(skipped));
    }
    let rust = PathBuf::from(need::rustc_prints(&["sysroot"])?).join("lib/rustlib");
    let linker = rust.join(need::rustc_prints(&["host-tuple"])?).join("bin/rust-lld");
    Ok(if linker.is_file() {
        Ok(Toolchain::Stubs(linker))
    } else {
        Err(Verdict::Skipped {
            why: format!("{} is not there, which links without an NDK", linker.display()),
            remedy: String::from("a toolchain of rustup, or ANDROID_NDK_HOME=FOLDER with an NDK"),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::super::abi;
    use super::*;

    #[test]
    fn an_ndk_is_known_by_its_programs() {
        let folder = std::env::temp_dir().join(format!("hala-ndk-{}", std::process::id()));
        let programs = folder.join("toolchains/llvm/prebuilt/linux-x86_64/bin");
        let Err(Verdict::Skipped { why, .. }) = of_ndk(&folder) else { panic!("there is no such folder") };
        assert!(why.contains("is no NDK"), "{why}");
        std::fs::create_dir_all(&programs).unwrap();
        let found = of_ndk(&folder).unwrap();
        assert_eq!(found, Toolchain::Ndk(programs.clone()));
        let environment = found.environment(abi::named("arm64-v8a").unwrap(), 26);
        assert_eq!(environment[0].0, "CC_aarch64_linux_android");
        let compiler = environment[0].1.to_str().unwrap();
        assert!(compiler.contains("aarch64-linux-android26-clang"), "{compiler}");
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_has_no_library_for_unwinding_gets_one() {
        assert_eq!(Toolchain::Stubs(PathBuf::new()).features(), ["unwinder"]);
        assert!(Toolchain::Ndk(PathBuf::new()).features().is_empty());
    }
}
