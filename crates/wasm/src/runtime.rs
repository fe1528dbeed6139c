//! A model that answers: what the worker holds.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::time::Duration;

use hala_engine::{Conversation, EngineError, Generation, LoadProgress, Translation};
use hala_plan::{Backend, Cancel as Flag};
use hala_text::{Bos, Tokenizer, messages_from_json};
use hala_weights::Checkpoint;
use js_sys::{Function, Map, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use web_time::Instant;

use crate::Cancel;
use crate::error::Failure;
use crate::host::{HostReader, WeightReader, pause};
use crate::reply::{ChatReply, Event, TranslateReply, to_json};
use crate::request::{BackendName, ChatRequest, LoadRequest, TranslateRequest, parse};
use crate::running::{AnyEngine, Running, Sessions, with_engine, with_sessions};
use crate::stream::Stream;

/// A second loss within this time means that the device does not stand the work: the CPU takes over.
const LOSSES_APART: Duration = Duration::from_secs(60);

/// How long pieces follow each other before the worker sees to its messages.
const PAUSE_EVERY: Duration = Duration::from_millis(8);

/// A model on a device, with a session for conversations and one for translations. It does one piece of work at a time.
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

    /// Answers a conversation; gives each piece to `on_piece`.
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
        let mut work = self.begin()?;
        let asked = with_sessions!(work.running()?, sessions => {
            request.into_conversation(sessions.engine.sampling_defaults(), seed)
        });
        let mut conversation = asked.map_err(Failure::from)?;
        let mut generation = work.start_chat(&mut conversation, &flag).await?;
        work.drive(&mut generation, &on_piece).await?;
        let generated = generation.finish().map_err(Failure::from)?;
        Ok(to_json(&ChatReply::new(generated, conversation.n_dropped())))
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
        let mut translation = started.map_err(Failure::from)?;
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
    /// Takes what runs for one piece of work; it is put back at its end, however that comes.
    fn begin(&self) -> Result<Work<'_>, Failure> {
        if self.is_working.replace(true) {
            return Err(Failure::new(
                "invalid-request",
                "it is at work: wait for the end of what was asked before",
            ));
        }
        Ok(Work { runtime: self, running: self.running.borrow_mut().take() })
    }

    /// Sets the model up once more after the GPU was lost: on the GPU, or on the CPU where that was lost twice in a
    /// short time or cannot be set up again.
    async fn recover(&self, reason: &str) -> Result<Running, Failure> {
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

/// One piece of work, which has what runs to itself.
struct Work<'a> {
    runtime: &'a Runtime,
    /// None where the device was lost and could not be set up again.
    running: Option<Running>,
}

impl Drop for Work<'_> {
    fn drop(&mut self) {
        *self.runtime.running.borrow_mut() = self.running.take();
        self.runtime.is_working.set(false);
    }
}

impl Work<'_> {
    fn running(&mut self) -> Result<&mut Running, Failure> {
        self.running.as_mut().ok_or_else(lost)
    }

    /// Prepares the reply to a conversation.
    async fn start_chat(
        &mut self,
        conversation: &mut Conversation,
        cancel: &Flag,
    ) -> Result<Generation, Failure> {
        loop {
            let started = with_sessions!(self.running()?, sessions => {
                start_chat(sessions, conversation, cancel).await
            });
            match started {
                Err(error) if error.is_device_lost() => self.recover(&error).await?,
                started => return Ok(started?),
            }
        }
    }

    /// Hands out the pieces of a stream to its end; goes on after a lost device.
    async fn drive(&mut self, stream: &mut impl Stream, on_piece: &Function) -> Result<(), Failure> {
        let mut last_pause = Instant::now();
        loop {
            let next = with_sessions!(self.running()?, sessions => stream.next(sessions).await);
            match next {
                // What the page does with a piece is its own affair.
                Ok(Some(piece)) => drop(on_piece.call1(&JsValue::NULL, &piece.into())),
                Ok(None) => return Ok(()),
                Err(error) if error.is_device_lost() => {
                    stream.lose();
                    self.recover(&error).await?;
                }
                Err(error) => return Err(error.into()),
            }
            if last_pause.elapsed() >= PAUSE_EVERY {
                pause().await;
                last_pause = Instant::now();
            }
        }
    }

    /// Goes on with another device, where the stream's tokens are computed again.
    async fn recover(&mut self, error: &EngineError) -> Result<(), Failure> {
        self.running = None;
        self.running = Some(self.runtime.recover(&error.to_string()).await?);
        Ok(())
    }
}

async fn start_chat<B: Backend>(
    sessions: &mut Sessions<B>,
    conversation: &mut Conversation,
    cancel: &Flag,
) -> Result<Generation, EngineError> {
    let prompt = conversation.prompt(&sessions.engine)?;
    let session = sessions.chat().await?;
    Generation::new(session, &prompt, &conversation.options.generate, cancel)
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

fn lost() -> Failure {
    Failure::new("device-lost", "the device was lost and could not be set up again: load the model once more")
}
