//! Why a device was chosen.

use std::fmt;

use hala_plan::BackendError;

use crate::unfit::Unfit;

/// Why a device was chosen. Its words are for people.
#[derive(Debug, Clone, PartialEq)]
pub enum Why {
    /// It was asked for.
    Asked,
    /// It is a real GPU, which is the fastest kind.
    Fastest,
    /// The model is so small that the CPU answers sooner than a GPU is set up.
    SmallModel,
    /// No GPU could be used, and this is why.
    NoGpu(BackendError),
    /// The best GPU of the machine is left alone.
    Unfit {
        /// The GPU.
        device: String,
        /// Why it is left alone.
        unfit: Unfit,
    },
    /// The GPU was lost twice in a short time, or could not be set up again.
    Lost,
}

impl Why {
    /// A word for programs that never changes, as the npm package's `reasonCode`, which has some of them.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Fastest => "gpu",
            Self::SmallModel => "small-model",
            Self::NoGpu(_) => "no-adapter",
            Self::Unfit { unfit, .. } => unfit.code(),
            Self::Lost => "device-lost",
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asked => f.write_str("it was asked for"),
            Self::Fastest => f.write_str("it is a real GPU"),
            Self::SmallModel => {
                f.write_str("the model is so small that the CPU answers sooner than a GPU is set up")
            }
            Self::NoGpu(error) => error.fmt(f),
            Self::Unfit { device, unfit } => write!(f, "{device} is left alone: {unfit}"),
            Self::Lost => f.write_str("the GPU was lost twice in a short time, or could not be set up again"),
        }
    }
}
