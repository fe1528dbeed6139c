//! Runs a checkpoint of your own, and tells beforehand what memory it will take:
//! `cargo run -p hala --example own_checkpoint -- ./my-model`
#![expect(clippy::print_stdout, reason = "an example shows its result")]

use std::path::PathBuf;

use hala::blocking::Runtime;
use hala::{Error, Event, ModelSource, Options, RuntimeOptions, WeightFormat};

fn main() -> Result<(), Error> {
    let source = match std::env::args().nth(1) {
        // A folder in Hugging Face layout, or one .safetensors or GGUF file.
        Some(path) => ModelSource::Path(PathBuf::from(path)),
        // Files in memory, by the names that they have in such a folder.
        None => ModelSource::Files(hala_demo_model::files()),
    };
    let options = RuntimeOptions {
        weights: WeightFormat::Int4,
        model: Options { context: Some(1024), ..Options::default() },
        ..RuntimeOptions::default()
    };
    // This reads the headers of the files and no weight.
    let estimate = hala::estimate(source.clone(), &options)?;
    println!("{} bytes of weights, {} for a full context", estimate.weight_bytes, estimate.sequence_bytes);

    let mut runtime = Runtime::with(source, options, |_: Event<'_>| {})?;
    println!("{} bytes are held", runtime.inner().engine()?.weight_bytes());
    println!("{}", runtime.translate("صباح الخير.")?.text);
    Ok(())
}
