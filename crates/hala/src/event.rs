//! What happens besides the work that was asked for, as whoever listens is told.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;

use hala_engine::LoadProgress;
use hala_plan::{Device, MaybeSend};
use hala_weights::FileDType;
#[cfg(feature = "hub")]
use hala_weights::hub::HubEvent;

use crate::unfit::{Stage, Unfit};
use crate::why::Why;

/// What happens.
#[derive(Debug)]
pub enum Event<'a> {
    /// A model of the Hub comes.
    #[cfg(feature = "hub")]
    Fetching(HubEvent<'a>),
    /// Something that is good to know and needs no action.
    Notice(Notice),
    /// A GPU that never ran a model comes so far. What comes next may end the program, where its driver is faulty; the next start then takes the
    /// CPU.
    FirstRun {
        /// The GPU.
        device: &'a str,
        /// What comes next.
        stage: Stage,
    },
    /// A weight is on the device.
    Loading(LoadProgress<'a>),
    /// The device went away, and is being set up once more.
    DeviceLost {
        /// What the driver said.
        reason: &'a str,
    },
    /// Another device took over, which computes again what the lost one held.
    DeviceChanged {
        /// The device that runs now.
        device: &'a Device,
        /// Why the one before it went.
        reason: &'a str,
    },
}

/// Something that is good to know and needs no action. Its words are for people.
#[derive(Debug, Clone)]
pub enum Notice {
    /// The CPU runs the model, because no GPU could or should.
    OnCpu {
        /// Why none does.
        why: Why,
    },
    /// A GPU was asked for that is left alone where nobody does.
    AskedFor {
        /// The GPU.
        device: String,
        /// Why it is left alone.
        unfit: Unfit,
    },
    /// A file of measured kernels is of no use.
    TunedUnused {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: Unused,
    },
    /// A setting of the checkpoint that nothing here does.
    PassedOver(Cow<'static, str>),
    /// Weights that are held as int8, because nothing in memory holds exactly what their file has.
    Converted(Vec<FileDType>),
}

/// Why a file of measured kernels is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unused {
    /// It was measured with another driver, or another version of Hala.
    Outdated,
    /// It is no such file.
    Damaged,
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OnCpu { why } => write!(f, "running on the CPU: {why}"),
            Self::AskedFor { device, unfit } => write!(f, "{device} is used, although {unfit}"),
            Self::TunedUnused { path, reason } => {
                let reason = match reason {
                    Unused::Outdated => "the device's driver or hala itself has changed since",
                    Unused::Damaged => "it is damaged",
                };
                write!(f, "{} is not used, because {reason}: `hala tune` makes it anew", path.display())
            }
            Self::PassedOver(what) => f.write_str(what),
            Self::Converted(types) => {
                let types: Vec<_> = types.iter().map(ToString::to_string).collect();
                write!(f, "weights in {} are held as int8", types.join(" and "))
            }
        }
    }
}

/// Who is told what happens; any closure that takes an [`Event`] is one.
pub trait Listener: MaybeSend {
    /// Takes an event.
    fn tell(&mut self, event: Event<'_>);
}

impl<F: FnMut(Event<'_>) + MaybeSend> Listener for F {
    fn tell(&mut self, event: Event<'_>) {
        self(event);
    }
}

/// The listener of a runtime.
pub(crate) struct Listening(pub(crate) Box<dyn Listener>);

impl fmt::Debug for Listening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Listening")
    }
}
