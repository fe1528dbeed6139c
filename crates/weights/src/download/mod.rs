//! One file of any address, fetched to a path: resumed where it broke, verified, and under its name only when it is whole.
//!
//! The Hub's files come the same way, into its cache: see [`crate::hub`].

pub(crate) mod digest;
pub(crate) mod error;
pub(crate) mod event;
pub(crate) mod fault;
pub(crate) mod http;
pub(crate) mod lock;
mod request;
pub(crate) mod retries;
pub(crate) mod transfer;

pub use error::DownloadError;
pub use event::DownloadEvent;
pub use request::{Download, download};
