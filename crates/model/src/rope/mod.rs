//! Rotary position embeddings: what config.json says of them, and the tables of angles.

mod read;
mod table;

pub use read::Turned;
pub use table::{Rope, Scaling, Yarn};
