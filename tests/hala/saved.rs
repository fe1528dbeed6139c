//! Conversations of a runtime: kept in its memory, saved to files, given up where memory is short.

use hala::{
    BackendName, Cancel, Collecting, DeviceOptions, Error, Event, GenerateOptions, Generation, ModelSource,
    Retained, Runtime, RuntimeOptions, SavedError, Trim,
};
use hala_tests::devices;
use pollster::block_on;

fn load(backend: BackendName, adapter: Option<String>) -> Runtime {
    let device = DeviceOptions { backend, adapter, n_threads: 1, ..DeviceOptions::default() };
    let options = RuntimeOptions { device, ..RuntimeOptions::default() };
    block_on(Runtime::load(ModelSource::BuiltIn, options, |_: Event<'_>| {})).unwrap()
}

fn on_cpu() -> Runtime {
    load(BackendName::Cpu, None)
}

/// The tokens of a turn, and how many of its prompt were computed.
fn turn(runtime: &mut Runtime, retained: &Retained, prompt: &[u32]) -> (Vec<u32>, usize) {
    let options = GenerateOptions { max_tokens: Some(12), ignore_eos: true, ..GenerateOptions::default() };
    let engine = runtime.engine().unwrap();
    let generation = Generation::on(engine, prompt, &options, &Cancel::new()).unwrap();
    let mut tasks = [Collecting::new(generation.retaining(retained))];
    while !tasks[0].is_over() {
        block_on(runtime.step_tasks(&mut tasks)).unwrap();
    }
    let usage = tasks[0].so_far().usage;
    (tasks[0].so_far().ids.clone(), usage.prompt_tokens - usage.cached_tokens)
}

fn prompt() -> Vec<u32> {
    (10..110).collect()
}

#[test]
fn a_conversation_goes_on_in_another_runtime_and_on_another_device() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("talk.safetensors");
    let (mut first, retained) = (on_cpu(), Retained::new());
    let (ids, n_computed) = turn(&mut first, &retained, &prompt());
    assert_eq!(n_computed, 100);
    block_on(first.save(&retained, &path)).unwrap();
    let next = [prompt(), ids, vec![7, 8, 9]].concat();
    let (expected, n_computed) = turn(&mut first, &retained, &next);
    assert_eq!(n_computed, 4);
    let mut others = vec![on_cpu()];
    others.extend(devices::for_models().iter().map(|name| load(BackendName::Wgpu, Some((*name).to_owned()))));
    for mut other in others {
        let retained = block_on(other.restore(&path)).unwrap();
        assert_eq!(turn(&mut other, &retained, &next), (expected.clone(), 4), "{:?}", other.why());
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing but the file is left");
}

#[test]
fn memory_is_given_back_and_conversations_compute_again() {
    let (mut runtime, retained) = (on_cpu(), Retained::new());
    let (ids, _) = turn(&mut runtime, &retained, &prompt());
    block_on(runtime.trim(Trim::Unused)).unwrap();
    assert!(turn(&mut runtime, &retained, &prompt()).1 <= 8);
    block_on(runtime.trim(Trim::Sequences)).unwrap();
    assert!(runtime.scheduler().unwrap().n_pages().iter().all(|n| *n == 0));
    assert_eq!(turn(&mut runtime, &retained, &prompt()), (ids, 100));
}

#[test]
fn a_lost_device_holds_nothing_and_turns_compute_again() {
    for name in devices::for_models() {
        let (mut runtime, retained) = (load(BackendName::Wgpu, Some((*name).to_owned())), Retained::new());
        let (ids, _) = turn(&mut runtime, &retained, &prompt());
        runtime.engine().unwrap().backend().destroy();
        let path = tempfile::tempdir().unwrap().path().join("talk");
        let unheld = block_on(runtime.save(&retained, &path));
        assert!(unheld.is_err() && !path.exists(), "{unheld:?}");
        assert_eq!(turn(&mut runtime, &retained, &prompt()), (ids, 100), "{name}");
    }
}

#[test]
fn errors_have_their_codes_and_leave_the_file_that_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("talk");
    std::fs::write(&path, "a note").unwrap();
    let mut runtime = on_cpu();
    let code = |result: Result<Retained, Error>| result.unwrap_err().code();
    assert_eq!(code(block_on(runtime.restore(&path))), "damaged-sequence");
    assert_eq!(code(block_on(runtime.restore(&folder.path().join("none")))), "reader");
    let unheld = block_on(runtime.save(&Retained::new(), &path)).unwrap_err();
    assert_eq!(unheld.code(), "invalid-request");
    assert_eq!(std::fs::read(&path).unwrap(), b"a note");
    let other = SavedError::OtherModel { found: String::new(), expected: String::new() };
    assert_eq!(Error::Saved { path: "a".into(), source: other }.code(), "other-model");
}
