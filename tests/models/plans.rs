//! The steps of every family's Plans, as the CPU runs them: `plans/*.txt`, which `HALA_WRITE_PLANS=1` writes anew.

use std::fs;
use std::path::Path;

use hala_backend_cpu::CpuBackend;
use hala_model::{Inputs, LogitRows, Model, Options, PlanShape, WeightFormat};
use hala_plan::{Plan, fuse};
use hala_tensor::DType;
use hala_tests::fixtures::{self, Fixture};
use hala_weights::Checkpoint;

use crate::{largest_difference, load, logits, small_350m};

/// What Plans are made for: rows that decode, some that a device chooses tokens of, and prompts.
const SHAPES: [PlanShape; 5] = [
    PlanShape { n_tokens: 1, logits: LogitRows::All },
    PlanShape { n_tokens: 1, logits: LogitRows::Chosen },
    PlanShape { n_tokens: 2, logits: LogitRows::All },
    PlanShape { n_tokens: 16, logits: LogitRows::Chosen },
    PlanShape { n_tokens: 128, logits: LogitRows::Wanted(1) },
];

fn checkpoint(family: &str, name: &str) -> Checkpoint {
    match (family, name) {
        ("small", _) => small_350m::checkpoint(),
        ("demo", _) => Checkpoint::from_files(hala_demo_model::files()).unwrap(),
        _ => Checkpoint::open(&Fixture::new(family, name).path).unwrap(),
    }
}

/// The Plan of a model, as a backend is given it.
fn plan(model: &dyn Model, shape: PlanShape, backend: &CpuBackend) -> Plan {
    let dtypes = vec![DType::F32; model.weights().len()];
    fuse(model.record(shape, &dtypes).unwrap(), backend)
}

#[test]
fn the_cpu_is_given_the_same_steps_as_ever() {
    let (floats, rounded) = (Inputs::Floats, Inputs::Rounded);
    let mut found = Vec::new();
    for (family, name, inputs, shapes) in [
        ("demo", "", floats, &SHAPES[..]),
        ("small", "350m", floats, &SHAPES[1..2]),
        ("lfm2", "conv-bias", floats, &SHAPES[..]),
        ("lfm3", "five-layer", floats, &SHAPES[..]),
        ("gemma2", "two-layer", floats, &SHAPES[..]),
        ("cohere2", "four-layer", floats, &SHAPES[..]),
        ("rounded", "int8", rounded, &SHAPES[1..]),
    ] {
        let options = Options { inputs, context: Some(512), ..Options::default() };
        let model = hala_model::open(&checkpoint(family, name), options).unwrap();
        let plans: Vec<String> =
            shapes.iter().map(|shape| plan(&*model, *shape, &CpuBackend::plain()).to_string()).collect();
        found.push((family, plans.join("\n")));
    }
    for (family, plans) in found {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("models/plans/{family}.txt"));
        if std::env::var_os("HALA_WRITE_PLANS").is_some() {
            fs::write(&path, &plans).unwrap();
        }
        let expected = fs::read_to_string(&path).unwrap();
        let differs = expected.lines().zip(plans.lines()).find(|(expected, found)| expected != found);
        assert!(expected == plans, "{family}: {differs:?}\n{plans}");
    }
}

/// f32 sums apart, of f32 weights: what joined steps keep in more bits than a buffer has.
const ROUNDED_BETWEEN_STEPS: f32 = 1e-4;

#[test]
fn steps_that_are_not_joined_give_the_same_logits() {
    for fixture in fixtures::all() {
        let checkpoint = Checkpoint::open(&fixture.path).unwrap();
        let ways = [
            [CpuBackend::plain(), CpuBackend::plain().without_joins()],
            [CpuBackend::threaded(2).unwrap(), CpuBackend::threaded(2).unwrap().without_joins()],
        ];
        for backends in ways {
            let [joined, apart] = backends.map(|cpu| load(cpu, &checkpoint, WeightFormat::F32).unwrap());
            let n_steps = |plan: &Plan| plan.steps().len();
            let shape = PlanShape { n_tokens: 4, logits: LogitRows::All };
            let [fewer, more] = [&joined, &apart].map(|engine| n_steps(&engine.plan(shape).unwrap().0));
            assert!(more > fewer + fewer / 3, "{}: {more} steps, and {fewer} joined", fixture.name);
            for prompt in fixture.prompts() {
                for n_chunk in [prompt.ids.len(), 1] {
                    let [one, other] = [&joined, &apart].map(|engine| logits(engine, &prompt.ids, n_chunk));
                    let difference = largest_difference(&one, &other);
                    assert!(difference <= ROUNDED_BETWEEN_STEPS, "{}: {difference}", fixture.name);
                }
            }
        }
    }
}
