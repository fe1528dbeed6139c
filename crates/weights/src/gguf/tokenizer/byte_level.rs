//! Byte-level BPE, which GGUF files call "gpt2".

use serde_json::{Value as Json, json};

use super::published::{Bpe, Tokenizer, added_token};
use super::vocabulary::{CONTROL, Ends, USER_DEFINED, Vocabulary, texts};

/// How LFM2's published tokenizer, and Llama 3's, split text before it is tokenised.
pub const LFM2_SPLIT: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// How Command R's does.
const COMMAND_R: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

/// The tokenizer, and what it puts around texts.
///
/// # Errors
/// In words, what about it is not supported.
pub(super) fn tokenizer<'a>(vocabulary: &Vocabulary<'a>) -> Result<(Tokenizer<'a>, Ends), String> {
    let pre = vocabulary.text("pre").unwrap_or("default");
    let (mut pre_tokenizers, ignores_merges) = match pre {
        "lfm2" | "llama-bpe" | "llama3" | "llama-v3" => (vec![split(LFM2_SPLIT)], true),
        "command-r" => {
            (vec![json!({ "type": "Digits", "individual_digits": true }), split(COMMAND_R)], false)
        }
        _ => {
            return Err(format!(
                "its tokenizer splits text as {pre:?}; lfm2, llama-bpe and command-r are supported"
            ));
        }
    };
    pre_tokenizers.push(byte_level());
    let merges = texts(vocabulary.header, "merges")?.ok_or("its tokenizer has no merges")?;
    let merges: Option<Vec<[&str; 2]>> = merges.into_iter().map(halves).collect();
    let is_added = |kind: i128| [CONTROL, USER_DEFINED].contains(&kind);
    let added = vocabulary.iter().filter(|(_, _, kind)| is_added(*kind));
    let ends = vocabulary.ends(ignores_merges);
    let tokenizer = Tokenizer {
        version: "1.0",
        truncation: None,
        padding: None,
        added_tokens: added.map(|(id, token, kind)| added_token(id, token, kind == CONTROL)).collect(),
        normalizer: None,
        pre_tokenizer: Some(json!({ "type": "Sequence", "pretokenizers": pre_tokenizers })),
        post_processor: vocabulary.post_processor(ends),
        decoder: byte_level(),
        model: Bpe {
            kind: "BPE",
            dropout: None,
            unk_token: None,
            continuing_subword_prefix: None,
            end_of_word_suffix: None,
            fuse_unk: false,
            byte_fallback: false,
            ignore_merges: ignores_merges,
            vocab: vocabulary.ids(),
            merges: merges
                .ok_or("its tokenizer has a merge that is not two texts with a space between them")?,
        },
    };
    Ok((tokenizer, ends))
}

fn split(pattern: &str) -> Json {
    json!({ "type": "Split", "pattern": { "Regex": pattern }, "behavior": "Isolated", "invert": false })
}

fn byte_level() -> Json {
    json!({ "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false })
}

/// Both halves of a merge; a space within a token is written as another letter, so the first space parts them.
fn halves(merge: &str) -> Option<[&str; 2]> {
    merge.split_once(' ').map(|(first, second)| [first, second])
}
