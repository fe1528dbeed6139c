//! Sessions over a model, and many sequences at once: prefill, decode, sampling, chat and translation.
//!
//! An [`Engine`] is a model on a device; a [`Session`] is one conversation with it, and a [`Scheduler`] works on many [`Generation`]s
//! at once. [`Chat`] keeps the messages of a conversation, and [`Translator`] translates whole texts.

mod all_logits;
mod alone;
mod chain;
mod chat;
mod cutting;
mod ends;
mod engine;
mod error;
mod flight;
mod generate;
mod generated;
mod generation_config;
mod inputs;
mod lease;
mod logits;
mod loops;
mod memory;
mod places;
mod profile;
mod rng;
mod runs;
mod sampler;
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
mod trace;
mod translate;
mod translation;
mod translations;
mod usage;

pub use chat::{Chat, ChatOptions, Conversation, Overflow, Reply};
pub use ends::EndIds;
pub use engine::{Engine, LoadOptions, LoadProgress, open_tokenizer};
pub use error::{EngineError, SettingFault};
pub use generate::{GenerateOptions, Generation};
pub use generated::{FinishReason, Generated, Piece};
pub use inputs::MatrixInputs;
pub use logits::{Candidate, TokenLogprob, argmax, log_sum_exp};
pub use profile::{KernelTime, ProfileOptions};
pub use sampler::{Sampler, Sampling};
pub use sampling_defaults::{SamplingChoice, SamplingDefaults};
pub use scheduler::{Prompts, Scheduler, SchedulerOptions};
pub use segment::{Looped, Obstacle, Outcome, Remarks, Segment};
pub use session::{Prefilled, Session};
pub use task::{Collecting, Task};
pub use template::TemplateOptions;
pub use trace::{BufferStatistics, StepTrace};
pub use translate::{Direction, Translated, Translating, Translator};
pub use translation::Translation;
pub use translations::{Handed, Translations};
pub use usage::{Timings, Usage};
