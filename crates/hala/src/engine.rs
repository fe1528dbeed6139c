//! The types of `hala-engine` on whichever backend was chosen.

use crate::any_backend::AnyBackend;

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
