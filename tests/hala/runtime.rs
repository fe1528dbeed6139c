//! A runtime: which device it takes and why, what it tells, and how it goes on after a loss.

use std::sync::{Arc, Mutex};

use hala::{
    BackendName, Cancel, ChatRequest, DeviceOptions, Estimate, Event, Message, ModelSource, Options, Runtime,
    RuntimeOptions, TranslateRequest, WeightFormat, Why,
};
use hala_tensor::DType;
use hala_tests::devices;
use pollster::block_on;

const TEXT: &str = "Good morning. Where is the station? Thank you.";

/// What a runtime told, in a word each.
type Told = Arc<Mutex<Vec<String>>>;

fn load(device: DeviceOptions) -> (Runtime, Told) {
    let told = Told::default();
    let heard = Arc::clone(&told);
    let on_event = move |event: Event<'_>| match event {
        Event::DeviceLost { .. } => heard.lock().unwrap().push("lost".to_owned()),
        Event::DeviceChanged { device, .. } => heard.lock().unwrap().push(device.backend.to_owned()),
        _ => {}
    };
    // A cache in f32 on every device, so that texts are the same.
    let model = Options { cache: Some(DType::F32), ..Options::default() };
    let options = RuntimeOptions { device, model, ..RuntimeOptions::default() };
    (block_on(Runtime::load(ModelSource::BuiltIn, options, on_event)).unwrap(), told)
}

fn on_cpu() -> Runtime {
    load(DeviceOptions { backend: BackendName::Cpu, n_threads: 1, ..DeviceOptions::default() }).0
}

fn on_gpu(name: &str) -> (Runtime, Told) {
    let adapter = Some(name.to_owned());
    load(DeviceOptions { backend: BackendName::Wgpu, adapter, ..DeviceOptions::default() })
}

fn translated(runtime: &mut Runtime) -> String {
    block_on(runtime.translate(&TranslateRequest::new(TEXT), &Cancel::new())).unwrap().text
}

fn chat_request() -> ChatRequest {
    let content = "Translate everything that follows into Arabic:\n\nGood morning.";
    ChatRequest { temperature: Some(0.0), ..ChatRequest::new(vec![Message::user(content)]) }
}

#[test]
fn the_built_in_model_takes_the_cpu_and_says_why() {
    assert_eq!(*load(DeviceOptions::default()).0.why(), Why::SmallModel);
    assert_eq!(*on_cpu().why(), Why::Asked);
    for device in devices::for_models() {
        let (runtime, _) = on_gpu(device);
        assert_eq!((runtime.why(), runtime.current().info().unwrap().backend), (&Why::Asked, "wgpu"));
    }
}

#[test]
fn an_adapter_that_is_not_there_is_an_error_with_a_code() {
    let adapter = Some("no such adapter".to_owned());
    let options = RuntimeOptions {
        device: DeviceOptions { adapter, ..DeviceOptions::default() },
        ..RuntimeOptions::default()
    };
    let error = block_on(Runtime::load(ModelSource::BuiltIn, options, |_: Event<'_>| {})).unwrap_err();
    assert_eq!(error.code(), "device-refused", "{error}");
}

#[test]
fn a_raised_flag_stops_the_loading() {
    let options = RuntimeOptions::default();
    options.cancel.cancel();
    let error = block_on(Runtime::load(ModelSource::BuiltIn, options, |_: Event<'_>| {})).unwrap_err();
    assert!(error.is_cancelled(), "{error}");
}

#[test]
fn the_flag_of_the_loading_stops_none_after_a_lost_device() {
    let device = DeviceOptions { backend: BackendName::Cpu, n_threads: 1, ..DeviceOptions::default() };
    let options = RuntimeOptions { device, ..RuntimeOptions::default() };
    let cancel = options.cancel.clone();
    let mut runtime = block_on(Runtime::load(ModelSource::BuiltIn, options, |_: Event<'_>| {})).unwrap();
    cancel.cancel();
    block_on(runtime.recover("unplugged")).unwrap();
    assert!(runtime.current().info().is_ok());
}

#[test]
fn a_translation_goes_on_after_a_loss_and_on_the_cpu_after_a_second() {
    let expected = translated(&mut on_cpu());
    for device in devices::for_models() {
        let (mut runtime, told) = on_gpu(device);
        let current = runtime.current().clone();
        let mut stream = runtime.stream_translation(&TranslateRequest::new(TEXT), &Cancel::new()).unwrap();
        for backend in ["wgpu", "wgpu"] {
            block_on(stream.step()).unwrap();
            assert_eq!(current.info().unwrap().backend, backend);
            current.engine().unwrap().backend().destroy();
        }
        while block_on(stream.next()).unwrap().is_some() {}
        assert_eq!(stream.finish().unwrap().text, expected, "{device}");
        assert_eq!(*told.lock().unwrap(), ["lost", "lost", "cpu"]);
        assert_eq!((runtime.why(), current.info().unwrap().backend), (&Why::Lost, "cpu"));
    }
}

#[test]
fn a_device_that_is_set_up_again_runs_the_model_for_the_same_reason() {
    for device in devices::for_models() {
        let device = DeviceOptions {
            backend: BackendName::Wgpu,
            adapter: Some(device.to_owned()),
            ..DeviceOptions::default()
        };
        let options = RuntimeOptions { device, ..RuntimeOptions::default() };
        // A software device is never the fastest, so it is said to be.
        let mut chosen = block_on(options.device.open()).unwrap();
        chosen.why = Why::Fastest;
        let checkpoint = ModelSource::BuiltIn.open(&mut |_: Event<'_>| {}, &options).unwrap();
        let mut runtime = block_on(Runtime::on(chosen, checkpoint, options, |_: Event<'_>| {})).unwrap();
        block_on(runtime.recover("unplugged")).unwrap();
        let backend = runtime.current().info().unwrap().backend;
        assert_eq!((runtime.why(), backend), (&Why::Fastest, "wgpu"));
    }
}

#[test]
fn replies_go_on_after_a_loss_one_and_several() {
    let text = |reply: hala::ChatReply| reply.choices.into_iter().map(|c| c.text).collect::<Vec<_>>();
    let alone = text(block_on(on_cpu().chat(chat_request(), &Cancel::new())).unwrap());
    for device in devices::for_models() {
        for n in [1, 2] {
            let (mut runtime, told) = on_gpu(device);
            let current = runtime.current().clone();
            let request = ChatRequest { n: n.try_into().ok(), ..chat_request() };
            let mut stream = runtime.stream_chat(request, &Cancel::new()).unwrap();
            block_on(stream.step()).unwrap();
            current.engine().unwrap().backend().destroy();
            while block_on(stream.next()).unwrap().is_some() {}
            assert_eq!(text(stream.finish().unwrap()), vec![alone[0].clone(); n], "{device}");
            assert_eq!(*told.lock().unwrap(), ["lost"]);
        }
    }
}

#[test]
fn what_is_estimated_is_what_is_held() {
    for weights in WeightFormat::ALL {
        let cpu = DeviceOptions { backend: BackendName::Cpu, n_threads: 1, ..DeviceOptions::default() };
        let options = RuntimeOptions { device: cpu, weights, ..RuntimeOptions::default() };
        let checkpoint = ModelSource::BuiltIn.open(&mut |_: Event<'_>| {}, &options).unwrap();
        let estimate = Estimate::of(&checkpoint, &options).unwrap();
        let runtime = block_on(Runtime::load(ModelSource::BuiltIn, options, |_: Event<'_>| {})).unwrap();
        let engine = runtime.engine().unwrap();
        assert_eq!(estimate.weight_bytes, engine.weight_bytes(), "{weights}");
        let facts = engine.model().facts();
        assert_eq!(estimate.cache_bytes_per_token, facts.cache_bytes_per_token);
        assert!(estimate.sequence_bytes > engine.model().state_bytes(1, facts.context));
        assert!(estimate.peak_bytes() > estimate.weight_bytes);
    }
}
