//! Sessions over a model, and many sequences at once: prefill, decode, sampling, chat and translation.
//!
//! An [`Engine`] is a model on a device; a [`Session`] is one conversation with it, and a [`Scheduler`] works on many [`Generation`]s
//! at once. [`Chat`] keeps the messages of a conversation, and [`Translator`] translates whole texts.

mod chain;
mod chat;
mod cutting;
mod direction;
mod ends;
mod engine;
mod error;
mod flight;
mod generate;
mod generated;
mod generation_config;
mod lease;
mod logits;
mod loops;
mod memory;
mod places;
mod probe;
mod ready;
mod rng;
mod runs;
mod sampler;
mod sampling;
mod sampling_defaults;
mod scheduler;
mod segment;
mod sentence;
mod sequence;
mod session;
mod snapshots;
mod stop;
mod table;
mod task;
mod template;
mod translate;
mod translated;
mod translation;
mod translations;
mod usage;

pub use chat::{Chat, ChatOptions, Conversation, Overflow, Reply};
pub use direction::Direction;
pub use ends::EndIds;
pub use engine::{Engine, LoadOptions, LoadProgress, open_tokenizer};
pub use error::{EngineError, SettingFault};
pub use generate::{GenerateOptions, Generation};
pub use generated::{FinishReason, Generated, Piece};
pub use logits::{Candidate, TokenLogprob, argmax, log_sum_exp};
pub use probe::Probe;
pub use probe::inputs::MatrixInputs;
pub use probe::profile::{KernelTime, ProfileOptions};
pub use probe::trace::{BufferStatistics, StepTrace};
pub use sampler::Sampler;
pub use sampling::Sampling;
pub use sampling_defaults::{SamplingChoice, SamplingDefaults};
pub use scheduler::{Prompts, Scheduler, SchedulerOptions};
pub use segment::{Looped, Obstacle, Outcome, Remarks, Segment};
pub use session::{Prefilled, Session};
pub use task::{Collecting, Task};
pub use template::TemplateOptions;
pub use translate::{Translating, Translator};
pub use translated::Translated;
pub use translation::Translation;
pub use translations::{Handed, Translations};
pub use usage::{Timings, Usage};
