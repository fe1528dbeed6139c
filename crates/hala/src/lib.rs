//! Small language models on this device: the crate that apps depend on.
//!
//! [`AnyBackend`] is whichever backend was chosen while the program runs, and [`Engine`], [`Session`], [`Scheduler`], [`Chat`] and
//! [`Translator`] are those of `hala-engine` on it.

mod any_backend;

pub use any_backend::{AnyBackend, AnyPrepared, AnyStates, AnyWeight, Handle};

/// A model on a device.
pub type Engine = hala_engine::Engine<AnyBackend>;

/// One conversation with a model.
pub type Session = hala_engine::Session<AnyBackend>;

/// Many sequences at once.
pub type Scheduler = hala_engine::Scheduler<AnyBackend>;

/// The messages of a conversation, and the session that answers them.
pub type Chat = hala_engine::Chat<AnyBackend>;

/// Whole texts from Arabic to English and back.
pub type Translator = hala_engine::Translator<AnyBackend>;
