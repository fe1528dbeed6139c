//! A runtime that many threads use at once: what each of them gets is what it would get alone.

use std::sync::Arc;
use std::thread;

use hala::{
    BackendName, Cancel, ChatRequest, Checkpoint, Chosen, DeviceOptions, Error, Event, FinishReason,
    ModelSource, Output, Runtime, RuntimeOptions, Shared, SharedStream, TextRequest, TranslateRequest, Why,
    parse,
};
use hala_tests::devices;
use pollster::block_on;

const TEXTS: [&str; 8] = [
    "Good morning.",
    "Where is the station? I am here.",
    "شكرا جزيلا.",
    "The book is on the table.\n\nThank you.",
    "أين الكتاب؟",
    "Good night.",
    "I want water.",
    "صباح الخير. كيف حالك؟",
];

fn shared() -> Shared {
    let device = DeviceOptions { backend: BackendName::Cpu, n_threads: 1, ..DeviceOptions::default() };
    let options = RuntimeOptions { device, ..RuntimeOptions::default() };
    Shared::new(block_on(Runtime::load(ModelSource::BuiltIn, options, |_: Event<'_>| {})).unwrap())
}

/// The whole of a translation, whose pieces must make it up and tell where they are.
fn whole(stream: &mut SharedStream, source: &str) -> String {
    let (mut text, mut end) = (String::new(), None);
    for output in stream.by_ref() {
        match output.unwrap() {
            Output::Translating(piece) => {
                assert_eq!(piece.target, text.len()..text.len() + piece.text.len());
                assert!(source.get(piece.source.clone()).is_some_and(|part| !part.is_empty()), "{piece:?}");
                text.push_str(&piece.text);
            }
            Output::Translated { index: 0, translated } => end = Some(translated),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(text, end.unwrap().text);
    text
}

fn translated(shared: &Shared, text: &str) -> String {
    whole(&mut shared.translate(&TranslateRequest::new(text), &Cancel::new()).unwrap(), text)
}

fn request(max_tokens: usize) -> TextRequest {
    let json = format!(r#"{{"prompt":[5,6,7],"max_tokens":{max_tokens},"temperature":0,"ignore_eos":true}}"#);
    parse(&json).unwrap()
}

#[test]
fn threads_at_once_get_what_each_would_get_alone() {
    let shared = shared();
    let alone: Vec<String> = TEXTS.iter().map(|text| translated(&shared, text)).collect();
    for _ in 0..3 {
        let threads: Vec<_> = TEXTS
            .iter()
            .map(|text| {
                let shared = shared.clone();
                thread::spawn(move || translated(&shared, text))
            })
            .collect();
        let together: Vec<String> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert_eq!(together, alone);
    }
}

#[test]
fn threads_share_a_gpu_too_and_go_on_where_it_is_lost() {
    let alone: Vec<String> = TEXTS.iter().map(|text| translated(&shared(), text)).collect();
    for device in devices::for_models() {
        let checkpoint = Checkpoint::from_files(hala_demo_model::files()).unwrap();
        let chosen = Chosen::new(devices::open(device).into(), Why::Asked);
        let runtime = Runtime::on(chosen, checkpoint, RuntimeOptions::default(), |_: Event<'_>| {});
        let shared = Shared::new(block_on(runtime).unwrap());
        // It is lost before anything was made on it, and once more in the middle of the work.
        shared.current().unwrap().engine().unwrap().backend().destroy();
        assert_eq!(translated(&shared, TEXTS[0]), alone[0], "{device}");
        thread::scope(|scope| {
            let threads: Vec<_> =
                TEXTS.iter().map(|text| scope.spawn(|| translated(&shared, text))).collect();
            shared.current().unwrap().engine().unwrap().backend().destroy();
            let together: Vec<String> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
            assert_eq!(together, alone, "{device}");
        });
    }
}

#[test]
fn work_of_several_kinds_shares_steps_with_what_wants_the_runtime_alone() {
    let shared = shared();
    let chat = r#"{"messages":[{"role":"user","content":"Translate everything that follows into Arabic:\n\nGood morning."}],
        "n":2,"temperature":0,"max_tokens":20}"#;
    let replies = |shared: &Shared| {
        let request: ChatRequest = parse(chat).unwrap();
        let mut stream = shared.chat(request, &Cancel::new()).unwrap();
        let (mut texts, mut reply) = (vec![String::new(); 2], None);
        for output in stream.by_ref() {
            match output.unwrap() {
                Output::Reply(piece) => texts[piece.index].push_str(&piece.text),
                Output::Replied(end) => reply = Some(end),
                other => panic!("{other:?}"),
            }
        }
        let reply = reply.unwrap();
        assert_eq!(texts, reply.choices.iter().map(|choice| choice.text.clone()).collect::<Vec<_>>());
        texts
    };
    let (alone, translation) = (replies(&shared), translated(&shared, TEXTS[3]));
    thread::scope(|scope| {
        let chats: Vec<_> = (0..3).map(|_| scope.spawn(|| replies(&shared))).collect();
        let translations: Vec<_> = (0..3).map(|_| scope.spawn(|| translated(&shared, TEXTS[3]))).collect();
        for _ in 0..20 {
            shared.alone(|runtime| Ok(runtime.scheduler()?.trim()?)).unwrap();
        }
        chats.into_iter().for_each(|chat| assert_eq!(chat.join().unwrap(), alone));
        translations.into_iter().for_each(|own| assert_eq!(own.join().unwrap(), translation));
    });
}

#[test]
fn many_texts_come_in_their_order_and_what_is_wrong_with_one_stops_no_other() {
    let shared = shared();
    let mut requests: Vec<_> =
        TEXTS.iter().cycle().take(40).map(|text| TranslateRequest::new(*text)).collect();
    let arabic = Some(hala::Language::Arabic);
    requests[7] = TranslateRequest { text: "شكرا.".to_owned(), from: arabic, to: arabic };
    let mut stream = shared.translate_all(requests, &Cancel::new()).unwrap();
    let mut ends = Vec::new();
    for output in stream.by_ref() {
        match output.unwrap() {
            Output::Translated { index, translated } => {
                assert_eq!(translated.text, self::translated(&self::shared(), TEXTS[index % 8]));
                ends.push(index);
            }
            Output::Failed { index, error } => {
                assert_eq!((index, error.code()), (7, "same-language"));
                ends.push(index);
            }
            Output::Translating(piece) => assert_eq!(piece.index, ends.len()),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(ends, (0..40).collect::<Vec<_>>());
}

#[test]
fn a_stream_that_is_dropped_or_stopped_leaves_the_others_alone() {
    let shared = shared();
    let mut long = shared.generate(request(100_000_000), &Cancel::new()).unwrap();
    let mut stopped = shared.generate(request(100_000_000), &Cancel::new()).unwrap();
    assert!(matches!(long.next(), Some(Ok(Output::Reply(_)))));
    assert!(matches!(stopped.next(), Some(Ok(Output::Reply(_)))));
    stopped.cancel().cancel();
    let reply = stopped.by_ref().find_map(|output| match output.unwrap() {
        Output::Replied(reply) => Some(reply),
        _ => None,
    });
    assert_eq!(reply.unwrap().choices[0].finish, FinishReason::Cancelled);
    assert!(stopped.next().is_none());
    drop(long);
    assert_eq!(translated(&shared, TEXTS[0]), translated(&self::shared(), TEXTS[0]));
}

#[test]
fn a_stream_that_nobody_waits_for_goes_on_with_the_work_of_others() {
    let shared = shared();
    let mut slow = shared.generate(request(20), &Cancel::new()).unwrap();
    assert!(matches!(slow.next(), Some(Ok(Output::Reply(_)))));
    // Far more steps than it still has.
    let other = shared.generate(request(200), &Cancel::new()).unwrap();
    assert!(other.map(Result::unwrap).count() > 1);
    let rest: Vec<Output> = slow.map(Result::unwrap).collect();
    assert!(matches!(rest.last(), Some(Output::Replied(reply)) if reply.usage.completion_tokens == 20));
}

#[test]
fn one_that_comes_later_does_not_wait_for_a_job_of_many() {
    let shared = shared();
    let requests: Vec<_> = TEXTS.iter().cycle().take(400).map(|text| TranslateRequest::new(*text)).collect();
    let mut many = shared.translate_all(requests, &Cancel::new()).unwrap();
    assert!(matches!(many.next(), Some(Ok(Output::Translating(_)))));
    translated(&shared, TEXTS[0]);
    many.cancel().cancel();
    let n_done = many.filter(|output| matches!(output, Ok(Output::Translated { .. }))).count();
    assert!(n_done < 300, "{n_done} of 400 were done first");
}

#[test]
fn after_a_panic_every_thread_is_told_and_none_waits_for_ever() {
    let shared = Arc::new(shared());
    let mut stream = shared.generate(request(100_000_000), &Cancel::new()).unwrap();
    let own = Arc::clone(&shared);
    let panicked = thread::spawn(move || own.alone(|_| -> Result<(), Error> { panic!("planted") })).join();
    assert!(panicked.is_err());
    assert_eq!(stream.next().unwrap().unwrap_err().code(), "internal");
    assert_eq!(shared.alone(|_| Ok(())).unwrap_err().code(), "internal");
}

#[test]
fn an_error_that_ends_one_is_told_to_it_alone() {
    let shared = shared();
    let refused = shared.generate(parse(r#"{"prompt":[]}"#).unwrap(), &Cancel::new());
    assert_eq!(refused.unwrap_err().code(), "invalid-request");
    let hot = shared.generate(parse(r#"{"prompt":[5],"temperature":-1}"#).unwrap(), &Cancel::new());
    assert_eq!(hot.unwrap_err().code(), "invalid-request");
    assert_eq!(translated(&shared, TEXTS[0]), translated(&self::shared(), TEXTS[0]));
}
