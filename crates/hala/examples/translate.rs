//! Translates a text with the model that ships with Hala: `cargo run -p hala --example translate -- "صباح الخير."`
#![expect(clippy::print_stdout, reason = "an example shows its result")]

use hala::Error;
use hala::blocking::Runtime;

fn main() -> Result<(), Error> {
    let text = std::env::args().nth(1).unwrap_or_else(|| "صباح الخير.".to_owned());
    let mut runtime = Runtime::built_in()?;
    // Into the other language than the text's own: Arabic becomes English, and English becomes Arabic.
    let translated = runtime.translate(&text)?;
    println!("{}", translated.text);
    Ok(())
}
