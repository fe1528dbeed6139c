//! Rotary position embeddings: what config.json says of them, and the tables of angles.

mod read;
mod table;

pub(crate) use read::passed_over;
pub use read::{Dialect, Turned};
pub use table::{Rope, Scaling, Yarn};
