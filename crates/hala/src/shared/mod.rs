//! A runtime that many threads use at once: whatever they ask for together runs together, as rows of one run.

mod job;
mod output;
mod replies;
mod runtime;
mod state;
mod stream;
mod translations;

pub use output::{Output, TranslatedText};
pub use runtime::Shared;
pub use stream::SharedStream;
