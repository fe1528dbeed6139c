//! What a user may write for a model: a path, or a Hub id.

use std::fmt;
use std::path::{Path, PathBuf};

use super::choose::{Choice, Listed, choose};
use super::error::HubError;

/// Characters that an owner or a name may have at most.
const MAX_PART_CHARS: usize = 96;

/// A model as a user names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelSpec {
    /// A folder or file that exists.
    Path(PathBuf),
    /// A model of the Hub.
    Hub(HubModel),
}

/// A model of the Hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubModel {
    id: String,
    revision: Option<String>,
    file: Option<String>,
}

impl ModelSpec {
    /// Reads a path or a Hub id `owner/name[@revision][:file]`; a path that exists wins, and so does a folder that exists before the
    /// colon: then the GGUF file is looked for in it.
    ///
    /// # Errors
    /// It is neither, and the message lists the forms; or the folder has no such file.
    pub fn parse(text: &str) -> Result<Self, HubError> {
        let path = Path::new(text);
        if path.exists() {
            return Ok(Self::Path(path.to_owned()));
        }
        if let Some((folder, file)) = text.rsplit_once(':')
            && Path::new(folder).is_dir()
        {
            return in_folder(folder, file).map(Self::Path);
        }
        HubModel::parse(text).map(Self::Hub)
    }
}

/// The GGUF file that is meant in a folder.
fn in_folder(folder: &str, file: &str) -> Result<PathBuf, HubError> {
    let path = Path::new(folder);
    match choose(folder, &listed(path), Some(file))? {
        Choice::Gguf(name) => Ok(path.join(name)),
        Choice::Safetensors => Ok(path.to_owned()),
    }
}

/// The files of a folder and of the folders in it, sorted by name.
pub(super) fn listed(folder: &Path) -> Vec<Listed> {
    fn add(folder: &Path, prefix: &str, files: &mut Vec<Listed>) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let (path, name) = (entry.path(), format!("{prefix}{}", entry.file_name().to_string_lossy()));
            // What a link leads to counts.
            match path.metadata() {
                Ok(found) if found.is_file() => files.push(Listed { name, n_bytes: Some(found.len()) }),
                Ok(found) if found.is_dir() && prefix.is_empty() => add(&path, &format!("{name}/"), files),
                _ => {}
            }
        }
    }
    let mut files = Vec::new();
    add(folder, "", &mut files);
    files.sort_by(|a, b| a.name.cmp(&b.name));
    files
}

impl HubModel {
    /// Reads a Hub id `owner/name[@revision][:file]`; the file is a GGUF file's quantisation or name.
    ///
    /// # Errors
    /// It is none; the message lists the forms in which a model can be named.
    pub fn parse(text: &str) -> Result<Self, HubError> {
        let (text_before, file) = match text.split_once(':') {
            Some((before, file)) => (before, Some(file)),
            None => (text, None),
        };
        let (id, revision) = match text_before.split_once('@') {
            Some((id, revision)) => (id, Some(revision)),
            None => (text_before, None),
        };
        let is_id = id.split_once('/').is_some_and(|(owner, name)| is_part(owner) && is_part(name));
        // A file's name, mistyped: asking the Hub for it would only confuse.
        let is_file = [".safetensors", ".gguf", ".json"].iter().any(|ending| id.ends_with(ending));
        if !is_id || is_file || !revision.is_none_or(is_revision) || !file.is_none_or(is_plain_path) {
            return Err(HubError::Spec { text: text.to_owned() });
        }
        Ok(Self { id: id.to_owned(), revision: revision.map(str::to_owned), file: file.map(str::to_owned) })
    }

    /// `owner/name`
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The branch, tag or commit; `main` where none was given.
    pub fn revision(&self) -> &str {
        self.revision.as_deref().unwrap_or("main")
    }

    /// The GGUF file that is meant, by its quantisation or its name.
    pub fn file(&self) -> Option<&str> {
        self.file.as_deref()
    }

    /// Whether the revision is a commit, whose files never change.
    pub(crate) fn is_commit(&self) -> bool {
        is_commit(self.revision())
    }
}

impl fmt::Display for HubModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id)?;
        self.revision.as_ref().map_or(Ok(()), |revision| write!(f, "@{revision}"))?;
        self.file.as_ref().map_or(Ok(()), |file| write!(f, ":{file}"))
    }
}

/// Whether a text is a full commit hash.
pub(super) fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Whether the Hub allows this as an owner or a name.
fn is_part(text: &str) -> bool {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    edge(text.chars().next())
        && edge(text.chars().next_back())
        && text.len() <= MAX_PART_CHARS
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        && !text.contains("--")
        && !text.contains("..")
}

/// Whether a text can name a file of a repository in a URL as it is, with or without folders.
pub(super) fn is_plain_path(text: &str) -> bool {
    let is_plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.+".contains(&b))
    };
    text.split('/').all(is_plain)
}

/// Whether a text can be the name of a branch or tag; it becomes part of a path and of a URL.
fn is_revision(text: &str) -> bool {
    let plain = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.ends_with('.');
    text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./+".contains(c)) && text.split('/').all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_with_and_without_a_revision() {
        for (text, id, revision) in [
            ("LiquidAI/LFM2-350M", "LiquidAI/LFM2-350M", "main"),
            ("a/b@v1.0", "a/b", "v1.0"),
            ("a_b/c.d-e@refs/pr/3", "a_b/c.d-e", "refs/pr/3"),
        ] {
            let model = HubModel::parse(text).unwrap();
            assert_eq!((model.id(), model.revision(), model.to_string().as_str()), (id, revision, text));
            assert_eq!(model.file(), None);
        }
    }

    #[test]
    fn a_gguf_file_is_named_after_a_colon() {
        for (text, revision, file) in [
            ("a/b-GGUF:Q4_K_M", "main", "Q4_K_M"),
            ("a/b@v1:x-Q4_0.gguf", "v1", "x-Q4_0.gguf"),
            ("a/b:Q4_0/x.gguf", "main", "Q4_0/x.gguf"),
        ] {
            let model = HubModel::parse(text).unwrap();
            assert_eq!(
                (model.revision(), model.file(), model.to_string().as_str()),
                (revision, Some(file), text)
            );
        }
    }

    #[test]
    fn a_folder_before_the_colon_wins() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x-Q4_0.gguf");
        std::fs::write(&path, b"GGUF").unwrap();
        let text = |file: &str| format!("{}:{file}", folder.path().display());
        assert_eq!(ModelSpec::parse(&text("q4_0")).unwrap(), ModelSpec::Path(path));
        let message = ModelSpec::parse(&text("Q8_0")).unwrap_err().to_string();
        assert!(message.contains("no GGUF file \"Q8_0\"") && message.contains("x-Q4_0.gguf"), "{message}");
    }

    #[test]
    fn what_is_no_id_is_refused_with_the_forms_that_are() {
        for text in [
            "",
            "/",
            "a",
            "a/",
            "/b",
            "a/b/c",
            "./a/b",
            "../a",
            "~/a",
            "a b/c",
            "a/b@",
            "a/b@../x",
            "a/b@x/.y",
            "a--b/c",
            "a/b..c",
            "-a/b",
            "a/b?x",
            "models/m.safetensors",
            "مثال/نموذج",
            "a/b@main#x",
            "a/b:",
            "a/b:../x",
            "a/b:x y",
            "a:Q4_0",
        ] {
            let message = HubModel::parse(text).unwrap_err().to_string();
            assert!(message.contains("owner/name@revision"), "{text}: {message}");
        }
        assert!(HubModel::parse(&format!("a/{}", "b".repeat(97))).is_err());
    }

    #[test]
    fn a_path_that_exists_wins() {
        assert_eq!(ModelSpec::parse("src/hub").unwrap(), ModelSpec::Path("src/hub".into()));
        assert!(matches!(ModelSpec::parse("src/no-such").unwrap(), ModelSpec::Hub(_)));
    }

    #[test]
    fn only_full_hashes_are_commits() {
        assert!(HubModel::parse(&format!("a/b@{}", "0f".repeat(20))).unwrap().is_commit());
        assert!(!HubModel::parse("a/b@0f0f").unwrap().is_commit());
    }
}
