//! Why `auto` leaves a GPU alone.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How far the first run of a GPU had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// The system was asked which GPUs there are.
    Looking,
    /// The driver made a device.
    SetUp,
    /// A small model, whose logits are known, ran.
    KnownModel,
    /// The weights of the model went to the device.
    Loading,
    /// The model computed its first tokens.
    FirstRun,
}

impl Stage {
    /// What comes next, in words.
    pub fn next(self) -> &'static str {
        match self {
            Self::Looking => "the system is asked for GPUs",
            Self::SetUp => "it is set up",
            Self::KnownModel => "it runs a small model, whose results are compared with the CPU's",
            Self::Loading => "the model is loaded",
            Self::FirstRun => "the model computes its first tokens",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Looking => "while the system was asked for GPUs",
            Self::SetUp => "while it was set up",
            Self::KnownModel => "in the trial run of a small model",
            Self::Loading => "while a model was loaded",
            Self::FirstRun => "in the first run of a model",
        })
    }
}

/// Why `auto` leaves a GPU alone. Its words are for people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Unfit {
    /// It is a program on the CPU.
    #[serde(rename = "software-adapter")]
    Software,
    /// Its driver has faults that are known.
    AvoidedDriver {
        /// What it does wrong.
        reason: String,
        /// Where that is reported.
        source: String,
    },
    /// The program that used it first ended in the middle, as where a driver crashes.
    Died {
        /// How far it had come.
        stage: Stage,
    },
    /// It computed something else than the CPU.
    WrongResults {
        /// What was found.
        found: String,
    },
    /// It could not be set up, or not hold the model.
    #[serde(rename = "device-refused")]
    Refused {
        /// What the driver said.
        reason: String,
    },
    /// It was lost twice in a short time, or could not be set up again after it was lost.
    #[serde(rename = "device-lost")]
    Lost {
        /// What the driver said.
        reason: String,
    },
    /// Another program uses it for the first time just now.
    InTrial,
    /// The CPU decodes the model faster.
    SlowerThanCpu {
        /// Seconds of the GPU for a token.
        gpu_seconds: f64,
        /// Seconds of the CPU for a token.
        cpu_seconds: f64,
    },
}

impl Unfit {
    /// A word for programs that never changes.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Software => "software-adapter",
            Self::AvoidedDriver { .. } => "avoided-driver",
            Self::Died { .. } => "died",
            Self::WrongResults { .. } => "wrong-results",
            Self::Refused { .. } => "device-refused",
            Self::Lost { .. } => "device-lost",
            Self::InTrial => "in-trial",
            Self::SlowerThanCpu { .. } => "slower-than-cpu",
        }
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Software => f.write_str("it is a program on the CPU, and the CPU backend is faster"),
            Self::AvoidedDriver { reason, source } => write!(f, "{reason} ({source})"),
            Self::Died { stage } => {
                write!(f, "the program that used it first ended {stage}, as where a driver crashes")
            }
            Self::WrongResults { found } => write!(f, "it computed something else than the CPU: {found}"),
            Self::Refused { reason } => write!(f, "it could not be used: {reason}"),
            Self::Lost { reason } => write!(f, "it was lost twice in a short time: {reason}"),
            Self::InTrial => f.write_str("another program uses it for the first time just now"),
            Self::SlowerThanCpu { gpu_seconds, cpu_seconds } => {
                let rate = |seconds: &f64| 1.0 / seconds;
                write!(
                    f,
                    "it decodes {:.1} tokens a second, and the CPU {:.1}",
                    rate(gpu_seconds),
                    rate(cpu_seconds)
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_in_a_file_has_the_word_that_programs_are_told() {
        let reason = || "x".to_owned();
        let all = [
            Unfit::Software,
            Unfit::AvoidedDriver { reason: reason(), source: reason() },
            Unfit::Died { stage: Stage::FirstRun },
            Unfit::WrongResults { found: reason() },
            Unfit::Refused { reason: reason() },
            Unfit::Lost { reason: reason() },
            Unfit::InTrial,
            Unfit::SlowerThanCpu { gpu_seconds: 0.5, cpu_seconds: 0.25 },
        ];
        for unfit in all {
            let json = serde_json::to_value(&unfit).unwrap();
            assert_eq!(json["code"], unfit.code());
            assert_eq!(serde_json::from_value::<Unfit>(json).unwrap(), unfit);
        }
    }

    #[test]
    fn speeds_are_told_in_tokens_a_second() {
        let unfit = Unfit::SlowerThanCpu { gpu_seconds: 0.5, cpu_seconds: 0.1 };
        assert_eq!(unfit.to_string(), "it decodes 2.0 tokens a second, and the CPU 10.0");
    }
}
