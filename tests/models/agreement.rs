//! The same weights on every device and on the plain CPU.

use hala_model::WeightFormat;
use hala_tests::fixtures::{self, Fixture};
use hala_weights::Checkpoint;

use crate::largest_difference;
use crate::ways::{self, Way};

/// What the project promises of f32 weights on any device, which may sum and multiply in any order and takes exponentials and
/// roots as its driver does.
const F32: f32 = 2e-3;

/// Of rounded weights both sides take the same values, and a device computes with them in f32 too.
const ROUNDED: f32 = F32;

const FORMATS: [(WeightFormat, f32); 6] = [
    (WeightFormat::F32, F32),
    (WeightFormat::BF16, ROUNDED),
    (WeightFormat::F16, ROUNDED),
    (WeightFormat::Int8, ROUNDED),
    (WeightFormat::Fp8, ROUNDED),
    (WeightFormat::Int4, ROUNDED),
];

/// The largest difference between a device's logits and the plain CPU's, over all prompts of a fixture.
fn worst(fixture: &Fixture, way: Way, weights: WeightFormat) -> f32 {
    let checkpoint = Checkpoint::open(&fixture.path).unwrap();
    let [plain, device] = [Way::Plain, way].map(|way| way.load(&checkpoint, weights));
    let differ =
        |ids: &[u32]| largest_difference(&device.logits(ids, ids.len()), &plain.logits(ids, ids.len()));
    fixture.prompts().iter().map(|prompt| differ(&prompt.ids)).fold(0.0, f32::max)
}

/// Checks a fixture on a device with every kind of weight.
#[expect(clippy::print_stdout, reason = "what is measured is told")]
fn assert_every_kind(way: Way, fixture: &Fixture) {
    for (weights, tolerance) in FORMATS {
        let worst = worst(fixture, way, weights);
        println!("{way:?}: {weights}, {}: {worst:.1e}", fixture.name);
        assert!(worst <= tolerance, "{way:?}: {weights}, {}: {worst}", fixture.path.display());
    }
}

#[test]
fn a_device_gives_the_plain_cpu_s_logits_with_every_kind_of_weight() {
    for way in ways::on_devices() {
        let families = [
            ("lfm2", "untied"),
            ("lfm3", "as-published"),
            ("gemma2", "two-layer"),
            ("cohere2", "four-layer"),
        ];
        for (family, name) in families {
            assert_every_kind(way, &Fixture::new(family, name));
        }
    }
}

#[test]
#[ignore = "long: every fixture with every kind of weight and the kernels of every preset"]
fn every_fixture_with_every_kind_of_weight_on_every_preset() {
    for way in ways::on_devices().chain(ways::with_gpu_kernels()) {
        for fixture in &fixtures::all() {
            assert_every_kind(way, fixture);
        }
    }
}

#[test]
fn a_device_gives_the_plain_cpu_s_logits_on_every_fixture() {
    for way in ways::on_devices() {
        for fixture in &fixtures::all() {
            let worst = worst(fixture, way, WeightFormat::F32);
            assert!(worst <= F32, "{}: {}: {worst}", way.name(), fixture.name);
        }
    }
}

#[test]
fn kernels_for_gpus_give_the_plain_cpu_s_logits_on_any_device() {
    for way in ways::with_gpu_kernels() {
        for weights in [WeightFormat::F32, WeightFormat::Int8, WeightFormat::Fp8, WeightFormat::Int4] {
            let families = [
                ("lfm2", "four-layer"),
                ("lfm3", "five-layer"),
                ("gemma2", "every-third"),
                ("cohere2", "four-layer"),
            ];
            for fixture in families.map(|(family, name)| Fixture::new(family, name)) {
                let worst = worst(&fixture, way, weights);
                assert!(worst <= ROUNDED, "{way:?}: {weights}, {}: {worst}", fixture.path.display());
            }
        }
    }
}
