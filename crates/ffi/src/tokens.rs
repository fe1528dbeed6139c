//! Text to token ids, and back.

use crate::engine::{ENGINES, Engine};
use crate::entry::entry;
use crate::failure::Failure;
use crate::list;
use crate::owned::{Out, OwnedText, Tokens};
use crate::sized::{self, Given};
use crate::status::Status;
use crate::text::Text;

/// How a text becomes tokens.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct TokenizeOptions {
    /// sizeof(HalaTokenizeOptions).
    pub struct_size: usize,
    /// 1 takes special tokens in the text for what they are, as in a prompt in the model's own format. Text from outside is to have 0.
    pub special: i32,
    /// 1 adds no token that begins a text.
    pub no_bos: i32,
}

// SAFETY: numbers alone.
unsafe impl Given for TokenizeOptions {
    const NAME: &'static str = "HalaTokenizeOptions";
    const FIRST_SIZE: usize = size_of::<Self>();
}

/// The tokens of a text.
///
/// # Safety
/// Pointers are NULL or as their structs say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hala_tokenize(
    engine: *const Engine,
    text: Text,
    options: *const TokenizeOptions,
    tokens: *mut Tokens,
) -> Status {
    entry(|| {
        if tokens.is_null() {
            return Err(Failure::null("tokens"));
        }
        // SAFETY: as the caller says.
        let (text, options) = unsafe {
            tokens.write(Tokens::new(Vec::new()));
            (text.read("text")?, sized::read(options)?)
        };
        let bos = if options.no_bos == 0 { hala::Bos::Auto } else { hala::Bos::Never };
        let specials = if options.special == 0 { hala::SpecialsIn::Text } else { hala::SpecialsIn::Special };
        let ids = ENGINES.get(engine)?.current()?.tokenize(text, bos, specials)?;
        // SAFETY: as the caller says.
        unsafe { tokens.write(Tokens::new(ids)) };
        Ok(())
    })
}

/// The text of tokens, special ones among them.
///
/// # Safety
/// `ids` points to `n` ids, and `text` to a place for a text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hala_detokenize(
    engine: *const Engine,
    ids: *const u32,
    n: usize,
    text: *mut OwnedText,
) -> Status {
    entry(|| {
        // SAFETY: as the caller says.
        let out = unsafe { Out::required(text, "text") }?;
        // SAFETY: as the caller says.
        let ids = unsafe { list::read(ids, n, "ids") }?;
        let decoded = ENGINES.get(engine)?.current()?.detokenize(ids)?;
        out.put(|| decoded);
        Ok(())
    })
}

/// Tokens of the prompt that these messages make, a JSON list as the OpenAI API has it: what they take of the context.
///
/// # Safety
/// `n_tokens` points to a place for a number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hala_count_prompt(
    engine: *const Engine,
    messages: Text,
    n_tokens: *mut usize,
) -> Status {
    entry(|| {
        if n_tokens.is_null() {
            return Err(Failure::null("n_tokens"));
        }
        // SAFETY: as the caller says.
        let messages = hala::messages(unsafe { messages.read("messages") }?)?;
        let n = ENGINES.get(engine)?.current()?.count_prompt(&messages)?;
        // SAFETY: as the caller says.
        unsafe { n_tokens.write(n) };
        Ok(())
    })
}
