//! What Hala's own benches share: models with random weights, medians, ceilings.

pub mod ceilings;
pub mod random;
pub mod session;
pub mod timing;
pub mod weights;
