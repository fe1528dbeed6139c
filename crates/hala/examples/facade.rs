//! A façade in thirty lines: each line of standard input is a chat request in the words of the OpenAI API, and each line of standard
//! output a piece of the reply, the whole reply, or an error with its code.
#![expect(clippy::print_stdout, reason = "an example shows its result")]

use hala::blocking::Runtime;
use hala::{Cancel, Error, parse};

fn answer(runtime: &mut Runtime, line: &str) -> Result<(), Error> {
    let mut stream = runtime.stream_chat(parse(line)?, &Cancel::new())?;
    for piece in &mut stream {
        println!("{}", serde_json::json!(piece?));
    }
    println!("{}", serde_json::json!(stream.finish()?));
    Ok(())
}

fn main() -> Result<(), Error> {
    let mut runtime = match std::env::args().nth(1) {
        Some(model) => Runtime::load(&model)?,
        None => Runtime::built_in()?,
    };
    for line in std::io::stdin().lines().map_while(Result::ok) {
        if let Err(error) = answer(&mut runtime, &line) {
            println!(
                "{}",
                serde_json::json!({"error": {"code": error.code(), "message": error.to_string()}})
            );
        }
    }
    Ok(())
}
