//! Data: rows of files become documents (ids and the weight of each as a label), and documents become batches.

mod batch;
mod batches;
mod counts;
mod document;
mod fields;
mod json_row;
mod lengths;
mod lines;
mod order;
mod ordered_rows;
mod packer;
mod random;
mod read_row;
mod reader;
mod renderer;
mod replies;
mod row;
mod rows;
mod source;
mod survey;

pub use batch::{Batch, IGNORE};
pub use batches::{BatchOptions, Batches, Position, Rule};
pub use counts::Counts;
pub use document::Document;
pub use lengths::{Lengths, UpTo};
pub use order::{OrderOptions, Part};
pub(crate) use ordered_rows::OrderedRows;
pub use packer::Packing;
pub use random::{Normals, seed_of};
pub use read_row::read_row;
pub use renderer::{Renderer, Replies};
pub use row::{ChatRow, Row};
pub use rows::{FormedRow, first_rows};
pub use source::{Form, Pairs, Source};
pub use survey::{Refused, Shown, Survey, SurveyOptions};
