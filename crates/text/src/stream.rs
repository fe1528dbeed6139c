//! Text out of ids one by one: whole characters as soon as they are certain, and never anything to take back.

use tokenizers::DecoderWrapper;

use crate::error::TextError;
use crate::tokenizer::{Specials, Tokenizer};

/// Turns ids into text one by one. All that [`StreamDecoder::push`] and [`StreamDecoder::finish`] return,
/// put together, is what [`Tokenizer::decode`] gives for all the ids at once. Each id costs the same however
/// many came before.
#[derive(Debug)]
pub struct StreamDecoder {
    tokenizer: Tokenizer,
    specials: Specials,
    /// Special tokens that are text nevertheless.
    kept: Vec<u32>,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Byte-level tokenizers: a token is bytes, and the text is those bytes read as UTF-8.
    Bytes(Utf8Tail),
    /// Any other decoder: run again over the last few ids, what is new is passed on.
    Window(Window),
}

impl Tokenizer {
    /// A decoder that takes ids one by one and gives text as soon as it is certain.
    #[must_use]
    pub fn stream_decoder(&self, specials: Specials) -> StreamDecoder {
        StreamDecoder::new(self.clone(), specials)
    }
}

impl StreamDecoder {
    fn new(tokenizer: Tokenizer, specials: Specials) -> Self {
        let state = if is_byte_level(tokenizer.raw().get_decoder()) {
            State::Bytes(Utf8Tail::default())
        } else {
            State::Window(Window::default())
        };
        Self { tokenizer, specials, kept: Vec::new(), state }
    }

    /// With the text of these special tokens, whatever becomes of others.
    #[must_use]
    pub fn keeping(self, kept: Vec<u32>) -> Self {
        Self { kept, ..self }
    }

    /// Takes the next id and returns the text that is now certain, often empty: a character whose bytes are
    /// spread over several tokens comes with the last of them.
    ///
    /// # Errors
    /// [`TextError::IdOutsideVocabulary`]; [`TextError::Decode`] where the tokenizer's decoder takes back
    /// text that it gave (none of the published kinds of language model has such a decoder). After an error
    /// the decoder is as it was before the call.
    pub fn push(&mut self, id: u32) -> Result<String, TextError> {
        let token = self.tokenizer.token_of(id).ok_or_else(|| self.tokenizer.outside(id))?;
        let is_skipped = self.specials == Specials::Skip && self.tokenizer.is_special(id);
        if is_skipped && !self.kept.contains(&id) {
            return Ok(String::new());
        }
        match &mut self.state {
            State::Bytes(tail) => Ok(tail.push(&byte_level_bytes(&token))),
            State::Window(window) => window.push(&self.tokenizer, id, &token),
        }
    }

    /// The rest: bytes of a character that never became whole, as U+FFFD, or a run of bytes at the end.
    ///
    /// # Errors
    /// [`TextError::Decode`], as in [`StreamDecoder::push`].
    pub fn finish(self) -> Result<String, TextError> {
        match self.state {
            State::Bytes(tail) => Ok(tail.finish()),
            State::Window(mut window) => window.flush(&self.tokenizer),
        }
    }
}

fn is_byte_level(decoder: Option<&DecoderWrapper>) -> bool {
    match decoder {
        Some(DecoderWrapper::ByteLevel(_)) => true,
        Some(DecoderWrapper::Sequence(sequence)) => match sequence.get_decoders() {
            [only] => is_byte_level(Some(only)),
            _ => false,
        },
        _ => false,
    }
}

/// The bytes of a byte-level token. GPT-2 writes each byte as a printable character: printable Latin-1 bytes
/// as themselves, the 68 others as U+0100 and up, in order. A token with any other character is an added one and
/// stands for its own UTF-8.
fn byte_level_bytes(token: &str) -> Vec<u8> {
    token.chars().map(byte_of_char).collect::<Option<Vec<u8>>>().unwrap_or_else(|| token.as_bytes().to_vec())
}

fn byte_of_char(c: char) -> Option<u8> {
    match u32::from(c) {
        code @ (0x21..=0x7E | 0xA1..=0xAC | 0xAE..=0xFF) => u8::try_from(code).ok(),
        code @ 0x100..=0x143 => {
            let nth = u8::try_from(code - 0x100).ok()?;
            Some(match nth {
                0..=0x20 => nth,
                0x21..=0x42 => nth - 0x21 + 0x7F,
                _ => 0xAD,
            })
        }
        _ => None,
    }
}

/// Bytes at the end of the stream that may still become a character: at most three.
#[derive(Debug, Default)]
struct Utf8Tail {
    pending: Vec<u8>,
}

impl Utf8Tail {
    fn push(&mut self, bytes: &[u8]) -> String {
        self.pending.extend_from_slice(bytes);
        let mut out = String::new();
        let mut n_used = 0;
        loop {
            let rest = &self.pending[n_used..];
            match str::from_utf8(rest) {
                Ok(text) => {
                    out.push_str(text);
                    n_used = self.pending.len();
                    break;
                }
                Err(error) => {
                    let (valid, _) = rest.split_at(error.valid_up_to());
                    out.push_str(&String::from_utf8_lossy(valid));
                    n_used += valid.len();
                    let Some(n_bad) = error.error_len() else { break };
                    out.push(char::REPLACEMENT_CHARACTER);
                    n_used += n_bad;
                }
            }
        }
        self.pending.drain(..n_used);
        out
    }

    fn finish(self) -> String {
        String::from_utf8_lossy(&self.pending).into_owned()
    }
}

/// The last ids, decoded together, since such decoders look at a token's neighbours.
#[derive(Debug, Default)]
struct Window {
    /// Ids whose text is out already; they only give context.
    context: Vec<u32>,
    /// Ids whose text is not out yet.
    held: Vec<u32>,
}

impl Window {
    fn push(&mut self, tokenizer: &Tokenizer, id: u32, token: &str) -> Result<String, TextError> {
        self.held.push(id);
        // A run of byte tokens is text only when it is whole: one more byte can spoil it.
        if is_byte_token(token) {
            return Ok(String::new());
        }
        self.flush(tokenizer).inspect_err(|_| {
            self.held.pop();
        })
    }

    fn flush(&mut self, tokenizer: &Tokenizer) -> Result<String, TextError> {
        let before =
            if self.context.is_empty() { String::new() } else { decode_kept(tokenizer, &self.context)? };
        let mut window = self.context.clone();
        window.extend_from_slice(&self.held);
        let whole = decode_kept(tokenizer, &window)?;
        let new = whole.strip_prefix(before.as_str()).ok_or_else(|| TextError::Decode {
            reason: format!(
                "the tokenizer's decoder turned {before:?} into {whole:?} when more tokens came, which cannot be \
                 streamed; decode all ids at once"
            ),
        })?;
        let new = new.to_owned();
        // Context that gives no text is no context: the next token would look like the first of all.
        if !new.is_empty() || window.len() > MAX_SILENT_IDS {
            self.context = std::mem::take(&mut self.held);
        }
        Ok(new)
    }
}

/// Bounds the window where a vocabulary has many tokens without text; past it, exactness of the next
/// token's leading space is given up for speed.
const MAX_SILENT_IDS: usize = 64;

/// Special tokens that were to be skipped never reach the window.
fn decode_kept(tokenizer: &Tokenizer, ids: &[u32]) -> Result<String, TextError> {
    tokenizer.raw().decode(ids, false).map_err(|e| TextError::Decode { reason: e.to_string() })
}

/// `<0x0A>`, as the ByteFallback decoder reads it.
fn is_byte_token(token: &str) -> bool {
    token
        .strip_prefix("<0x")
        .and_then(|rest| rest.strip_suffix('>'))
        .is_some_and(|hex| hex.len() == 2 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(chunks: &[&[u8]]) -> Vec<String> {
        let mut tail = Utf8Tail::default();
        let mut out: Vec<String> = chunks.iter().map(|bytes| tail.push(bytes)).collect();
        out.push(tail.finish());
        out
    }

    #[test]
    fn every_split_of_mixed_text_gives_whole_characters_and_the_same_text() {
        let text = "aé؟ُ😀👨\u{200D}👩\u{200D}👧 مرحبا\u{200F}🇪🇬";
        for first in 0..=text.len() {
            for second in first..=text.len() {
                let bytes = text.as_bytes();
                let parts = stream(&[&bytes[..first], &bytes[first..second], &bytes[second..]]);
                assert_eq!(parts.concat(), text);
                assert!(parts.iter().all(|part| !part.contains(char::REPLACEMENT_CHARACTER)));
            }
        }
    }

    #[test]
    fn bad_bytes_come_out_as_the_lossy_reading_of_the_whole() {
        let samples: [&[u8]; 6] = [
            b"a\xFFb",
            b"\xF0\x9F\x98",
            b"\xE2\x82\x41\xE2\x82\xAC",
            b"\xF0\x9F\xE2\x82",
            b"\xC0\x80\xED\xA0\x80",
            b"\x80\x80 ok \xF4\x90\x80\x80",
        ];
        for bytes in samples {
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            assert_eq!(stream(&single).concat(), String::from_utf8_lossy(bytes));
            assert_eq!(stream(&[bytes]).concat(), String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn the_byte_alphabet_covers_every_byte_once() {
        let mut seen = [false; 256];
        for code in 0..0x200u32 {
            if let Some(byte) = char::from_u32(code).and_then(byte_of_char) {
                assert!(!std::mem::replace(&mut seen[usize::from(byte)], true), "byte {byte} twice");
            }
        }
        assert!(seen.iter().all(|&s| s));
        assert_eq!(byte_level_bytes("ĠhiĊ"), b" hi\n");
        assert_eq!(byte_level_bytes("into Arabic:\n"), b"into Arabic:\n");
    }

    #[test]
    fn byte_tokens_are_told_from_text() {
        assert!(is_byte_token("<0xE2>") && is_byte_token("<0x0a>"));
        assert!(!is_byte_token("<0xE>") && !is_byte_token("<0xGG>") && !is_byte_token("<s>"));
    }
}
