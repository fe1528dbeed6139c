//! Files that are written or copied, with the folders that they lie in.

use std::path::Path;

use anyhow::{Context, Result};

pub(super) fn write(file: &Path, text: &str) -> Result<()> {
    make_parent(file)?;
    std::fs::write(file, text).with_context(|| format!("{} cannot be written", file.display()))
}

pub(super) fn copy(from: &Path, to: &Path) -> Result<()> {
    make_parent(to)?;
    std::fs::copy(from, to)
        .with_context(|| format!("{} cannot be copied to {}", from.display(), to.display()))?;
    Ok(())
}

fn make_parent(file: &Path) -> Result<()> {
    let folder = file.parent().unwrap_or(file);
    std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))
}
