//! Encodes a text of which only chosen places may become special tokens; the rest is text, whatever it spells.

use std::collections::BTreeSet;
use std::ops::Range;

use tokenizers::models::wordlevel::WordLevel;
use tokenizers::{
    AddedToken, AddedVocabulary, Encoding, Model, OffsetReferential, OffsetType, PreTokenizer, Token,
};

/// A special token that the tokenizer finds in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// The token.
    pub(crate) id: u32,
    /// Its bytes in the text, without the white space beside it that some tokens swallow.
    pub(crate) range: Range<usize>,
}

/// The tokens of a text, and which bytes of it they stand for.
#[derive(Debug)]
pub(crate) struct Encoded {
    /// What the tokenizer made; its offsets are those of the marked text.
    pub(crate) encoding: Encoding,
    parts: Vec<Part>,
}

/// A stretch of the marked text and the bytes that it stands for.
#[derive(Debug)]
struct Part {
    marked: Range<usize>,
    source: Range<usize>,
}

/// The noncharacters of Unicode that mark a place: no text has a use for them, and one that has them all is refused.
const MARKS: std::ops::RangeInclusive<char> = '\u{fdd0}'..='\u{fdef}';

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// Special tokens as the tokenizer finds them in `text`, in order.
pub(crate) fn special_places(tokenizer: &tokenizers::Tokenizer, text: &str) -> Vec<Place> {
    let added = tokenizer.get_added_vocabulary();
    let found = added.extract_and_normalize(tokenizer.get_normalizer(), text);
    let splits = found.get_splits(OffsetReferential::Original, OffsetType::Byte);
    let place = |(_, (start, end), tokens): (&str, (usize, usize), &Option<Vec<Token>>)| {
        let id = tokens.as_ref()?.first()?.id;
        let token = added.get_added_tokens_decoder().get(&id).filter(|token| token.special)?;
        let slice = text.get(start..end)?;
        let range = match slice.find(token.content.as_str()) {
            Some(at) => start + at..start + at + token.content.len(),
            None => start..end,
        };
        Some(Place { id, range })
    };
    splits.into_iter().filter_map(place).collect()
}

/// Whether the model itself, not the search for added tokens, gave a special token for text that spells it.
fn is_spelled(tokenizer: &tokenizers::Tokenizer, text: &str, id: u32) -> bool {
    let token = tokenizer.get_added_vocabulary().get_added_tokens_decoder().get(&id);
    token.is_some_and(|token| token.special && token.content == text)
}

/// Encodes `text` with special tokens at `places` and nowhere else; other added tokens are vocabulary like any
/// other. `opening` asks for what the post-processor adds.
///
/// # Errors
/// The tokenizer's own, and a text that has all noncharacters.
pub(crate) fn encode(
    tokenizer: &tokenizers::Tokenizer,
    text: &str,
    places: &[Place],
    opening: bool,
) -> Result<Encoded, Failed> {
    let mark = MARKS.into_iter().find(|mark| !text.contains(*mark));
    let mark = mark.ok_or("it has every noncharacter from U+FDD0 to U+FDEF; take one of them out")?;
    let special = |id: u32| tokenizer.get_added_vocabulary().get_added_tokens_decoder().get(&id);
    let (mut marked, mut parts, mut at) = (String::with_capacity(text.len()), Vec::new(), 0);
    let mut add = |source: Range<usize>, words: String| {
        let start = marked.len();
        marked.push_str(&words);
        parts.push(Part { marked: start..marked.len(), source });
    };
    for Place { id, range } in places {
        let Some(token) = special(*id) else { continue };
        add(at..range.start, text[at..range.start].to_owned());
        add(range.clone(), format!("{mark}{}", token.content));
        at = range.end;
    }
    add(at..text.len(), text[at..].to_owned());

    let vocabulary = marked_vocabulary(tokenizer, mark)?;
    let mut pieces = vocabulary.extract_and_normalize(tokenizer.get_normalizer(), &marked);
    if let Some(pre_tokenizer) = tokenizer.get_pre_tokenizer() {
        pre_tokenizer.pre_tokenize(&mut pieces)?;
    }
    pieces.tokenize(|piece| tokens_of_text(tokenizer, piece.get()))?;
    let encoding = pieces.into_encoding(None, 0, OffsetType::Byte)?;
    Ok(Encoded { encoding: tokenizer.post_process(encoding, None, opening)?, parts })
}

/// The added tokens, with the mark before the words of special ones.
fn marked_vocabulary(tokenizer: &tokenizers::Tokenizer, mark: char) -> Result<AddedVocabulary, Failed> {
    let added = tokenizer.get_added_vocabulary().get_added_tokens_decoder();
    let marked = |token: &AddedToken| AddedToken {
        content: format!("{mark}{}", token.content),
        // A normaliser might take the mark away, and places are found before it.
        normalized: false,
        special: false,
        ..token.clone()
    };
    let tokens: Vec<(u32, AddedToken)> = added
        .iter()
        .map(|(id, token)| (*id, if token.special { marked(token) } else { token.clone() }))
        .collect();
    // A vocabulary asks a model for the ids of its tokens: this one knows them.
    let ids = tokens.iter().map(|(id, token)| (token.content.clone(), *id)).collect();
    let ids = WordLevel::builder().vocab(ids).build()?;
    let mut vocabulary = AddedVocabulary::new();
    vocabulary.add_tokens(tokens.into_iter().map(|(_, token)| token), &ids, tokenizer.get_normalizer())?;
    Ok(vocabulary)
}

/// The model's tokens of a piece of text. Some vocabularies have the words of a special token among those of
/// text; there the piece is cut after the first character of such words.
fn tokens_of_text(tokenizer: &tokenizers::Tokenizer, text: &str) -> Result<Vec<Token>, Failed> {
    let mut tokens = tokenizer.get_model().tokenize(text)?;
    let words = |token: &Token| text.get(token.offsets.0..token.offsets.1).unwrap_or_default().to_owned();
    let spelled = |token: &Token| is_spelled(tokenizer, &words(token), token.id);
    let cut = |token: &Token| Some(token.offsets.0 + words(token).char_indices().nth(1)?.0);
    let Some(at) = tokens.iter().filter(|token| spelled(token)).find_map(cut) else { return Ok(tokens) };
    tokens = tokens_of_text(tokenizer, &text[..at])?;
    for token in tokens_of_text(tokenizer, &text[at..])? {
        let offsets = (token.offsets.0 + at, token.offsets.1 + at);
        tokens.push(Token { offsets, ..token });
    }
    Ok(tokens)
}

impl Encoded {
    /// The bytes of the text that a token covers, from its bytes of the marked text.
    pub(crate) fn source(&self, (start, end): (usize, usize)) -> Range<usize> {
        let of = |at: usize, is_end: bool| {
            let holds = |part: &&Part| {
                let Range { start, end } = part.marked;
                if is_end { start < at && at <= end } else { start <= at && at < end }
            };
            let Some(part) = self.parts.iter().find(holds) else { return 0 };
            let same_length = part.marked.len() == part.source.len();
            match is_end {
                _ if same_length => part.source.start + at - part.marked.start,
                true => part.source.end,
                false => part.source.start,
            }
        };
        if start == end { 0..0 } else { of(start, false)..of(end, true) }
    }
}

/// The words of all special tokens.
pub(crate) fn special_words(tokenizer: &tokenizers::Tokenizer) -> BTreeSet<String> {
    let added = tokenizer.get_added_tokens_decoder();
    added.into_values().filter(|token| token.special).map(|token| token.content).collect()
}
