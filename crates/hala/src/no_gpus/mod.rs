//! Stands for what is known of GPUs in a build that does not choose among them: without the feature `wgpu`, and in a browser, whose page does.

pub(crate) mod best;
pub(crate) mod taken;
