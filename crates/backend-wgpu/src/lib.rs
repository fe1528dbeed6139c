//! Runs Plans on GPUs through WebGPU: Vulkan, Metal, DX12 and browsers.
//!
//! A Plan is made ready once: every step becomes one or a few dispatches with their pipelines, bind groups and uniforms. A run
//! writes its ids and what its rows are, and submits one command buffer with one compute pass. The states of its sequences are in
//! a pool, which kernels see through bind groups of their own. Where the device chooses the tokens it writes the ids itself, and
//! the host reads them some tokens later.

mod adapter;
mod ahead;
mod avoided;
mod backend;
mod callback;
mod capabilities;
mod choices;
mod choose;
mod choosing;
mod dispatch;
mod gpu;
mod grid;
mod inputs;
mod kernel;
mod memory;
mod names;
mod ops;
mod pace;
mod padding;
mod pipelines;
mod placement;
mod places;
mod prepared;
mod profile;
mod read;
mod record;
mod sizes;
mod spread;
mod state;
mod tune;
mod weight;
mod write;

pub use adapter::{AdapterChoice, AdapterReport, Found, adapters, found, no_adapter};
pub use avoided::Avoided;
pub use backend::WgpuBackend;
pub use capabilities::Preset;
pub use choices::{Choices, Origin};
pub use gpu::Created;
pub use prepared::Prepared;
pub use state::States;
pub use tune::{Trial, Tuning, Untuned};
pub use weight::Weight;
