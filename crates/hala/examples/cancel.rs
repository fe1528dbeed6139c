//! Stops a reply from another thread, and keeps what has come: `cargo run -p hala --example cancel`
#![expect(clippy::print_stdout, reason = "an example shows its result")]

use std::sync::mpsc;

use hala::blocking::Runtime;
use hala::{Cancel, Error, FinishReason, TranslateRequest};

fn main() -> Result<(), Error> {
    let mut runtime = Runtime::built_in()?;
    let cancel = Cancel::new();
    // Any thread may raise the flag: a button, a closed connection, or a clock.
    let (seen, first) = mpsc::channel();
    let button = cancel.clone();
    let thread = std::thread::spawn(move || first.recv().map(|()| button.cancel()));

    let request = TranslateRequest::new("Good morning. ".repeat(200));
    let mut n_pieces = 0;
    let mut stream = runtime.stream_translation(&request, &cancel)?;
    for text in &mut stream {
        text?;
        n_pieces += 1;
        let _ = seen.send(());
    }
    let translated = stream.finish()?;
    let _ = thread.join();
    let was_stopped = translated.finish == FinishReason::Cancelled;
    println!("stopped: {was_stopped}, after {} of 200 sentences", translated.segments.len().min(n_pieces));
    Ok(())
}
