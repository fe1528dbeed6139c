//! What Hala's own benches share: random weights, a model's Plan without the model crate, medians, ceilings.

pub mod ceilings;
pub mod lfm2;
pub mod session;
pub mod timing;
pub mod weights;
pub mod work;
