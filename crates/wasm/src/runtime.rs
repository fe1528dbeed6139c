//! A model that answers: what the worker holds.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::time::Duration;

use hala_engine::{EngineError, LoadProgress, Translation};
use hala_text::{Bos, Tokenizer, messages_from_json};
use hala_weights::Checkpoint;
use js_sys::{Function, Map, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use web_time::Instant;

use crate::Cancel;
use crate::error::Failure;
use crate::host::{HostReader, WeightReader};
use crate::reply::{ChatReply, Event, TranslateReply, to_json};
use crate::request::{BackendName, ChatRequest, LoadRequest, TranslateRequest, parse};
use crate::running::{AnyEngine, Running, with_engine, with_sessions};
use crate::stream::Translating;
use crate::work::Work;

/// A second loss within this time means that the device does not stand the work: the CPU takes over.
const LOSSES_APART: Duration = Duration::from_secs(60);

/// A model on a device, with what works on it. It does one piece of work at a time.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Runtime {
    request: LoadRequest,
    /// Away while it is read.
    checkpoint: RefCell<Option<Checkpoint>>,
    reader: HostReader,
    on_event: Function,
    /// Away while it works.
    running: RefCell<Option<Running>>,
    /// The engine that runs, for what can be asked while it works; none while a device is set up once more.
    engine: RefCell<Option<AnyEngine>>,
    is_working: Cell<bool>,
    lost_last: Cell<Option<Instant>>,
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
        let request: LoadRequest = parse(&options)?;
        let reader = HostReader::new(reader);
        let opened = Checkpoint::from_reader(side_files(&files), &reader).await;
        let mut checkpoint = opened.map_err(|e| thrown(&reader, e.into()))?;
        let told = |p: LoadProgress<'_>| {
            tell(&on_event, &Event::Load { name: p.name, loaded: p.n_done, total: p.n_total });
            !flag.is_cancelled()
        };
        let running = Running::load(request.backend, &request, &mut checkpoint, &reader, told).await;
        let running = running.map_err(|failure| thrown(&reader, failure))?;
        Ok(Self {
            request,
            checkpoint: RefCell::new(Some(checkpoint)),
            reader,
            on_event,
            engine: RefCell::new(Some(running.engine())),
            running: RefCell::new(Some(running)),
            is_working: Cell::new(false),
            lost_last: Cell::default(),
        })
    }

    /// What was loaded and what runs it.
    ///
    /// # Errors
    /// The device is being set up once more.
    pub fn info(&self) -> Result<String, JsValue> {
        Ok(to_json(&self.engine.borrow().as_ref().ok_or_else(lost)?.info()))
    }

    /// Answers a conversation, with several replies where so many are asked for; gives each piece to `on_piece`.
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
        let seed = (js_sys::Math::random() * (1_u64 << 53) as f64) as u64;
        let request: ChatRequest = parse(&request)?;
        let n = request.n();
        let mut work = self.begin()?;
        let asked = with_sessions!(work.running()?, sessions => {
            request.into_conversation(sessions.engine.sampling_defaults(), seed)
        });
        let mut conversation = asked.map_err(Failure::from)?;
        let replies = if n == 1 {
            let mut generation = work.start_chat(&mut conversation, &flag).await?;
            work.drive(&mut generation, &on_piece).await?;
            vec![generation.finish().map_err(Failure::from)?]
        } else {
            let mut choices = work.start_choices(&mut conversation, n, &flag)?;
            work.drive(&mut choices, &on_piece).await?;
            choices.finish().map_err(Failure::from)?
        };
        Ok(to_json(&ChatReply::new(replies, conversation.n_dropped())))
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
        let request: TranslateRequest = parse(&request)?;
        let mut work = self.begin()?;
        let started = with_sessions!(work.running()?, sessions => {
            Translation::new(&sessions.engine, &request.text, request.direction(), &flag)
        });
        let mut translation = Translating::new(started.map_err(Failure::from)?);
        work.drive(&mut translation, &on_piece).await?;
        let translated = translation.finish().map_err(Failure::from)?;
        Ok(to_json(&TranslateReply::new(&request.text, translated)))
    }

    /// Tokens of the prompt that these messages, a JSON list, make.
    ///
    /// # Errors
    /// An object with `code` and `message`: no list of messages, or a model without template.
    #[wasm_bindgen(js_name = countPrompt)]
    pub fn count_prompt(&self, messages: &str) -> Result<usize, JsValue> {
        let messages = messages_from_json(&parse(messages)?)
            .map_err(|error| Failure::new("invalid-request", error.to_string()))?;
        let engine = self.engine.borrow();
        let ids =
            with_engine!(engine.as_ref().ok_or_else(lost)?, engine => engine.chat_prompt(&messages, &[]));
        Ok(ids.map_err(Failure::from)?.len())
    }

    /// Tokens of a text alone.
    ///
    /// # Errors
    /// An object with `code` and `message`: a model without tokenizer.
    #[wasm_bindgen(js_name = countTokens)]
    pub fn count_tokens(&self, text: &str) -> Result<usize, JsValue> {
        let engine = self.engine.borrow();
        let encode =
            |tokenizer: &Tokenizer| tokenizer.encode_plain(text, Bos::Auto).map_err(EngineError::from);
        let ids =
            with_engine!(engine.as_ref().ok_or_else(lost)?, engine => engine.tokenizer().and_then(encode));
        Ok(ids.map_err(Failure::from)?.len())
    }

    /// Ends the GPU's device, as a driver does that is reset: for tests of what happens then. Does nothing on the CPU.
    #[wasm_bindgen(js_name = loseDevice)]
    pub fn lose_device(&self) {
        #[cfg(feature = "webgpu")]
        if let Some(AnyEngine::Wgpu(engine)) = self.engine.borrow().as_ref() {
            engine.backend().destroy();
        }
    }
}

impl Runtime {
    /// Takes what runs for one piece of work.
    fn begin(&self) -> Result<Work<'_>, Failure> {
        if self.is_working.replace(true) {
            return Err(Failure::new(
                "invalid-request",
                "it is at work: wait for the end of what was asked before",
            ));
        }
        Ok(Work::new(self, self.running.borrow_mut().take()))
    }

    /// Takes back what runs: the work is done.
    pub(crate) fn put_back(&self, running: Option<Running>) {
        *self.running.borrow_mut() = running;
        self.is_working.set(false);
    }

    /// Sets the model up once more after the GPU was lost: on the GPU, or on the CPU where that was lost twice in a
    /// short time or cannot be set up again.
    ///
    /// # Errors
    /// No other device can be set up, or the model's files cannot be read again.
    pub(crate) async fn recover(&self, reason: &str) -> Result<Running, Failure> {
        let now = Instant::now();
        let is_second = self.lost_last.replace(Some(now)).is_some_and(|last| now - last < LOSSES_APART);
        // What the lost device held must be free before another takes as much.
        *self.engine.borrow_mut() = None;
        tell(&self.on_event, &Event::DeviceLost { reason });
        if !is_second {
            match self.reload(BackendName::WebGpu).await {
                Ok(running) => return Ok(running),
                Err(failure) if failure.code == "reader" => return Err(failure),
                Err(_) => {}
            }
        }
        let running = self.reload(BackendName::Wasm).await?;
        tell(&self.on_event, &Event::BackendChange { backend: BackendName::Wasm, reason });
        Ok(running)
    }

    async fn reload(&self, backend: BackendName) -> Result<Running, Failure> {
        let mut checkpoint = self.checkpoint.take().ok_or_else(lost)?;
        let running = Running::load(backend, &self.request, &mut checkpoint, &self.reader, |_| true).await;
        self.checkpoint.replace(Some(checkpoint));
        let running = running?;
        *self.engine.borrow_mut() = Some(running.engine());
        Ok(running)
    }
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

/// The error that the reader threw where it was its, else the failure.
fn thrown(reader: &HostReader, failure: Failure) -> JsValue {
    let is_reader = failure.code == "reader";
    is_reader.then(|| reader.take_thrown()).flatten().unwrap_or_else(|| failure.into())
}

fn tell(on_event: &Function, event: &Event<'_>) {
    // What the page does with an event is its own affair.
    let _ = on_event.call1(&JsValue::NULL, &to_json(event).into());
}

/// The error of work without a device.
pub(crate) fn lost() -> Failure {
    Failure::new("device-lost", "the device was lost and could not be set up again: load the model once more")
}
