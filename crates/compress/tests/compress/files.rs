//! The fixture, and folders made of it.

use std::path::{Path, PathBuf};

use hala_compress::{CompressError, Recipe, Report, Run, Scheme, compress};
use hala_weights::Checkpoint;

/// Where the fixture lies.
pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// The scheme of this name; int4 in groups of 32, as in the fixture.
pub(crate) fn scheme(name: &str) -> Scheme {
    let scheme: Scheme = name.parse().unwrap();
    if name == "int4-w4a16" { scheme.with_group(32).unwrap() } else { scheme }
}

/// The largest magnitude of each weight's inputs, as calibration would have found it.
pub(crate) const RANGE: f32 = 3.1;

/// All linear layers in a scheme.
pub(crate) fn recipe(name: &str) -> Recipe {
    let checkpoint = Checkpoint::open(&fixture("model.safetensors")).unwrap();
    let ranges = checkpoint.tensor_names().map(|name| (name.to_owned(), RANGE)).collect();
    Recipe::of_scheme(scheme(name), &[]).unwrap().with_ranges(ranges)
}

/// The fixture's files in a folder of their own, so that others can be added.
pub(crate) fn folder(more: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["config.json", "model.safetensors"] {
        std::fs::copy(fixture(name), folder.path().join(name)).unwrap();
    }
    for (name, bytes) in more {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

/// Two threads, no calibration.
pub(crate) const RUN: Run<'static> = Run { n_threads: 2, calibration: None };

/// Compresses without looking at the progress.
pub(crate) fn run(input: &Path, out: &Path, recipe: &Recipe) -> Result<Report, CompressError> {
    compress(&Checkpoint::open(input)?, out, recipe, RUN, &mut |_| true)
}

/// Every file of a folder, with its bytes.
pub(crate) fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    files
}
