//! Which of a repository's files are the model: safetensors, or one of its GGUF files.

use std::fmt::Write;

use super::error::HubError;
use crate::shards::{INDEX_FILE, WEIGHTS_FILE};

/// What is taken of a repository or folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Choice {
    /// Its safetensors, with the files beside them.
    Safetensors,
    /// This GGUF file alone.
    Gguf(String),
}

/// A file of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    /// Its path in the repository.
    pub(super) name: String,
    /// Its size, where it is known.
    pub(super) n_bytes: Option<u64>,
}

/// Chooses among the files of `owner`, which is an id or a folder in words. `wanted` is the end of a GGUF file's name, such as
/// its quantisation, or the whole name; where nothing is wanted, safetensors go before GGUF files.
///
/// # Errors
/// No file is meant, or several are; the message lists those that can be chosen.
pub(super) fn choose(owner: &str, files: &[Listed], wanted: Option<&str>) -> Result<Choice, HubError> {
    let has = |name: &str| files.iter().any(|file| file.name == name);
    let models: Vec<&Listed> = files.iter().filter(|file| is_model(&file.name)).collect();
    let refuse = |reason: String, offered: &[&Listed]| {
        Err(HubError::Choice { owner: owner.to_owned(), reason, offered: list(offered) })
    };
    let Some(wanted) = wanted else {
        return match models[..] {
            _ if has(WEIGHTS_FILE) || has(INDEX_FILE) => Ok(Choice::Safetensors),
            [] => Ok(Choice::Safetensors),
            [one] if split(&one.name).is_none() => Ok(Choice::Gguf(one.name.clone())),
            _ => {
                let example = models.first().map(|file| label(&file.name)).unwrap_or_default();
                refuse(format!("is several GGUF files: name one, as in `{owner}:{example}`"), &models)
            }
        };
    };
    let named: Vec<&Listed> = models.iter().copied().filter(|file| is_named(&file.name, wanted)).collect();
    let meant: Vec<&Listed> = match named.is_empty() {
        false => named,
        true => models.iter().copied().filter(|file| ends_in(&file.name, wanted)).collect(),
    };
    match meant[..] {
        [] if models.is_empty() => {
            refuse(format!("has no GGUF files, so `:{wanted}` names none: leave it out"), &[])
        }
        [] => refuse(format!("has no GGUF file {wanted:?}: choose another"), &models),
        [one] => match split(&one.name) {
            None => Ok(Choice::Gguf(one.name.clone())),
            Some(_) => refuse_split(owner, &one.name, &models),
        },
        [first, ..] if split(&first.name).is_some() => refuse_split(owner, &first.name, &models),
        _ => refuse(format!("has several GGUF files {wanted:?}: give the whole name of one"), &meant),
    }
}

fn refuse_split(owner: &str, name: &str, models: &[&Listed]) -> Result<Choice, HubError> {
    let whole: Vec<&Listed> = models.iter().copied().filter(|file| split(&file.name).is_none()).collect();
    let n_parts = split(name).unwrap_or_default();
    let reason = format!(
        "has `{name}` in {n_parts} parts, and files of one part are read: choose another, or join the parts by \
         `llama-gguf-split --merge`"
    );
    Err(HubError::Choice { owner: owner.to_owned(), reason, offered: list(&whole) })
}

/// Whether a file is a GGUF file of a language model: no projector of images, no matrix of importances.
fn is_model(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let is_other = ["mmproj", "imatrix"].iter().any(|other| base(&name).contains(other));
    name.ends_with(".gguf") && !is_other
}

/// The name without its folder.
fn base(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// The name without folder, ending and number of its part.
fn stem(name: &str) -> &str {
    let base = base(name);
    let stem = base.len().checked_sub(".gguf".len()).and_then(|n| base.get(..n)).unwrap_or(base);
    match split(name) {
        Some(_) => stem.get(..stem.len() - "-00001-of-00001".len()).unwrap_or(stem),
        None => stem,
    }
}

/// How many parts a file is split into that is one of them, as in `x-00001-of-00003.gguf`.
fn split(name: &str) -> Option<usize> {
    let base = base(name);
    let stem = base.get(..base.len().checked_sub(".gguf".len())?)?;
    let (rest, n_parts) = stem.rsplit_once("-of-")?;
    let (_, part) = rest.rsplit_once('-')?;
    let is_number = |text: &str| text.len() == 5 && text.bytes().all(|b| b.is_ascii_digit());
    (is_number(part) && is_number(n_parts)).then(|| n_parts.parse().ok())?
}

/// Whether `wanted` is the file's whole name, with or without its folder and its ending.
fn is_named(name: &str, wanted: &str) -> bool {
    [name, base(name), stem(name)].iter().any(|own| own.eq_ignore_ascii_case(wanted))
}

/// Whether the file's name ends in `wanted`, after a dash or a point.
fn ends_in(name: &str, wanted: &str) -> bool {
    let stem = stem(name).to_ascii_lowercase();
    let before = stem.strip_suffix(&wanted.to_ascii_lowercase());
    before.is_some_and(|before| before.ends_with(['-', '.']))
}

/// What a file is called after the colon: mostly its quantisation.
fn label(name: &str) -> &str {
    let stem = stem(name);
    stem.rsplit(['-', '.']).next().unwrap_or(stem)
}

/// A line for each file, or nothing.
fn list(files: &[&Listed]) -> String {
    let mut text = String::new();
    for Listed { name, n_bytes } in files {
        let is_one = files.iter().filter(|file| label(&file.name) == label(name)).count() == 1;
        let shown = if is_one { label(name) } else { base(name) };
        // Writing to a string does not fail.
        let _ = write!(text, "\n  {shown}");
        if shown != base(name) {
            let _ = write!(text, "  {name}");
        }
        if let Some(n_bytes) = n_bytes {
            let _ = write!(text, "  {:.1} MB", *n_bytes as f64 / 1e6);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(names: &[&str]) -> Vec<Listed> {
        names.iter().map(|name| Listed { name: (*name).to_owned(), n_bytes: Some(2_500_000) }).collect()
    }

    fn chosen(names: &[&str], wanted: Option<&str>) -> Result<Choice, String> {
        choose("o/n", &files(names), wanted).map_err(|e| e.to_string())
    }

    fn gguf(name: &str) -> Result<Choice, String> {
        Ok(Choice::Gguf(name.to_owned()))
    }

    const SOME: [&str; 6] = [
        "README.md",
        "M-350M-Q4_K_M.gguf",
        "M-350M-Q8_0.gguf",
        "M-350M-F16.GGUF",
        "mmproj-M-350M-F16.gguf",
        "M.imatrix.gguf",
    ];

    #[test]
    fn a_file_is_meant_by_its_quantisation_or_its_name_in_any_case() {
        for wanted in ["Q4_K_M", "q4_k_m", "350m-q4_k_m", "M-350M-Q4_K_M", "m-350m-q4_k_m.gguf"] {
            assert_eq!(chosen(&SOME, Some(wanted)), gguf("M-350M-Q4_K_M.gguf"), "{wanted}");
        }
        assert_eq!(chosen(&SOME, Some("f16")), gguf("M-350M-F16.GGUF"));
        assert_eq!(chosen(&["a/x.Q4_0.gguf", "b/x.Q8_0.gguf"], Some("Q8_0")), gguf("b/x.Q8_0.gguf"));
        // A whole name goes before an end of another.
        assert_eq!(chosen(&["Q8_0.gguf", "x-Q8_0.gguf"], Some("Q8_0")), gguf("Q8_0.gguf"));
    }

    #[test]
    fn what_no_file_is_called_is_refused_with_those_that_there_are() {
        for wanted in ["Q5_K_M", "K_M", "M", "4_K_M", ""] {
            let message = chosen(&SOME, Some(wanted)).unwrap_err();
            assert!(message.contains(&format!("no GGUF file {wanted:?}")), "{message}");
            assert!(message.contains("\n  Q8_0  M-350M-Q8_0.gguf  2.5 MB"), "{message}");
            assert!(!message.contains("mmproj") && !message.contains("imatrix"), "{message}");
        }
        let message = chosen(&["model.safetensors"], Some("Q4_0")).unwrap_err();
        assert!(message.contains("`o/n` has no GGUF files"), "{message}");
        let message = chosen(&["a-Q4_0.gguf", "b-Q4_0.gguf"], Some("Q4_0")).unwrap_err();
        assert!(message.contains("several") && message.contains("\n  b-Q4_0.gguf  2.5 MB"), "{message}");
    }

    #[test]
    fn where_nothing_is_wanted_safetensors_go_first_and_several_files_are_offered() {
        assert_eq!(chosen(&["model.safetensors", "x-Q4_0.gguf"], None), Ok(Choice::Safetensors));
        assert_eq!(chosen(&["model.safetensors.index.json", "x-Q4_0.gguf"], None), Ok(Choice::Safetensors));
        assert_eq!(chosen(&["config.json"], None), Ok(Choice::Safetensors));
        assert_eq!(chosen(&["x-Q4_0.gguf", "mmproj-x.gguf"], None), gguf("x-Q4_0.gguf"));
        let message = chosen(&SOME, None).unwrap_err();
        assert!(
            message.contains("as in `o/n:Q4_K_M`") && message.contains("\n  F16  M-350M-F16.GGUF"),
            "{message}"
        );
    }

    #[test]
    fn a_file_in_parts_is_refused_by_name() {
        let parts = ["x-Q8_0-00001-of-00002.gguf", "x-Q8_0-00002-of-00002.gguf", "x-Q4_0.gguf"];
        for wanted in ["Q8_0", "x-Q8_0-00001-of-00002.gguf"] {
            let message = chosen(&parts, Some(wanted)).unwrap_err();
            assert!(message.contains("`x-Q8_0-00001-of-00002.gguf` in 2 parts"), "{message}");
            assert!(message.contains("\n  Q4_0") && !message.contains("\n  Q8_0"), "{message}");
        }
        assert_eq!(chosen(&parts, Some("Q4_0")), gguf("x-Q4_0.gguf"));
    }
}
