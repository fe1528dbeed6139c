//! Sessions over a model: prefill, decode, sampling, chat and translation.
//!
//! An [`Engine`] is a model on a device; a [`Session`] is one conversation with it. [`Generation`] streams text
//! from a session, [`Chat`] keeps the messages of a conversation, and [`Translator`] translates whole texts.

mod ahead;
mod all_logits;
mod chat;
mod cutting;
mod ends;
mod engine;
mod error;
mod generate;
mod generation_config;
mod inputs;
mod logits;
mod loops;
mod profile;
mod rng;
mod runs;
mod sampler;
mod sampling_defaults;
mod segment;
mod sentence;
mod session;
mod snapshots;
mod stop;
mod template;
mod trace;
mod translate;
mod translation;
mod usage;

pub use chat::{Chat, ChatOptions, Conversation, Overflow, Reply};
pub use ends::EndIds;
pub use engine::{Engine, LoadOptions, LoadProgress, open_tokenizer};
pub use error::{EngineError, SettingFault};
pub use generate::{FinishReason, GenerateOptions, Generated, Generation, Piece};
pub use inputs::MatrixInputs;
pub use logits::{Candidate, TokenLogprob, argmax, log_sum_exp};
pub use profile::{KernelTime, ProfileOptions};
pub use sampler::{Sampler, Sampling};
pub use sampling_defaults::{SamplingChoice, SamplingDefaults};
pub use segment::{Looped, Obstacle, Outcome, Remarks, Segment};
pub use session::{Prefilled, Session};
pub use template::TemplateOptions;
pub use trace::{BufferStatistics, StepTrace};
pub use translate::{Direction, Translated, Translating, Translator};
pub use translation::Translation;
pub use usage::{Timings, Usage};
