//! What a package weighs, and what it may.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::verdict::Verdict;

/// The most bytes of a package for each kind of phone, without the built-in model, as it is shipped; it was 10.8 MB for aarch64 on 2026-12-01.
const MOST: u64 = 12_500_000;

/// The most that the built-in model adds, which is in the libraries for Java and for C.
const MOST_OF_MODEL: u64 = 2 * 10_200_000;

/// A package that was made.
pub(super) struct Package<'a> {
    pub(super) file: &'a Path,
    /// The libraries in it, one for each kind of phone.
    pub(super) libraries: &'a [PathBuf],
    pub(super) has_model: bool,
    /// Whether it is as it is shipped, and not for tests.
    pub(super) is_shipped: bool,
}

impl Package<'_> {
    /// Tells the sizes, and `how` it was made; a failure where it is larger than it may be.
    pub(super) fn judge(&self, how: &str) -> Result<Verdict> {
        let n_bytes = n_bytes(self.file)?;
        let libraries: Vec<_> = self
            .libraries
            .iter()
            .map(|library| {
                let folder = library.parent().and_then(Path::file_name).unwrap_or_default();
                Ok(format!("{} {}", folder.display(), megabytes(self::n_bytes(library)?)))
            })
            .collect::<Result<_>>()?;
        let told = format!(
            "{}: {}, with libraries of {}, {how}",
            self.file.display(),
            megabytes(n_bytes),
            libraries.join(", ")
        );
        let most = self.libraries.len() as u64 * (MOST + if self.has_model { MOST_OF_MODEL } else { 0 });
        Ok(if self.is_shipped && n_bytes > most {
            Verdict::Failed(format!("{told}; it may have {}: find what has grown", megabytes(most)))
        } else {
            Verdict::Passed(told)
        })
    }
}

fn n_bytes(file: &Path) -> Result<u64> {
    Ok(std::fs::metadata(file).with_context(|| format!("{} cannot be read", file.display()))?.len())
}

fn megabytes(n_bytes: u64) -> String {
    format!("{:.1} MB", n_bytes as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_that_has_grown_fails_and_one_for_tests_does_not() {
        let folder = std::env::temp_dir().join(format!("hala-aar-size-{}", std::process::id()));
        let (file, library) = (folder.join("hala.aar"), folder.join("arm64-v8a/libhala.so"));
        std::fs::create_dir_all(folder.join("arm64-v8a")).unwrap();
        std::fs::File::create(&file).unwrap().set_len(MOST + 1).unwrap();
        std::fs::write(&library, "library").unwrap();
        let judged = |has_model, is_shipped| {
            let libraries = std::slice::from_ref(&library);
            Package { file: &file, libraries, has_model, is_shipped }.judge("made here").unwrap()
        };
        let Verdict::Failed(why) = judged(false, true) else { panic!("it is too large") };
        assert!(why.contains("hala.aar: 12.5 MB, with libraries of arm64-v8a 0.0 MB, made here"), "{why}");
        assert!(matches!(judged(true, true), Verdict::Passed(_)));
        assert!(matches!(judged(false, false), Verdict::Passed(_)));
        std::fs::remove_dir_all(folder).unwrap();
    }
}
