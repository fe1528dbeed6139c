//! Linking the library for Android from the static one: its name, what it exports, and how it lies in memory.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::abi::Abi;
use super::api::Api;
use super::stubs;
use super::toolchain::{self, Toolchain};
use crate::ffi::compile::Compiled;
use crate::process;

/// The file, which is also the name that programs look for.
pub(super) const LIBRARY: &str = "libhala.so";

/// What programs and Java may call, as linkers write patterns; all other names are the library's own.
pub(super) const EXPORTED: &[&str] = &["hala_*", "Java_org_hala_*", "JNI_OnLoad"];

/// Bytes of a page: phones have had them since Android 15, and smaller ones take them too.
pub(super) const PAGE: u64 = 16_384;

/// What links one library.
pub(super) struct Link<'a> {
    pub(super) toolchain: &'a Toolchain,
    pub(super) api: &'a Api,
    pub(super) abi: &'a Abi,
    pub(super) compiled: &'a Compiled,
    /// For stubs and a list of what is exported.
    pub(super) scratch: &'a Path,
}

impl Link<'_> {
    /// Links `to`; false where that fails, which has been told.
    pub(super) fn link(&self, to: &Path) -> Result<bool> {
        for folder in [Some(self.scratch), to.parent()].into_iter().flatten() {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("{} cannot be made", folder.display()))?;
        }
        let exports = self.scratch.join("exports.map");
        let names: Vec<_> = EXPORTED.iter().map(|name| format!("{name};")).collect();
        std::fs::write(&exports, format!("{{ global: {} local: *; }};\n", names.join(" ")))
            .with_context(|| format!("{} cannot be written", exports.display()))?;
        let arguments = arguments(&self.compiled.fixed, &exports);
        let mut command = match self.toolchain {
            Toolchain::Ndk(folder) => {
                let clang = toolchain::clang(folder, self.abi, self.api.level);
                with_ndk(&clang, arguments, &self.compiled.system_libraries)
            }
            Toolchain::Stubs(linker) => {
                let Some(stubs) = stubs::make(self.api, self.abi, self.scratch)? else { return Ok(false) };
                with_stubs(linker, self.abi, arguments, stubs)
            }
        };
        process::show(command.arg("-o").arg(to))
    }
}

/// An NDK's compiler, which hands on what is for the linker and knows the rest.
fn with_ndk(clang: &Path, arguments: Vec<OsString>, system_libraries: &str) -> Command {
    let mut command = Command::new(clang);
    command.arg("-shared").args(arguments.into_iter().flat_map(|word| ["-Xlinker".into(), word]));
    command.args(system_libraries.split(' '));
    command
}

/// The linker alone, told what an NDK's compiler would tell it.
fn with_stubs(linker: &Path, abi: &Abi, arguments: Vec<OsString>, stubs: Vec<PathBuf>) -> Command {
    let mut command = Command::new(linker);
    command.args(["-flavor", "gnu", "-m", abi.emulation, "-shared", "--hash-style=gnu", "--eh-frame-hdr"]);
    command.args(["--build-id=sha1", "--as-needed"]).args(arguments).args(stubs);
    command
}

/// The words for a linker, whoever calls it.
fn arguments(library: &Path, exports: &Path) -> Vec<OsString> {
    let mut words: Vec<OsString> = ["-soname", LIBRARY, "-z"].map(OsString::from).into();
    words.push(format!("max-page-size={PAGE}").into());
    let mut script = OsString::from("--version-script=");
    script.push(exports);
    words.push(script);
    // Everything, so that the names that are exported are there, and then without what none of them uses.
    words.extend([
        "--whole-archive".into(),
        library.into(),
        "--no-whole-archive".into(),
        "--gc-sections".into(),
    ]);
    // Addresses are filled in while it is loaded and read-only afterwards, and no symbol is left to chance.
    words.extend(
        ["-z", "relro", "-z", "now", "-z", "noexecstack", "-z", "defs", "--strip-all"].map(OsString::from),
    );
    words
}

#[cfg(test)]
mod tests {
    use super::super::abi;
    use super::*;

    fn has(command: &Command, words: &[&str]) -> bool {
        command.get_args().collect::<Vec<_>>().windows(words.len()).any(|part| part == words)
    }

    #[test]
    fn either_linker_is_told_of_the_name_and_of_large_pages() {
        let arguments = || arguments(Path::new("a.a"), Path::new("exports.map"));
        let abi = abi::named("arm64-v8a").unwrap();
        let stubs = with_stubs(Path::new("rust-lld"), abi, arguments(), vec![PathBuf::from("libc.so")]);
        for words in [["-m", "aarch64linux"], ["-soname", "libhala.so"], ["-z", "max-page-size=16384"]] {
            assert!(has(&stubs, &words), "{stubs:?}");
        }
        assert!(has(&stubs, &["libc.so"]) && has(&stubs, &["--whole-archive", "a.a"]));
        let ndk = with_ndk(Path::new("clang"), arguments(), "-ldl -lunwind");
        assert!(has(&ndk, &["-Xlinker", "-soname", "-Xlinker", "libhala.so"]), "{ndk:?}");
        assert!(has(&ndk, &["-Xlinker", "-z", "-Xlinker", "max-page-size=16384"]), "{ndk:?}");
        assert!(has(&ndk, &["-ldl", "-lunwind"]) && !has(&ndk, &["--eh-frame-hdr"]));
    }
}
