//! What can go wrong while a checkpoint is made.

use hala_tensor::Shape;
use hala_weights::WeightsError;

/// An error of this crate; each names the file, tensor or setting and the next step.
#[derive(Debug, thiserror::Error)]
pub enum CompressError {
    /// A checkpoint could not be read.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// A checkpoint is no model that can be converted.
    #[error(transparent)]
    Model(#[from] hala_model::ModelError),
    /// The operating system refused.
    #[error("cannot {action} `{path}`: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: String,
        /// The reason.
        source: std::io::Error,
    },
    /// The output is there already.
    #[error("`{path}` exists and is not an empty folder: name another one, or remove it")]
    Exists {
        /// The output.
        path: String,
    },
    /// What an earlier run left belongs to other work.
    #[error(
        "`{path}` was left by an interrupted run with other inputs or settings ({what} differs): finish that run, or remove the folder"
    )]
    OtherRun {
        /// The folder of unfinished work.
        path: String,
        /// The first setting that differs.
        what: String,
    },
    /// Another process writes the same output.
    #[error("`{path}` is being written by another process: wait for it, or name another output")]
    Busy {
        /// The output.
        path: String,
    },
    /// Smoothing without a text.
    #[error("smoothing needs to know how large inputs become: give a text to calibrate with")]
    SmoothingNotCalibrated,
    /// No norm of which all matrices are to have inputs of int8.
    #[error(
        "{origin}: no norm has all of its matrices in int8, so nothing can be smoothed: leave out what is ignored, or the smoothing"
    )]
    NothingToSmooth {
        /// The checkpoint.
        origin: String,
    },
    /// The user stopped the work before anything was written.
    #[error("stopped; nothing was written")]
    Stopped,
    /// The user stopped the work.
    #[error("stopped before `{path}` was whole; the same command goes on where this one was")]
    Cancelled {
        /// The output.
        path: String,
    },
    /// A value that cannot be quantised.
    #[error(
        "the tensor {name} has {value} in row {row}, which cannot be compressed: the checkpoint is damaged, or its training diverged"
    )]
    NotFinite {
        /// The tensor.
        name: String,
        /// Its row.
        row: usize,
        /// The value.
        value: f32,
    },
    /// The checkpoint is quantised already.
    #[error("{origin} is quantised already ({found}): compress the checkpoint that it was made from")]
    AlreadyQuantised {
        /// The checkpoint.
        origin: String,
        /// What its config.json or tensors say.
        found: String,
    },
    /// No module is to be quantised.
    #[error(
        "no module of {origin} matches: {targets} quantises nothing (a target is `Linear`, `Embedding`, a module's name, or `re:` and a regular expression for names)"
    )]
    NothingMatches {
        /// The checkpoint.
        origin: String,
        /// The targets.
        targets: String,
    },
    /// Columns are no whole number of groups.
    #[error(
        "the tensor {name} {shape} has rows that are no whole number of groups of {group}: choose a `group` that divides {}, or leave the module out by `--ignore`",
        shape.n_columns()
    )]
    Group {
        /// The tensor.
        name: String,
        /// Its shape.
        shape: Shape,
        /// Columns of a group.
        group: usize,
    },
    /// A scheme needs to know a module's inputs.
    #[error(
        "{scheme} needs the range of the inputs of {name}, which calibration on a text finds: give one by --calibrate"
    )]
    NotCalibrated {
        /// The weight.
        name: String,
        /// The scheme.
        scheme: &'static str,
    },
    /// Calibration says nothing of a module's inputs, or what is no number.
    #[error(
        "the inputs of {name} on the text are unknown or not finite: the checkpoint is damaged, or the text too short"
    )]
    Inputs {
        /// The weight.
        name: String,
    },
    /// What calibration asked for could not be computed.
    #[error("calibration: {0}")]
    Calibration(String),
    /// Modules that engines compute as one would have different schemes.
    #[error(
        "{first} and {second} are computed as one by vLLM and must have one scheme: give both the same, or ignore both"
    )]
    Fused {
        /// One module.
        first: String,
        /// The other.
        second: String,
    },
    /// Tensors of two models differ in shape.
    #[error(
        "the tensor {name} is {} in {} and {} in {}: models of one merge must have one shape, and embeddings one vocabulary",
        shapes[0], models[0], shapes[1], models[1]
    )]
    Shapes {
        /// The tensor.
        name: String,
        /// The models.
        models: [String; 2],
        /// Its shape in each.
        shapes: [Shape; 2],
    },
    /// A file of settings that cannot be read.
    #[error("{file}: {detail}")]
    Settings {
        /// The file.
        file: String,
        /// What is wrong, with its line where known.
        detail: String,
    },
}

impl CompressError {
    pub(crate) fn io(action: &'static str, path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.display().to_string();
        move |source| Self::Io { action, path, source }
    }

    /// Whether the same command can go on after this: the work that is done is kept.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Cancelled { .. }
                | Self::Calibration(_)
                | Self::Io { .. }
                | Self::Busy { .. }
                | Self::OtherRun { .. }
        )
    }
}
