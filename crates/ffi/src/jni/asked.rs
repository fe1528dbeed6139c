//! What Kotlin asks for, as JSON.

#[cfg(feature = "hub")]
use std::path::PathBuf;

#[cfg(feature = "hub")]
use hala::HubSettings;
use hala::{Cancel as Flag, ModelSource, RuntimeOptions};
use serde::Deserialize;

use crate::choices::Choices;
#[cfg(feature = "hub")]
use crate::download::Wanted;
use crate::failure::Failure;
use crate::source;

/// A model to be loaded or estimated.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Model {
    path: Option<String>,
    hub: Option<String>,
    backend: Option<String>,
    adapter: Option<String>,
    weights: Option<String>,
    context: usize,
    threads: usize,
    parallel: usize,
    /// The folder in which what is known of this device's GPUs is kept.
    devices: Option<String>,
    server: Server,
}

/// Where models of the Hub come from, and where they are kept.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(not(feature = "hub"), expect(dead_code, reason = "nothing is fetched without the Hub"))]
struct Server {
    /// The folder that keeps them; where the environment says, if none is named.
    cache: Option<String>,
    endpoint: Option<String>,
    token: Option<String>,
}

/// What is to be downloaded, as in HalaDownloadOptions.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(not(feature = "hub"), expect(dead_code, reason = "nothing is fetched without the Hub"))]
pub(super) struct Download {
    hub: Option<String>,
    url: Option<String>,
    path: Option<String>,
    sha256: Option<String>,
    server: Server,
}

impl Model {
    /// Which model is meant.
    ///
    /// # Errors
    /// Two are named, or one that this library cannot open.
    pub(super) fn source(&self) -> Result<ModelSource, Failure> {
        match (&self.path, &self.hub) {
            (None, None) => source::built_in(),
            (Some(path), None) => Ok(ModelSource::Path(path.into())),
            (None, Some(hub)) => source::of_hub(hub),
            (Some(_), Some(_)) => Err(Failure::argument("the model", "it has both path and hub: give one")),
        }
    }

    /// The choices made for it.
    ///
    /// # Errors
    /// A word that is none.
    pub(super) fn options(&self, flag: &Flag) -> Result<RuntimeOptions, Failure> {
        let choices = Choices {
            backend: self.backend.as_deref(),
            adapter: self.adapter.as_deref(),
            weights: self.weights.as_deref(),
            devices: self.devices.as_deref(),
            context: self.context,
            threads: self.threads,
            parallel: self.parallel,
        };
        Ok(self.server.of(choices.runtime(flag)?))
    }
}

#[cfg(feature = "hub")]
impl Download {
    /// What comes, and where it goes.
    pub(super) fn wanted(&self) -> Wanted<'_> {
        Wanted {
            hub: self.hub.as_deref(),
            url: self.url.as_deref(),
            path: self.path.as_deref(),
            sha256: self.sha256.as_deref(),
        }
    }

    /// Where it comes from.
    pub(super) fn options(&self, flag: &Flag) -> RuntimeOptions {
        self.server.of(RuntimeOptions::stopped_by(flag))
    }
}

impl Server {
    /// Options with this server in them.
    #[cfg(feature = "hub")]
    fn of(&self, options: RuntimeOptions) -> RuntimeOptions {
        let Some(cache) = &self.cache else { return options };
        let mut hub = HubSettings::new(PathBuf::from(cache));
        hub.token.clone_from(&self.token);
        if let Some(endpoint) = &self.endpoint {
            hub.endpoint = endpoint.trim_end_matches('/').to_owned();
        }
        RuntimeOptions { hub: Some(hub), ..options }
    }

    #[cfg(not(feature = "hub"))]
    fn of(&self, options: RuntimeOptions) -> RuntimeOptions {
        options
    }
}
