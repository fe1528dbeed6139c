//! Errors on their way to JavaScript: a code for programs, a message for people.

use hala_engine::EngineError;
use hala_model::ModelError;
use hala_plan::BackendError;
use hala_text::TextError;
use hala_weights::WeightsError;
use js_sys::{Object, Reflect};
use wasm_bindgen::JsValue;

/// What went wrong; thrown as an object with `code`, `message` and perhaps `bytes`.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    /// Bytes that were asked for, where memory was refused.
    bytes: Option<usize>,
}

impl Failure {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), bytes: None }
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        let bytes = match &error {
            EngineError::Backend(BackendError::OutOfMemory { bytes, .. }) => Some(*bytes),
            _ => None,
        };
        Self { code: code(&error), message: error.to_string(), bytes }
    }
}

impl From<BackendError> for Failure {
    fn from(error: BackendError) -> Self {
        EngineError::from(error).into()
    }
}

impl From<WeightsError> for Failure {
    fn from(error: WeightsError) -> Self {
        EngineError::from(error).into()
    }
}

impl From<Failure> for JsValue {
    fn from(failure: Failure) -> Self {
        let object = Object::new();
        let set = |name: &str, value: JsValue| {
            // A plain object takes any property.
            let _ = Reflect::set(&object, &name.into(), &value);
        };
        set("code", failure.code.into());
        set("message", failure.message.into());
        if let Some(bytes) = failure.bytes {
            set("bytes", (bytes as f64).into());
        }
        object.into()
    }
}

fn code(error: &EngineError) -> &'static str {
    match error {
        EngineError::Weights(error) | EngineError::Model(ModelError::Weights(error)) => weights_code(error),
        EngineError::Model(ModelError::Context { .. }) | EngineError::Option { .. } => "invalid-request",
        EngineError::Model(_) | EngineError::NoOutput { .. } => "unsupported-model",
        EngineError::Backend(error) => backend_code(error),
        EngineError::Text(error) => text_code(error),
        EngineError::NoTokenizer => "no-tokenizer",
        EngineError::EmptyPrompt | EngineError::Conversation(_) | EngineError::Position { .. } => {
            "invalid-request"
        }
        EngineError::NoRow { .. } | EngineError::Unlike { .. } => "invalid-request",
        EngineError::PromptTooLong { .. } => "context-length-exceeded",
        EngineError::MemoryFull => "out-of-memory",
        EngineError::SameLanguage(_) => "same-language",
        EngineError::Setting(_) => "damaged-model",
        EngineError::NotFinite { .. } => "not-finite",
        EngineError::Cancelled => "aborted",
    }
}

fn weights_code(error: &WeightsError) -> &'static str {
    match error {
        WeightsError::NoWeights { .. }
        | WeightsError::MissingFile { .. }
        | WeightsError::MissingShard { .. }
        | WeightsError::NotFound { .. } => "missing-file",
        WeightsError::Unreadable { .. } | WeightsError::Io { .. } => "reader",
        WeightsError::UnsupportedDType { .. }
        | WeightsError::Quantisation { .. }
        | WeightsError::Mlx { .. }
        | WeightsError::Packed { .. } => "unsupported-model",
        WeightsError::NotFetched { .. } => "internal",
        _ => "damaged-model",
    }
}

fn backend_code(error: &BackendError) -> &'static str {
    match error {
        BackendError::Cancelled => "aborted",
        BackendError::OutOfMemory { .. } => "out-of-memory",
        BackendError::DeviceLost { .. } => "device-lost",
        BackendError::Refused { .. } | BackendError::Unavailable { .. } => "device-refused",
        BackendError::Unsupported { .. } => "unsupported-model",
        BackendError::Limit { .. } | BackendError::Id { .. } => "invalid-request",
        BackendError::Place { .. } | BackendError::OfAnother { .. } => "internal",
    }
}

fn text_code(error: &TextError) -> &'static str {
    match error {
        TextError::NoChatTemplate
        | TextError::TemplateRaised { .. }
        | TextError::ReservedVariable { .. }
        | TextError::Encode { .. }
        | TextError::UnknownLanguage { .. }
        | TextError::InvalidTime { .. } => "invalid-request",
        _ => "damaged-model",
    }
}
