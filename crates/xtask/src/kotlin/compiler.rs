//! Kotlin's compiler as npm has it: the whole distribution, with kotlinx-coroutines.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::process;
use crate::project::Project;
use crate::record::Record;

/// What npm installs by, in this folder.
const FOLDER: &str = "android/compiler";
const FILES: &[&str] = &[".npmrc", "package.json", "package-lock.json"];

/// What all Kotlin stands on.
const LIBRARIES: &[&str] = &["kotlin-stdlib.jar", "kotlinx-coroutines-core-jvm.jar"];

/// The compiler of what is declared `@Composable`.
const COMPOSE: &str = "compose-compiler-plugin.jar";

pub(super) struct Compiler {
    /// Where npm installs by: a folder of cargo's target.
    folder: PathBuf,
    /// The files that say what, in the project.
    sources: Vec<PathBuf>,
}

/// Something to be compiled.
#[derive(Default)]
pub(super) struct Job<'a> {
    /// Its name, as it is told.
    pub(super) what: &'a str,
    /// The file that it becomes.
    pub(super) jar: &'a str,
    pub(super) sources: Vec<PathBuf>,
    /// Jars and folders of classes that it stands on, beside those that all Kotlin does.
    pub(super) libraries: Vec<PathBuf>,
    /// The library whose internal declarations it sees, as its tests do.
    pub(super) friend: Option<PathBuf>,
    pub(super) rules: Rules,
}

/// How strictly it is compiled.
#[derive(Clone, Copy, Default)]
pub(super) enum Rules {
    /// A library: everything public declared so, no warnings.
    #[default]
    Library,
    /// An app, some of which is `@Composable`: no warnings.
    App,
    /// Declarations alone, which warn as they like.
    Stubs,
    /// The same, some of them `@Composable`.
    ComposableStubs,
}

impl Rules {
    const fn options(self) -> &'static [&'static str] {
        match self {
            Self::Library => &["-Xexplicit-api=strict", "-Werror"],
            Self::App => &["-Werror"],
            Self::Stubs | Self::ComposableStubs => &["-nowarn"],
        }
    }

    const fn is_composable(self) -> bool {
        matches!(self, Self::App | Self::ComposableStubs)
    }
}

impl Compiler {
    pub(super) fn new(project: &Project) -> Self {
        let sources = FILES.iter().map(|name| project.root.join(FOLDER).join(name)).collect();
        Self { folder: project.target().join("kotlin"), sources }
    }

    /// The folder that everything goes to.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Installs it where it is not; false where npm cannot.
    pub(super) fn install(&self) -> Result<bool> {
        // `npm ci` begins with removing the folder, so that a record never outlives what it is of.
        let record = Record::new(self.folder.join("node_modules/.installed-from"), &self.sources)?;
        if record.holds() {
            return Ok(true);
        }
        println!("kotlin: installing the compiler, 90 MB");
        std::fs::create_dir_all(&self.folder)
            .with_context(|| format!("{} cannot be made", self.folder.display()))?;
        for source in &self.sources {
            let copy = self.folder.join(source.file_name().unwrap_or_default());
            std::fs::copy(source, &copy).with_context(|| format!("{} cannot be written", copy.display()))?;
        }
        if !process::show(Command::new("npm").arg("ci").current_dir(&self.folder))? {
            return Ok(false);
        }
        record.write()?;
        Ok(true)
    }

    /// Compiles sources where they, or what they stand on, have changed; the jar, or `None` where they do not compile.
    pub(super) fn compile(&self, job: &Job<'_>) -> Result<Option<PathBuf>> {
        let jar = self.folder.join(job.jar);
        let jars = job.libraries.iter().filter(|library| library.is_file());
        let made_from: Vec<_> = job.sources.iter().chain(&self.sources).chain(jars).cloned().collect();
        let record = Record::new(self.folder.join(format!("{}.made-from", job.jar)), &made_from)?;
        if record.holds() && jar.is_file() {
            return Ok(Some(jar));
        }
        println!("kotlin: compiling {}", job.what);
        if !process::show(&mut self.command(job, &jar)?)? {
            return Ok(None);
        }
        record.write()?;
        Ok(Some(jar))
    }

    fn command(&self, job: &Job<'_>, jar: &Path) -> Result<Command> {
        let mut java = Command::new("java");
        java.args(["-Xmx1g", "-cp"]).arg(self.jar("kotlin-preloader.jar"));
        java.args(["org.jetbrains.kotlin.preloading.Preloader", "-cp"]).arg(self.jar("kotlin-compiler.jar"));
        java.args(["org.jetbrains.kotlin.cli.jvm.K2JVMCompiler", "-kotlin-home"]).arg(self.home());
        // Bytecode for Android's oldest.
        java.args(["-jvm-target", "1.8", "-no-stdlib", "-no-reflect"]).args(job.rules.options());
        if job.rules.is_composable() {
            java.arg(option("-Xplugin=", &self.jar(COMPOSE)));
        }
        if let Some(friend) = &job.friend {
            java.arg(option("-Xfriend-paths=", friend));
        }
        let libraries = job.libraries.iter().cloned().chain(LIBRARIES.iter().map(|name| self.jar(name)));
        java.arg("-cp").arg(joined(libraries)?).arg("-d").arg(jar).args(&job.sources);
        Ok(java)
    }

    /// Where Java finds programs and what they stand on.
    pub(super) fn class_path(&self, jars: &[PathBuf]) -> Result<OsString> {
        joined(jars.iter().cloned().chain(LIBRARIES.iter().map(|name| self.jar(name))))
    }

    fn home(&self) -> PathBuf {
        self.folder.join("node_modules/kotlin-compiler")
    }

    fn jar(&self, name: &str) -> PathBuf {
        self.home().join("lib").join(name)
    }
}

/// An option with a path in one word.
fn option(name: &str, path: &Path) -> OsString {
    let mut word = OsString::from(name);
    word.push(path);
    word
}

fn joined(paths: impl Iterator<Item = PathBuf>) -> Result<OsString> {
    std::env::join_paths(paths).context("the path of the project cannot be one of Java's class path")
}
