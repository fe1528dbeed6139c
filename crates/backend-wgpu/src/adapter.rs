//! Which device is used: a real GPU where there is one, a software one only where nothing else is or it is asked for.

use hala_plan::BackendError;
use wgpu::{Adapter, Backends, DeviceType, Features, Instance, InstanceDescriptor, InstanceFlags, Limits};

use crate::avoided::{Avoided, avoided};
use crate::choices::Origin;
use crate::names::{INTEGRATED, SOFTWARE, driver, kind};

/// Which adapter is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum AdapterChoice {
    /// The fastest kind: discrete before integrated before virtual before software.
    #[default]
    Best,
    /// As [`AdapterChoice::Best`], and none at all rather than a software one.
    Real,
    /// The first whose name contains this text, whatever its case.
    Named(String),
}

/// An adapter that was found, and is not used yet.
#[derive(Debug)]
pub struct Found {
    pub(crate) adapter: Adapter,
    /// What is known of it.
    pub report: AdapterReport,
}

impl Found {
    fn new(adapter: Adapter) -> Self {
        let report = report(&adapter);
        Self { adapter, report }
    }

    /// What is measured with it, or found out about it, stands for.
    pub fn origin(&self) -> Origin {
        Origin::of(&self.adapter.get_info(), None)
    }
}

/// What is known of an adapter before it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdapterReport {
    /// Its name.
    pub name: String,
    /// `discrete`, `integrated`, `virtual`, `software` or `unknown`.
    pub kind: &'static str,
    /// The interface that it is reached through: `vulkan`, `metal`, `dx12`, `webgpu`.
    pub interface: String,
    /// Its driver.
    pub driver: String,
    /// Bytes that one kernel can see of one buffer.
    pub max_binding_bytes: u64,
    /// Bytes of the largest buffer.
    pub max_buffer_bytes: u64,
    /// Lanes that run together, least and most.
    pub subgroup_sizes: [u32; 2],
    /// Why it is better left alone, where its driver has faults that are known.
    pub avoided: Option<Avoided>,
}

impl AdapterReport {
    /// Whether it is a program on the CPU.
    pub fn is_software(&self) -> bool {
        self.kind == SOFTWARE
    }

    /// Whether it shares the CPU's memory, as phones' GPUs do.
    pub fn is_integrated(&self) -> bool {
        self.kind == INTEGRATED
    }
}

/// The adapters of this machine, the best first.
pub async fn adapters() -> Vec<AdapterReport> {
    found().await.into_iter().map(|found| found.report).collect()
}

/// The same, to be opened or left alone.
pub async fn found() -> Vec<Found> {
    ranked(&instance()).await.into_iter().map(Found::new).collect()
}

fn instance() -> Instance {
    let mut descriptor = InstanceDescriptor::new_without_display_handle();
    descriptor.backends = Backends::PRIMARY;
    // Validation layers are for those who write kernels; they ask for them by WGPU_VALIDATION.
    descriptor.flags = InstanceFlags::empty().with_env();
    Instance::new(descriptor)
}

async fn ranked(instance: &Instance) -> Vec<Adapter> {
    let mut adapters = instance.enumerate_adapters(Backends::PRIMARY).await;
    adapters.sort_by_key(|adapter| rank(adapter.get_info().device_type));
    adapters
}

fn rank(kind: DeviceType) -> u32 {
    match kind {
        DeviceType::DiscreteGpu => 0,
        DeviceType::IntegratedGpu => 1,
        DeviceType::VirtualGpu => 2,
        DeviceType::Other => 3,
        DeviceType::Cpu => 4,
    }
}

pub(crate) fn report(adapter: &Adapter) -> AdapterReport {
    let (info, limits) = (adapter.get_info(), adapter.limits());
    AdapterReport {
        kind: kind(&info),
        interface: info.backend.to_str().to_owned(),
        driver: driver(&info),
        max_binding_bytes: limits.max_storage_buffer_binding_size,
        max_buffer_bytes: limits.max_buffer_size,
        subgroup_sizes: [info.subgroup_min_size, info.subgroup_max_size],
        avoided: avoided(&info),
        name: info.name,
    }
}

/// Finds the adapter that is wanted.
pub(crate) async fn choose(choice: &AdapterChoice) -> Result<Adapter, BackendError> {
    let unavailable = |reason: String| BackendError::Unavailable { backend: "wgpu", reason };
    let adapters = ranked(&instance()).await;
    let names: Vec<String> = adapters.iter().map(|a| a.get_info().name).collect();
    let is_real = |adapter: &Adapter| adapter.get_info().device_type != DeviceType::Cpu;
    let is_named =
        |adapter: &Adapter, part: &str| adapter.get_info().name.to_lowercase().contains(&part.to_lowercase());
    let found = match choice {
        AdapterChoice::Best => adapters.into_iter().next(),
        AdapterChoice::Real => adapters.into_iter().find(is_real),
        AdapterChoice::Named(part) => adapters.into_iter().find(|a| is_named(a, part)),
    };
    found.ok_or_else(|| {
        let names = names.join(", ");
        match choice {
            _ if names.is_empty() => no_adapter(),
            AdapterChoice::Named(part) => {
                unavailable(format!("no adapter is called {part:?}; there are: {names}"))
            }
            _ => unavailable(format!(
                "there is only a software adapter ({names}), and the CPU backend is faster"
            )),
        }
    })
}

/// That there is no adapter at all.
pub fn no_adapter() -> BackendError {
    let reason = "no GPU was found: install a driver for Vulkan, Metal or DX12, or use `--backend cpu`";
    BackendError::Unavailable { backend: "wgpu", reason: reason.to_owned() }
}

/// Features that are taken where they are offered; nothing needs them.
pub(crate) const WELCOME: Features = Features::SUBGROUP
    .union(Features::SHADER_F16)
    .union(Features::SHADER_INT64)
    .union(Features::TIMESTAMP_QUERY);

/// What the kernels cannot do without; every WebGPU device has it.
pub(crate) fn check_limits(limits: &Limits, name: &str) -> Result<(), BackendError> {
    let needs: [(&str, u64, u64); 4] = [
        ("storage buffers in a kernel", u64::from(limits.max_storage_buffers_per_shader_stage), 8),
        ("bytes of workgroup memory", u64::from(limits.max_compute_workgroup_storage_size), 16384),
        ("invocations in a workgroup", u64::from(limits.max_compute_invocations_per_workgroup), 256),
        ("bytes in a binding", limits.max_storage_buffer_binding_size, 1 << 24),
    ];
    for (what, found, needed) in needs {
        if found < needed {
            let reason =
                format!("{name} allows {found} {what}, and {needed} are needed: use `--backend cpu`");
            return Err(BackendError::Unavailable { backend: "wgpu", reason });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_is_too_small_is_refused_with_what_is_needed() {
        assert!(check_limits(&Limits::default(), "any").is_ok());
        let few = Limits { max_storage_buffers_per_shader_stage: 4, ..Limits::default() };
        let short = Limits { max_storage_buffer_binding_size: 1 << 20, ..Limits::default() };
        for (limits, found) in [(few, "4 storage buffers"), (short, "1048576 bytes in a binding")] {
            let message = check_limits(&limits, "Small").unwrap_err().to_string();
            assert!(message.contains("Small allows") && message.contains(found), "{message}");
            assert!(message.contains("needed: use `--backend cpu`"), "{message}");
        }
    }
}
