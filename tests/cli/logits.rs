//! Logits of every position, in a file: the reference implementation's numbers, whatever the chunks.

use std::path::{Path, PathBuf};

use hala_tests::fixtures::Fixture;
use safetensors::{Dtype, SafeTensors};
use tempfile::tempdir;

use crate::checkpoint::{N_VOCAB, two_layer};
use crate::{Done, demo_folder, hala, names};

/// Logits with f32 weights against transformers' in f32, at any position: what the project promises.
const REFERENCE: f32 = 1e-3;
/// A prompt in chunks against the whole: sums in f32 in another order.
const CHUNKS: f32 = 2e-5;
/// Logits with 8-bit weights against f32 weights: a wrong format or scale changes them by their own size, up to 4.
const EIGHT_BITS: f32 = 0.5;

/// A prompt of the fixture with the reference implementation's logits.
fn expected(n_ids: usize) -> (String, Vec<f32>) {
    let bytes = std::fs::read(two_layer().join("expected.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let (ids, logits) =
        (file.tensor(&format!("ids_{n_ids}")).unwrap(), file.tensor(&format!("logits_{n_ids}")).unwrap());
    let ids = ids.data().chunks_exact(8).map(|b| i64::from_le_bytes(b.try_into().unwrap()).to_string());
    (ids.collect::<Vec<_>>().join(","), floats(logits.data()))
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect()
}

/// Shape and values of the only tensor of a file.
pub(crate) fn read(path: &Path) -> (Vec<usize>, Vec<f32>) {
    let bytes = std::fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(file.names(), ["logits"]);
    let logits = file.tensor("logits").unwrap();
    assert_eq!(logits.dtype(), Dtype::F32);
    (logits.shape().to_vec(), floats(logits.data()))
}

fn logits(ids: &str, options: &[&str]) -> Vec<f32> {
    let folder = tempdir().unwrap();
    let path = folder.path().join("out.safetensors");
    let run = hala(&["logits", "--ids", ids, "--out"]).arg(&path).model(two_layer());
    assert_eq!(run.args(options).run().text(), "");
    assert_eq!(names(folder.path()), ["out.safetensors"]);
    let (shape, logits) = read(&path);
    assert_eq!(shape, [ids.split(',').count(), N_VOCAB as usize]);
    logits
}

fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    assert!(a.iter().chain(b).all(|x| x.is_finite()));
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn logits_are_the_reference_implementations() {
    for n_ids in [1, 7, 70] {
        let (ids, expected) = expected(n_ids);
        for backend in ["cpu", "plain"] {
            let difference = largest_difference(&logits(&ids, &["--backend", backend]), &expected);
            assert!(difference <= REFERENCE, "{backend}, {n_ids} ids: {difference}");
        }
    }
}

#[test]
fn chunks_of_any_size_give_the_logits_of_the_whole() {
    let ids = expected(70).0;
    let whole = logits(&ids, &[]);
    for chunk in ["1", "3", "69", "1000"] {
        let difference = largest_difference(&logits(&ids, &["--chunk", chunk]), &whole);
        assert!(difference <= CHUNKS, "--chunk {chunk}: {difference}");
    }
}

#[test]
fn every_weight_format_is_run() {
    let ids = expected(7).0;
    let exact = logits(&ids, &["--weights", "f32"]);
    // The checkpoint is stored in bf16.
    assert!(largest_difference(&logits(&ids, &["--weights", "bf16"]), &exact) <= CHUNKS);
    assert!(largest_difference(&logits(&ids, &["--weights", "f16"]), &exact) <= REFERENCE);
    for weights in ["int8", "fp8"] {
        let difference = largest_difference(&logits(&ids, &["--weights", weights]), &exact);
        assert!(difference > 0.0 && difference <= EIGHT_BITS, "{weights}: {difference}");
    }
}

#[test]
fn text_is_a_prompt_too() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("out.safetensors");
    hala(&["logits", "--prompt", "صباح الخير", "--out"]).arg(&path).model(demo_folder()).run().text();
    let tokens = hala(&["tokenize", "صباح الخير", "--json"]).run().json();
    assert_eq!(read(&path).0, [tokens["ids"].as_array().unwrap().len(), 8192]);
}

#[test]
fn a_file_that_exists_is_replaced() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("out.safetensors");
    std::fs::write(&path, "old").unwrap();
    hala(&["logits", "--ids", "1,5", "--out"]).arg(&path).model(two_layer()).run().text();
    assert_eq!(read(&path).0, [2, N_VOCAB as usize]);
}

fn write_to(path: &Path, ids: &str) -> Done {
    hala(&["logits", "--ids", ids, "--out"]).arg(path).model(two_layer()).run()
}

#[test]
fn a_path_that_cannot_be_written_is_named_and_nothing_is_written() {
    let folder = tempdir().unwrap();
    let path = |name: &str| -> PathBuf { folder.path().join(name) };
    std::fs::create_dir(path("sub")).unwrap();
    std::fs::write(path("file"), "old").unwrap();
    for name in ["none/out.safetensors", "sub", "file/out.safetensors"] {
        write_to(&path(name), "1,5").refused(&["cannot write", name]);
    }
    assert_eq!(names(folder.path()), ["file", "sub"]);
    assert!(names(&path("sub")).is_empty());
}

#[test]
fn an_id_beyond_the_vocabulary_is_named_with_its_size_and_nothing_is_written() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("out.safetensors");
    for ids in ["113", "1,5,113", "4294967295"] {
        let id = ids.rsplit(',').next().unwrap();
        write_to(&path, ids).refused(&[id, "vocabulary of 113"]);
        assert!(names(folder.path()).is_empty());
    }
    std::fs::write(&path, "old").unwrap();
    write_to(&path, "113").refused(&["113"]);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
}

#[test]
fn a_prompt_longer_than_the_context_is_refused_and_nothing_is_written() {
    let folder = tempdir().unwrap();
    let run = hala(&["logits", "--ids", "1,5,9", "--context", "2", "--out"]);
    run.arg(folder.path().join("out.safetensors")).model(two_layer()).run().refused(&["3 tokens", "holds 2"]);
    assert!(names(folder.path()).is_empty());
}

#[test]
fn a_chunk_of_nothing_is_refused() {
    hala(&["logits", "--ids", "1", "--out", "x", "--chunk", "0"]).run().refused(&["--chunk", "at least one"]);
}

#[test]
fn a_part_of_heads_that_no_maths_reads_is_told_once() {
    let told = |name: &str, options: &[&str]| {
        let folder = tempdir().unwrap();
        let out = folder.path().join("out.safetensors");
        let run = hala(&["logits", "--ids", "1,5", "--out"]).arg(&out).model(Fixture::new("lfm3", name).path);
        let done = run.args(options).run();
        assert_eq!(done.code, Some(0), "{done:?}");
        done.stderr.matches("rope_parameters.full_attention.partial_rotary_factor is 0.5").count()
    };
    assert_eq!(told("as-published", &[]), 1);
    assert_eq!([told("as-published", &["--quiet"]), told("five-layer", &[])], [0, 0]);
}
