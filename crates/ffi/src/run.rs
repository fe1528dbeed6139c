//! Translations, replies and texts: whole, told while they come, or begun as streams.

use std::ffi::c_void;

use hala::TranslateRequest;

use crate::begin;
use crate::cancel::{self, Cancel};
use crate::engine::{ENGINES, Engine};
use crate::entry::entry;
use crate::event::{EventCallback, EventKind, Listener};
use crate::failure::Failure;
use crate::list;
use crate::owned::{Out, OwnedText};
use crate::session::Session;
use crate::sized::{self, Given};
use crate::status::Status;
use crate::stream::{self, Stream, Work};
use crate::text::Text;

/// How a text is translated.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct TranslateOptions {
    /// sizeof(HalaTranslateOptions).
    pub struct_size: usize,
    /// The language of the text, `ar` or `en`; found out where it is not given.
    pub from: Text,
    /// The language wanted, `ar` or `en`; the other one where it is not given.
    pub to: Text,
    /// Stops the work.
    pub cancel: *const Cancel,
    /// Is told what comes; streams give it themselves.
    pub on_event: EventCallback,
    /// Handed to `on_event`.
    pub user_data: *mut c_void,
}

/// How a conversation is answered, or a prompt gone on with.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct RunOptions {
    /// sizeof(HalaRunOptions).
    pub struct_size: usize,
    /// What keeps the tokens between the turns of a conversation, so that none is computed twice.
    pub session: *const Session,
    /// Stops the work.
    pub cancel: *const Cancel,
    /// Is told what comes; streams give it themselves.
    pub on_event: EventCallback,
    /// Handed to `on_event`.
    pub user_data: *mut c_void,
}

// SAFETY: numbers and pointers alone.
unsafe impl Given for TranslateOptions {
    const NAME: &'static str = "HalaTranslateOptions";
    const FIRST_SIZE: usize = size_of::<Self>();
}

// SAFETY: numbers and pointers alone.
unsafe impl Given for RunOptions {
    const NAME: &'static str = "HalaRunOptions";
    const FIRST_SIZE: usize = size_of::<Self>();
}

impl TranslateOptions {
    /// A request to translate `text`.
    ///
    /// # Safety
    /// Its texts are as the struct says.
    unsafe fn request(&self, text: &str) -> Result<TranslateRequest, Failure> {
        // SAFETY: as the caller says.
        let (from, to) = unsafe { (self.from.read_given("from")?, self.to.read_given("to")?) };
        let language = |what, code: Option<&str>| {
            let code: Option<Result<_, hala::Error>> =
                code.map(|code| code.parse().map_err(hala::Error::from));
            code.transpose().map_err(|error| Failure::argument(what, error))
        };
        Ok(TranslateRequest { text: text.to_owned(), from: language("from", from)?, to: language("to", to)? })
    }

    fn listener(&self) -> Listener {
        Listener { callback: self.on_event, user_data: self.user_data }
    }
}

impl RunOptions {
    fn listener(&self) -> Listener {
        Listener { callback: self.on_event, user_data: self.user_data }
    }
}

/// Begins to translate a text.
///
/// # Safety
/// As for the function of the interface.
unsafe fn translate(engine: *const Engine, text: Text, options: &TranslateOptions) -> Result<Work, Failure> {
    // SAFETY: as the caller says.
    let request = unsafe { options.request(text.read("text")?) }?;
    begin::translate(&*ENGINES.get(engine)?, &request, &cancel::flag(options.cancel)?)
}

/// Begins to translate texts.
///
/// # Safety
/// As for the function of the interface.
unsafe fn translate_all(
    engine: *const Engine,
    texts: &[Text],
    options: &TranslateOptions,
) -> Result<Work, Failure> {
    let engine = ENGINES.get(engine)?;
    let mut requests = Vec::with_capacity(texts.len());
    for text in texts {
        // SAFETY: as the caller says.
        requests.push(unsafe { options.request(text.read("a text")?) }?);
    }
    begin::translate_all(&engine, requests, &cancel::flag(options.cancel)?)
}

/// Begins to answer a conversation.
///
/// # Safety
/// As for the function of the interface.
unsafe fn chat(engine: *const Engine, request: Text, options: &RunOptions) -> Result<Work, Failure> {
    // SAFETY: as the caller says.
    let request = unsafe { request.read("request") }?;
    begin::chat(&ENGINES.get(engine)?, options.session, request, &cancel::flag(options.cancel)?)
}

/// Begins to write after a prompt.
///
/// # Safety
/// As for the function of the interface.
unsafe fn generate(engine: *const Engine, request: Text, options: &RunOptions) -> Result<Work, Failure> {
    // SAFETY: as the caller says.
    let request = unsafe { request.read("request") }?;
    begin::generate(&ENGINES.get(engine)?, options.session, request, &cancel::flag(options.cancel)?)
}

/// Begins work, goes on to its end, and gives the JSON of it.
///
/// # Safety
/// As for the function of the interface.
unsafe fn whole(
    options: *const RunOptions,
    answer: *mut OwnedText,
    begin: impl FnOnce(&RunOptions) -> Result<Work, Failure>,
) -> Result<(), Failure> {
    // SAFETY: as the caller says.
    let (out, options) = unsafe { (Out::wanted(answer), sized::read(options)?) };
    let mut told = None;
    begin(&options)?.drive(options.listener(), |event| {
        if event.is(EventKind::Done) {
            told = Some(event);
        }
    })?;
    out.put(|| told.as_ref().map_or_else(Default::default, |told| told.json().to_owned()));
    Ok(())
}

/// Translates a text between Arabic and English; sentences, paragraphs and white space stay where they were. `*translation` is the translation alone;
/// the event HALA_EVENT_KIND_DONE has the sentences with their places, and the costs. Either may be left out.
///
/// # Safety
/// Pointers are NULL or as their structs say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hala_translate(
    engine: *const Engine,
    text: Text,
    options: *const TranslateOptions,
    translation: *mut OwnedText,
) -> Status {
    entry(|| {
        // SAFETY: as the caller says.
        let (out, options) = unsafe { (Out::wanted(translation), sized::read(options)?) };
        // SAFETY: as the caller says.
        let work = unsafe { translate(engine, text, &options) }?;
        let mut whole = String::new();
        work.drive(options.listener(), |event| {
            if event.is(EventKind::Text) {
                whole.push_str(event.text());
            }
        })?;
        out.put(|| whole);
        Ok(())
    })
}

/// Begins to translate a text, as hala_translate(): hala_stream_next() gives its events. `*stream` is then held once.
///
/// # Safety
/// Pointers are NULL or as their structs say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hala_translate_start(
    engine: *const Engine,
    text: Text,
    options: *const TranslateOptions,
    stream: *mut *mut Stream,
) -> Status {
    // SAFETY: as the caller says.
    entry(|| unsafe { stream::put(stream, || translate(engine, text, &sized::read(options)?)) })
}

/// Translates `n` texts, as many at once as the device likes. `translations` is NULL, or points to `n` places, which are then all to be freed; one
/// that failed is empty. Events tell which text they are of, and come in the order of the texts. What is wrong with one text stops no other:
/// the status is that of the first that failed.
///
/// # Safety
/// Pointers are NULL or as their structs say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hala_translate_all(
    engine: *const Engine,
    texts: *const Text,
    n: usize,
    options: *const TranslateOptions,
    translations: *mut OwnedText,
) -> Status {
    entry(|| {
        // SAFETY: as the caller says.
        let texts = unsafe { list::read(texts, n, "texts") }?;
        let mut places = Vec::new();
        if !translations.is_null() {
            // SAFETY: as the caller says.
            places.extend((0..n).map(|i| unsafe { Out::wanted(translations.add(i)) }));
        }
        // SAFETY: as the caller says.
        let options = unsafe { sized::read(options) }?;
        // SAFETY: as the caller says.
        let work = unsafe { translate_all(engine, texts, &options) }?;
        let mut whole = String::new();
        work.drive(options.listener(), |event| {
            if event.is(EventKind::Text) {
                whole.push_str(event.text());
            } else if event.is(EventKind::Done) {
                let text = std::mem::take(&mut whole);
                places.get(event.event().index).into_iter().for_each(|place| place.put(|| text.clone()));
            } else {
                whole.clear();
            }
        })
    })
}

/// Begins to translate texts, as hala_translate_all().
///
/// # Safety
/// Pointers are NULL or as their structs say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hala_translate_all_start(
    engine: *const Engine,
    texts: *const Text,
    n: usize,
    options: *const TranslateOptions,
    stream: *mut *mut Stream,
) -> Status {
    // SAFETY: as the caller says.
    entry(|| unsafe {
        stream::put(stream, || translate_all(engine, list::read(texts, n, "texts")?, &sized::read(options)?))
    })
}

/// Answers a conversation. `request` is JSON in the words of the OpenAI API's chat completions: `{"messages": […], "temperature": …}`; what it leaves
/// open is as the model's publisher has it. `*completion` is a chat completion. May be left out.
///
/// # Safety
/// Pointers are NULL or as their structs say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hala_chat(
    engine: *const Engine,
    request: Text,
    options: *const RunOptions,
    completion: *mut OwnedText,
) -> Status {
    // SAFETY: as the caller says.
    entry(|| unsafe { whole(options, completion, |options| chat(engine, request, options)) })
}

/// Begins to answer a conversation, as hala_chat().
///
/// # Safety
/// Pointers are NULL or as their structs say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hala_chat_start(
    engine: *const Engine,
    request: Text,
    options: *const RunOptions,
    stream: *mut *mut Stream,
) -> Status {
    // SAFETY: as the caller says.
    entry(|| unsafe { stream::put(stream, || chat(engine, request, &sized::read(options)?)) })
}

/// Goes on with a prompt as it stands. `request` is JSON in the words of the OpenAI API's completions: `{"prompt": "…" or [ids], "max_tokens": …}`;
/// special tokens in the prompt's text are special. `*completion` is a text completion. May be left out.
///
/// # Safety
/// Pointers are NULL or as their structs say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hala_generate(
    engine: *const Engine,
    request: Text,
    options: *const RunOptions,
    completion: *mut OwnedText,
) -> Status {
    // SAFETY: as the caller says.
    entry(|| unsafe { whole(options, completion, |options| generate(engine, request, options)) })
}

/// Begins to go on with a prompt, as hala_generate().
///
/// # Safety
/// Pointers are NULL or as their structs say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hala_generate_start(
    engine: *const Engine,
    request: Text,
    options: *const RunOptions,
    stream: *mut *mut Stream,
) -> Status {
    // SAFETY: as the caller says.
    entry(|| unsafe { stream::put(stream, || generate(engine, request, &sized::read(options)?)) })
}

/// What memory hala_trim() gives back.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trim {
    /// What nothing holds, and what was kept of texts that have ended.
    Unused = 0,
    /// Also the states of sessions: a session's next turn computes its tokens again.
    Sessions = 1,
}

/// Gives memory back to the system, as on a phone that runs out of it: a HalaTrim says how much. Waits for the step that is under way.
#[unsafe(no_mangle)]
pub extern "C" fn hala_trim(engine: *const Engine, trim: i32) -> Status {
    entry(|| {
        let engine = ENGINES.get(engine)?;
        let trim = match trim {
            t if t == Trim::Unused as i32 => hala::Trim::Unused,
            t if t == Trim::Sessions as i32 => hala::Trim::Sequences,
            t => return Err(Failure::argument("trim", format!("{t} is none: there are 0 and 1"))),
        };
        Ok(engine.trim(trim)?)
    })
}
