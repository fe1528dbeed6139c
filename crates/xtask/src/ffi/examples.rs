//! The examples, built as a stranger would: by CMake and by pkg-config, against a packed library that was moved; and run.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::process;
use crate::project::Project;
use crate::verdict::Verdict;

const FOLDER: &str = "crates/ffi/examples";

/// The example that is built in every way, and what it is to translate.
const EXAMPLE: &str = "translate";
const SOURCE: &str = "صباح الخير.";
const TRANSLATION: &str = "Good morning.";

/// Where things are while the examples are built.
struct Site<'a> {
    project: &'a Project,
    /// What the tests may fill.
    folder: &'a Path,
    packed: &'a Path,
}

type Step<'a> = (&'static str, fn(&Site<'a>) -> Result<()>);

/// Removes what an earlier run has left.
pub(super) fn start_anew(folder: &Path) -> Result<()> {
    if folder.exists() {
        remove(folder)?;
    }
    std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))
}

fn remove(folder: &Path) -> Result<()> {
    std::fs::remove_dir_all(folder).with_context(|| format!("{} cannot be removed", folder.display()))
}

/// Builds the examples against the packed library and runs them, with everything else in `folder`.
pub(super) fn verdict(project: &Project, folder: &Path, packed: &Path) -> Result<Verdict> {
    let moved = folder.join("moved");
    std::fs::rename(packed, &moved).with_context(|| format!("{} cannot be moved", packed.display()))?;
    let site = Site { project, folder, packed: &moved };
    let steps: [Step<'_>; 4] = [
        ("CMake, the shared library", Site::by_cmake),
        ("CMake, the static library", Site::by_cmake_static),
        ("CMake's choice of versions", Site::versions),
        ("pkg-config", Site::by_pkg_config),
    ];
    for (name, step) in steps {
        println!("ffi: {name}");
        if let Err(error) = step(&site) {
            return Ok(Verdict::Failed(format!("{name}: {error:#}")));
        }
    }
    // Libraries for tests are large.
    remove(folder)?;
    Ok(Verdict::Passed(String::from("it is found by CMake and pkg-config, and its examples run")))
}

impl Site<'_> {
    fn examples(&self) -> PathBuf {
        self.project.root.join(FOLDER)
    }

    /// All examples, each of which becomes a program.
    fn by_cmake(&self) -> Result<()> {
        let build = self.configure("shared", "OFF")?;
        succeed(Command::new("cmake").arg("--build").arg(&build).args(["--parallel", "2"]))?;
        for language in ["c", "cpp"] {
            translates(&mut Command::new(build.join(format!("{EXAMPLE}_{language}"))))?;
        }
        Ok(())
    }

    fn by_cmake_static(&self) -> Result<()> {
        let build = self.configure("static", "ON")?;
        let program = format!("{EXAMPLE}_c");
        succeed(Command::new("cmake").arg("--build").arg(&build).args(["--target", &program]))?;
        let needed = succeed(Command::new("readelf").arg("-d").arg(build.join(&program)))?;
        ensure!(!needed.contains("libhala"), "{program} looks for the shared library: {needed}");
        translates(&mut Command::new(build.join(&program)))
    }

    /// A build folder of that name.
    fn configure(&self, name: &str, is_static: &str) -> Result<PathBuf> {
        let build = self.folder.join(name);
        let mut cmake = Command::new("cmake");
        cmake.arg("-S").arg(self.examples()).arg("-B").arg(&build);
        cmake.arg(setting("CMAKE_PREFIX_PATH", self.packed)).arg(setting("HALA_EXAMPLES_STATIC", is_static));
        succeed(&mut cmake)?;
        Ok(build)
    }

    /// A version is found by who asks for it, for an older patch or for none, and by nobody else.
    fn versions(&self) -> Result<()> {
        let script = self.folder.join("version.cmake");
        let version = self.packed.join("lib/cmake/hala/halaConfigVersion.cmake");
        let text = format!(
            "include(\"{}\")\nmessage(\"found ${{PACKAGE_VERSION_COMPATIBLE}}\")\n",
            version.display()
        );
        std::fs::write(&script, text).with_context(|| format!("{} cannot be written", script.display()))?;
        for (wanted, found) in [
            ("", "TRUE"),
            ("0.1", "TRUE"),
            ("0.1.0", "TRUE"),
            ("0.1.9", "FALSE"),
            ("0.2", "FALSE"),
            ("1.0", "FALSE"),
        ] {
            let mut cmake = Command::new("cmake");
            cmake.arg(setting("PACKAGE_FIND_VERSION", wanted)).arg("-P").arg(&script);
            let said = succeed(&mut cmake)?;
            ensure!(
                said.contains(&format!("found {found}")),
                "asked for `{wanted}`, CMake says {}",
                said.trim()
            );
        }
        Ok(())
    }

    fn by_pkg_config(&self) -> Result<()> {
        let mut pkg_config = Command::new("pkg-config");
        pkg_config.env("PKG_CONFIG_PATH", self.packed.join("lib/pkgconfig"));
        let flags = succeed(pkg_config.args(["--cflags", "--libs", "hala"]))?;
        let program = self.folder.join("by-pkg-config");
        let mut cc = Command::new("cc");
        cc.arg(self.examples().join(format!("{EXAMPLE}.c"))).arg("-o").arg(&program);
        succeed(cc.args(flags.split_whitespace()))?;
        translates(Command::new(&program).env("LD_LIBRARY_PATH", self.packed.join("lib")))
    }
}

/// Runs a program that translates its argument.
fn translates(program: &mut Command) -> Result<()> {
    let said = succeed(program.arg(SOURCE))?;
    ensure!(said.contains(TRANSLATION), "{} translates to {}", shown(program), said.trim());
    Ok(())
}

/// Runs a command silently; what it says.
fn succeed(command: &mut Command) -> Result<String> {
    let done = process::read(command)?;
    ensure!(done.success, "{} failed:\n{}", shown(command), done.output.trim());
    Ok(done.output)
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

/// A variable of CMake's.
fn setting(name: &str, value: impl AsRef<OsStr>) -> std::ffi::OsString {
    let mut setting = std::ffi::OsString::from(format!("-D{name}="));
    setting.push(value);
    setting
}
