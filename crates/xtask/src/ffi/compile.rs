//! Compiling the native library, before it is packed.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::sources;
use super::system::{Names, System};
use crate::need;
use crate::process;
use crate::project::Project;

/// The features of crate `ffi` that may be left out, each by `--no-NAME`.
pub(crate) const FEATURES: &[&str] = &["wgpu", "hub", "built-in"];

/// How the library is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    /// As it is shipped.
    Native,
    Dev,
}

/// What is to be compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) profile: Profile,
    pub(crate) features: Vec<&'static str>,
    /// `None`: this machine's.
    pub(crate) target: Option<String>,
    /// What build scripts are told by: the C compiler of another target.
    pub(crate) environment: Vec<(String, OsString)>,
}

/// What the compiler has made.
pub(crate) struct Compiled {
    /// The static library. The shared one is linked from it where that can be.
    pub(crate) fixed: PathBuf,
    /// Where the compiler linked the shared library itself.
    pub(super) shared: Option<PathBuf>,
    /// What a program that has the static library is linked with too, as the linker takes it.
    pub(crate) system_libraries: String,
    /// What links for the target: a C compiler.
    pub(super) linker: OsString,
}

impl Profile {
    /// Cargo's name for it, and for its folder.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Profile::Native => ("native", "native"),
            Profile::Dev => ("dev", "debug"),
        }
    }
}

/// Compiles it; `None` where that fails, which cargo has told.
pub(super) fn compile(project: &Project, wanted: &Wanted, names: &Names) -> Result<Option<Compiled>> {
    let (profile, folder) = wanted.profile.names();
    let folder = match &wanted.target {
        Some(target) => project.target().join(target).join(folder),
        None => project.target().join(folder),
    };
    let system = System::of(&wanted.target_name()?);
    let listed = folder.join("hala-system-libraries.txt");
    let mut command = project.cargo();
    command.args(["rustc", "--package", "hala-ffi", "--lib", "--profile", profile]);
    command.args(["--no-default-features", "--features", &wanted.features.join(",")]);
    // With an rlib among them cargo would leave out the optimisation at link time.
    command.args(["--crate-type", if system == System::Elf { "staticlib" } else { "cdylib,staticlib" }]);
    command.args(wanted.target.iter().flat_map(|target| ["--target", target]));
    if wanted.profile == Profile::Native {
        command.args(["--config", &without_folders(project)?]);
    }
    command.arg("--").arg(format!("--print=native-static-libs={}", listed.display()));
    command.args(link_arguments(system, names, &folder));
    command.envs(wanted.environment.iter().map(|(name, value)| (name, value)));
    if !process::show(&mut command)? {
        return Ok(None);
    }
    let (fixed, shared) = match system {
        System::Elf => ("libhala_ffi.a", None),
        System::Apple => ("libhala_ffi.a", Some("libhala_ffi.dylib")),
        System::Windows => ("hala_ffi.lib", Some("hala.dll")),
    };
    Ok(Some(Compiled {
        fixed: folder.join(fixed),
        shared: shared.map(|name| folder.join(name)),
        system_libraries: read_libraries(&listed)?,
        linker: linker(wanted.target.as_deref()),
    }))
}

/// Cargo's setting by which panics name sources without the folders of this machine. A user's own flags take its place.
fn without_folders(project: &Project) -> Result<String> {
    // Where the standard library's sources are installed, rustc names those by where they lie.
    let std = Path::new(&need::rustc_prints(&["sysroot"])?).join("lib/rustlib/src/rust");
    let folders = sources::folders(project)?.into_iter().chain([project.root.clone(), std]);
    let flags: Vec<_> = folders.map(|folder| format!("--remap-path-prefix={}=", folder.display())).collect();
    Ok(format!("build.rustflags={flags:?}"))
}

/// The linker that cargo is set to for another target, or else this system's C compiler.
fn linker(target: Option<&str>) -> OsString {
    let setting = target
        .map(|target| format!("CARGO_TARGET_{}_LINKER", target.to_uppercase().replace(['-', '.'], "_")));
    setting.and_then(std::env::var_os).unwrap_or_else(|| OsString::from("cc"))
}

impl Wanted {
    /// The target that is compiled for.
    pub(crate) fn target_name(&self) -> Result<String> {
        self.target.clone().map_or_else(super::system::host, Ok)
    }
}

/// What makes the compiler give the shared library its name, where it links it.
fn link_arguments(system: System, names: &Names, folder: &Path) -> Vec<String> {
    match system {
        System::Elf => Vec::new(),
        System::Apple => vec![format!("-Clink-arg=-Wl,-install_name,{}", names.bound)],
        // The name is also in the import library, so that no renaming does.
        System::Windows => [("OUT", Some("hala.dll")), ("IMPLIB", names.import)]
            .into_iter()
            .filter_map(|(option, file)| {
                Some(format!("-Clink-arg=/{option}:{}", folder.join(file?).display()))
            })
            .collect(),
    }
}

/// What `cargo test` has made of the library, in the profile of tests with all features: only Linux and others of its kind name a shared library
/// after it was linked.
pub(super) fn of_tests(project: &Project) -> Result<Compiled> {
    let fixed = project.target().join("debug/deps/libhala_ffi.a");
    ensure!(fixed.is_file(), "{} is not there; `cargo test --package hala-ffi` makes it", fixed.display());
    Ok(Compiled { fixed, shared: None, system_libraries: of_std(&project.target())?, linker: linker(None) })
}

/// What the standard library needs of this system, which is all that Hala needs on Linux: it finds drivers while it runs.
fn of_std(folder: &Path) -> Result<String> {
    let folder = folder.join("tmp");
    let (source, listed) = (folder.join("nothing.rs"), folder.join("nothing-needs.txt"));
    std::fs::create_dir_all(&folder)
        .and_then(|()| std::fs::write(&source, "//! Nothing.\n"))
        .with_context(|| format!("{} cannot be written", source.display()))?;
    let mut rustc = Command::new("rustc");
    rustc.args(["--crate-type", "staticlib", "--out-dir"]).arg(&folder).arg(&source);
    rustc.arg(format!("--print=native-static-libs={}", listed.display()));
    let done = process::read(&mut rustc)?;
    ensure!(done.success, "rustc does not tell what a static library needs: {}", done.output.trim());
    read_libraries(&listed)
}

fn read_libraries(listed: &Path) -> Result<String> {
    let libraries = std::fs::read_to_string(listed)
        .with_context(|| format!("{} was not written by rustc", listed.display()))?;
    Ok(libraries.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest;

    #[test]
    fn every_feature_of_the_library_can_be_left_out() {
        let root = Project::find().unwrap().root;
        let text = std::fs::read_to_string(root.join("crates/ffi/Cargo.toml")).unwrap();
        let features = manifest::features(&text);
        let default = features.iter().find(|features| features.name == "default").unwrap();
        assert_eq!(default.turns_on, FEATURES);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_compiler_tells_what_its_library_needs() {
        let needed =
            of_std(&std::env::temp_dir().join(format!("hala-needs-{}", std::process::id()))).unwrap();
        assert!(needed.split(' ').any(|library| library == "-lc"), "{needed}");
    }
}
