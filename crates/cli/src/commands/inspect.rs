//! `hala inspect`: what is in a checkpoint, and whether it can be run.

use std::collections::BTreeMap;

use anyhow::Result;
use clap::Args;
use hala::{Estimate, RuntimeOptions};
use hala_engine::{EndIds, Sampling, SamplingDefaults};
use hala_model::{LogitRows, Model, Options, PlanShape, Source, WeightFormat};
use hala_tensor::DType;
use hala_weights::Checkpoint;
use serde::Serialize;
use serde_json::Value;

use crate::app::App;
use crate::failure::{AlreadyReported, print_error};
use crate::model_args::{CheckpointArgs, MODEL_HELP};
use crate::terminal::{BOLD, bytes, count, counted, paint};
use crate::{output, sampling_args};

/// Shows a checkpoint's config, tensors and sizes, and what of it is not supported.
///
/// Ends with exit code 2 where the checkpoint cannot be run; what can be shown of it is shown all the same.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  hala inspect ./LFM2-350M")]
pub(crate) struct InspectArgs {
    #[arg(value_name = "MODEL", help = MODEL_HELP)]
    model: Option<String>,

    /// The same, as other commands take it
    #[arg(long = "model", short, value_name = "MODEL", conflicts_with = "model")]
    model_option: Option<String>,

    /// Print one object of JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    model: String,
    origin: String,
    /// config.json as it stands.
    config: serde_json::Map<String, Value>,
    facts: Option<Facts>,
    n_parameters: usize,
    /// Bytes in the files.
    n_bytes: usize,
    dtypes: BTreeMap<String, Share>,
    /// Bytes in memory, by how matrices are held.
    weights: Vec<Held>,
    /// Bytes that it takes where no options say otherwise.
    memory: Option<Memory>,
    tokenizer: Option<Tokenizer>,
    sampling: Option<Defaults>,
    /// Reasons why it cannot be run, or not in full.
    unsupported: Vec<String>,
    tensors: Vec<Tensor>,
}

#[derive(Serialize)]
struct Facts {
    family: &'static str,
    n_layers: usize,
    width: usize,
    n_vocab: usize,
    max_context: usize,
    /// Tokens of a sequence where no --context says otherwise.
    context: usize,
    cache_bytes_per_token: usize,
    /// Bytes of caches and recurrent states that one sequence takes when it fills `context`.
    state_bytes: usize,
}

/// Tensors of one element type.
#[derive(Default, Serialize)]
struct Share {
    n_tensors: usize,
    n_parameters: usize,
    n_bytes: usize,
}

/// What a weight format costs.
#[derive(Serialize)]
struct Held {
    format: &'static str,
    /// Bytes of all weights.
    n_bytes: usize,
    /// Bytes of weights read for each token that is decoded.
    bytes_per_token: usize,
}

/// What it takes where no options say otherwise.
#[derive(Serialize)]
struct Memory {
    #[serde(flatten)]
    estimate: Estimate,
    /// The most while it is loaded.
    peak_bytes: usize,
}

#[derive(Serialize)]
struct Tokenizer {
    n_vocab: usize,
    bos: Option<u32>,
    /// The ids that end a text.
    eos: Vec<u32>,
    /// What the checkpoint names for that and the vocabulary does not have.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    eos_passed_over: Vec<i64>,
    has_chat_template: bool,
}

/// How tokens are chosen where the user does not say.
#[derive(Serialize)]
struct Defaults {
    file: String,
    #[serde(flatten)]
    sampling: Option<Sampling>,
    max_tokens: Option<usize>,
    passed_over: Vec<String>,
}

#[derive(Serialize)]
struct Tensor {
    name: String,
    dtype: String,
    shape: Vec<usize>,
}

impl InspectArgs {
    /// Runs the command.
    pub(crate) fn run(self, app: &App) -> Result<()> {
        let choice = CheckpointArgs::new(self.model.or(self.model_option));
        let checkpoint = choice.open(app)?;
        let report = report(choice.name(), &checkpoint);
        if self.json {
            output::print_json(&report)?;
        } else {
            output::print_styled(&words(&report))?;
        }
        if report.unsupported.is_empty() {
            return Ok(());
        }
        report.unsupported.iter().for_each(|reason| print_error(reason));
        Err(AlreadyReported.into())
    }
}

fn report(name: &str, checkpoint: &Checkpoint) -> Report {
    let mut unsupported = Vec::new();
    let model = hala_model::open(checkpoint, Options::default());
    let model = model.map_err(|error| unsupported.push(error.to_string())).ok();
    unsupported.extend(model.as_deref().and_then(|model| unreadable(model, checkpoint)));
    let tensor = |t: &hala_weights::TensorInfo| Tensor {
        name: t.name.clone(),
        dtype: t.dtype.to_string(),
        shape: t.dims.clone(),
    };
    let mut dtypes: BTreeMap<String, Share> = BTreeMap::new();
    for tensor in checkpoint.tensors() {
        let share = dtypes.entry(tensor.dtype.to_string()).or_default();
        share.n_tensors += 1;
        share.n_parameters += tensor.n_elements();
        share.n_bytes += tensor.n_bytes();
    }
    Report {
        model: name.to_owned(),
        origin: checkpoint.origin(),
        config: config(checkpoint),
        facts: model.as_deref().map(facts),
        n_parameters: checkpoint.n_parameters(),
        n_bytes: checkpoint.n_bytes(),
        dtypes,
        weights: model.as_deref().map(held_in_all_formats).unwrap_or_default(),
        memory: memory(checkpoint),
        tokenizer: read_tokenizer(checkpoint, &mut unsupported),
        sampling: defaults(checkpoint),
        unsupported,
        tensors: checkpoint.tensors().map(tensor).collect(),
    }
}

/// `None` for a checkpoint that cannot be run.
fn memory(checkpoint: &Checkpoint) -> Option<Memory> {
    let estimate = Estimate::of(checkpoint, &RuntimeOptions::default()).ok()?;
    Some(Memory { estimate, peak_bytes: estimate.peak_bytes() })
}

/// Why the model's weights cannot be read, if so; one of them is named, as the others differ in their names alone.
fn unreadable(model: &dyn Model, checkpoint: &Checkpoint) -> Option<String> {
    let mut stored = model.weights().iter().filter(|weight| weight.source == Source::Checkpoint);
    stored.find_map(|weight| checkpoint.stored_dtype(&weight.name).err()).map(|error| error.to_string())
}

fn config(checkpoint: &Checkpoint) -> serde_json::Map<String, Value> {
    checkpoint.config().map(|config| config.map().clone()).unwrap_or_default()
}

fn facts(model: &dyn Model) -> Facts {
    let facts = model.facts();
    Facts {
        family: facts.family,
        n_layers: facts.n_layers,
        width: facts.width,
        n_vocab: facts.n_vocab,
        max_context: facts.max_context,
        context: facts.context,
        cache_bytes_per_token: facts.cache_bytes_per_token,
        state_bytes: model.state_bytes(1, facts.context),
    }
}

/// Every format but `auto`, which is one of the others.
fn held_in_all_formats(model: &dyn Model) -> Vec<Held> {
    let formats = WeightFormat::ALL.into_iter().filter(|format| *format != WeightFormat::Auto);
    formats.filter_map(|format| held(model, format)).collect()
}

fn held(model: &dyn Model, format: WeightFormat) -> Option<Held> {
    let dtypes: Vec<DType> = model.weights().iter().map(|w| format.dtype(w.role, DType::F32)).collect();
    let n_bytes = model.weights().iter().zip(&dtypes).map(|(w, dtype)| dtype.n_bytes(w.shape)).sum();
    let plan = model.record(PlanShape { n_tokens: 1, logits: LogitRows::All }, &dtypes).ok()?;
    Some(Held { format: format.name(), n_bytes, bytes_per_token: plan.weight_bytes() })
}

/// A checkpoint without a tokenizer can still be run on ids, so only a broken one is a fault.
fn read_tokenizer(checkpoint: &Checkpoint, unsupported: &mut Vec<String>) -> Option<Tokenizer> {
    match hala_engine::open_tokenizer(checkpoint) {
        Ok(None) => None,
        Ok(Some(tokenizer)) => {
            let ends = EndIds::read(checkpoint, Some(&tokenizer));
            let ends = ends.map_err(|error| unsupported.push(error.to_string())).unwrap_or_default();
            Some(Tokenizer {
                n_vocab: tokenizer.n_vocab(),
                bos: tokenizer.bos_id(),
                eos: ends.ids,
                eos_passed_over: ends.passed_over,
                has_chat_template: tokenizer.chat_template().is_ok(),
            })
        }
        Err(error) => {
            unsupported.push(error.to_string());
            None
        }
    }
}

/// What keeps nobody from translating is no fault of the checkpoint, so it is told and not counted.
fn defaults(checkpoint: &Checkpoint) -> Option<Defaults> {
    let found = SamplingDefaults::read(checkpoint).ok()?;
    let mut passed_over = found.passed_over().to_vec();
    passed_over.extend(found.faults().iter().map(|fault| format!("{} {}", fault.key, fault.found)));
    Some(Defaults {
        file: found.file()?.to_owned(),
        sampling: found.sampling().cloned(),
        max_tokens: found.max_tokens(None).ok().flatten(),
        passed_over,
    })
}

/// The tokens that end a text.
fn ends_in_words(tokenizer: &Tokenizer) -> String {
    let ids: Vec<String> = tokenizer.eos.iter().map(ToString::to_string).collect();
    let ids = if ids.is_empty() { "no token".to_owned() } else { ids.join(", ") };
    match &tokenizer.eos_passed_over[..] {
        [] => ids,
        beyond => format!("{ids} ({beyond:?} of the files are no tokens)"),
    }
}

fn defaults_in_words(defaults: &Defaults) -> String {
    let mut parts: Vec<String> = defaults.sampling.iter().map(sampling_args::words).collect();
    parts.extend(defaults.max_tokens.map(|n| format!("at most {}", counted(n, "token"))));
    if !defaults.passed_over.is_empty() {
        parts.push(format!("not done: {}", defaults.passed_over.join(", ")));
    }
    parts.join("; ")
}

/// What loading takes, and a session.
fn memory_in_words(Memory { estimate, peak_bytes }: &Memory) -> [String; 2] {
    let [weights, session, peak] = [estimate.weight_bytes, estimate.sequence_bytes, *peak_bytes].map(bytes);
    let tokenizer = match estimate.tokenizer_bytes {
        0 => String::new(),
        n => format!(", {} of tokenizer", bytes(n)),
    };
    [
        format!("{weights} of weights{tokenizer}; at most {peak} while it loads"),
        format!("at most {session} for a full context, with earlier states to go back to"),
    ]
}

fn words(report: &Report) -> String {
    let mut text = String::new();
    let mut row = |name: &str, value: &str| {
        text.push_str(&format!("{}  {value}\n", paint(BOLD, format!("{name:>13}"))));
    };
    row("model", &report.model);
    row("parameters", &count(report.n_parameters));
    row("files", &format!("{} of tensors", bytes(report.n_bytes)));
    for (dtype, share) in &report.dtypes {
        let (tensors, elements) =
            (counted(share.n_tensors, "tensor"), counted(share.n_parameters, "element"));
        row("stored as", &format!("{dtype}: {tensors}, {elements}, {}", bytes(share.n_bytes)));
    }
    if let Some(facts) = &report.facts {
        let Facts { family, n_layers, width, n_vocab, .. } = facts;
        let layers = counted(*n_layers, "layer");
        row("architecture", &format!("{family}, {layers} of width {width}, vocabulary of {n_vocab}"));
        row("context", &format!("{} at most", counted(facts.max_context, "token")));
        let of_one = format!("{} for {}", bytes(facts.state_bytes), counted(facts.context, "token"));
        row("KV cache", &format!("{} a token (f32), {of_one}", bytes(facts.cache_bytes_per_token)));
    }
    for held in &report.weights {
        let (all, read) = (bytes(held.n_bytes), bytes(held.bytes_per_token));
        row(&format!("as {}", held.format), &format!("{all} in memory, {read} read for each token"));
    }
    if let Some(memory) = &report.memory {
        let [loaded, session] = memory_in_words(memory);
        row("memory", &loaded);
        row("session", &session);
    }
    let tokenizer = match &report.tokenizer {
        Some(t) if t.has_chat_template => format!("{}, with a chat template", counted(t.n_vocab, "id")),
        Some(t) => format!("{}, without a chat template", counted(t.n_vocab, "id")),
        None => "none, so only token ids go in and out".to_owned(),
    };
    row("tokenizer", &tokenizer);
    if let Some(tokenizer) = &report.tokenizer {
        row("text ends at", &ends_in_words(tokenizer));
    }
    if let Some(defaults) = &report.sampling {
        row("sampling", &defaults_in_words(defaults));
    }
    text.push_str(&section(
        "config.json",
        report.config.iter().map(|(key, value)| format!("{key}: {value}")),
    ));
    let width = report.tensors.iter().map(|t| t.name.len()).max().unwrap_or(0);
    let tensor = |t: &Tensor| format!("{:<width$}  {:<5}  {:?}", t.name, t.dtype, t.shape);
    text.push_str(&section(&counted(report.tensors.len(), "tensor"), report.tensors.iter().map(tensor)));
    text
}

fn section(title: &str, lines: impl Iterator<Item = String>) -> String {
    let lines: String = lines.map(|line| format!("  {line}\n")).collect();
    format!("\n{}\n{lines}", paint(BOLD, title))
}
