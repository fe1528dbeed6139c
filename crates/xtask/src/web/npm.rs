//! npm's part: installing what lock files name, and running scripts.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::process;
use crate::record::Record;

/// A folder with a lock file, and the files that say what belongs into its node_modules.
pub(super) struct Installed {
    pub(super) folder: &'static str,
    pub(super) sources: &'static [&'static str],
}

/// What the package and the demo are built with.
pub(super) const WEB: Installed = Installed {
    folder: "web",
    sources: &[".npmrc", "package-lock.json", "package.json", "package/package.json", "demo/package.json"],
};

/// What the tests in browsers are run by.
pub(super) const TESTS: Installed =
    Installed { folder: "tests/web", sources: &[".npmrc", "package-lock.json", "package.json"] };

impl Installed {
    /// What installs it, with the record of that; `None` where the very same is installed.
    pub(super) fn missing(&self, root: &Path) -> Result<Option<(Command, Record)>> {
        let folder = root.join(self.folder);
        let sources: Vec<PathBuf> = self.sources.iter().map(|name| folder.join(name)).collect();
        // `npm ci` begins with removing the folder, so that a record never outlives what it is of.
        let record = Record::new(folder.join("node_modules/.installed-from"), &sources)?;
        Ok((!record.holds()).then(|| (npm(&folder, &["ci"]), record)))
    }

    /// Installs it where it is not; false where npm cannot.
    pub(super) fn install(&self, root: &Path) -> Result<bool> {
        let Some((mut command, record)) = self.missing(root)? else { return Ok(true) };
        if !process::show(&mut command)? {
            return Ok(false);
        }
        record.write()?;
        Ok(true)
    }
}

/// What runs a script of the package or the demo.
pub(super) fn run(script: &str, workspace: &str, root: &Path) -> Command {
    npm(&root.join(WEB.folder), &["run", script, "--workspace", workspace])
}

/// npm in a folder.
pub(super) fn npm(folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::new("npm");
    command.args(words).current_dir(folder);
    command
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::Project;

    #[test]
    fn every_file_that_npm_installs_by_is_a_source() {
        let root = Project::find().unwrap().root;
        let workspaces = std::fs::read_to_string(root.join("web/package.json")).unwrap();
        assert!(workspaces.contains(r#""workspaces": ["package", "demo"]"#), "WEB.sources has these two");
        for installed in [WEB, TESTS] {
            assert!(installed.sources.iter().all(|name| root.join(installed.folder).join(name).is_file()));
        }
    }
}
