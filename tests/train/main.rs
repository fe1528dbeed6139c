//! Training against torch's, and against itself: gradients, updates, packed documents.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "test code")]

mod fixture;
mod gradients;
mod packed;
mod updates;
