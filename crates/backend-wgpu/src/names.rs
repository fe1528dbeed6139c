//! What adapters are called, in messages and in files.

use wgpu::{AdapterInfo, DeviceType};

use crate::capabilities::Preset;

/// An adapter's name as messages have it, with the preset of its kernels where that is not its own. Browsers often keep names to themselves.
pub(crate) fn device_name(info: &AdapterInfo, preset: Option<Preset>) -> String {
    let name = if info.name.is_empty() { "a GPU without a name" } else { &info.name };
    let forced = preset.map(|preset| format!(", {} preset", preset.name())).unwrap_or_default();
    format!("{name} ({}, {}{forced})", kind(info), info.backend.to_str())
}

/// The driver of an adapter, with its version.
pub(crate) fn driver(info: &AdapterInfo) -> String {
    format!("{} {}", info.driver, info.driver_info).trim().to_owned()
}

/// The kind of programs that play a GPU.
pub(crate) const SOFTWARE: &str = "software";
/// The kind of GPUs that share the CPU's memory.
pub(crate) const INTEGRATED: &str = "integrated";

/// The kind of an adapter in a word.
pub(crate) fn kind(info: &AdapterInfo) -> &'static str {
    match info.device_type {
        DeviceType::DiscreteGpu => "discrete",
        DeviceType::IntegratedGpu => INTEGRATED,
        DeviceType::VirtualGpu => "virtual",
        DeviceType::Cpu => SOFTWARE,
        DeviceType::Other => "unknown",
    }
}
