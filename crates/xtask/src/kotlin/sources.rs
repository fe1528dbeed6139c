//! Files of Kotlin and Java in folders of the project.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::project::Project;

/// All files with this ending in these folders, in the same order everywhere.
pub(super) fn of(project: &Project, folders: &[&str], ending: &str) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for folder in folders {
        collect(&project.root.join(folder), ending, &mut files)?;
    }
    files.sort();
    Ok(files)
}

/// All files with this ending in a folder, in any order.
pub(super) fn collect(folder: &Path, ending: &str, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, ending, files)?;
        } else if path.extension().is_some_and(|extension| extension == ending) {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_facade_and_its_tests_are_found() {
        let folders = ["android/hala/src/main/kotlin", "android/hala/src/test/kotlin"];
        let files = of(&Project::find().unwrap(), &folders, "kt").unwrap();
        assert!(files.iter().any(|file| file.ends_with("org/hala/Hala.kt")));
        assert!(files.iter().any(|file| file.ends_with("org/hala/Check.kt")));
        assert!(files.is_sorted());
    }
}
