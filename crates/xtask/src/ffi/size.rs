//! What a packed library weighs, and what it may.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::compile::{Profile, Wanted};
use crate::verdict::Verdict;

/// The most bytes of a shared library for x86-64 with nothing but the CPU, as it is shipped; benches/runs/2026-11-30-native.md has what it was.
const MOST: u64 = 7_500_000;

/// The most that each feature adds.
const MOST_OF_FEATURES: &[(&str, u64)] = &[("wgpu", 3_400_000), ("hub", 1_800_000), ("built-in", 10_200_000)];

/// Tells the sizes; a failure where the first file, which is the shared library, is larger than it may be.
pub(super) fn judge(wanted: &Wanted, files: &[PathBuf], folder: &Path) -> Result<Verdict> {
    let mut sizes = Vec::new();
    for file in files {
        let metadata =
            std::fs::metadata(file).with_context(|| format!("{} cannot be read", file.display()))?;
        sizes.push((file.strip_prefix(folder).unwrap_or(file), metadata.len()));
    }
    let told: Vec<_> =
        sizes.iter().map(|(name, n_bytes)| format!("{} {}", name.display(), megabytes(*n_bytes))).collect();
    let told = format!("{}: {}", folder.display(), told.join(", "));
    let most = most(wanted);
    let is_shipped = wanted.profile == Profile::Native;
    Ok(match sizes.first() {
        Some((name, n_bytes)) if is_shipped && *n_bytes > most => Verdict::Failed(format!(
            "{told}; {} may have {}: find what has grown, or raise that in crates/xtask/src/ffi/size.rs",
            name.display(),
            megabytes(most)
        )),
        _ => Verdict::Passed(told),
    })
}

fn most(wanted: &Wanted) -> u64 {
    let features = MOST_OF_FEATURES.iter().filter(|(feature, _)| wanted.features.contains(feature));
    MOST + features.map(|(_, n_bytes)| n_bytes).sum::<u64>()
}

fn megabytes(n_bytes: u64) -> String {
    format!("{:.1} MB", n_bytes as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_that_has_grown_fails_and_one_for_tests_does_not() {
        let folder = std::env::temp_dir().join(format!("hala-size-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("libhala.so");
        std::fs::File::create(&file).unwrap().set_len(MOST + 1).unwrap();
        let judged = |profile, features| {
            judge(
                &Wanted { profile, features, target: None, environment: Vec::new() },
                std::slice::from_ref(&file),
                &folder,
            )
            .unwrap()
        };
        let is_passed = |verdict| matches!(verdict, Verdict::Passed(_));
        assert!(!is_passed(judged(Profile::Native, Vec::new())));
        assert!(is_passed(judged(Profile::Native, vec!["wgpu"])));
        assert!(is_passed(judged(Profile::Dev, Vec::new())));
        std::fs::remove_dir_all(folder).unwrap();
    }
}
