//! Works on many texts at once, in bounded memory: `cargo run -p hala --example batch`
#![expect(clippy::print_stdout, reason = "an example shows its result")]

use hala::{
    Cancel, Direction, Error, Event, Handed, ModelSource, Runtime, RuntimeOptions, Translation, Translations,
};

const TEXTS: [&str; 4] = ["Good morning.", "Where is the station?", "Thank you.", "شكرا."];

async fn batch() -> Result<(), Error> {
    let options = RuntimeOptions { n_parallel: Some(4), ..RuntimeOptions::default() };
    let mut runtime = Runtime::load(ModelSource::BuiltIn, options, |_: Event<'_>| {}).await?;
    let mut translations = Translations::default();
    for text in TEXTS {
        let engine = runtime.engine()?;
        translations.push(Translation::new(engine, text, Direction::default(), &Cancel::new())?);
    }
    // A step computes one token of each text; they are handed out in the order that they were added in, and others may be added
    // at any time.
    while !translations.is_empty() {
        if let Handed::End(translated) = runtime.step_translations(&mut translations).await? {
            println!("{}", translated.text);
        }
    }
    Ok(())
}

fn main() -> Result<(), Error> {
    pollster::block_on(batch())
}
