//! GGUF files: logits against transformers' of the weights that they hold, ids against SentencePiece's and transformers'.

use std::fs;
use std::path::{Path, PathBuf};

use hala_engine::open_tokenizer;
use hala_model::WeightFormat;
use hala_tests::fixtures::{self, Fixture};
use hala_weights::Checkpoint;
use serde_json::Value;

use crate::largest_difference;
use crate::ways::Way;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/gguf").join(name)
}

/// The largest difference from transformers' logits, over all prompts.
fn worst(fixture: &Fixture, model: &Path) -> f32 {
    let model = Way::Threaded.load(&Checkpoint::open(model).unwrap(), WeightFormat::F32);
    let prompts = fixture.prompts();
    let of = prompts.iter().map(|p| largest_difference(&model.logits(&p.ids, p.ids.len()), &p.logits));
    of.fold(0.0, f32::max)
}

#[test]
fn logits_are_those_of_what_a_file_holds() {
    let found = fixtures::of("gguf");
    assert_eq!(found.len(), 4);
    for fixture in found {
        let worst = worst(&fixture, &fixture.path.join("model.gguf"));
        assert!(worst <= 1e-4, "{}: {worst}", fixture.name);
    }
    for (family, name) in [("cohere2", "four-layer"), ("lfm3", "five-layer")] {
        let fixture = Fixture::new(family, name);
        let worst = worst(&fixture, &fixture.path.with_extension("gguf"));
        assert!(worst <= 1e-4, "{family}: {worst}");
    }
}

#[test]
fn ids_are_those_of_the_vocabulary_s_own_tokenizer() {
    let expected: Value = serde_json::from_slice(&fs::read(file("sentencepiece.json")).unwrap()).unwrap();
    for (name, rows) in expected.as_object().unwrap() {
        let tokenizer = open_tokenizer(&Checkpoint::open(&file(name)).unwrap()).unwrap().unwrap();
        for row in rows.as_array().unwrap() {
            let text = row["text"].as_str().unwrap();
            let ids: Vec<u32> =
                row["ids"].as_array().unwrap().iter().map(|id| id.as_u64().unwrap() as u32).collect();
            assert_eq!(tokenizer.encode(text, hala_text::Bos::Never).unwrap(), ids, "{name}: {text:?}");
            let with_bos = [&[2], ids.as_slice()].concat();
            let bos = if text.starts_with("<bos>") { ids.clone() } else { with_bos };
            assert_eq!(tokenizer.encode(text, hala_text::Bos::Auto).unwrap(), bos, "{name}: {text:?}");
            let decoded = tokenizer.decode(&ids, hala_text::Specials::Keep).unwrap();
            assert_eq!(decoded, row["decoded"].as_str().unwrap(), "{name}: {text:?}");
        }
    }
}
