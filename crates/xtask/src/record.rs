//! What something was made from, kept in a file beside it, so that it is made again only where that has changed.

use std::fmt::Write;
use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The sources as they are now, and the file that holds them as they were.
pub(crate) struct Record {
    file: PathBuf,
    now: String,
}

impl Record {
    /// Looks at what the sources hold, not at their times: a checkout sets those as it likes.
    pub(crate) fn new(file: PathBuf, sources: &[PathBuf]) -> Result<Self> {
        let mut now = String::new();
        for source in sources {
            let bytes = read(source)?;
            let mut hasher = DefaultHasher::new();
            hasher.write(&bytes);
            let _ = writeln!(now, "{:016x} {} bytes of {}", hasher.finish(), bytes.len(), source.display());
        }
        Ok(Record { file, now })
    }

    /// Whether what lies beside the file was made from the sources as they are now.
    pub(crate) fn holds(&self) -> bool {
        std::fs::read_to_string(&self.file).is_ok_and(|then| then == self.now)
    }

    /// Notes that it was; only once it is wholly there.
    pub(crate) fn write(&self) -> Result<()> {
        std::fs::write(&self.file, &self.now)
            .with_context(|| format!("{} cannot be written", self.file.display()))
    }
}

fn read(source: &Path) -> Result<Vec<u8>> {
    std::fs::read(source).with_context(|| format!("{} cannot be read", source.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An empty folder of a test's own.
    fn folder(test: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("hala-record-{}-{test}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn it_holds_until_a_source_has_other_contents() {
        let folder = folder("contents");
        let (one, two) = (folder.join("one"), folder.join("two"));
        std::fs::write(&one, "1").unwrap();
        std::fs::write(&two, "2").unwrap();
        let look = || Record::new(folder.join("made-from"), &[one.clone(), two.clone()]).unwrap();
        assert!(!look().holds(), "nothing was made yet");
        look().write().unwrap();
        std::fs::write(&one, "1").unwrap();
        assert!(look().holds(), "a source was written again as it was");
        std::fs::write(&two, "3").unwrap();
        assert!(!look().holds());
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_source_that_is_not_there_is_named() {
        let error = Record::new(PathBuf::from("made-from"), &[PathBuf::from("/no/such/file")]).err().unwrap();
        assert!(error.to_string().contains("/no/such/file"));
    }
}
