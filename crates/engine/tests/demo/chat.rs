//! Conversations: only what is new is computed, and a full context is an error or drops the oldest turns.

use hala_backend_cpu::CpuBackend;
use hala_engine::{Chat, ChatOptions, EngineError, GenerateOptions, Overflow, Session};
use hala_plan::Cancel;
use pollster::block_on;

use crate::{load, session};

#[test]
fn a_chats_next_turn_computes_only_what_is_new() {
    let options = GenerateOptions { max_tokens: Some(8), ..GenerateOptions::default() };
    let mut chat = Chat::new(session(), ChatOptions { generate: options, ..ChatOptions::default() });
    let mut usages = Vec::new();
    for text in ["Good morning.", "How are you?", "Where is the station?"] {
        let mut reply = chat.send(text, &Cancel::new()).unwrap();
        while block_on(reply.next()).unwrap().is_some() {}
        usages.push(reply.finish().unwrap().usage);
    }
    for pair in usages.windows(2) {
        assert!(pair[1].cached_tokens >= pair[0].prompt_tokens - 1, "{usages:?}");
    }
    assert_eq!(chat.messages().len(), 6);
    let replaced = chat.messages()[5].content.clone();
    let mut reply = chat.regenerate(&Cancel::new()).unwrap();
    while block_on(reply.next()).unwrap().is_some() {}
    reply.finish().unwrap();
    assert_eq!(chat.messages().len(), 6);
    assert_eq!(chat.messages()[5].content, replaced);
}

#[test]
fn a_conversation_that_outgrows_the_context_is_refused_or_drops_its_oldest_turns() {
    let generate = GenerateOptions { max_tokens: Some(8), ..GenerateOptions::default() };
    let chat = |overflow| {
        let session = block_on(Session::new(load(Some(128)))).unwrap();
        let system = Some("Be brief.".to_owned());
        Chat::new(
            session,
            ChatOptions { overflow, system, generate: generate.clone(), ..ChatOptions::default() },
        )
    };
    let run = |chat: &mut Chat<CpuBackend>| -> Result<(), EngineError> {
        for i in 0..12 {
            let mut reply = chat.send(&format!("This is message number {i}."), &Cancel::new())?;
            while block_on(reply.next())?.is_some() {}
            reply.finish()?;
        }
        Ok(())
    };
    let mut strict = chat(Overflow::Error);
    let error = run(&mut strict).unwrap_err();
    assert!(matches!(error, EngineError::PromptTooLong { limit: 128, .. }), "{error}");
    assert_eq!(strict.messages().len() % 2, 0);
    let mut dropping = chat(Overflow::DropOldest);
    run(&mut dropping).unwrap();
    assert!(dropping.n_dropped() > 0);
    assert_eq!(dropping.messages().len(), 24);
    let enormous = "word ".repeat(500);
    assert!(dropping.send(&enormous, &Cancel::new()).is_err());
    assert_eq!(dropping.messages().len(), 24);
}
