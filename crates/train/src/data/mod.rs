//! Data: rows of files become documents (ids and the weight of each as a label), and documents become batches.

mod batch;
mod batches;
mod counts;
mod document;
mod fields;
mod json_row;
mod lines;
mod order;
mod packer;
mod random;
mod read_row;
mod renderer;
mod replies;
mod row;
mod source;

pub use batch::{Batch, IGNORE};
pub use batches::{BatchOptions, Batches, Position, Rule};
pub use counts::Counts;
pub use document::Document;
pub use order::{OrderOptions, Part};
pub use packer::Packing;
pub use read_row::read_row;
pub use renderer::{Renderer, Replies};
pub use row::{ChatRow, Row};
pub use source::{Form, Pairs, Source};
