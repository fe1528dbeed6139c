//! Small language models on this device: the crate that apps depend on.
//!
//! A [`Runtime`] is a model on a device: it chooses the device, loads the model, answers conversations, translates, and goes on after a lost
//! device. [`blocking::Runtime`] is the same for programs that wait. What the two do not offer is done with the types of
//! `hala-engine` on [`AnyBackend`], which is whichever backend was chosen: [`Engine`], [`Session`], [`Scheduler`], [`Chat`], [`Translator`].
//!
//! Features, all on by default: `wgpu` (GPUs), `hub` (models of the Hugging Face Hub), `built-in` (the small translator, 9 MB),
//! `blocking`. A browser's module is built without any of them, and with `wgpu` where it is to run on GPUs.

mod any_backend;
#[cfg(feature = "blocking")]
pub mod blocking;
mod choices;
mod compares;
mod comparing;
mod completion;
mod costs;
mod current;
mod device;
mod engine;
mod error;
mod estimate;
mod event;
mod finish;
#[cfg(all(feature = "wgpu", not(target_family = "wasm")))]
mod gpus;
mod info;
mod loading;
mod logprobs;
#[cfg(not(all(feature = "wgpu", not(target_family = "wasm"))))]
mod no_gpus;
mod on_cpu;
mod opening;
mod reply;
mod request;
mod runtime;
#[cfg(not(target_family = "wasm"))]
mod saved;
mod seed;
mod sessions;
#[cfg(feature = "blocking")]
mod shared;
mod source;
mod streams;
mod text_request;
#[cfg(all(feature = "wgpu", not(target_family = "wasm")))]
mod tune;
#[cfg(all(feature = "wgpu", not(target_family = "wasm")))]
mod tuned;
mod unfit;
mod why;
mod wishes;
mod work;

pub use any_backend::{AnyBackend, AnyPrepared, AnyStates, AnyWeight, Handle};
pub use compares::Compares;
pub use completion::{
    ChatChoice, ChatCompletion, ChatCompletionChunk, ChoiceLogprobs, ChunkChoice, Chunks, CompletionHead,
    Delta, ReplyMessage,
};
pub use costs::{PromptDetails, TimingsReport, UsageReport};
pub use current::{Current, SpecialsIn};
pub use device::{BackendName, Chosen, DeviceOptions, LooksAt};
pub use engine::{Chat, Engine, Scheduler, Session, Translator};
pub use error::Error;
pub use estimate::{Estimate, estimate};
pub use event::{Event, Listener, Notice, Unused};
pub use finish::Finish;
#[cfg(all(feature = "wgpu", not(target_family = "wasm")))]
pub use gpus::devices::{DeviceReport, ModelReport, devices, forget_devices};
#[cfg(all(feature = "wgpu", not(target_family = "wasm")))]
pub use gpus::guard::forget_first_runs;
pub use info::Info;
pub use loading::{NoReader, RuntimeOptions, load};
pub use logprobs::{CandidateReport, TokenReport};
pub use reply::{ChatPiece, ChatReply, Choice, SamplingReport, SegmentReport, TranslateReply};
pub use request::{ChatRequest, Stop, StreamOptions, TranslateRequest, messages, parse};
pub use runtime::Runtime;
pub use seed::any_seed;
pub use sessions::Trim;
#[cfg(feature = "blocking")]
pub use shared::{Output, Shared, SharedStream, TranslatedText};
pub use source::ModelSource;
#[cfg(feature = "hub")]
pub use source::{download, fetch};
pub use streams::{ChatStream, TextStream, TranslateStream};
pub use text_request::{Prompt, TextChoice, TextCompletion, TextRequest};
#[cfg(all(feature = "wgpu", not(target_family = "wasm")))]
pub use tune::{TuneOptions, TuneProgress, Tuned, tune};
pub use unfit::{Stage, Unfit};
pub use why::Why;
pub use wishes::Wishes;

pub use hala_backend_cpu::Pause;
#[cfg(all(target_family = "wasm", target_feature = "atomics"))]
pub use hala_backend_cpu::lend_thread;
#[cfg(feature = "wgpu")]
pub use hala_backend_wgpu::Trial;
pub use hala_engine::{
    Collecting, Direction, FinishReason, GenerateOptions, Generation, Handed, Retained, Sampling, SavedError,
    SchedulerOptions, Translated, Translation, Translations,
};
pub use hala_model::{Options, WeightFormat};
pub use hala_plan::Cancel;
pub use hala_text::{Bos, Language, Message, Role, Thinking};
#[cfg(feature = "hub")]
pub use hala_weights::download::{Download, DownloadError, DownloadEvent};
#[cfg(feature = "hub")]
pub use hala_weights::hub::{HubError, HubEvent, HubModel, HubSettings};
pub use hala_weights::{Checkpoint, Reader};

/// The README's example, which is a test.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
