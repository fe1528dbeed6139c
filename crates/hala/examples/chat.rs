//! Answers one message: `cargo run -p hala --example chat -- LiquidAI/LFM2-1.2B "Three words for rain"`
//!
//! Without a model it is the one that ships with Hala, which knows this one kind of message.
#![expect(clippy::print_stdout, reason = "an example shows its result")]

use hala::blocking::Runtime;
use hala::{ChatRequest, Error, Message};

fn main() -> Result<(), Error> {
    let mut words = std::env::args().skip(1);
    let mut runtime = match words.next() {
        // A folder, a .safetensors or GGUF file, or a Hub id.
        Some(model) => Runtime::load(&model)?,
        None => Runtime::built_in()?,
    };
    let message = words
        .next()
        .unwrap_or_else(|| "Translate everything that follows into Arabic:\n\nGood morning.".to_owned());
    // What a request does not say (temperature and the like) is as the model's publisher has it.
    let reply = runtime.chat(ChatRequest::new(vec![Message::user(message)]))?;
    for choice in &reply.choices {
        println!("{}", choice.text);
    }
    println!("{} tokens in, {} out", reply.usage.prompt_tokens, reply.usage.completion_tokens);
    Ok(())
}
