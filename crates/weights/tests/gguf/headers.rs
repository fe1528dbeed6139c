//! A GGUF file looked into through a reader: its header comes, the values stay where they are.

use std::cell::Cell;
use std::ops::Range;

use hala_tensor::DType;
use hala_weights::{Checkpoint, Reader, WeightsError};
use pollster::block_on;

use crate::build::File;

/// Reads a file in memory, and counts.
struct Counting {
    bytes: Vec<u8>,
    n_read: Cell<usize>,
}

impl Counting {
    fn new(bytes: Vec<u8>) -> Self {
        Self { bytes, n_read: Cell::new(0) }
    }
}

impl Reader for Counting {
    async fn size(&self, _: &str) -> Result<u64, String> {
        Ok(self.bytes.len() as u64)
    }

    async fn read(&self, _: &str, range: Range<u64>) -> Result<Vec<u8>, String> {
        let bytes = &self.bytes[range.start as usize..range.end as usize];
        self.n_read.set(self.n_read.get() + bytes.len());
        Ok(bytes.to_vec())
    }
}

fn config(checkpoint: &Checkpoint) -> String {
    checkpoint.text_file("config.json").unwrap().unwrap().into_owned()
}

/// A file with factors and norms, whose first tensor is larger than what is read first.
fn large(family: &str) -> File {
    let mut file = File::new(family);
    file.tensor("token_embd.weight", &[20_000, 256], &vec![0.5; 20_000 * 256]);
    if family == "gemma2" {
        file.integer("gemma2.attention.key_length", 128).integer("gemma2.attention.value_length", 128);
    } else {
        file.tensor("rope_freqs.weight", &[32], &[2.0; 32]);
    }
    file
}

#[test]
fn a_header_says_what_the_file_does() {
    for family in ["lfm2", "gemma2"] {
        let whole = large(family).open().unwrap();
        let reader = Counting::new(large(family).bytes());
        let header = block_on(Checkpoint::gguf_header("m.gguf", &reader)).unwrap();
        assert!(reader.n_read.get() < reader.bytes.len() / 4);
        assert_eq!(config(&header), config(&whole));
        let names: Vec<_> = whole.tensor_names().collect();
        assert_eq!(header.tensor_names().collect::<Vec<_>>(), names);
        for name in names {
            assert_eq!(header.stored_dtype(name).unwrap(), whole.stored_dtype(name).unwrap());
        }
    }
}

#[test]
fn values_are_never_read() {
    let reader = Counting::new(large("gemma2").bytes());
    let mut header = block_on(Checkpoint::gguf_header("m.gguf", &reader)).unwrap();
    let name = "model.layers.0.input_layernorm.weight";
    // A norm of Gemma 2 is another value in the file, so what the reader gives would be wrong.
    let _ = block_on(header.fetch(name, &reader));
    let refused = header.load(name, DType::F32);
    assert!(matches!(refused, Err(WeightsError::NotFetched { .. })), "{refused:?}");
}

#[test]
fn a_long_header_is_read_to_its_end_and_a_damaged_one_refused() {
    let mut file = File::new("lfm2");
    let words = vec!["word"; 800_000];
    file.texts("general.tags", &words);
    let reader = Counting::new(file.bytes());
    let header = block_on(Checkpoint::gguf_header("m.gguf", &reader)).unwrap();
    assert_eq!(config(&header), config(&file.open().unwrap()));
    assert_eq!(reader.n_read.get(), reader.bytes.len());
    let cut = Counting::new(file.bytes()[..5_000_000].to_vec());
    let message = block_on(Checkpoint::gguf_header("m.gguf", &cut)).unwrap_err().to_string();
    assert!(message.contains("m.gguf") && message.contains("ends within its header"), "{message}");
}
