//! Runs Plans on GPUs through WebGPU: Vulkan, Metal, DX12 and browsers.
//!
//! A Plan is made ready once: every step becomes one or a few dispatches with their pipelines, bind groups and uniforms. A run
//! writes the ids and the position, and submits one command buffer with one compute pass. Where the device chooses the tokens
//! it writes the ids itself, and the host reads them some tokens later.

mod adapter;
mod backend;
mod choices;
mod choose;
mod choosing;
mod dispatch;
mod gpu;
mod memory;
mod ops;
mod pipelines;
mod prepared;
mod profile;
mod read;
mod spread;
mod state;
mod tune;
mod weight;

pub use adapter::{AdapterChoice, AdapterReport, adapters};
pub use backend::WgpuBackend;
pub use choices::{Choices, Origin};
pub use choose::Preset;
pub use gpu::Created;
pub use prepared::Prepared;
pub use state::{Snapshot, State};
pub use tune::{Trial, Tuning};
pub use weight::Weight;
