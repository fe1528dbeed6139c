//! `hala profile`: every kernel with its time, and what cannot be profiled.

use hala::{BackendName, DeviceOptions, Event, ModelSource, Runtime, RuntimeOptions};
use hala_model::{LogitRows, PlanShape};
use hala_plan::Plan;
use pollster::block_on;
use serde_json::Value;

use crate::{Done, hala};

fn profile(options: &[&str]) -> Done {
    hala(&["profile", "--backend", "cpu", "--repeat", "1"]).args(options).run()
}

fn kernels(found: &Value) -> &[Value] {
    found["kernels"].as_array().unwrap()
}

/// The Plan of a prompt of the built-in model, its steps joined as for the CPU.
fn plan(n_tokens: usize) -> Plan {
    let device = DeviceOptions { backend: BackendName::Cpu, ..DeviceOptions::default() };
    let options = RuntimeOptions { device, ..RuntimeOptions::default() };
    let runtime = block_on(Runtime::load(ModelSource::BuiltIn, options, |_: Event<'_>| {})).unwrap();
    runtime.engine().unwrap().plan(PlanShape { n_tokens, logits: LogitRows::Wanted(1) }).unwrap().0
}

#[test]
fn every_step_has_a_time_and_the_bytes_of_its_matrices() {
    let found = profile(&["--json", "--tokens", "3", "--position", "2"]).json();
    assert_eq!((&found["tokens"], &found["position"]), (&Value::from(3), &Value::from(2)));
    let mut total = 0.0;
    let plan = plan(3);
    assert_eq!(kernels(&found).len(), plan.steps().len());
    for (i, kernel) in kernels(&found).iter().enumerate() {
        assert_eq!(kernel["step"], i, "{kernel}");
        total += kernel["seconds"].as_f64().unwrap();
        let step = &plan.steps()[i];
        assert_eq!(kernel["op"], step.op.name(), "{kernel}");
        let reads_matrices = step.products().is_some();
        assert_eq!(kernel["weight_bytes"].as_u64().unwrap() > 0, reads_matrices, "{kernel}");
    }
    assert!(kernels(&found).len() > 20, "{found}");
    let told = found["seconds"].as_f64().unwrap();
    assert!(total > 0.0 && (told - total).abs() < 1e-9, "{told} for {total}");
}

#[test]
fn kernels_are_listed_by_the_time_that_they_take_and_steps_in_their_order() {
    let text = profile(&[]).text();
    assert!(text.contains("matmul") && text.contains("total") && text.contains("GB/s"), "{text}");
    let steps = profile(&["--steps"]).text();
    assert!(steps.lines().count() > text.lines().count(), "{steps}");
    assert!(steps.contains("  0 embed ▸ "), "{steps}");
}

#[test]
fn what_does_not_fit_the_context_is_refused() {
    for options in [["--tokens", "5000"], ["--position", "5000"]] {
        profile(&options).refused(&["tokens in the context", "2048"]);
    }
}
