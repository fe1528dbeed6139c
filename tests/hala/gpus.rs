//! GPUs that `auto` takes and leaves alone: guarded first runs, what later starts remember of them, and how that is told.
//!
//! A program that plays a GPU is looked at as if it were one. Where a driver's crash is meant, a process of its own ends itself.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use hala::{
    BackendName, Cancel, Compares, DeviceOptions, Error, Event, LooksAt, ModelSource, Notice, Output,
    Runtime, RuntimeOptions, Shared, TranslateRequest, Unfit, Why,
};
use hala_tests::devices;
use pollster::block_on;
use tempfile::{TempDir, tempdir};

/// What the process of a test is told: the folder for what is remembered, and where it ends itself.
const FOLDER: &str = "HALA_TEST_FOLDER";
const ENDS: &str = "HALA_TEST_ENDS";

/// Options of `auto` that keep what they find out in a folder of the test's.
fn auto(folder: &Path) -> RuntimeOptions {
    let device = DeviceOptions {
        folder: Some(folder.to_owned()),
        looks_at: LooksAt::All,
        n_threads: 1,
        ..DeviceOptions::default()
    };
    RuntimeOptions { device, ..RuntimeOptions::default() }
}

/// The translator, as a model of the user's own: as the built-in one it would go to the CPU.
fn own_model() -> ModelSource {
    ModelSource::Files(hala_demo_model::files())
}

/// A runtime, with the stages of a first run and the notices that it told.
fn load(options: RuntimeOptions) -> Result<(Runtime, Vec<String>), Error> {
    let told: Arc<Mutex<Vec<String>>> = Arc::default();
    let heard = Arc::clone(&told);
    let on_event = move |event: Event<'_>| match event {
        Event::FirstRun { stage, .. } => heard.lock().unwrap().push(format!("{stage:?}")),
        Event::Notice(notice @ Notice::OnCpu { .. }) => heard.lock().unwrap().push(notice.to_string()),
        _ => {}
    };
    let runtime = block_on(Runtime::load(own_model(), options, on_event))?;
    let told = std::mem::take(&mut *told.lock().unwrap());
    Ok((runtime, told))
}

fn backend(runtime: &Runtime) -> &'static str {
    runtime.current().info().unwrap().backend
}

/// The word for why the CPU runs the model instead of a GPU.
fn unfit(runtime: &Runtime) -> &Unfit {
    match runtime.why() {
        Why::Unfit { unfit, .. } => unfit,
        why => panic!("{why:?}"),
    }
}

/// Runs the test below in a process of its own; tells whether it came to its end, and what it printed.
fn in_a_process(folder: &Path, ends: &str) -> (bool, String) {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "gpus::a_process_of_its_own_loads_a_model", "--nocapture"]);
    child.env(FOLDER, folder).env(ENDS, ends).stderr(Stdio::null());
    let output = child.output().unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn a_process_of_its_own_loads_a_model() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let ends = std::env::var(ENDS).unwrap();
    let on_event = move |event: Event<'_>| match event {
        Event::FirstRun { stage, .. } if format!("{stage:?}") == ends => std::process::abort(),
        Event::FirstRun { .. } if ends == "as its user wants" => {
            hala::forget_first_runs();
            std::process::abort();
        }
        _ => {}
    };
    let runtime = block_on(Runtime::load(own_model(), auto(Path::new(&folder)), on_event)).unwrap();
    println!("on {}: {}", backend(&runtime), runtime.why());
}

/// A folder, where this machine has something that plays a GPU.
fn folder() -> Option<TempDir> {
    (!devices::for_models().is_empty()).then(|| tempdir().unwrap())
}

#[test]
fn a_first_run_that_ends_well_is_told_stage_by_stage_and_is_the_last_one() {
    let Some(folder) = folder() else { return };
    let (mut runtime, told) = load(auto(folder.path())).unwrap();
    assert_eq!(told, ["SetUp", "KnownModel", "Loading", "FirstRun"]);
    assert_eq!((backend(&runtime), runtime.why()), ("wgpu", &Why::Fastest));
    let request = TranslateRequest::new("Good morning.");
    let text = block_on(runtime.translate(&request, &Cancel::new())).unwrap().text;
    assert!(!text.is_empty());
    let (runtime, told) = load(auto(folder.path())).unwrap();
    assert_eq!((backend(&runtime), told), ("wgpu", Vec::new()));
    let reports = block_on(hala::devices(&auto(folder.path()).device));
    assert!(reports.iter().any(|report| report.has_passed && report.unfit.is_none()), "{reports:?}");
}

#[test]
fn a_driver_that_takes_the_program_down_is_left_alone_by_the_next_start() {
    for stage in ["SetUp", "KnownModel", "Loading", "FirstRun"] {
        let Some(folder) = folder() else { return };
        let (is_well, _) = in_a_process(folder.path(), stage);
        assert!(!is_well, "{stage}");
        let (is_well, printed) = in_a_process(folder.path(), "nowhere");
        assert!(is_well && printed.contains("on cpu: "), "{stage}: {printed}");
        assert!(printed.contains("is left alone: the program that used it first ended"), "{printed}");
        // And says so in whatever asks later.
        let (runtime, told) = load(auto(folder.path())).unwrap();
        assert_eq!((backend(&runtime), unfit(&runtime).code()), ("cpu", "died"));
        assert!(told.iter().any(|notice| notice.starts_with("running on the CPU: ")), "{told:?}");
        let info = runtime.current().info().unwrap();
        assert_eq!(info.reason_code, Some("died"));
        assert!(info.reason.unwrap().contains("as where a driver crashes"));
        let reports = block_on(hala::devices(&auto(folder.path()).device));
        assert!(reports.iter().any(|r| matches!(r.unfit, Some(Unfit::Died { .. }))), "{reports:?}");
    }
}

#[test]
fn a_device_that_was_left_alone_is_tried_anew_once_that_is_forgotten() {
    let Some(folder) = folder() else { return };
    in_a_process(folder.path(), "FirstRun");
    let device = auto(folder.path()).device;
    assert_eq!(backend(&load(auto(folder.path())).unwrap().0), "cpu");
    assert!(hala::forget_devices(&device).unwrap() > 0);
    assert_eq!(backend(&load(auto(folder.path())).unwrap().0), "wgpu");
}

#[test]
fn a_program_that_its_user_ends_in_a_first_run_marks_no_device() {
    let Some(folder) = folder() else { return };
    let (is_well, _) = in_a_process(folder.path(), "as its user wants");
    assert!(!is_well);
    assert_eq!(backend(&load(auto(folder.path())).unwrap().0), "wgpu");
}

#[test]
fn what_is_remembered_is_nothing_to_another_driver() {
    let Some(folder) = folder() else { return };
    in_a_process(folder.path(), "FirstRun");
    assert_eq!(backend(&load(auto(folder.path())).unwrap().0), "cpu");
    // As an update of the driver makes it.
    for file in std::fs::read_dir(folder.path().join("devices")).unwrap() {
        let path = file.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("\"driver\": \"", "\"driver\": \"older ")).unwrap();
    }
    assert_eq!(backend(&load(auto(folder.path())).unwrap().0), "wgpu");
}

#[test]
fn who_asks_for_a_device_that_is_left_alone_gets_it_with_a_warning() {
    let Some(folder) = folder() else { return };
    in_a_process(folder.path(), "KnownModel");
    load(auto(folder.path())).unwrap();
    let device = DeviceOptions { backend: BackendName::Wgpu, ..auto(folder.path()).device };
    let chosen = block_on(device.open()).unwrap();
    let notices: Vec<_> = chosen.notices.iter().map(ToString::to_string).collect();
    assert!(chosen.backend.as_wgpu().is_some() && notices[0].contains("is used, although"), "{notices:?}");
}

#[test]
fn a_device_that_is_lost_twice_is_left_alone_for_that_model_at_later_starts_too() {
    let Some(folder) = folder() else { return };
    let (mut runtime, _) = load(auto(folder.path())).unwrap();
    for expected in ["wgpu", "cpu"] {
        block_on(runtime.recover("unplugged")).unwrap();
        assert_eq!(backend(&runtime), expected);
    }
    let (runtime, _) = load(auto(folder.path())).unwrap();
    assert_eq!(*unfit(&runtime), Unfit::Lost { reason: "unplugged".to_owned() });
    // Nobody says so of other models.
    let options = RuntimeOptions { weights: hala::WeightFormat::F32, ..auto(folder.path()) };
    assert_eq!(backend(&load(options).unwrap().0), "wgpu");
}

#[test]
fn two_first_runs_at_once_are_one_and_the_other_takes_the_cpu() {
    let Some(folder) = folder() else { return };
    let options = auto(folder.path());
    let second: Arc<Mutex<Option<Runtime>>> = Arc::default();
    let place = Arc::clone(&second);
    let inner = options.clone();
    let on_event = move |event: Event<'_>| {
        if let Event::FirstRun { .. } = event
            && place.lock().unwrap().is_none()
        {
            let (runtime, _) = load(inner.clone()).unwrap();
            *place.lock().unwrap() = Some(runtime);
        }
    };
    let first = block_on(Runtime::load(own_model(), options, on_event)).unwrap();
    let second = second.lock().unwrap().take().unwrap();
    assert_eq!((backend(&first), backend(&second)), ("wgpu", "cpu"));
    assert_eq!(*unfit(&second), Unfit::InTrial);
}

#[test]
fn software_is_no_gpu_to_whoever_does_not_say_so() {
    let Some(folder) = folder() else { return };
    let mut options = auto(folder.path());
    options.device.looks_at = LooksAt::Real;
    let reports = block_on(hala::devices(&options.device));
    if reports.iter().all(|report| report.kind == "software") {
        let (runtime, _) = load(options).unwrap();
        assert_eq!((backend(&runtime), unfit(&runtime)), ("cpu", &Unfit::Software));
    }
}

/// What was remembered for single models.
fn models(folder: &Path) -> Vec<hala::ModelReport> {
    let reports = block_on(hala::devices(&auto(folder).device));
    reports.into_iter().flat_map(|report| report.models).collect()
}

fn translate(runtime: &mut Runtime) -> String {
    let request = TranslateRequest::new("Good morning. Where is the station?");
    block_on(runtime.translate(&request, &Cancel::new())).unwrap().text
}

#[test]
fn before_the_second_work_the_cpu_is_compared_and_the_faster_is_remembered_and_goes_on() {
    let Some(folder) = folder() else { return };
    let mut options = auto(folder.path());
    options.device.compares = Compares::All;
    options.model.cache = Some(hala_tensor::DType::F32);
    let (mut runtime, _) = load(options.clone()).unwrap();
    let first = translate(&mut runtime);
    assert_eq!((backend(&runtime), models(folder.path())), ("wgpu", Vec::new()));
    assert_eq!(translate(&mut runtime), first);
    // Which of them it is depends on the machine.
    let models = models(folder.path());
    let [model] = &models[..] else { panic!("{models:?}") };
    let expected = match &model.unfit {
        None => ("wgpu", "gpu"),
        Some(Unfit::SlowerThanCpu { gpu_seconds, cpu_seconds }) => {
            assert!(cpu_seconds < gpu_seconds);
            ("cpu", "slower-than-cpu")
        }
        Some(other) => panic!("{other}"),
    };
    let found = |runtime: &Runtime| (backend(runtime), runtime.current().info().unwrap().reason_code);
    assert_eq!(found(&runtime), (expected.0, Some(expected.1)));
    // A later start takes it at once, and measures no more.
    let (mut later, _) = load(options).unwrap();
    assert_eq!(found(&later), (expected.0, Some(expected.1)));
    assert_eq!([translate(&mut later), translate(&mut later)], [first.clone(), first]);
    assert!(!block_on(later.compare_devices()).unwrap());
    assert_eq!(self::models(folder.path()), models);
}

#[test]
fn nobody_compares_a_gpu_that_does_not_share_the_cpu_s_memory_or_was_asked_for() {
    let Some(folder) = folder() else { return };
    // A program that plays a GPU is no integrated one.
    let (mut runtime, _) = load(auto(folder.path())).unwrap();
    assert!(!block_on(runtime.compare_devices()).unwrap());
    let mut options = auto(folder.path());
    options.device.backend = BackendName::Wgpu;
    options.device.compares = Compares::All;
    let (mut runtime, _) = load(options).unwrap();
    assert!(!block_on(runtime.compare_devices()).unwrap());
    assert_eq!((backend(&runtime), models(folder.path())), ("wgpu", Vec::new()));
}

#[test]
fn threads_that_share_a_runtime_get_the_faster_device_too() {
    let Some(folder) = folder() else { return };
    let mut options = auto(folder.path());
    options.device.compares = Compares::All;
    let shared = Shared::new(load(options).unwrap().0);
    let text = || {
        let mut stream = shared.translate(&TranslateRequest::new("Good morning."), &Cancel::new()).unwrap();
        let end = stream.by_ref().map(Result::unwrap).last();
        match end {
            Some(Output::Translated { translated, .. }) => translated.text,
            other => panic!("{other:?}"),
        }
    };
    let first = text();
    assert_eq!(models(folder.path()), Vec::new());
    assert_eq!([text(), text()], [first.clone(), first]);
    assert_eq!(models(folder.path()).len(), 1);
}
