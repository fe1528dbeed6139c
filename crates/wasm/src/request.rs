//! What the worker asks for when a model is loaded, as JSON.

use std::num::NonZeroUsize;

use hala::{DeviceOptions, Error, Options, RuntimeOptions};
use serde::{Deserialize, Serialize};

/// What runs a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum BackendName {
    WebGpu,
    Wasm,
}

impl BackendName {
    /// The page's name of a backend.
    pub(crate) fn of(backend: &str) -> Self {
        if backend == "cpu" { Self::Wasm } else { Self::WebGpu }
    }

    /// The word for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::WebGpu => "webgpu",
            Self::Wasm => "wasm",
        }
    }
}

/// Choices made when a model is loaded.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoadRequest {
    backend: BackendName,
    weights: String,
    context: Option<usize>,
    /// Whether the page adds subgroups to the features that a device is asked for.
    subgroups: bool,
    /// Threads for the CPU, the caller's among them; those beyond one must have been lent.
    threads: usize,
    /// Sentences or replies at once, where there are several; `None` for as many as suit the device.
    parallel: Option<NonZeroUsize>,
}

impl LoadRequest {
    /// The same as the runtime has it.
    ///
    /// # Errors
    /// No such weight format.
    pub(crate) fn options(&self, cancel: &hala::Cancel) -> Result<RuntimeOptions, Error> {
        Ok(RuntimeOptions {
            device: DeviceOptions {
                backend: match self.backend {
                    BackendName::WebGpu => hala::BackendName::Wgpu,
                    BackendName::Wasm => hala::BackendName::Cpu,
                },
                n_threads: self.threads,
                subgroups: self.subgroups,
                pause: pause(),
                ..DeviceOptions::default()
            },
            weights: self.weights.parse().map_err(|reason: String| Error::Request { reason })?,
            model: Options { context: self.context, ..Options::default() },
            n_parallel: self.parallel.map(NonZeroUsize::get),
            ..RuntimeOptions::stopped_by(cancel)
        })
    }
}

/// What lets the worker see to its messages while the CPU computes.
#[cfg(target_family = "wasm")]
fn pause() -> Option<hala::Pause> {
    Some(crate::host::pause)
}

/// Nothing: where this is compiled for its types alone, a page's promises are nothing that threads could share.
#[cfg(not(target_family = "wasm"))]
fn pause() -> Option<hala::Pause> {
    None
}

#[cfg(test)]
mod tests {
    use hala::parse;
    use hala_tests::typescript::{Request, Types};

    use super::*;

    #[test]
    fn weight_formats_go_by_the_command_s_names() {
        let json = |weights: &str| {
            format!(
                r#"{{"backend":"wasm","weights":"{weights}","context":null,"subgroups":false,"threads":1,"parallel":null}}"#
            )
        };
        let options = |weights: &str| parse::<LoadRequest>(&json(weights))?.options(&hala::Cancel::new());
        assert!(options("fp8").is_ok());
        assert!(options("int3").unwrap_err().to_string().contains("int3"));
        assert!(parse::<LoadRequest>(&json("auto").replace("wasm", "cuda")).is_err());
    }

    #[test]
    fn models_are_loaded_as_the_worker_asks() {
        let request = Request {
            name: "LoadRequest",
            files: "crates/wasm/src/request.rs and web/package/src/wire.ts",
            kept: &[],
            texts: &[],
        };
        let read = |json: &str| {
            let request = parse::<LoadRequest>(json).map_err(|error| error.to_string())?;
            request.options(&hala::Cancel::new()).map(|_| ()).map_err(|error| error.to_string())
        };
        let differences = request.unlike::<LoadRequest>(&Types::of_package().shape("LoadRequest"), read);
        assert!(differences.is_empty(), "\n{}", differences.join("\n"));
    }

    #[test]
    fn backends_go_by_the_page_s_names() {
        for backend in [BackendName::WebGpu, BackendName::Wasm] {
            assert_eq!(serde_json::to_value(backend).unwrap(), backend.name());
        }
        assert_eq!(["cpu", "wgpu"].map(BackendName::of), [BackendName::Wasm, BackendName::WebGpu]);
    }
}
