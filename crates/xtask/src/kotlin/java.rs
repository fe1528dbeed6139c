//! Java sources, compiled into a jar by the JDK.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::process;
use crate::record::Record;

/// Compiles Java sources into a jar where they have changed; false where they do not compile.
pub(super) fn jar(sources: &[PathBuf], jar: &Path) -> Result<bool> {
    let record = Record::new(jar.with_extension("jar.made-from"), sources)?;
    if record.holds() && jar.is_file() {
        return Ok(true);
    }
    let classes = jar.with_extension("classes");
    let _ = std::fs::remove_dir_all(&classes);
    std::fs::create_dir_all(&classes).with_context(|| format!("{} cannot be made", classes.display()))?;
    let mut javac = Command::new("javac");
    javac.args(["--release", "8", "-Xlint:-options", "-encoding", "UTF-8", "-d"]).arg(&classes).args(sources);
    let mut pack = Command::new("jar");
    pack.args(["--create", "--file"]).arg(jar).arg("-C").arg(&classes).arg(".");
    let done = process::show(&mut javac)? && process::show(&mut pack)?;
    if done {
        record.write()?;
    }
    Ok(done)
}
