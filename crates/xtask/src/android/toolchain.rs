//! What compiles C and links for Android: an NDK, or without one this machine's compilers and the linker of Rust.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::abi::Abi;
use crate::need::{self, Install};
use crate::needs;
use crate::verdict::{Verdict, ready};

/// The variables that name an NDK, and those that name what NDKs are installed into, as other tools read them.
const NDK: &[&str] = &["ANDROID_NDK_HOME", "ANDROID_NDK_ROOT"];
const SDK: &[&str] = &["ANDROID_HOME", "ANDROID_SDK_ROOT"];

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Toolchain {
    /// The folder of an NDK's programs.
    Ndk(PathBuf),
    /// Rust's linker, for what is then linked against stubs.
    Stubs(PathBuf),
}

const REMEDY: &str = "sdkmanager 'ndk;28.2.13676358', and ANDROID_HOME=SDK or ANDROID_NDK_HOME=FOLDER";

/// Whether an NDK may be taken, or must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    WhatIsThere,
    WithNdk,
    WithoutNdk,
}

impl Toolchain {
    /// The NDK that is installed, or else what links without one.
    pub(super) fn find(choice: Choice, install: Install) -> Result<Result<Self, Verdict>> {
        let variable = |name: &&str| std::env::var_os(name).map(PathBuf::from);
        let named = NDK.iter().find_map(variable);
        let installed = || SDK.iter().filter_map(variable).find_map(|sdk| newest(&sdk.join("ndk")));
        match (choice, named.or_else(installed)) {
            (Choice::WithoutNdk, _) | (Choice::WhatIsThere, None) => without_ndk(install),
            (_, Some(folder)) => Ok(of_ndk(&folder)),
            (Choice::WithNdk, None) => Ok(Err(Verdict::Skipped {
                why: format!("no NDK is named by {} or installed in {}", NDK.join(", "), SDK.join(", ")),
                remedy: String::from(REMEDY),
            })),
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

/// The newest of the NDKs in a folder, each in one of its version.
fn newest(folder: &Path) -> Option<PathBuf> {
    let versions = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let numbers = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.split('.').map(|part| part.parse::<u64>().unwrap_or(0)).collect::<Vec<_>>()
    };
    versions.map(|version| version.path()).max_by_key(numbers)
}

fn of_ndk(folder: &Path) -> Result<Toolchain, Verdict> {
    let hosts = std::fs::read_dir(folder.join("toolchains/llvm/prebuilt")).into_iter().flatten().flatten();
    let programs = hosts.map(|host| host.path().join("bin")).find(|programs| programs.is_dir());
    programs.map(Toolchain::Ndk).ok_or_else(|| Verdict::Skipped {
        why: format!("{} is no NDK: toolchains/llvm/prebuilt/*/bin is not in it", folder.display()),
        remedy: String::from(REMEDY),
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
    fn the_newest_ndk_is_taken_by_its_numbers() {
        let folder = std::env::temp_dir().join(format!("hala-ndks-{}", std::process::id()));
        assert_eq!(newest(&folder), None);
        for version in ["9.0.1", "28.2.13676358", "28.10.1"] {
            std::fs::create_dir_all(folder.join(version)).unwrap();
        }
        assert_eq!(newest(&folder), Some(folder.join("28.10.1")));
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_has_no_library_for_unwinding_gets_one() {
        assert_eq!(Toolchain::Stubs(PathBuf::new()).features(), ["unwinder"]);
        assert!(Toolchain::Ndk(PathBuf::new()).features().is_empty());
    }
}
