//! Drafts by look-up: where a text repeats a run of the prompt or of itself, the next tokens are proposed, and verified in one run.

pub(crate) mod acceptance;
pub(crate) mod costs;
pub(crate) mod drafter;
pub(crate) mod lookup;
pub(crate) mod mode;
pub(crate) mod pace;
pub(crate) mod verified;
