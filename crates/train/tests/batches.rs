//! Files as batches: order, parts, packing, what is left out, and going on from a saved position.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::OnceLock;

use hala_engine::TemplateOptions;
use hala_text::{Tokenizer, TokenizerFiles};
use hala_train::TrainError;
use hala_train::data::{
    Batch, BatchOptions, Batches, Form, OrderOptions, Packing, Pairs, Part, Position, Renderer, Replies,
    Rule, Source,
};
use tempfile::TempDir;

const OPTIONS: BatchOptions = BatchOptions {
    order: OrderOptions { seed: 5, shuffle: Some(20), part: Part::All },
    epochs: Some(1),
    max_rows: 64,
    max_document_rows: 64,
    packing: Packing::FirstFit,
    too_long: Rule::Drop,
    faulty: Rule::Refuse,
};

fn renderer() -> Renderer {
    static RENDERER: OnceLock<Renderer> = OnceLock::new();
    RENDERER.get_or_init(opened).clone()
}

fn opened() -> Renderer {
    let files = hala_demo_model::files();
    let file = |name: &str| files.iter().find(|(found, _)| found == name).unwrap().1.as_ref();
    let tokenizer = Tokenizer::new(TokenizerFiles {
        tokenizer_json: file("tokenizer.json"),
        tokenizer_config: Some(file("tokenizer_config.json")),
        ..TokenizerFiles::default()
    })
    .unwrap();
    Renderer::new(tokenizer, TemplateOptions::default(), vec![7], Replies::All).unwrap()
}

fn write(folder: &TempDir, name: &str, text: &str) -> Source {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    let form = Form::of(&path).unwrap();
    Source::new(path, form)
}

/// So many texts of odd lengths, each of which says its number.
fn texts(n: usize) -> String {
    (0..n).map(|i| format!("{{\"text\": \"row {i}{}\"}}\n", " and more".repeat(i * i % 7))).collect()
}

fn batches(sources: &[Source], options: BatchOptions) -> Batches {
    Batches::new(sources, renderer(), options).unwrap()
}

fn rest(batches: &mut Batches) -> Vec<Batch> {
    std::iter::from_fn(|| batches.next_batch().unwrap()).collect()
}

fn all(sources: &[Source], options: BatchOptions) -> Vec<Batch> {
    rest(&mut batches(sources, options))
}

/// What was saved, as it comes back from a file.
fn saved(position: &Position) -> Position {
    serde_json::from_str(&serde_json::to_string(position).unwrap()).unwrap()
}

/// One document of a batch.
#[derive(Debug, Clone, PartialEq)]
struct Rows {
    tokens: Vec<u32>,
    labels: Vec<u32>,
    weights: Vec<f32>,
}

/// The documents of batches, in their order.
fn documents(batches: &[Batch]) -> Vec<Rows> {
    let mut found = Vec::new();
    for batch in batches {
        let ends = batch.starts.iter().skip(1).copied().chain([batch.n_rows() as u32]);
        for (start, end) in batch.starts.iter().zip(ends) {
            let rows = *start as usize..end as usize;
            let tokens = batch.tokens[rows.clone()].to_vec();
            let (labels, weights) = (batch.labels[rows.clone()].to_vec(), batch.weights[rows].to_vec());
            found.push(Rows { tokens, labels, weights });
        }
    }
    found
}

/// How often each text occurs.
fn tally(batches: &[Batch]) -> BTreeMap<Vec<u32>, usize> {
    let mut found = BTreeMap::new();
    documents(batches).into_iter().for_each(|rows| *found.entry(rows.tokens).or_default() += 1);
    found
}

#[test]
fn resume_repeats_or_skips_data_the_same_batches_follow_from_any_position() {
    let folder = TempDir::new().unwrap();
    let mut first = write(&folder, "a.jsonl", &(texts(60) + "\n \n"));
    first.repeat = 1.5;
    let second = write(&folder, "b.tsv", &"Good morning.\tصباح الخير.\nHow are you?\tكيف حالك؟\n".repeat(9));
    let sources = [first, second];
    for (packing, shuffle) in [
        (Packing::FirstFit, Some(20)),
        (Packing::InOrder, None),
        (Packing::Alone, Some(1000)),
        (Packing::FirstFit, None),
    ] {
        let order = OrderOptions { shuffle, part: Part::Train { held_out: 0.2 }, ..OPTIONS.order };
        let options = BatchOptions { order, epochs: Some(3), packing, ..OPTIONS };
        let mut unbroken = batches(&sources, options);
        let mut positions = vec![unbroken.position()];
        let mut expected = Vec::new();
        while let Some(batch) = unbroken.next_batch().unwrap() {
            expected.push(batch);
            positions.push(unbroken.position());
        }
        for (n_done, position) in
            positions.iter().enumerate().step_by(3).chain(positions.iter().enumerate().next_back())
        {
            let mut resumed = batches(&sources, options);
            resumed.restore(&saved(position)).unwrap();
            assert_eq!(rest(&mut resumed), expected[n_done..], "{packing:?} {shuffle:?} from {n_done}");
            assert_eq!(resumed.counts(), unbroken.counts());
        }
    }
}

#[test]
fn a_position_goes_with_files_that_were_moved_and_not_with_others() {
    let folder = TempDir::new().unwrap();
    let source = write(&folder, "a.jsonl", &texts(40));
    let options = BatchOptions { epochs: Some(2), ..OPTIONS };
    let mut first = batches(std::slice::from_ref(&source), options);
    (0..2).for_each(|_| drop(first.next_batch().unwrap()));
    let (position, expected) = (first.position(), rest(&mut first));

    let mut moved = batches(&[write(&folder, "moved.jsonl", &texts(40))], options);
    moved.restore(&position).unwrap();
    assert_eq!(rest(&mut moved), expected);

    let refused = |text: &str, options: BatchOptions, said: &str| {
        let error = batches(&[write(&folder, "other.jsonl", text)], options).restore(&position).unwrap_err();
        assert!(matches!(error, TrainError::OtherData { .. }) && error.to_string().contains(said), "{error}");
    };
    refused(&texts(41), options, "sizes of files, or settings");
    refused(&texts(40).replace("row 1 ", "raw 1 "), options, "rows have changed");
    let order = OrderOptions { seed: 6, ..OPTIONS.order };
    refused(&texts(40), BatchOptions { order, ..options }, "settings");
}

#[test]
fn every_epoch_has_every_row_once_in_another_order() {
    let folder = TempDir::new().unwrap();
    let sources = [write(&folder, "a.jsonl", &texts(50))];
    let mut stream = batches(&sources, BatchOptions { epochs: None, ..OPTIONS });
    let mut epochs = vec![Vec::new(); 3];
    loop {
        let batch = stream.next_batch().unwrap().unwrap();
        match epochs.get_mut(stream.epoch() as usize) {
            Some(epoch) => epoch.push(batch),
            None => break,
        }
    }
    for epoch in &epochs {
        let tally = tally(epoch);
        assert!(tally.len() == 50 && tally.values().all(|n| *n == 1));
    }
    assert_ne!(epochs[0], epochs[1]);
    // The same seed gives the same order, another one another.
    let order = OrderOptions { seed: 6, ..OPTIONS.order };
    assert_eq!(all(&sources, OPTIONS), epochs[0]);
    assert_ne!(all(&sources, BatchOptions { order, ..OPTIONS }), epochs[0]);
}

#[test]
fn without_shuffling_rows_keep_the_order_of_their_files() {
    let folder = TempDir::new().unwrap();
    let sources = [write(&folder, "a.txt", "a\nb\n"), write(&folder, "b.txt", "c\nd")];
    let order = OrderOptions { shuffle: None, ..OPTIONS.order };
    let found = documents(&all(&sources, BatchOptions { order, packing: Packing::InOrder, ..OPTIONS }));
    let tokenizer = renderer();
    let texts: Vec<String> = found
        .iter()
        .map(|rows| tokenizer.tokenizer().decode(&rows.tokens, hala_text::Specials::Skip).unwrap())
        .collect();
    assert_eq!(texts, ["a", "b", "c", "d"]);
}

#[test]
fn a_buffer_of_all_rows_mixes_files_of_all_sizes() {
    let folder = TempDir::new().unwrap();
    let sources =
        [write(&folder, "a.txt", &"long ago\n".repeat(300)), write(&folder, "b.txt", &"once\n".repeat(100))];
    let order = OrderOptions { shuffle: Some(16), ..OPTIONS.order };
    let found = documents(&all(&sources, BatchOptions { order, packing: Packing::InOrder, ..OPTIONS }));
    let n_short = |rows: &[Rows]| rows.iter().filter(|rows| rows.tokens.len() == found_min(&found)).count();
    // Each half has its share of the smaller file, though the buffer is small.
    let (first, second) = found.split_at(found.len() / 2);
    assert_eq!(n_short(first) + n_short(second), 100);
    assert!((30..70).contains(&n_short(first)), "{}", n_short(first));
}

fn found_min(rows: &[Rows]) -> usize {
    rows.iter().map(|rows| rows.tokens.len()).min().unwrap()
}

#[test]
fn a_share_is_held_out_by_the_rows_themselves() {
    let folder = TempDir::new().unwrap();
    let part = |text: &str, part: Part| {
        let source = write(&folder, "a.jsonl", text);
        tally(&all(&[source], BatchOptions { order: OrderOptions { part, ..OPTIONS.order }, ..OPTIONS }))
    };
    let held_out = 0.25;
    let (train, held) =
        (part(&texts(200), Part::Train { held_out }), part(&texts(200), Part::HeldOut { held_out }));
    assert!((30..70).contains(&held.len()), "{}", held.len());
    assert!(held.keys().all(|text| !train.contains_key(text)));
    assert_eq!(train.len() + held.len(), 200);
    // Rows that are added change nothing of where the others are.
    let longer = part(&("{\"text\": \"new\"}\n".to_owned() + &texts(260)), Part::HeldOut { held_out });
    assert!(held.keys().all(|text| longer.contains_key(text)));
    assert!(train.keys().all(|text| !longer.contains_key(text)));
}

#[test]
fn both_ways_of_a_pair_are_held_out_together() {
    let folder = TempDir::new().unwrap();
    let text: String = (0..100).map(|i| format!("word {i}\tكلمة {i}\n")).collect();
    let source = write(&folder, "a.tsv", &text);
    let order = OrderOptions { part: Part::HeldOut { held_out: 0.3 }, ..OPTIONS.order };
    let mut both = batches(std::slice::from_ref(&source), BatchOptions { order, ..OPTIONS });
    rest(&mut both);
    let form = Form::Pairs(Pairs { to: Some(hala_text::Language::English), ..Pairs::default() });
    let mut one = batches(&[Source { form, ..source }], BatchOptions { order, ..OPTIONS });
    rest(&mut one);
    assert!(one.counts().n_rows > 10);
    assert_eq!(both.counts().n_rows, 2 * one.counts().n_rows);
}

#[test]
fn eval_loss_by_another_mask_rows_have_the_same_labels_in_either_part() {
    let folder = TempDir::new().unwrap();
    let talk = r#"{"messages": [{"role": "user", "content": "N"}, {"role": "assistant", "content": "A N"}, {"role": "user", "content": "B"},
        {"role": "assistant", "content": "C", "weight": 0.5}]}"#
        .replace('\n', "");
    let text: String = (0..60).map(|i| talk.replace('N', &i.to_string()) + "\n").collect();
    let source = Source { weight: 2.0, ..write(&folder, "a.jsonl", &text) };
    let of = |part: Part| {
        let order = OrderOptions { part, ..OPTIONS.order };
        let mut rows = documents(&all(std::slice::from_ref(&source), BatchOptions { order, ..OPTIONS }));
        rows.sort_by(|a, b| a.tokens.cmp(&b.tokens));
        rows
    };
    let held_out = 0.4;
    let mut parts = of(Part::Train { held_out });
    parts.extend(of(Part::HeldOut { held_out }));
    parts.sort_by(|a, b| a.tokens.cmp(&b.tokens));
    assert_eq!(parts, of(Part::All));
    assert!(parts.iter().flat_map(|rows| &rows.weights).all(|weight| [0.0, 1.0, 2.0].contains(weight)));
}

#[test]
fn documents_of_a_pack_are_those_that_stand_alone() {
    let folder = TempDir::new().unwrap();
    let sources = [write(&folder, "a.jsonl", &texts(80)), write(&folder, "b.txt", &"a\nb c\n".repeat(5))];
    let of = |packing| {
        let batches = all(&sources, BatchOptions { packing, ..OPTIONS });
        assert!(batches.iter().all(|batch| batch.starts[0] == 0 && batch.n_rows() <= OPTIONS.max_rows));
        let mut rows = documents(&batches);
        rows.sort_by(|a, b| a.tokens.cmp(&b.tokens));
        (batches.len(), rows)
    };
    let (n_alone, alone) = of(Packing::Alone);
    assert_eq!(n_alone, alone.len());
    for packing in [Packing::FirstFit, Packing::InOrder] {
        let (n_batches, packed) = of(packing);
        assert_eq!(packed, alone);
        assert!(n_batches < n_alone / 2);
    }
}

#[test]
fn truncation_cuts_the_answer_too_long_rows_are_left_out_whole_and_counted() {
    let folder = TempDir::new().unwrap();
    let long = format!("{{\"text\": \"{}\"}}\n", "very long ".repeat(100));
    let source = write(&folder, "a.jsonl", &(texts(10) + &long + &texts(10)));
    let mut stream = batches(std::slice::from_ref(&source), OPTIONS);
    let found = rest(&mut stream);
    assert_eq!(documents(&found).len(), 20);
    assert_eq!(documents(&found).iter().filter(|rows| rows.labels.last() == Some(&7)).count(), 20);
    assert_eq!(serde_json::to_string(&stream.counts().refused).unwrap(), r#"{"too_long":1}"#);
    assert_eq!((stream.counts().n_rows, stream.counts().n_refused()), (21, 1));

    let mut strict = batches(&[source], BatchOptions { too_long: Rule::Refuse, ..OPTIONS });
    let error = loop {
        match strict.next_batch() {
            Ok(batch) => assert!(batch.is_some()),
            Err(error) => break error.to_string(),
        }
    };
    assert!(
        error.contains("a.jsonl`, line 11: it takes") && error.contains("at most 64 are allowed"),
        "{error}"
    );
}

#[test]
fn bad_rows_are_refused_with_their_line_or_left_out_and_counted() {
    let folder = TempDir::new().unwrap();
    let text = texts(3)
        + "{\"text\": 5}\n{\n{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}]}\n"
        + &texts(2);
    let mut file = std::fs::File::create(folder.path().join("a.jsonl")).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.write_all(b"\xFF\n").unwrap();
    let source = Source::new(folder.path().join("a.jsonl"), Form::Json);
    let order = OrderOptions { shuffle: None, ..OPTIONS.order };
    let error =
        batches(std::slice::from_ref(&source), BatchOptions { order, ..OPTIONS }).next_batch().unwrap_err();
    let said = error.to_string();
    assert!(said.contains("a.jsonl`, line 4: `text` is 5; it should be a text"), "{said}");

    let mut stream = batches(&[source], BatchOptions { faulty: Rule::Drop, ..OPTIONS });
    assert_eq!(documents(&rest(&mut stream)).len(), 5);
    let refused = serde_json::to_string(&stream.counts().refused).unwrap();
    assert_eq!(refused, r#"{"form":2,"field":1,"unsupervised":1}"#);
}

#[test]
fn rows_come_as_often_as_their_source_repeats_them() {
    let folder = TempDir::new().unwrap();
    let times = |repeat: f64| {
        let source = Source { repeat, ..write(&folder, "a.jsonl", &texts(200)) };
        tally(&all(&[source], OPTIONS)).into_values().collect::<Vec<_>>()
    };
    assert!(times(3.0).iter().all(|n| *n == 3));
    let some = times(1.5);
    assert!(some.len() == 200 && some.iter().all(|n| [1, 2].contains(n)));
    assert!((270..330).contains(&some.iter().sum::<usize>()), "{}", some.iter().sum::<usize>());
    assert!((70..130).contains(&times(0.5).len()));
}

#[test]
fn files_without_a_row_and_settings_without_sense_are_refused() {
    let folder = TempDir::new().unwrap();
    let empty = write(&folder, "a.jsonl", "\n\n");
    let error = batches(std::slice::from_ref(&empty), OPTIONS).next_batch().unwrap_err().to_string();
    assert!(error.contains("a.jsonl` can be trained on: there is none"), "{error}");
    let refused = write(&folder, "b.jsonl", "{}\n");
    let error = batches(&[refused], BatchOptions { faulty: Rule::Drop, ..OPTIONS })
        .next_batch()
        .unwrap_err()
        .to_string();
    assert!(error.contains("1 of no known form"), "{error}");
    let new =
        |options| Batches::new(std::slice::from_ref(&empty), renderer(), options).unwrap_err().to_string();
    assert!(new(BatchOptions { max_document_rows: 65, ..OPTIONS }).contains("never cut"));
    let order = OrderOptions { part: Part::Train { held_out: 1.5 }, ..OPTIONS.order };
    assert!(new(BatchOptions { order, ..OPTIONS }).contains("held_out is 1.5"));
    let missing = Source::new(Path::new("missing.jsonl"), Form::Json);
    let error = Batches::new(&[missing], renderer(), OPTIONS).unwrap_err().to_string();
    assert!(error.starts_with("cannot read `missing.jsonl`"), "{error}");
}
