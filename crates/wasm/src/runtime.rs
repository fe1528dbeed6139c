//! A model that answers: what the worker holds.

use std::borrow::Cow;
use std::cell::RefCell;

use hala::{
    ChatCompletion, ChatRequest, Checkpoint, Chunks, CompletionHead, Current, Error, Info, TranslateReply,
    TranslateRequest, parse,
};
use js_sys::{Function, Map, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

use crate::cancel::Cancel;
use crate::error::{thrown, to_js};
use crate::event::listener;
use crate::host::{HostReader, WeightReader};
use crate::json::to_json;
use crate::request::{BackendName, LoadRequest};
use crate::work::{Running, Work, drive};

/// A model on a device, with what works on it. It does one piece of work at a time.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Runtime {
    /// Away while it works.
    running: RefCell<Option<Running>>,
    /// What runs, for what can be asked while it works.
    current: Current,
}

#[wasm_bindgen]
impl Runtime {
    /// Opens the checkpoint and moves its weights to the device, tensor by tensor.
    ///
    /// # Errors
    /// An object with `code` and `message`, or what the reader threw.
    pub async fn load(
        options: String,
        files: Map,
        reader: WeightReader,
        on_event: Function,
        cancel: &Cancel,
    ) -> Result<Self, JsValue> {
        let flag = cancel.0.clone();
        let reader = HostReader::new(reader);
        let loaded = load(&options, side_files(&files), reader.clone(), on_event, &flag).await;
        let running = loaded.map_err(|error| thrown(&reader, &error))?;
        let current = running.current().clone();
        Ok(Self { running: RefCell::new(Some(running)), current })
    }

    /// What was loaded and what runs it.
    ///
    /// # Errors
    /// The device is being set up once more.
    pub fn info(&self) -> Result<String, JsValue> {
        let info = self.current.info().map_err(|error| to_js(&error))?;
        // The page chose the backend, and tells why.
        let (reason, reason_code) = (None, None);
        let backend = BackendName::of(info.backend).name();
        Ok(to_json(&Info { backend, reason, reason_code, ..info }))
    }

    /// Answers a conversation in the shape of the OpenAI API: with a completion, or where a stream is asked for with `null`, after each chunk was
    /// given to `on_piece`.
    ///
    /// # Errors
    /// An object with `code` and `message`.
    pub async fn chat(
        &self,
        request: String,
        cancel: &Cancel,
        on_piece: Function,
    ) -> Result<String, JsValue> {
        let flag = cancel.0.clone();
        self.answer(&request, &flag, &on_piece).await.map_err(|error| to_js(&error))
    }

    /// Translates a text; gives each piece of the translation to `on_piece`.
    ///
    /// # Errors
    /// An object with `code` and `message`.
    pub async fn translate(
        &self,
        request: String,
        cancel: &Cancel,
        on_piece: Function,
    ) -> Result<String, JsValue> {
        let flag = cancel.0.clone();
        self.translated(&request, &flag, &on_piece).await.map_err(|error| to_js(&error))
    }

    /// Tokens of the prompt that these messages, a JSON list, make.
    ///
    /// # Errors
    /// An object with `code` and `message`: no list of messages, or a model without template.
    #[wasm_bindgen(js_name = countPrompt)]
    pub fn count_prompt(&self, messages: &str) -> Result<usize, JsValue> {
        let count = || self.current.count_prompt(&hala::messages(messages)?);
        count().map_err(|error| to_js(&error))
    }

    /// Tokens of a text alone.
    ///
    /// # Errors
    /// An object with `code` and `message`: a model without tokenizer.
    #[wasm_bindgen(js_name = countTokens)]
    pub fn count_tokens(&self, text: &str) -> Result<usize, JsValue> {
        self.current.count_tokens(text).map_err(|error| to_js(&error))
    }

    /// Ends the GPU's device, as a driver does that is reset: for tests of what happens then. Does nothing on the CPU.
    #[wasm_bindgen(js_name = loseDevice)]
    pub fn lose_device(&self) {
        if let Ok(engine) = self.current.engine() {
            engine.backend().destroy();
        }
    }
}

impl Runtime {
    async fn answer(
        &self,
        request: &str,
        cancel: &hala::Cancel,
        on_piece: &Function,
    ) -> Result<String, Error> {
        let mut request: ChatRequest = parse(request)?;
        // The page draws numbers that its clock and its system tell nothing of.
        request.seed.get_or_insert_with(|| random() as i64);
        let head = CompletionHead::new(random(), &request);
        let mut chunks = request.stream.then(|| Chunks::new(head.clone(), &request));
        let mut work = Work::begin(&self.running)?;
        let mut stream = work.running()?.stream_chat(request, cancel)?;
        let tell = |chunk| hand(on_piece, to_json(&chunk));
        let take =
            |piece| chunks.as_mut().map_or(Vec::new(), |chunks| chunks.of(piece)).into_iter().for_each(tell);
        drive(async || stream.step().await, take).await?;
        let reply = stream.finish()?;
        let Some(chunks) = chunks else { return Ok(to_json(&ChatCompletion::new(head, reply)?)) };
        chunks.end(&reply)?.into_iter().for_each(tell);
        Ok(to_json(&()))
    }

    async fn translated(
        &self,
        request: &str,
        cancel: &hala::Cancel,
        on_piece: &Function,
    ) -> Result<String, Error> {
        let request: TranslateRequest = parse(request)?;
        let mut work = Work::begin(&self.running)?;
        let mut stream = work.running()?.stream_translation(&request, cancel)?;
        drive(async || stream.step().await, |text| hand(on_piece, text)).await?;
        Ok(to_json(&TranslateReply::new(&request.text, stream.finish()?)?))
    }
}

async fn load(
    options: &str,
    files: Vec<(String, Cow<'static, [u8]>)>,
    reader: HostReader,
    on_event: Function,
    cancel: &hala::Cancel,
) -> Result<Running, Error> {
    let request: LoadRequest = parse(options)?;
    let options = request.options(cancel)?;
    let checkpoint = Checkpoint::from_reader(files, &reader).await?;
    Running::read(checkpoint, reader, options, listener(on_event)).await
}

/// A number of 53 bits, as many as JavaScript's numbers hold.
fn random() -> u64 {
    (js_sys::Math::random() * (1_u64 << 53) as f64) as u64
}

/// Gives the page a piece.
fn hand(on_piece: &Function, piece: String) {
    // What the page does with it is its own affair.
    let _ = on_piece.call1(&JsValue::NULL, &piece.into());
}

/// The side files that the page has fetched.
fn side_files(files: &Map) -> Vec<(String, Cow<'static, [u8]>)> {
    let mut list = Vec::new();
    files.for_each(&mut |bytes, name| {
        if let (Some(name), Ok(bytes)) = (name.as_string(), bytes.dyn_into::<Uint8Array>()) {
            list.push((name, Cow::Owned(bytes.to_vec())));
        }
    });
    list
}
