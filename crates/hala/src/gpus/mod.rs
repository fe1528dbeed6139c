//! GPUs that `auto` may take: what is remembered of them, the first run that is guarded, and which of them and the CPU is faster.

pub(crate) mod best;
pub(crate) mod devices;
pub(crate) mod faster;
pub(crate) mod first_run;
pub(crate) mod folder;
pub(crate) mod guard;
pub(crate) mod known_model;
pub(crate) mod ledger;
pub(crate) mod model_class;
pub(crate) mod search;
pub(crate) mod taken;
