//! A façade in thirty lines: each line of standard input is a chat request in the words of the OpenAI API, and what it is answered with
//! goes to standard output, a line each: a completion, the chunks of a stream, or an error with its code.
#![expect(clippy::print_stdout, reason = "an example shows its result")]

use hala::blocking::Runtime;
use hala::{Cancel, ChatCompletion, ChatRequest, Chunks, CompletionHead, Error, any_seed, parse};

fn answer(runtime: &mut Runtime, line: &str) -> Result<(), Error> {
    let request: ChatRequest = parse(line)?;
    let head = CompletionHead::new(any_seed(), &request);
    if !request.stream {
        let completion = ChatCompletion::new(head, runtime.chat(request)?)?;
        println!("{}", serde_json::json!(completion));
        return Ok(());
    }
    let mut chunks = Chunks::new(head, &request);
    let mut stream = runtime.stream_chat(request, &Cancel::new())?;
    for piece in &mut stream {
        chunks.of(piece?).iter().for_each(|chunk| println!("{}", serde_json::json!(chunk)));
    }
    chunks.end(&stream.finish()?)?.iter().for_each(|chunk| println!("{}", serde_json::json!(chunk)));
    Ok(())
}

fn main() -> Result<(), Error> {
    let mut runtime = Runtime::built_in()?;
    for line in std::io::stdin().lines().map_while(Result::ok) {
        if let Err(error) = answer(&mut runtime, &line) {
            let error = serde_json::json!({"code": error.code(), "message": error.to_string()});
            println!("{}", serde_json::json!({"error": error}));
        }
    }
    Ok(())
}
