//! The ways to run a model on this machine, with the backends' types forgotten: `Backend` cannot be a trait object.

use hala_backend_cpu::CpuBackend;
use hala_backend_wgpu::Preset;
use hala_engine::Engine;
use hala_model::WeightFormat;
use hala_plan::Backend;
use hala_tests::devices;
use hala_weights::Checkpoint;

/// A model on some backend.
pub(crate) trait Loaded {
    /// Logits `[T, V]` with the prompt computed in chunks.
    fn logits(&self, ids: &[u32], n_chunk: usize) -> Vec<f32>;
}

impl<B: Backend> Loaded for Engine<B> {
    fn logits(&self, ids: &[u32], n_chunk: usize) -> Vec<f32> {
        crate::logits(self, ids, n_chunk)
    }
}

/// A backend that loads models.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Way {
    /// The plain loops: the truth.
    Plain,
    /// Two threads on the CPU.
    Threaded,
    /// The adapter of this name.
    Device(&'static str),
    /// The same with the kernels of a preset.
    Preset(&'static str, Preset),
}

impl Way {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Threaded => "threaded",
            Self::Device(name) | Self::Preset(name, _) => name,
        }
    }

    pub(crate) fn is_cpu(self) -> bool {
        matches!(self, Self::Plain | Self::Threaded)
    }

    pub(crate) fn load(self, checkpoint: &Checkpoint, weights: WeightFormat) -> Box<dyn Loaded> {
        match self {
            Self::Plain => boxed(CpuBackend::plain(), checkpoint, weights),
            Self::Threaded => boxed(CpuBackend::threaded(2).unwrap(), checkpoint, weights),
            Self::Device(name) => boxed(devices::shared(name), checkpoint, weights),
            Self::Preset(name, preset) => {
                boxed(devices::shared_with(name, preset).unwrap(), checkpoint, weights)
            }
        }
    }
}

fn boxed<B: Backend + 'static>(
    backend: B,
    checkpoint: &Checkpoint,
    weights: WeightFormat,
) -> Box<dyn Loaded> {
    Box::new(crate::load(backend, checkpoint, weights).unwrap())
}

/// The CPU's two ways and every device.
pub(crate) fn all() -> impl Iterator<Item = Way> {
    [Way::Plain, Way::Threaded].into_iter().chain(on_devices())
}

/// Every device.
pub(crate) fn on_devices() -> impl Iterator<Item = Way> {
    devices::for_models().into_iter().map(Way::Device)
}

/// Every device with the kernels for GPUs, with and without what only some offer, whatever suits the device.
pub(crate) fn with_gpu_kernels() -> impl Iterator<Item = Way> {
    let presets = [Preset::Gpu, Preset::Portable];
    devices::for_models().into_iter().flat_map(move |name| presets.map(|preset| Way::Preset(name, preset)))
}
