//! Runs that are broken off: they end with the bits of those that are not.

use hala_train::TrainError;
use hala_train::run::{Ended, Event};

use crate::setting::{PAIRS, Setting};

/// Everything that a run keeps between steps: dropout draws, an average, several batches a step, packs that stay open.
const OVER: &str = "{ steps: 7, accumulation: 2, dropout: 0.1, ema: 0.9, label_smoothing: 0.1, save_every: 2, evaluate_every: 3, held_out: 0.5, \
                    samples: 2, sample_tokens: 3, seed: 5 }";

#[test]
fn a_run_broken_off_ends_with_the_same_bits() {
    assert!(broken_off_every(7) > 2);
}

#[test]
#[ignore = "long: a run broken off at each of its events"]
fn a_run_broken_off_at_any_event_ends_with_the_same_bits() {
    assert!(broken_off_every(1) > 20);
}

/// Breaks a run off at every so many events, each time anew, goes on with it, and counts how often.
fn broken_off_every(n: usize) -> u32 {
    let setting = Setting::new();
    let whole = setting.run(OVER);
    let final_bytes = setting.bytes("final/model.safetensors");
    let best_bytes = setting.bytes("best/model.safetensors");
    setting.clear();
    let mut n_broken = 0;
    for stop_at in (1..).step_by(n) {
        let mut n_events = 0;
        let mut stop = |event: &Event<'_>| {
            n_events += 1;
            n_events == stop_at && !matches!(event, Event::Began { .. })
        };
        match setting.run_until(OVER, &mut stop) {
            Ended::Finished { .. } if n_events < stop_at => break,
            Ended::Finished { .. } => {}
            Ended::Stopped { .. } => n_broken += 1,
        }
        // Nor does the number of threads make a difference.
        let resumed = setting.run(&OVER.replacen('{', &format!("{{ threads: {},", 1 + stop_at % 3), 1));
        assert_eq!(resumed.len(), whole.len(), "{stop_at}");
        for (found, expected) in resumed.iter().zip(&whole) {
            assert_eq!(found.step(), expected.step(), "{stop_at}");
        }
        assert!(setting.bytes("final/model.safetensors") == final_bytes, "{stop_at}");
        assert!(setting.bytes("best/model.safetensors") == best_bytes, "{stop_at}");
        setting.clear();
    }
    n_broken
}

#[test]
fn a_damaged_state_gives_way_to_the_one_before() {
    let setting = Setting::new();
    setting.run(OVER);
    let expected = setting.bytes("final/model.safetensors");
    let path = setting.path("run/state/step-000000007.safetensors");
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    std::fs::remove_dir_all(setting.path("run/final")).unwrap();
    let mut began = 0;
    setting.run_until(OVER, |event| {
        if let Event::Began { step, .. } = event {
            began = *step;
        }
        false
    });
    assert_eq!(began, 6);
    assert!(setting.bytes("final/model.safetensors") == expected);
}

#[test]
fn data_that_has_changed_is_not_gone_on_with() {
    let setting = Setting::new();
    setting.run_until("{ steps: 4 }", |event| matches!(event, Event::Step(step) if step.step == 2));
    std::fs::write(setting.path("pairs.tsv"), PAIRS[1..].join("\n")).unwrap();
    let prepared = setting.prepared("{ steps: 4 }").unwrap();
    let cancel = hala_plan::Cancel::new();
    let error = hala_train::run::train(&prepared, hala_train::run::Start::Resume, &cancel, &mut |_| {});
    assert!(matches!(error, Err(TrainError::OtherData { .. })), "{error:?}");
}
