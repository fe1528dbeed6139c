//! Codes found by GPTQ, with inputs that a test makes up.

use std::collections::BTreeMap;

use hala_compress::{Calibration, CompressError, NormedInputs, Recipe, Run, add_products, compress};
use hala_tensor::DType;
use hala_weights::Checkpoint;

use crate::files::{contents, fixture, folder, scheme};

/// Inputs of which neighbours go together, or none of them.
struct Inputs {
    correlation: f32,
}

impl Calibration for Inputs {
    fn fingerprint(&self) -> String {
        self.correlation.to_string()
    }

    fn normed_inputs(&self) -> Result<Vec<NormedInputs>, String> {
        Err("not asked for".to_owned())
    }

    fn hessians(&self, weights: &[(&str, usize)]) -> Result<BTreeMap<String, Vec<f32>>, String> {
        let hessian = |&(name, n): &(&str, usize)| {
            let mut h = vec![0.0; n * n];
            // Rows of which only two neighbours are not 0.
            for i in 0..n {
                let mut x = vec![0.0; n];
                x[i] = 1.0;
                x[(i + 1) % n] = self.correlation;
                add_products(&x, &mut h, n);
            }
            (name.to_owned(), h)
        };
        Ok(weights.iter().map(hessian).collect())
    }
}

fn recipe(name: &str) -> Recipe {
    Recipe::of_scheme(scheme(name), &[]).unwrap()
}

fn run(name: &str, correlation: f32) -> (tempfile::TempDir, Checkpoint) {
    let input = folder(&[]);
    let out = input.path().join("out");
    let run = Run { n_threads: 2, calibration: Some(&Inputs { correlation }) };
    compress(&Checkpoint::open(input.path()).unwrap(), &out, &recipe(name), run, &mut |_| true).unwrap();
    let checkpoint = Checkpoint::open(&out).unwrap();
    (input, checkpoint)
}

#[test]
fn inputs_that_do_not_go_together_leave_rounding() {
    for name in ["int4-w4a16", "int8-w8a16", "int8"] {
        let (_folder, found) = run(name, 0.0);
        let expected = fixture(&format!("{name}.safetensors"));
        let expected = Checkpoint::open(&expected).unwrap();
        let scale = "model.layers.0.feed_forward.w1.weight_scale";
        let [a, b] = [&found, &expected].map(|c| c.load(scale, DType::F32).unwrap().to_f32());
        assert!(a == b, "{name}");
        let codes = if name == "int8" { "weight" } else { "weight_packed" };
        let codes = format!("model.layers.0.feed_forward.w1.{codes}");
        let [a, b] = [&found, &expected].map(|c| c.tensor(&codes).unwrap().bytes().unwrap().to_vec());
        // compressed-tensors rounds quotients to bf16 first, which turns many large codes of 8 bits to a neighbour.
        let n_same = a.iter().zip(&b).filter(|(a, b)| a == b).count();
        let least = if name == "int4-w4a16" { 95 } else { 80 };
        assert!(n_same * 100 >= a.len() * least, "{name}: {n_same} of {}", a.len());
        let is_near =
            |(a, b): (&u8, &u8)| name == "int4-w4a16" || (*a as i8).wrapping_sub(*b as i8).abs() <= 1;
        assert!(a.iter().zip(&b).all(is_near), "{name}");
    }
}

#[test]
fn inputs_that_go_together_change_codes() {
    let [(_a, apart), (_b, together)] = [0.0, 0.9].map(|correlation| run("int4-w4a16", correlation));
    let codes = "model.layers.0.feed_forward.w1.weight_packed";
    let [a, b] = [&apart, &together].map(|c| c.tensor(codes).unwrap().bytes().unwrap().to_vec());
    assert!(a != b);
}

#[test]
fn work_that_was_stopped_is_gone_on_with_and_ends_the_same() {
    let input = folder(&[]);
    let checkpoint = Checkpoint::open(input.path()).unwrap();
    let inputs = Inputs { correlation: 0.5 };
    let run = Run { n_threads: 1, calibration: Some(&inputs) };
    let [whole, out] = ["whole", "out"].map(|name| input.path().join(name));
    compress(&checkpoint, &whole, &recipe("int4-w4a16"), run, &mut |_| true).unwrap();
    let mut n_stops = 0;
    for most in 1.. {
        let mut n_steps = 0;
        let mut step = |progress: hala_compress::Progress<'_>| {
            assert!(progress.n_done <= progress.n_total);
            n_steps += 1;
            n_steps < most
        };
        match compress(&checkpoint, &out, &recipe("int4-w4a16"), run, &mut step) {
            Ok(_) => break,
            Err(CompressError::Cancelled { .. }) => n_stops += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(n_stops >= 2, "{n_stops} stops");
    assert_eq!(contents(&out), contents(&whole));
}

#[test]
fn inputs_that_are_not_finite_are_named() {
    struct Broken;
    impl Calibration for Broken {
        fn normed_inputs(&self) -> Result<Vec<NormedInputs>, String> {
            Err("not asked for".to_owned())
        }

        fn fingerprint(&self) -> String {
            String::new()
        }
        fn hessians(&self, weights: &[(&str, usize)]) -> Result<BTreeMap<String, Vec<f32>>, String> {
            Ok(weights.iter().map(|(name, n)| ((*name).to_owned(), vec![f32::NAN; n * n])).collect())
        }
    }
    let input = folder(&[]);
    let run = Run { n_threads: 1, calibration: Some(&Broken) };
    let checkpoint = Checkpoint::open(input.path()).unwrap();
    let out = input.path().join("out");
    let error = compress(&checkpoint, &out, &recipe("int8"), run, &mut |_| true).unwrap_err().to_string();
    assert!(error.contains("inputs of model.layers.0.") && error.contains("not finite"), "{error}");
    assert!(!input.path().join("out.partial").exists());
}
