//! Setting up the device that is wanted.

use hala_plan::BackendError;
use hala_weights::Checkpoint;

use crate::device::{BackendName, Chosen, DeviceOptions};
use crate::event::{Event, Listener};
#[cfg(all(feature = "wgpu", not(target_family = "wasm")))]
use crate::gpus::{
    best::{asked, best, reopen},
    model_class::ModelClass,
    taken::Taken,
};
use crate::loading::RuntimeOptions;
#[cfg(not(all(feature = "wgpu", not(target_family = "wasm"))))]
use crate::no_gpus::{
    best::{ModelClass, asked, best, reopen},
    taken::Taken,
};
use crate::why::Why;

impl DeviceOptions {
    /// Sets up the device that is wanted, with what was measured for it where it is a GPU. [`RuntimeOptions::open_device`] also knows which GPUs
    /// are left alone for a model.
    ///
    /// # Errors
    /// This machine cannot run it.
    pub async fn open(&self) -> Result<Chosen, BackendError> {
        self.choose(None, &mut |_: Event<'_>| {}).await
    }

    /// Whether it is certain which device is meant, whatever the model.
    pub fn is_certain(&self) -> bool {
        self.backend != BackendName::Auto || self.adapter.is_some() || self.is_small
    }

    async fn choose(
        &self,
        model: Option<&ModelClass>,
        listener: &mut dyn Listener,
    ) -> Result<Chosen, BackendError> {
        match self.backend {
            BackendName::Cpu => self.cpu(Why::Asked),
            BackendName::Plain => plain(),
            BackendName::Wgpu => asked(self, Why::Asked).await,
            BackendName::Auto if self.adapter.is_some() => asked(self, Why::Asked).await,
            BackendName::Auto if self.is_small => self.cpu(Why::SmallModel),
            BackendName::Auto => best(self, model, listener).await,
        }
    }

    /// Sets up once more the GPU that was lost, for the reason that it was chosen for.
    ///
    /// # Errors
    /// It cannot be set up any more.
    pub(crate) async fn reopen(&self, why: &Why, taken: Option<&Taken>) -> Result<Chosen, BackendError> {
        match taken {
            Some(taken) => Ok(Chosen::new(reopen(self, taken).await?, why.clone())),
            None => asked(self, why.clone()).await,
        }
    }
}

impl RuntimeOptions {
    /// Sets up the device for a model; `listener` is told where that is the first run of a GPU, which a faulty driver may not survive.
    ///
    /// # Errors
    /// This machine cannot run it.
    pub async fn open_device(
        &self,
        checkpoint: &Checkpoint,
        listener: &mut dyn Listener,
    ) -> Result<Chosen, BackendError> {
        let class = match self.device.is_certain() {
            true => None,
            false => ModelClass::of(checkpoint, self.weights, self.model),
        };
        self.device.choose(class.as_ref(), listener).await
    }
}

/// The plain loops.
#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
fn plain() -> Result<Chosen, BackendError> {
    Ok(Chosen::new(hala_backend_cpu::CpuBackend::plain().into(), Why::Asked))
}

/// A browser's module has none.
///
/// # Errors
/// Always.
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
fn plain() -> Result<Chosen, BackendError> {
    let reason = "a browser's module is built without the plain loops: use cpu".to_owned();
    Err(BackendError::Unavailable { backend: "plain", reason })
}
