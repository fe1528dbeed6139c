//! What is compiled.

use std::collections::BTreeMap;

/// The files of `shaders/`: paths from there, with `/` between folders, and texts.
pub(crate) type Folder = BTreeMap<String, String>;
