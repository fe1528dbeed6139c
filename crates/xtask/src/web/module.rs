//! The WebAssembly modules that the package ships: how each is compiled, and its JavaScript side written.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::threads_target;
use crate::need::{Fix, Way, rustc_prints};
use crate::needs::WASM_TARGET;
use crate::process;
use crate::project::Project;
use crate::record::Record;
use crate::wasm;

/// Where the modules and their JavaScript sides go, each into a folder of its name.
const FOLDER: &str = "web/package/wasm";

/// The step that writes JavaScript sides, in a word or two.
pub(super) const BINDING: &str = "the modules' JavaScript sides";

/// A module that the package ships.
pub(super) struct Module {
    /// Its file, without the ending.
    pub(super) name: &'static str,
    /// In a sentence.
    pub(super) what: &'static str,
    cargo: &'static [&'static str],
    flags: &'static str,
    memory: Memory,
}

/// The standard library is compiled along with each module, by its own choice of small code over fast: sorts above all, of which a module has
/// some sixty, nearly all of short lists, each of several thousand bytes where it is made for long ones.
const SMALL_LIBRARY: [&str; 2] = ["-Z", "build-std-features=optimize_for_size"];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Memory {
    /// One worker's.
    Own,
    /// Of several workers, which the standard library that is shipped for wasm32 does not know.
    Shared,
}

/// Every browser of the last years has 128-bit vectors, and the compiler makes them of loops over rows.
pub(super) const ONE_THREAD: Module = Module {
    name: "hala_wasm",
    what: "the module for one thread or a GPU",
    cargo: &[],
    flags: "-C target-feature=+simd128",
    memory: Memory::Own,
};

/// Memory that workers share is imported, has a largest size, and is set up once for all and once for each thread.
pub(super) const THREADS: Module = Module {
    name: "hala_wasm_threads",
    what: "the module for several threads",
    cargo: &["--no-default-features"],
    flags: "-C target-feature=+simd128 \
        -C link-arg=--shared-memory -C link-arg=--import-memory -C link-arg=--max-memory=4294967296 \
        -C link-arg=--export=__heap_base -C link-arg=--export=__wasm_init_tls -C link-arg=--export=__tls_size \
        -C link-arg=--export=__tls_align -C link-arg=--export=__tls_base",
    memory: Memory::Shared,
};

/// What compiles a module, and where it then is.
pub(super) struct Compilation {
    pub(super) module: &'static Module,
    pub(super) command: Command,
    pub(super) compiled: PathBuf,
}

impl Module {
    /// How it is compiled, with the source of the standard library that was found.
    pub(super) fn compilation(&'static self, project: &Project, way: &Way) -> Result<Compilation> {
        let is_debian = matches!(way.fix, Fix::Debian(_));
        // Artefacts of two compilers must not evict each other.
        let folder = if is_debian { project.target().join("wasm") } else { project.target() };
        let mut command = project.cargo();
        command.args(["build", "--package", "hala-wasm", "--profile", "web"]).args(self.cargo);
        wasm::from_source(way, &folder, &mut command);
        command.args(SMALL_LIBRARY);
        let target = match self.memory {
            Memory::Own => {
                command.args(["--target", WASM_TARGET]);
                WASM_TARGET
            }
            Memory::Shared => {
                let rustc = if is_debian { wasm::debian_rustc() } else { Command::new("rustc") };
                command.arg("--target").arg(threads_target::write(rustc, &folder)?).args(json_flag(project)?);
                threads_target::NAME
            }
        };
        command.env(setting(target, "RUSTFLAGS"), self.flags);
        // A user's own flags would take the place of these.
        command.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
        if is_debian {
            with_rustup_linker(target, &mut command)?;
        }
        let compiled = folder.join(target).join("web/hala_wasm.wasm");
        Ok(Compilation { module: self, command, compiled })
    }

    /// Writes its JavaScript side, where that is not there yet, by a program that is not optimised: it runs for a second, and its build would
    /// take minutes. False where that fails.
    pub(super) fn bind(&self, project: &Project, compiled: &Path) -> Result<bool> {
        let folder = project.root.join(FOLDER).join(self.name);
        // The lock file has the program's version.
        let sources = [
            compiled.to_owned(),
            project.root.join("Cargo.lock"),
            project.root.join("crates/xtask/src/bin/bindgen.rs"),
        ];
        let record = Record::new(folder.join(".made-from"), &sources)?;
        let is_there = |ending| folder.join(format!("{}{ending}", self.name)).is_file();
        if record.holds() && ["_bg.wasm", ".js", ".d.ts"].into_iter().all(is_there) {
            return Ok(true);
        }
        println!("web: writing its JavaScript side to {FOLDER}/{}", self.name);
        remove(&folder)?;
        let mut command = bindgen(project, "run");
        command.args(["--quiet", "--"]).arg(compiled).arg(&folder).arg(self.name);
        if !process::show(&mut command)? {
            return Ok(false);
        }
        record.write()?;
        Ok(true)
    }
}

/// What builds the program that writes JavaScript sides.
pub(super) fn building_bindgen(project: &Project) -> Command {
    bindgen(project, "build")
}

fn bindgen(project: &Project, task: &str) -> Command {
    let mut command = project.cargo();
    command.args([task, "--profile", "tool", "--package", "hala-xtask", "--features", "bindgen"]);
    command.args(["--bin", "bindgen"]);
    command
}

/// Removes what an earlier build has left of modules that this one does not have.
pub(super) fn leave_only(root: &Path, modules: &[&Module]) -> Result<()> {
    let folder = root.join(FOLDER);
    for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
        if modules.iter().all(|module| entry.file_name() != module.name) {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

fn remove(path: &Path) -> Result<()> {
    let removed = if path.is_dir() {
        std::fs::remove_dir_all(path)
    } else if path.exists() {
        std::fs::remove_file(path)
    } else {
        return Ok(());
    };
    removed.with_context(|| format!("{} cannot be removed", path.display()))
}

/// The switch for targets from files, which cargo has had since it would not take them without.
fn json_flag(project: &Project) -> Result<&'static [&'static str]> {
    let known = process::read(project.cargo().args(["-Z", "help"]))?;
    Ok(if known.output.contains("json-target-spec") { &["-Z", "json-target-spec"] } else { &[] })
}

/// Debian's compiler comes without a linker for wasm32; the rustup toolchain's does, and needs its own libraries.
fn with_rustup_linker(target: &str, command: &mut Command) -> Result<()> {
    let sysroot = PathBuf::from(rustc_prints(&["sysroot"])?);
    let host = rustc_prints(&["host-tuple"])?;
    let linker = sysroot.join("lib/rustlib").join(host).join("bin/rust-lld");
    command.env(setting(target, "LINKER"), linker);
    command.env("LD_LIBRARY_PATH", sysroot.join("lib"));
    Ok(())
}

/// The variable that is cargo's setting for a target.
fn setting(target: &str, name: &str) -> String {
    format!("CARGO_TARGET_{}_{name}", target.to_uppercase().replace('-', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_named_as_cargo_reads_it() {
        assert_eq!(setting(WASM_TARGET, "LINKER"), "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER");
        assert_eq!(setting(threads_target::NAME, "RUSTFLAGS"), "CARGO_TARGET_WASM32_HALA_THREADS_RUSTFLAGS");
    }

    #[test]
    fn a_build_for_one_thread_leaves_nothing_of_the_other_module() {
        let root = std::env::temp_dir().join(format!("hala-modules-{}", std::process::id()));
        let folder = root.join(FOLDER);
        for module in [&ONE_THREAD, &THREADS] {
            std::fs::create_dir_all(folder.join(module.name)).unwrap();
            std::fs::write(folder.join(module.name).join("module.wasm"), "").unwrap();
        }
        std::fs::write(folder.join("hala_wasm_threads_bg.wasm"), "").unwrap();
        leave_only(&root, &[&ONE_THREAD]).unwrap();
        let left: Vec<_> =
            std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, [ONE_THREAD.name]);
        assert!(folder.join(ONE_THREAD.name).join("module.wasm").is_file());
        std::fs::remove_dir_all(&root).unwrap();
        leave_only(&root, &[&ONE_THREAD]).unwrap();
    }
}
