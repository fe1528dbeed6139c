//! Shows a translation while it comes, with futures: `cargo run -p hala --example stream`
#![expect(clippy::print_stdout, reason = "an example shows its result")]

use std::io::Write;

use hala::{Cancel, Error, Event, ModelSource, Runtime, RuntimeOptions, TranslateRequest};

async fn stream() -> Result<(), Error> {
    let on_event = |event: Event<'_>| {
        if let Event::Loading(progress) = event
            && progress.n_done == progress.n_total
        {
            println!("loaded {} weights", progress.n_total);
        }
    };
    let mut runtime = Runtime::load(ModelSource::BuiltIn, RuntimeOptions::default(), on_event).await?;
    let request = TranslateRequest::new("Good morning.\n\nThe weather is nice today.");
    let mut stream = runtime.stream_translation(&request, &Cancel::new())?;
    // Each text is final. All of them put together are the translation.
    while let Some(text) = stream.next().await? {
        print!("{text}");
        let _ = std::io::stdout().flush();
    }
    println!("\n{} sentences", stream.finish()?.segments.len());
    Ok(())
}

fn main() -> Result<(), Error> {
    // Any executor will do; this one waits.
    pollster::block_on(stream())
}
