//! Makes the crate's files from a published checkpoint: `make CHECKPOINT GROUP OUT`.
//!
//! Matrices are held in int8 in groups of GROUP along the input, everything else in f32; config.json says so in
//! compressed-tensors' words. The same checkpoint gives the same bytes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use hala_model::{Options, Role, Source};
use hala_tensor::DType;
use hala_weights::{Checkpoint, SafetensorsWriter, int8_quantization_config};

/// Files that are copied as they are.
const COPIED: [&str; 4] =
    ["generation_config.json", "tokenizer.json", "tokenizer_config.json", "golden.jsonl"];

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [checkpoint, group, out] = args.as_slice() else { bail!("usage: make CHECKPOINT GROUP OUT") };
    let (folder, out) = (Path::new(checkpoint), Path::new(out));
    let group: usize = group.parse().context("GROUP is a number of columns")?;
    fs::create_dir_all(out)?;
    write_weights(folder, group, &out.join("model.safetensors"))?;
    write_config(folder, group, &out.join("config.json"))?;
    for name in COPIED {
        let bytes = fs::read(folder.join(name)).with_context(|| format!("reading {name}"))?;
        fs::write(out.join(name), bytes)?;
    }
    Ok(())
}

fn write_weights(folder: &Path, group: usize, out: &Path) -> Result<()> {
    let checkpoint = Checkpoint::open(folder)?;
    let model = hala_model::open(&checkpoint, Options::default())?;
    let mut writer = SafetensorsWriter::new();
    writer.metadata("format", "pt");
    let mut tensors = BTreeMap::new();
    for spec in model.weights().iter().filter(|w| w.source == Source::Checkpoint) {
        let dtype = if spec.role == Role::Vector { DType::F32 } else { DType::Int8 { group } };
        tensors.insert(spec.name.clone(), checkpoint.load(&spec.name, dtype)?);
    }
    Ok(writer.write_all(out, &tensors)?)
}

fn write_config(folder: &Path, group: usize, out: &Path) -> Result<()> {
    let text = fs::read_to_string(folder.join("config.json"))?;
    let mut config: serde_json::Value = serde_json::from_str(&text)?;
    let settings = config.as_object_mut().context("config.json holds no object")?;
    settings.insert("quantization_config".to_owned(), int8_quantization_config(group));
    fs::write(out, serde_json::to_string_pretty(&config)? + "\n")?;
    Ok(())
}
