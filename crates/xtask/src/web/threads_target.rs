//! The target of the module for several threads: wasm32 with memory that threads share.
//!
//! It is a target rather than a flag, because the compiler warns of that flag at each crate, and because a target has a folder of its own within
//! cargo's: so both modules share what is built for this machine (build scripts, procedural macros) and evict nothing of each other's.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::needs::WASM_TARGET;

/// Cargo's name for it: the file's, without its ending.
pub(super) const NAME: &str = "wasm32-hala-threads";

/// What workers need to share a memory.
const FEATURES: &str = "+atomics,+bulk-memory";

/// Writes the target into `folder` as the compiler knows wasm32, but for the features.
pub(super) fn write(mut rustc: Command, folder: &Path) -> Result<PathBuf> {
    rustc.args(["-Z", "unstable-options", "--print", "target-spec-json", "--target", WASM_TARGET]);
    let printed = rustc.env("RUSTC_BOOTSTRAP", "1").output().context("rustc cannot be started")?;
    let said = String::from_utf8_lossy(&printed.stderr);
    ensure!(printed.status.success(), "rustc does not tell its target {WASM_TARGET}: {}", said.trim());
    let target = with_features(&String::from_utf8_lossy(&printed.stdout))
        .with_context(|| format!("rustc's target {WASM_TARGET} is no JSON object"))?;
    let file = folder.join(format!("{NAME}.json"));
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&file, target))
        .with_context(|| format!("{} cannot be written", file.display()))?;
    Ok(file)
}

/// Adds the features to those of the target; `None` for what is no JSON object.
fn with_features(target: &str) -> Option<String> {
    const KEY: &str = "\"features\": \"";
    if let Some((before, after)) = target.split_once(KEY) {
        let comma = if after.starts_with('"') { "" } else { "," };
        return Some(format!("{before}{KEY}{FEATURES}{comma}{after}"));
    }
    let inner = target.trim_start().strip_prefix('{')?;
    Some(format!("{{\n  {KEY}{FEATURES}\",{inner}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_added_to_those_that_a_target_has_and_to_one_that_has_none() {
        let none = "{\n  \"arch\": \"wasm32\"\n}";
        let added = "{\n  \"features\": \"+atomics,+bulk-memory\",\n  \"arch\": \"wasm32\"\n}";
        assert_eq!(with_features(none).unwrap(), added);
        let some = "{ \"features\": \"+simd128\" }";
        assert_eq!(with_features(some).unwrap(), "{ \"features\": \"+atomics,+bulk-memory,+simd128\" }");
        let empty = "{ \"features\": \"\" }";
        assert_eq!(with_features(empty).unwrap(), "{ \"features\": \"+atomics,+bulk-memory\" }");
        assert!(with_features("error: no such target").is_none());
    }
}
