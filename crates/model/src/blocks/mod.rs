//! What families share: recording, and the blocks that they are made of.

mod attention;
mod convolution;
mod pass;

pub(crate) use attention::{Attention, cache_states, page_tables};
pub(crate) use convolution::{Convolution, Sizes as ConvolutionSizes, convolution_state};
pub(crate) use pass::{Norm, Pass};
