//! The npm package's types of requests and replies, against the Rust types that read and write them.

use std::collections::BTreeSet;

use hala::{
    CandidateReport, ChatChoice, ChatCompletion, ChatCompletionChunk, ChatRequest, ChoiceLogprobs,
    ChunkChoice, Delta, Finish, FinishReason, Info, Language, ReplyMessage, SamplingReport, SegmentReport,
    TimingsReport, TokenReport, TranslateReply, TranslateRequest, UsageReport, parse,
};
use hala_engine::{CompletionDetails, Looped, Obstacle, Outcome, Remarks};
use hala_tests::typescript::{Request, Shape, Types, unlike_replies};
use hala_text::{CopyReason, OtherLanguage};
use serde::Serialize;
use serde_json::{Value, json};

const COMPLETION: &str = "crates/hala/src/completion.rs, costs.rs, logprobs.rs and web/package/src/types.ts";
const REPLY: &str = "crates/hala/src/reply.rs, costs.rs and web/package/src/types.ts";
const FINISHES: [FinishReason; 3] = [FinishReason::Stop, FinishReason::Length, FinishReason::Cancelled];

/// Compares a type of the package with all that a Rust type is written as.
fn check(name: &str, files: &str, values: &[impl Serialize]) {
    let values: Vec<Value> = values.iter().map(|value| serde_json::to_value(value).unwrap()).collect();
    let differences = unlike_replies(&Types::of_package().shape(name), &values, (name, files));
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
}

/// Usage without drafts and thoughts, and with some.
fn usages() -> [UsageReport; 2] {
    let details = CompletionDetails { accepted_prediction_tokens: 1, ..CompletionDetails::default() };
    [CompletionDetails::default(), details]
        .map(|completion_tokens_details| UsageReport { completion_tokens_details, ..UsageReport::default() })
}

/// None, and those of a token without bytes and one with them.
fn logprobs() -> Vec<Option<ChoiceLogprobs>> {
    let token = |bytes| CandidateReport { token: String::new(), logprob: -1.0, bytes };
    let report = |bytes: Option<Vec<u8>>| TokenReport {
        chosen: token(bytes.clone()),
        top_logprobs: vec![token(None), token(Some(vec![1]))],
    };
    vec![None, Some(vec![report(None), report(Some(vec![1]))].into())]
}

#[test]
fn completions_are_those_of_the_package() {
    let choice = |(logprobs, finish_reason)| ChatChoice {
        index: 0,
        message: ReplyMessage {
            role: "assistant",
            reasoning_content: (finish_reason == Finish::Stop).then(String::new),
            content: String::new(),
            refusal: None,
        },
        logprobs,
        finish_reason,
    };
    let completion = |usage| ChatCompletion {
        id: String::new(),
        object: "chat.completion",
        created: 1,
        model: String::new(),
        choices: logprobs().into_iter().zip([Finish::Stop, Finish::Length]).map(choice).collect(),
        usage,
        timings: TimingsReport::default(),
    };
    check("ChatCompletion", COMPLETION, &usages().map(completion));
}

#[test]
fn chunks_are_those_of_the_package() {
    let some = |text: &str| Some(text.to_owned());
    let deltas = [
        Delta { role: Some("assistant"), content: some(""), ..Delta::default() },
        Delta { reasoning_content: some("x"), ..Delta::default() },
        Delta { content: some("x"), ..Delta::default() },
        Delta::default(),
    ];
    let finishes = [None, None, Some(Finish::Stop), Some(Finish::Length)];
    let choices: Vec<_> = deltas
        .into_iter()
        .zip(finishes)
        .zip(logprobs().into_iter().cycle())
        .map(|((delta, finish_reason), logprobs)| ChunkChoice { index: 0, delta, logprobs, finish_reason })
        .collect();
    let usages = [None, Some(None)].into_iter().chain(usages().map(|usage| Some(Some(usage))));
    let chunk = |(usage, timings)| ChatCompletionChunk {
        id: String::new(),
        object: "chat.completion.chunk",
        created: 1,
        model: String::new(),
        choices: choices.clone(),
        usage,
        timings,
    };
    let chunks: Vec<_> =
        usages.zip([None, Some(TimingsReport::default())].into_iter().cycle()).map(chunk).collect();
    check("ChatCompletionChunk", COMPLETION, &chunks);
}

/// All that can become of a sentence.
fn outcomes() -> Vec<Outcome> {
    let reasons =
        [CopyReason::NoLetters, CopyReason::NotProse, CopyReason::TargetLanguage, CopyReason::OtherScript];
    let mut outcomes = reasons.map(Outcome::Copied).to_vec();
    outcomes.extend([Obstacle::TooLong, Obstacle::Refused].map(Outcome::PassedThrough));
    for looped in [None, Some(Looped::Retried), Some(Looped::Cut)] {
        outcomes.extend(FINISHES.map(|finish| Outcome::Translated { looped, finish }));
    }
    outcomes
}

#[test]
fn translations_are_those_of_the_package() {
    let others = [None, Some(OtherLanguage::French)];
    let segment = |(outcome, other_language)| SegmentReport {
        source: [0, 1],
        target: [0, 1],
        remarks: Remarks { outcome, other_language },
    };
    let segments = || others.iter().flat_map(|other| outcomes().into_iter().map(move |one| (one, *other)));
    let mut replies = Vec::new();
    for (from, to) in [(Language::Arabic, Language::English), (Language::English, Language::Arabic)] {
        for (finish_reason, (other_language, usage)) in
            [Finish::Stop, Finish::Length].into_iter().zip(others.into_iter().zip(usages()))
        {
            let (text, segments) = (String::new(), segments().map(segment).collect());
            replies.push(TranslateReply {
                text,
                from,
                to,
                other_language,
                segments,
                finish_reason,
                usage,
                timings: TimingsReport::default(),
            });
        }
    }
    check("Translation", REPLY, &replies);
}

#[test]
fn what_is_told_of_a_model_is_that_of_the_package() {
    let sampling = |max_tokens| SamplingReport {
        temperature: 0.0,
        top_p: 1.0,
        top_k: 0,
        min_p: 0.0,
        repetition_penalty: 1.0,
        max_tokens,
        passed_over: vec![String::from("x")],
    };
    let info = |(sampling, backend)| Info {
        family: "lfm2",
        parameters: 1,
        layers: 1,
        width: 1,
        vocabulary: 1,
        context: 1,
        max_context: 1,
        weight_bytes: 1,
        cache_bytes_per_token: 1,
        sampling,
        // The browser's module puts the page's names in the place of its own.
        backend,
        device: String::new(),
        // Nor has it reasons: the page has its own.
        reason: None,
        reason_code: None,
        subgroups: false,
        threads: 1,
    };
    let infos =
        [(None, "webgpu"), (Some(sampling(None)), "wasm"), (Some(sampling(Some(1))), "wasm")].map(info);
    check("Info", "crates/hala/src/info.rs, reply.rs and web/package/src/wire.ts, types.ts", &infos);
}

/// The fields of one of the tables in the package's request.ts.
fn table(name: &str) -> BTreeSet<String> {
    let source = include_str!("../../web/package/src/request.ts");
    let (_, table) = source.split_once(&format!("const {name}: ")).unwrap();
    let (table, _) = table.split_once("\n};").unwrap();
    let fields = table.lines().skip(1).filter_map(|line| line.trim().split_once(": "));
    fields.map(|(field, _)| field.to_owned()).collect()
}

#[test]
fn chat_requests_are_those_of_the_package() {
    let kept: Vec<String> = table("OWN").into_iter().chain(table("IDLE")).collect();
    let request = Request {
        name: "ChatRequest",
        files: "crates/hala/src/request.rs and web/package/src/types.ts",
        kept: &kept.iter().map(String::as_str).collect::<Vec<_>>(),
        texts: &[("now", "2026-03-07T09:05")],
    };
    let shape = Types::of_package().shape("ChatRequest");
    let read = |json: &str| parse::<ChatRequest>(json).map(|_| ()).map_err(|error| error.to_string());
    let differences = request.unlike::<ChatRequest>(&shape, read);
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
    let Shape::Fields(fields) = shape else { panic!("no interface") };
    let passed_on: BTreeSet<_> = fields.into_keys().filter(|field| !kept.contains(field)).collect();
    assert_eq!(
        table("ASKED"),
        passed_on,
        "ASKED in request.ts, and ChatRequest in types.ts without OWN and IDLE"
    );
}

#[test]
fn translations_are_asked_for_as_in_the_package() {
    let request = Request {
        name: "TranslateRequest",
        files: "crates/hala/src/request.rs and web/package/src/types.ts",
        kept: &["signal", "onText"],
        texts: &[],
    };
    let read = |json: &str| parse::<TranslateRequest>(json).map(|_| ()).map_err(|error| error.to_string());
    let differences =
        request.unlike::<TranslateRequest>(&Types::of_package().shape("TranslateRequest"), read);
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
}

#[test]
fn errors_are_those_of_the_package() {
    // An object of JavaScript's, which nothing but a browser can make.
    let source = include_str!("../../crates/wasm/src/error.rs");
    let written = source.split("set(\"").skip(1).filter_map(|rest| rest.split('"').next());
    let Shape::Fields(fields) = Types::of_package().shape("Failure") else { panic!("no interface") };
    let fields: BTreeSet<&str> = fields.keys().map(String::as_str).collect();
    assert_eq!(written.collect::<BTreeSet<_>>(), fields, "crates/wasm/src/error.rs and Failure in wire.ts");
}

#[test]
fn the_codes_of_errors_are_those_of_the_package_and_stand_in_their_table() {
    let listed = include_str!("../../crates/hala/src/error.rs").lines();
    let listed = listed.filter_map(|line| line.trim().strip_prefix("/// | `")?.split('`').next());
    // What no page can meet: it saves no sequences.
    let native = ["damaged-sequence", "other-model"];
    let listed: BTreeSet<&str> = listed.filter(|code| !native.contains(code)).collect();
    let all = Types::of_package().shape("HalaErrorCode");
    let Shape::OneOf(codes) = &all else { panic!("no list of codes") };
    let words = codes.iter().filter_map(|code| match code {
        Shape::Literal(word) => word.as_str(),
        _ => None,
    });
    // What only the page can find.
    let own = ["disposed", "unsupported-environment", "quota-exceeded", "worker-died"];
    let of_rust: BTreeSet<&str> = words.filter(|code| !own.contains(code)).collect();
    assert_eq!(listed, of_rust, "the table in crates/hala/src/error.rs and HalaErrorCode in errors.ts");
    for error in [hala::Error::Lost, hala::Error::Busy, hala::Error::Request { reason: String::new() }] {
        assert!(listed.contains(error.code()), "{error}");
    }
}

#[test]
fn what_differs_is_named() {
    let types = Types::of(&["interface A { /* words */ a: number; b?: 'x' | 'y'; c: string[] }"]);
    let values = [json!({"a": 1, "b": "x", "c": ["s"], "d": 1}), json!({"a": 1, "b": "z", "c": [1]})];
    let differences = unlike_replies(&types.shape("A"), &values, ("A", "a.rs and a.ts"));
    let expected = [
        "A.b: optional in TypeScript, and always there in Rust (a.rs and a.ts)",
        "A.b: Rust writes \"z\", and TypeScript has \"x\" | \"y\" (a.rs and a.ts)",
        "A.b: TypeScript has \"y\", which Rust never writes (a.rs and a.ts)",
        "A.c[]: Rust writes 1, and TypeScript has string (a.rs and a.ts)",
        "A.d: Rust writes this field, and TypeScript has none (a.rs and a.ts)",
    ];
    assert_eq!(differences, expected);
}
