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

/// What the compiler is told: bytecode for Android's oldest, everything public declared so, and no warnings.
const OPTIONS: &[&str] =
    &["-jvm-target", "1.8", "-Xexplicit-api=strict", "-Werror", "-no-stdlib", "-no-reflect"];

/// What the façade stands on.
const LIBRARIES: &[&str] = &["kotlin-stdlib.jar", "kotlinx-coroutines-core-jvm.jar"];

pub(super) struct Compiler {
    /// Where npm installs by: a folder of cargo's target.
    folder: PathBuf,
    /// The files that say what, in the project.
    sources: Vec<PathBuf>,
}

impl Compiler {
    pub(super) fn new(project: &Project) -> Self {
        let sources = FILES.iter().map(|name| project.root.join(FOLDER).join(name)).collect();
        Self { folder: project.target().join("kotlin"), sources }
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

    /// Compiles sources where they have changed; the program, or `None` where it does not compile.
    pub(super) fn compile(&self, sources: &[PathBuf]) -> Result<Option<PathBuf>> {
        let program = self.folder.join("tests.jar");
        let made_from: Vec<_> = sources.iter().chain(&self.sources).cloned().collect();
        let record = Record::new(self.folder.join("tests.jar.made-from"), &made_from)?;
        if record.holds() && program.is_file() {
            return Ok(Some(program));
        }
        println!("kotlin: compiling the façade");
        let mut java = Command::new("java");
        java.args(["-Xmx1g", "-cp"]).arg(self.jar("kotlin-preloader.jar"));
        java.args(["org.jetbrains.kotlin.preloading.Preloader", "-cp"]).arg(self.jar("kotlin-compiler.jar"));
        java.args(["org.jetbrains.kotlin.cli.jvm.K2JVMCompiler", "-kotlin-home"]).arg(self.home());
        java.args(OPTIONS).arg("-cp").arg(joined(LIBRARIES.iter().map(|name| self.jar(name)))?);
        java.arg("-d").arg(&program).args(sources);
        if !process::show(&mut java)? {
            return Ok(None);
        }
        record.write()?;
        Ok(Some(program))
    }

    /// Where Java finds a program and what it stands on.
    pub(super) fn class_path(&self, program: &Path) -> Result<OsString> {
        joined(std::iter::once(program.to_owned()).chain(LIBRARIES.iter().map(|name| self.jar(name))))
    }

    fn home(&self) -> PathBuf {
        self.folder.join("node_modules/kotlin-compiler")
    }

    fn jar(&self, name: &str) -> PathBuf {
        self.home().join("lib").join(name)
    }
}

fn joined(paths: impl Iterator<Item = PathBuf>) -> Result<OsString> {
    std::env::join_paths(paths).context("the path of the project cannot be one of Java's class path")
}
