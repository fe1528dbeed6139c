//! Something that the tests need beyond cargo: how to see that it is there, and how to get it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};

use crate::process;

/// A sign that something is installed.
pub(crate) enum Probe {
    /// A program of this name on PATH, or at this path.
    Program(&'static str),
    /// A program of this name in the folder that this environment variable names, or else on PATH.
    ProgramOf(&'static str, &'static str),
    File(&'static str),
    /// A file with this ending in the folder.
    AnyFile(&'static str, &'static str),
    /// Another system than Linux, whose graphics interface is part of it.
    NotLinux,
    /// A standard library for this target beside the active compiler.
    RustTarget(&'static str),
    /// The standard library's source beside the active compiler.
    RustSource,
    /// A Python that is new enough for the native library's package, with what makes environments.
    Python,
}

/// How a missing thing is got.
pub(crate) enum Fix {
    RustupTarget(&'static str),
    RustupComponent(&'static str),
    Debian(&'static [&'static str]),
    /// By hand alone, as these words say.
    ByHand(&'static str),
}

/// One way to have a need met: all probes hold, or the fix makes them hold.
pub(crate) struct Way {
    pub(crate) probes: &'static [Probe],
    pub(crate) fix: Fix,
}

/// Something that tests need beyond cargo. Any one way will do; earlier ones are preferred.
pub(crate) struct Need {
    pub(crate) name: &'static str,
    /// Ends the sentence "needed …".
    pub(crate) why: &'static str,
    /// What is not tested without it.
    pub(crate) skipped: &'static str,
    pub(crate) ways: &'static [Way],
}

/// Whether a missing thing may be installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Install {
    Allowed,
    Forbidden,
}

/// What came of looking for a need.
pub(crate) enum State {
    Ready(&'static Way),
    /// Why it is missing, and the command that would get it.
    Missing {
        why: String,
        remedy: String,
    },
}

/// Finds `need`, or installs it where that is possible and allowed.
pub(crate) fn ensure(need: &Need, install: Install) -> State {
    if let Some(way) = need.ways.iter().find(|way| way.is_there()) {
        return State::Ready(way);
    }
    let mut reasons = Vec::new();
    for way in need.ways {
        if install == Install::Forbidden {
            reasons.push(String::from("not installed, and --no-install was given"));
            break;
        }
        match way.fix.apply() {
            Ok(()) if way.is_there() => return State::Ready(way),
            Ok(()) => reasons.push(format!("`{}` ran, but it is still not found", way.fix.by_hand())),
            Err(reason) => reasons.push(reason),
        }
    }
    let remedy = need.ways.iter().map(|way| way.fix.by_hand()).collect::<Vec<_>>().join("   or   ");
    State::Missing { why: reasons.join("; "), remedy }
}

impl Way {
    fn is_there(&self) -> bool {
        self.probes.iter().all(Probe::holds)
    }
}

impl Probe {
    fn holds(&self) -> bool {
        match self {
            Probe::Program(name) => program(name).is_some(),
            Probe::ProgramOf(name, variable) => program_of(name, variable).is_some(),
            Probe::File(path) => Path::new(path).is_file(),
            Probe::AnyFile(folder, ending) => has_file(folder, ending),
            Probe::NotLinux => !cfg!(target_os = "linux"),
            Probe::RustTarget(target) => has_rust_target(target),
            Probe::RustSource => has_rust_source(),
            Probe::Python => has_python(),
        }
    }
}

impl Fix {
    /// The command for a user to run.
    fn by_hand(&self) -> String {
        match self {
            Fix::RustupTarget(target) => format!("rustup target add {target}"),
            Fix::RustupComponent(component) => format!("rustup component add {component}"),
            Fix::Debian(packages) => {
                format!("sudo apt-get install --no-install-recommends {}", packages.join(" "))
            }
            Fix::ByHand(words) => (*words).to_owned(),
        }
    }

    /// Installs, or says why it did not.
    fn apply(&self) -> Result<(), String> {
        match self {
            Fix::ByHand(_) => Err(String::from("it is installed by hand")),
            Fix::RustupTarget(name) => rustup(["target", "add", name]),
            Fix::RustupComponent(name) => rustup(["component", "add", name]),
            Fix::Debian(packages) => {
                let apt = program("apt-get").ok_or("apt-get is not installed")?;
                if !is_root() {
                    return Err(format!("Debian's {} cannot be installed without root", packages.join(" ")));
                }
                println!("set-up: apt-get install {}", packages.join(" "));
                // An update that fails still leaves the lists of an earlier one to install from.
                let _ = attempt(apt_get(&apt).arg("update"));
                // No removals: a user's own compiler is never traded for ours.
                let options = ["install", "-y", "--no-install-recommends", "--no-remove"];
                attempt(apt_get(&apt).args(options).args(*packages))
            }
        }
    }
}

fn rustup(words: [&str; 3]) -> Result<(), String> {
    let rustup = program("rustup").ok_or("rustup is not installed")?;
    println!("set-up: rustup {}", words.join(" "));
    attempt(Command::new(rustup).args(words))
}

fn apt_get(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command.args(["-q", "-o", "Acquire::Retries=2", "-o", "Acquire::http::Timeout=30"]);
    command.args(["-o", "DPkg::Lock::Timeout=120"]);
    command
}

/// Runs silently; the error is the program's last error message.
fn attempt(command: &mut Command) -> Result<(), String> {
    let done = process::read(command).map_err(|error| format!("{error:#}"))?;
    if done.success {
        return Ok(());
    }
    let program = Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy();
    let lines: Vec<_> = done.output.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let is_error = |line: &&&str| line.starts_with("error") || line.starts_with("E: ");
    let said = lines.iter().rfind(is_error).or(lines.last()).unwrap_or(&"no message");
    Err(format!("{program} failed: {said}"))
}

/// The program of this name in the folder that `variable` names, or else on PATH.
pub(crate) fn program_of(name: &str, variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).map_or_else(|| program(name), |folder| program_in(name, &folder))
}

fn program(name: &str) -> Option<PathBuf> {
    program_in(name, &std::env::var_os("PATH").unwrap_or_default())
}

/// The program of this name in the first of these folders that has one.
fn program_in(name: &str, folders: &OsStr) -> Option<PathBuf> {
    let suffix = std::env::consts::EXE_SUFFIX;
    std::env::split_paths(folders)
        .map(|folder| folder.join(format!("{name}{suffix}")))
        .find(|file| file.is_file())
}

fn has_file(folder: &str, ending: &str) -> bool {
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    files.into_iter().any(|file| file.file_name().to_string_lossy().ends_with(ending))
}

fn has_rust_target(target: &str) -> bool {
    let Ok(folder) = rustc_prints(&["target-libdir", "--target", target]) else { return false };
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    files.into_iter().any(|file| file.file_name().to_string_lossy().starts_with("libcore-"))
}

fn has_rust_source() -> bool {
    let source = "lib/rustlib/src/rust/library/Cargo.lock";
    rustc_prints(&["sysroot"]).is_ok_and(|folder| Path::new(&folder).join(source).is_file())
}

fn has_python() -> bool {
    let asked = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 9))";
    process::read(Command::new("python3").args(["-c", asked])).is_ok_and(|done| done.success)
}

/// What the active compiler tells of itself.
pub(crate) fn rustc_prints(what: &[&str]) -> Result<String> {
    let printed = process::read(Command::new("rustc").arg("--print").args(what))?;
    ensure!(printed.success, "rustc --print {} failed: {}", what.join(" "), printed.output.trim());
    Ok(printed.output.trim().to_owned())
}

fn is_root() -> bool {
    process::read(Command::new("id").arg("-u")).is_ok_and(|done| done.success && done.output.trim() == "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABSENT: Need = Need {
        name: "nothing",
        why: "never",
        skipped: "nothing",
        ways: &[Way {
            probes: &[Probe::Program("cargo"), Probe::File("/no/such/file")],
            fix: Fix::Debian(&["no-such-package"]),
        }],
    };

    #[test]
    fn what_may_not_be_installed_is_named_with_its_command() {
        let State::Missing { why, remedy } = ensure(&ABSENT, Install::Forbidden) else {
            panic!("a file that does not exist was found")
        };
        assert!(why.contains("--no-install"), "{why}");
        assert!(remedy.contains("apt-get install --no-install-recommends no-such-package"), "{remedy}");
    }

    #[test]
    fn a_file_is_found_by_its_ending() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
        assert!(has_file(folder, ".rs") && !has_file(folder, ".json"));
        assert!(!has_file("/no/such/folder", ".json"));
    }

    #[test]
    fn programs_are_found_by_name_and_by_path() {
        let cargo = program("cargo").unwrap();
        assert!(program(cargo.to_str().unwrap()).is_some());
        assert!(program("no-such-program-here").is_none());
        assert_eq!(program_of("cargo", "HALA_NO_SUCH_VARIABLE"), Some(cargo.clone()));
        assert_eq!(program_in("cargo", cargo.parent().unwrap().as_os_str()), Some(cargo));
        assert!(program_in("cargo", OsStr::new("/no/such/folder")).is_none());
    }

    #[test]
    fn the_hosts_own_target_is_there_and_an_unknown_one_is_not() {
        assert!(has_rust_target(&rustc_prints(&["host-tuple"]).unwrap()));
        assert!(!has_rust_target("no-such-target"));
    }

    #[test]
    fn a_failed_command_gives_its_error_message() {
        let reason = attempt(Command::new("rustc").arg("no-such-file.rs")).unwrap_err();
        assert!(reason.starts_with("rustc failed: error"), "{reason}");
    }
}
