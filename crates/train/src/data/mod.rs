//! Data: rows of files become documents (ids and the weight of each as a label), and documents become batches.

mod batch;
mod document;
mod fields;
mod json_row;
mod random;
mod read_row;
mod renderer;
mod replies;
mod row;
mod source;

pub use batch::{Batch, IGNORE};
pub use document::Document;
pub use read_row::read_row;
pub use renderer::{Renderer, Replies};
pub use row::{ChatRow, Row};
pub use source::{Form, Pairs, Source};
