//! Replies that begin with a thought, as requests and replies of the OpenAI API have them: the built-in model, whose prompt opens one.

use hala::{
    BackendName, Cancel, ChatCompletion, ChatRequest, Checkpoint, CompletionHead, DeviceOptions, Event,
    Runtime, RuntimeOptions, parse,
};
use pollster::block_on;

const OPENS: &str = "{% for m in messages %}{{ m.role }}: {% if keeps and m.reasoning_content %}<think>{{ m.reasoning_content }}</think>{% endif %}\
    {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}<think>{{ '</think>' if closes }}{% endif %}";

fn runtime() -> Runtime {
    let mut files = hala_demo_model::files();
    files.push(("chat_template.jinja".to_owned(), OPENS.as_bytes().to_vec().into()));
    let device = DeviceOptions { backend: BackendName::Cpu, n_threads: 1, ..DeviceOptions::default() };
    let chosen = block_on(device.open()).unwrap();
    let checkpoint = Checkpoint::from_files(files).unwrap();
    block_on(Runtime::on(chosen, checkpoint, RuntimeOptions::default(), |_: Event<'_>| {})).unwrap()
}

fn request(more: &str) -> ChatRequest {
    let messages = r#"{"role":"user","content":"hi"},{"role":"assistant","content":"a","reasoning_content":"of rain and more rain"},
        {"role":"user","content":"hello"}"#;
    parse(&format!(r#"{{"messages":[{messages}],"temperature":0,"max_tokens":5{more}}}"#)).unwrap()
}

#[test]
fn a_thought_comes_in_pieces_of_its_own_and_whole_in_the_message() {
    let mut runtime = runtime();
    for n in [1, 2] {
        let request = request(&format!(r#","n":{n},"logprobs":true"#));
        let head = CompletionHead::new(1, &request);
        let mut stream = runtime.stream_chat(request, &Cancel::new()).unwrap();
        let mut thoughts = vec![String::new(); n];
        while let Some(piece) = block_on(stream.next()).unwrap() {
            assert_eq!(piece.text, "");
            thoughts[piece.index] += &piece.reasoning;
        }
        let reply = stream.finish().unwrap();
        assert!(thoughts.iter().all(|thought| !thought.is_empty()), "{thoughts:?}");
        let n_tokens = reply.usage.completion_tokens_details.reasoning_tokens;
        assert_eq!(n_tokens, reply.choices.iter().flat_map(|choice| &choice.logprobs).flatten().count());
        let whole = serde_json::to_value(ChatCompletion::new(head, reply).unwrap()).unwrap();
        for (i, thought) in thoughts.iter().enumerate() {
            let message = &whole["choices"][i]["message"];
            assert_eq!(
                (message["reasoning_content"].as_str(), &message["content"]),
                (Some(&**thought), &"".into())
            );
        }
        assert_eq!(whole["usage"]["completion_tokens_details"]["reasoning_tokens"], n_tokens);
    }
}

#[test]
fn the_template_s_variables_say_whether_thoughts_are_kept_and_whether_one_begins() {
    let mut runtime = runtime();
    let mut chat = |more: &str| block_on(runtime.chat(request(more), &Cancel::new())).unwrap();
    let (left, kept) = (chat(""), chat(r#","chat_template_kwargs":{"keeps":true}"#));
    assert!(kept.usage.prompt_tokens > left.usage.prompt_tokens + 5, "{:?} {:?}", kept.usage, left.usage);
    let closed = chat(r#","chat_template_kwargs":{"closes":true}"#);
    assert!(left.choices[0].reasoning.is_some());
    assert_eq!(closed.choices[0].reasoning, None);
    assert_eq!(closed.usage.completion_tokens_details.reasoning_tokens, 0);
}
