//! Checkpoints made by the reference implementation, with the logits that it gives.

use std::fs;
use std::path::{Path, PathBuf};

use safetensors::{Dtype, SafeTensors};

/// A checkpoint folder under `tests/fixtures/`.
#[derive(Debug, Clone)]
pub struct Fixture {
    /// The folder's name.
    pub name: String,
    /// The folder.
    pub path: PathBuf,
}

/// A prompt and the reference implementation's answer.
#[derive(Debug, Clone)]
pub struct Prompt {
    /// Token ids.
    pub ids: Vec<u32>,
    /// `[T, V]`, row-major.
    pub logits: Vec<f32>,
    /// V.
    pub n_vocab: usize,
}

/// A model of each family, as family and name: with recurrent states, with windows, with both kinds of attention, and with all of that.
pub const ONE_OF_EACH: [(&str, &str); 4] =
    [("lfm2", "two-layer"), ("gemma2", "two-layer"), ("cohere2", "four-layer"), ("lfm3", "five-layer")];

/// The folders of fixtures: one a family.
pub const FAMILIES: [&str; 4] = ["lfm2", "lfm3", "gemma2", "cohere2"];

/// The fixtures of every family.
///
/// # Panics
/// A folder is gone.
pub fn all() -> Vec<Fixture> {
    FAMILIES.into_iter().flat_map(of).collect()
}

/// The LFM2 fixtures, by name.
///
/// # Panics
/// The folder is gone.
pub fn lfm2() -> Vec<Fixture> {
    of("lfm2")
}

/// The fixtures of a family, by name.
///
/// # Panics
/// The folder is gone.
pub fn of(family: &str) -> Vec<Fixture> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(family);
    let entries = fs::read_dir(&root).expect("the family's folder in tests/fixtures");
    let paths = entries.map(|entry| entry.expect("an entry of the family's folder").path());
    let mut paths: Vec<PathBuf> = paths.filter(|path| path.is_dir()).collect();
    paths.sort();
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    paths.into_iter().map(|path| Fixture { name: name(&path), path }).collect()
}

impl Fixture {
    /// The LFM2 fixture of this name.
    ///
    /// # Panics
    /// There is none.
    pub fn lfm2(name: &str) -> Self {
        Self::new("lfm2", name)
    }

    /// The fixture of this family and name.
    ///
    /// # Panics
    /// There is none.
    pub fn new(family: &str, name: &str) -> Self {
        of(family).into_iter().find(|f| f.name == name).expect("a folder of this name in tests/fixtures")
    }

    /// The prompts with their logits, the shortest first.
    ///
    /// # Panics
    /// `expected.safetensors` is damaged.
    pub fn prompts(&self) -> Vec<Prompt> {
        let bytes = fs::read(self.path.join("expected.safetensors")).expect("expected.safetensors");
        let file = SafeTensors::deserialize(&bytes).expect("a safetensors file");
        let counts = file.names().into_iter().filter_map(|name| name.strip_prefix("ids_")?.parse().ok());
        let mut counts: Vec<usize> = counts.collect();
        counts.sort_unstable();
        counts.into_iter().map(|n| prompt(&file, n)).collect()
    }
}

fn prompt(file: &SafeTensors<'_>, n_ids: usize) -> Prompt {
    let ids = file.tensor(&format!("ids_{n_ids}")).expect("ids");
    let logits = file.tensor(&format!("logits_{n_ids}")).expect("logits beside the ids");
    assert_eq!((ids.dtype(), logits.dtype()), (Dtype::I64, Dtype::F32));
    assert_eq!(logits.shape()[0], n_ids);
    let ids: Vec<i64> = bytemuck::pod_collect_to_vec(ids.data());
    Prompt {
        ids: ids.into_iter().map(|id| u32::try_from(id).expect("an id")).collect(),
        logits: bytemuck::pod_collect_to_vec(logits.data()),
        n_vocab: logits.shape()[1],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fixture_has_three_prompts_with_their_logits() {
        let fixtures = all();
        assert!(fixtures.len() >= 20, "{fixtures:?}");
        for fixture in fixtures {
            let prompts = fixture.prompts();
            assert_eq!(prompts.iter().map(|p| p.ids.len()).collect::<Vec<_>>(), [1, 7, 70]);
            for prompt in prompts {
                assert_eq!(prompt.logits.len(), prompt.ids.len() * prompt.n_vocab);
                assert!(prompt.ids.iter().all(|id| (*id as usize) < prompt.n_vocab), "{}", fixture.name);
            }
        }
    }
}
