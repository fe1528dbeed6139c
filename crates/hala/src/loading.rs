//! A model moved to a device.

use std::borrow::Cow;

use hala_engine::LoadOptions;
use hala_model::{Options, WeightFormat};
use hala_plan::Cancel;
#[cfg(feature = "hub")]
use hala_weights::hub::HubSettings;
use hala_weights::{Checkpoint, Reader};

use crate::any_backend::AnyBackend;
use crate::device::DeviceOptions;
use crate::engine::Engine;
use crate::error::Error;
use crate::event::{Event, Listener, Notice};

/// Choices made when a model is loaded. The defaults suit the machine and the model.
#[derive(Debug, Clone, Default)]
pub struct RuntimeOptions {
    /// Which device runs it.
    pub device: DeviceOptions,
    /// How matrices are held.
    pub weights: WeightFormat,
    /// Context, KV cache, and what products are of.
    pub model: Options,
    /// Sequences at once, where there are several; `None` for as many as suit the device.
    pub n_parallel: Option<usize>,
    /// Where the Hub and its cache are; `None` for what the environment's variables say. An app on a phone, which has no home folder, names its
    /// cache here.
    #[cfg(feature = "hub")]
    pub hub: Option<HubSettings>,
    /// Raised from any thread, it stops the loading, and the fetching before it.
    pub cancel: Cancel,
}

impl RuntimeOptions {
    /// The defaults, for work that this flag stops.
    pub fn stopped_by(cancel: &Cancel) -> Self {
        Self { cancel: cancel.clone(), ..Self::default() }
    }

    /// Where the Hub and its cache are.
    ///
    /// # Errors
    /// A variable of the environment that cannot be used, or no home folder.
    #[cfg(feature = "hub")]
    pub(crate) fn hub_settings(&self) -> Result<HubSettings, Error> {
        Ok(self.hub.clone().map_or_else(HubSettings::from_env, Ok)?)
    }

    /// What the engine is told.
    pub(crate) fn load_options(&self) -> LoadOptions {
        LoadOptions { weights: self.weights, model: self.model }
    }
}

/// No reader: the checkpoint reads its files itself.
#[derive(Debug)]
pub enum NoReader {}

impl Reader for NoReader {
    async fn size(&self, _: &str) -> Result<u64, String> {
        match *self {}
    }

    async fn read(&self, _: &str, _: std::ops::Range<u64>) -> Result<Vec<u8>, String> {
        match *self {}
    }
}

/// Moves a checkpoint's model to a device, tensor by tensor, and tells `listener` how that goes.
///
/// # Errors
/// A damaged or unsupported checkpoint, no memory, stopped.
pub fn load(
    backend: AnyBackend,
    checkpoint: &Checkpoint,
    options: &RuntimeOptions,
    listener: &mut dyn Listener,
) -> Result<Engine, Error> {
    let engine = Engine::load(backend, checkpoint, options.load_options(), |progress| {
        listener.tell(Event::Loading(progress));
        !options.cancel.is_cancelled()
    })?;
    Ok(engine)
}

/// As [`load`], with weight files that `reader` reads, if there is one.
pub(crate) async fn load_from<R: Reader>(
    backend: AnyBackend,
    checkpoint: &mut Checkpoint,
    reader: Option<&R>,
    options: &RuntimeOptions,
    listener: &mut dyn Listener,
) -> Result<Engine, Error> {
    let Some(reader) = reader else { return load(backend, checkpoint, options, listener) };
    let told = |progress: hala_engine::LoadProgress<'_>| {
        listener.tell(Event::Loading(progress));
        !options.cancel.is_cancelled()
    };
    Ok(Engine::load_from(backend, checkpoint, reader, options.load_options(), told).await?)
}

/// What is good to know of a checkpoint before it is loaded.
pub(crate) fn notices(checkpoint: &Checkpoint, weights: WeightFormat) -> Vec<Notice> {
    let of_weights = checkpoint.passed_over().into_iter().map(Cow::Borrowed);
    let of_config = hala_model::passed_over(checkpoint).into_iter().map(Cow::Owned);
    let mut notices: Vec<Notice> = of_weights.chain(of_config).map(Notice::PassedOver).collect();
    let converted = checkpoint.converted();
    if weights == WeightFormat::Auto && !converted.is_empty() {
        notices.push(Notice::Converted(converted));
    }
    notices
}
