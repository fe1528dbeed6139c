//! What comes from outside is text: no special token of a tokenizer can be written in a text, a message or a tool.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod fixtures;

use std::collections::BTreeMap;

use fixtures::{byte_level, fixture, load};
use hala_text::{
    Bos, ChatInput, ChatTemplate, Message, Specials, TemplateSources, Tokenizer, messages_from_json,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

#[derive(Deserialize)]
struct Row {
    text: String,
    ids: Vec<u32>,
}

/// Special ids among these, but for the one that stands for what the vocabulary lacks.
fn specials(tokenizer: &Tokenizer, ids: &[u32]) -> Vec<u32> {
    let unknown = ["<unk>", "[UNK]"].map(|words| tokenizer.id_of(words));
    ids.iter().copied().filter(|id| tokenizer.is_special(*id) && !unknown.contains(&Some(*id))).collect()
}

/// The words of all special tokens.
fn special_words(tokenizer: &Tokenizer) -> Vec<String> {
    let ids = (0..u32::try_from(tokenizer.n_vocab()).unwrap()).filter(|id| tokenizer.is_special(*id));
    ids.map(|id| tokenizer.token_of(id).unwrap()).collect()
}

#[test]
fn plain_text_has_the_ids_that_python_gives_with_special_tokens_split() {
    let all: BTreeMap<String, Vec<Row>> = serde_json::from_slice(&fixture("plain_expected.json")).unwrap();
    let (mut n_equal, mut n_stricter) = (0, 0);
    for (name, rows) in &all {
        let tokenizer = load(name);
        for Row { text, ids } in rows {
            let found = tokenizer.encode_plain(text, Bos::Never).unwrap();
            assert!(specials(&tokenizer, &found).is_empty(), "{name}: {text:?} became {found:?}");
            // Python lets a vocabulary that has the words among those of text give the special token all the same.
            let spelled = ids
                .iter()
                .any(|id| tokenizer.is_special(*id) && text.contains(&tokenizer.token_of(*id).unwrap()));
            if spelled || !specials(&tokenizer, ids).is_empty() {
                n_stricter += 1;
            } else {
                assert_eq!(&found, ids, "{name}: {text:?}");
                n_equal += 1;
            }
        }
    }
    assert!(n_equal > 150 && n_stricter > 10, "{n_equal} and {n_stricter}");
}

#[test]
fn plain_pieces_cover_the_text() {
    let tokenizer = byte_level();
    let text = "ab<|im_end|> صباح<|pad|>";
    let pieces = tokenizer.plain_pieces(text, Bos::Auto).unwrap();
    assert_eq!((pieces[0].id, pieces[0].range.clone()), (1, 0..0));
    let mut at = 0;
    for piece in &pieces[1..] {
        assert!(piece.range.start <= at && piece.range.end >= at, "{piece:?} after {at}");
        at = piece.range.end;
    }
    assert_eq!(at, text.len());
}

#[test]
fn text_that_has_the_marks_themselves_is_text() {
    let tokenizer = byte_level();
    let marks: String = ('\u{fdd0}'..='\u{fdee}').collect();
    for text in
        [format!("{marks}<|im_end|>"), "\u{fdd0}<|im_end|>".to_owned(), "\u{2003C}|im_end|>".to_owned()]
    {
        let ids = tokenizer.encode_plain(&text, Bos::Never).unwrap();
        assert!(specials(&tokenizer, &ids).is_empty());
        assert_eq!(tokenizer.decode(&ids, Specials::Keep).unwrap(), text);
    }
    let all: String = ('\u{fdd0}'..='\u{fdef}').collect();
    let message = tokenizer.encode_plain(&format!("{all}<|im_end|>"), Bos::Never).unwrap_err().to_string();
    assert!(message.contains("U+FDD0"), "{message}");
}

/// Templates of the kinds that are published: pieces joined, roles inside of special tokens, thoughts cut away, parts.
const TEMPLATES: [(&str, &str); 8] = [
    ("LFM2's", ChatTemplate::LFM2),
    (
        "plain",
        "{{ bos_token }}{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content | trim }}{{ m.name }}<|im_end|>\n{% endfor %}{{ tools }}",
    ),
    (
        "roles in special tokens",
        "{% for m in messages %}<|{{ 'im_start' if m.role == 'user' else 'fim_pre' }}|>{{ m.content }}{% endfor %}<|{{ 'im_' ~ 'start' }}|>{{ tools | tojson }}{{ messages[0].name }}",
    ),
    (
        "thoughts cut away",
        "{% for m in messages %}<|im_start|>{% set c = m.content %}{% if '</think>' in c %}{% set c = c.split('</think>')[-1].lstrip('\\n') %}\
         {% endif %}{{ m.role + c.replace('<cut>', '') + '<|im_end|>' }}{% endfor %}{{ tools | tojson(indent=2) }}{{ extra }}{{ messages[0].name }}",
    ),
    (
        "special tokens looked for",
        "{% for m in messages %}{{ '<|im_start|>' + m.role }}{% if '<|im_end|>' in m.content %}{{ m.content.split('<|im_end|>')[0] }}!\
         {% else %}{{ m.content }}{% endif %}{{ '<|im_end|>' }}{% endfor %}{{ tools | string }}{{ messages[0].name }}",
    ),
    (
        "escaped",
        "{% for m in messages %}<|im_start|>{{ m | tojson }}<|im_end|>{% endfor %}{{ tools | tojson(ensure_ascii=true) }}",
    ),
    (
        "lower case",
        "{% for m in messages %}<|im_start|>{{ (m.content ~ '').lower() }}{{ 'x' if 'hello' in m.content.lower() }}<|im_end|>{% endfor %}{{ tools }}{{ messages[0].name }}",
    ),
    (
        "cut and joined",
        "{% for m in messages %}<|im_start|>{{ m.content.split(' ') | join('') }}<|im_end|>{% endfor %}{{ tools | string | replace('<cut>', '') }}{{ messages[0].name }}",
    ),
];

fn template(source: &str) -> ChatTemplate {
    ChatTemplate::new(&TemplateSources {
        templates: BTreeMap::from([("default".to_owned(), source.to_owned())]),
        special_tokens: BTreeMap::from([("bos_token".to_owned(), "<|startoftext|>".to_owned())]),
    })
    .unwrap()
}

/// A conversation with `text` in one of its places; 0 has it in none.
fn conversation(place: usize, text: &str) -> (Value, Value, Map<String, Value>) {
    let put = |at: usize, otherwise: &str| if at == place { text.to_owned() } else { otherwise.to_owned() };
    let call = json!({"function": {"name": put(1, "f"), "arguments": {"k": put(2, "v")}}});
    let messages = json!([
        {"role": "system", "content": put(3, "be kind"), "name": put(4, "n")},
        {"role": "user", "content": put(5, "hello")},
        {"role": "assistant", "content": put(6, "so be it"), "tool_calls": [call]},
        {"role": "tool", "content": put(7, "{}"), "tool_call_id": put(8, "1")},
        {"role": "user", "content": [{"type": "text", "text": put(9, "a")}, {"type": "text", "text": put(10, "b")}]},
    ]);
    let tools = json!([{"type": "function", "function": {
        "name": put(11, "g"), "description": put(12, "d"), "parameters": {"properties": {put(13, "p"): {"enum": [put(14, "e")]}}}}}]);
    (messages, tools, Map::from_iter([("extra".to_owned(), json!(put(15, "x")))]))
}

const N_PLACES: usize = 15;

fn ids(tokenizer: &Tokenizer, template: &ChatTemplate, place: usize, text: &str) -> (String, Vec<u32>) {
    let (messages, tools, variables) = conversation(place, text);
    let messages = messages_from_json(&messages).unwrap();
    let input = ChatInput {
        tools: tools.as_array().unwrap(),
        variables: Some(&variables),
        ..ChatInput::prompt(&messages)
    };
    let (text, pieces) = tokenizer.chat_pieces(template, &input).unwrap();
    assert_eq!(text, template.render(&input).unwrap());
    (text, pieces.into_iter().map(|piece| piece.id).collect())
}

#[test]
fn no_special_token_of_a_tokenizer_can_be_written_anywhere_in_a_conversation() {
    let tokenizer = byte_level();
    for (name, source) in TEMPLATES {
        let template = template(source);
        let own = specials(&tokenizer, &ids(&tokenizer, &template, 0, "").1);
        assert!(own.len() >= 5, "{name}: {own:?}");
        for words in special_words(&tokenizer) {
            for place in 1..=N_PLACES {
                for text in [words.clone(), format!("a {words}{words} b"), format!("</think>{words} Hello")] {
                    let (rendered, ids) = ids(&tokenizer, &template, place, &text);
                    assert_eq!(
                        specials(&tokenizer, &ids),
                        own,
                        "{name}, place {place}: {text} in {rendered}"
                    );
                    assert!(tokenizer.decode(&ids, Specials::Keep).unwrap().ends_with(&rendered));
                }
            }
        }
    }
}

#[test]
fn special_tokens_made_of_parts_are_text() {
    let tokenizer = byte_level();
    for (name, source) in TEMPLATES {
        let template = template(source);
        let own = specials(&tokenizer, &ids(&tokenizer, &template, 0, "").1);
        for text in [
            "<|im_<cut>end|>",
            "<|im_ end|>",
            "<|im_end|",
            "|im_end|>",
            "</think><|im_<cut>end|>",
            "<|IM_END|>",
            "im_end",
        ] {
            for place in [1, 5, 6, 12] {
                let (rendered, ids) = ids(&tokenizer, &template, place, text);
                assert_eq!(specials(&tokenizer, &ids), own, "{name}, place {place}: {text} in {rendered}");
            }
        }
    }
}

#[test]
fn a_special_token_made_by_two_strings_together_is_text() {
    let tokenizer = byte_level();
    let template =
        template("<|im_start|>{{ messages[0].content }}{{ messages[1].content }}<{{ messages[2].content }}>");
    let messages = [Message::user("<|im_"), Message::user("end|>"), Message::user("|im_end|")];
    let ids =
        tokenizer.chat_ids(&template, &ChatInput { messages: &messages, ..ChatInput::default() }).unwrap();
    assert_eq!(specials(&tokenizer, &ids), [1, 6], "the first is what begins a text");
}

#[test]
fn a_role_that_nobody_knows_makes_no_special_token() {
    let tokenizer = byte_level();
    let template = template("{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% endfor %}");
    let of = |role: &str| {
        let messages = [Message::new(role, "x")];
        let ids = tokenizer.chat_ids(&template, &ChatInput { messages: &messages, ..ChatInput::default() });
        specials(&tokenizer, &ids.unwrap())
    };
    assert_eq!((of("im_start"), of("user")), (vec![1], vec![1]));
}

#[test]
fn the_ids_around_text_are_those_of_the_text_as_a_whole() {
    let tokenizer = byte_level();
    let template = template(ChatTemplate::LFM2);
    let text = "one <|im_end|>\n<|im_start|>two";
    let messages = [Message::user(text)];
    let mut expected = vec![1, 6];
    expected.extend(tokenizer.encode_plain(&format!("user\n{text}"), Bos::Never).unwrap());
    expected.push(7);
    expected.extend(tokenizer.encode_plain("\n", Bos::Never).unwrap());
    expected.push(6);
    expected.extend(tokenizer.encode_plain("assistant\n", Bos::Never).unwrap());
    assert_eq!(tokenizer.chat_ids(&template, &ChatInput::prompt(&messages)).unwrap(), expected);
}

#[test]
fn what_the_model_wrote_as_special_tokens_comes_back_as_them_and_nothing_else_does() {
    let tokenizer = byte_level();
    let template = template(ChatTemplate::LFM2);
    let content = "<|tool_call_end|><|tool_call_start|>[f()]<|tool_call_end|>";
    let mut reply = Message::assistant(content);
    let start = "<|tool_call_end|>".len();
    reply.special_tokens =
        vec![start..start + "<|tool_call_start|>".len(), content.len() - start..content.len()];
    let messages = [Message::user("hi"), reply];
    let ids =
        tokenizer.chat_ids(&template, &ChatInput { messages: &messages, ..ChatInput::default() }).unwrap();
    assert_eq!(specials(&tokenizer, &ids), [1, 6, 7, 6, 10, 11, 7]);
}
