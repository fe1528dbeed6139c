//! `hala compress`: a smaller checkpoint made of a large one.

mod calibrator;
mod evaluation;
mod text;

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::Args;
use clap::builder::PossibleValuesParser;
use hala_compress::{Calibration, Recipe, Report, Run, Scheme};
use hala_weights::Checkpoint;
use serde::Serialize;

use crate::app::App;
use crate::input::Input;
use crate::model_args::{CheckpointArgs, n_threads, threads};
use crate::new_file::NewFile;
use crate::progress::with_work_bar;
use crate::terminal::{BOLD, bytes, counted, paint};
use crate::{output, paths};
use calibrator::Calibrator;
use evaluation::{Found, evaluate};
use text::Text;

/// The strength of smoothing: `hala_compress::DEFAULT_STRENGTH`.
const DEFAULT_SMOOTH: &str = "0.5";

/// Matrices that are named as the worst.
const N_WORST: usize = 5;

/// Compresses a checkpoint to FP8, int8 or int4, in the format that vLLM, transformers and Hala load.
///
/// Matrices of linear layers are compressed tensor by tensor, so memory holds little and a checkpoint of any size will do; embeddings,
/// norms and all other files are copied. A run that is interrupted is gone on with by the same command. At the end the result is
/// read back and compared.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hala compress ./LFM2-1.2B ./FP8 --scheme fp8-dynamic --report errors.html --eval text.txt
  hala compress ./LFM2-1.2B ./W4 --scheme int4-w4a16 --calibrate text.txt --eval other.txt
  hala compress ./LFM2-1.2B ./W8A8 --scheme int8 --calibrate text.txt --smooth
  hala compress ./LFM2-1.2B ./FP8 --scheme fp8-dynamic --ignore '.*\\.conv\\.(in_proj|out_proj)$'")]
pub(crate) struct CompressArgs {
    /// A folder in Hugging Face layout, or a Hub id `owner/name` or `owner/name@revision`
    #[arg(value_name = "IN")]
    input: String,

    /// The folder to make
    #[arg(value_name = "OUT")]
    out: PathBuf,

    /// How matrices are stored, and how an engine is to quantise their inputs
    #[arg(long, value_name = "SCHEME", value_parser = PossibleValuesParser::new(Scheme::NAMES), required_unless_present = "recipe")]
    scheme: Option<String>,

    /// Columns that share a scale, for int8-w8a16 and int4-w4a16 [default: whole rows and 128]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..), requires = "scheme")]
    group: Option<u32>,

    /// Leave modules as they are whose names begin with this regular expression
    #[arg(long, value_name = "REGEX", requires = "scheme")]
    ignore: Vec<String>,

    /// A YAML file with a scheme for each kind of module, in place of --scheme
    #[arg(long, value_name = "FILE", conflicts_with = "scheme", allow_hyphen_values = true, value_parser = paths::existing())]
    recipe: Option<PathBuf>,

    /// Write the error of each matrix to a file: .json, .html or .svg
    #[arg(long, value_name = "FILE", value_parser = report_path)]
    report: Vec<PathBuf>,

    /// Let this text help: by the ranges of inputs, which fp8-static needs, and by GPTQ for int8 and int4
    #[arg(long, value_name = "FILE", allow_hyphen_values = true, value_parser = paths::existing())]
    calibrate: Option<PathBuf>,

    /// Move what makes channels of inputs large into the matrices, for int8: SmoothQuant, with this α [default: 0.5]
    #[arg(long, value_name = "ALPHA", num_args = 0..=1, default_missing_value = DEFAULT_SMOOTH, requires = "calibrate")]
    smooth: Option<f32>,

    /// Run both models on this text, and tell their perplexity and how far apart they are
    #[arg(long, value_name = "FILE", allow_hyphen_values = true, value_parser = paths::existing())]
    eval: Option<PathBuf>,

    /// Tokens of a text that are used at most
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = 2048, value_parser = clap::value_parser!(u32).range(2..))]
    tokens: u32,

    /// Threads; 0 for as many as the machine runs at once
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value = "0", value_parser = threads(), allow_negative_numbers = true)]
    threads: usize,

    /// Print one line of JSON
    #[arg(long)]
    json: bool,
}

/// What `--json` prints, and a report in JSON holds.
#[derive(Serialize)]
struct Summary<'a> {
    out: String,
    seconds: f64,
    relative_error: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    eval: Option<Found>,
    #[serde(flatten)]
    report: &'a Report,
}

impl CompressArgs {
    /// Runs the command.
    pub(crate) fn run(self, app: &App) -> Result<()> {
        let app = &app.quiet_if(self.json);
        let recipe = self.smoothed(self.recipe()?)?;
        self.report.iter().try_for_each(|path| NewFile::check(path))?;
        let checkpoint = CheckpointArgs::new(Some(self.input.clone())).open(app)?;
        let evaluation = self.text("--eval", self.eval.as_deref(), &checkpoint)?;
        let text = self.text("--calibrate", self.calibrate.as_deref(), &checkpoint)?;
        ensure!(
            text.is_none() || recipe.takes_calibration(),
            "--calibrate: no scheme of the recipe is helped by it; fp8-static, int8 and int4 are"
        );
        let calibrator = text.as_ref().map(|text| Calibrator::new(text, &checkpoint, app)).transpose()?;
        let recipe = match &calibrator {
            Some(calibrator) if recipe.needs_ranges() => recipe.with_ranges(calibrator.ranges()?),
            _ => recipe,
        };
        let start = Instant::now();
        let calibration = calibrator.as_ref().map(|calibrator| calibrator as &dyn Calibration);
        let run = Run { n_threads: n_threads(self.threads), calibration };
        let report = with_work_bar(app, |on_progress| {
            hala_compress::compress(&checkpoint, &self.out, &recipe, run, on_progress)
        })?;
        drop(calibrator);
        let seconds = start.elapsed().as_secs_f64();
        let out = self.out.display().to_string();
        let eval = evaluation.map(|text| evaluate(&text, &checkpoint, &self.out, app)).transpose()?;
        let summary =
            Summary { out, seconds, relative_error: report.relative_error(), eval, report: &report };
        self.report.iter().try_for_each(|path| write_report(path, &summary))?;
        if self.json {
            return output::print_json(&summary);
        }
        output::print_styled(&words(&summary))
    }

    fn text(&self, option: &str, file: Option<&Path>, checkpoint: &Checkpoint) -> Result<Option<Text>> {
        let read = |file| Text::read(option, file, self.tokens, n_threads(self.threads), checkpoint);
        file.map(read).transpose()
    }

    fn smoothed(&self, recipe: Recipe) -> Result<Recipe> {
        let recipe = match self.smooth {
            Some(strength) => {
                recipe.with_smoothing(strength).map_err(|reason| anyhow::anyhow!("--smooth: {reason}"))?
            }
            None => recipe,
        };
        ensure!(
            recipe.smoothing().is_none() || self.calibrate.is_some(),
            "smoothing needs --calibrate FILE: it looks how large inputs become"
        );
        Ok(recipe)
    }

    fn recipe(&self) -> Result<Recipe> {
        if let Some(path) = &self.recipe {
            let file = path.display().to_string();
            return Ok(Recipe::parse(&file, &Input::file(path)?.read_all()?)?);
        }
        let scheme =
            self.scheme.as_deref().unwrap_or_default().parse::<Scheme>().map_err(anyhow::Error::msg)?;
        let scheme = match self.group {
            None => scheme,
            Some(group) => scheme
                .with_group(group as usize)
                .with_context(|| format!("--group: the scheme {} has no groups", scheme.name()))?,
        };
        let ignore = self.ignore.iter().map(|pattern| {
            if pattern.starts_with("re:") { pattern.clone() } else { format!("re:{pattern}") }
        });
        Ok(Recipe::of_scheme(scheme, &ignore.collect::<Vec<_>>())?)
    }
}

fn write_report(path: &Path, summary: &Summary<'_>) -> Result<()> {
    let text = match path.extension().and_then(|e| e.to_str()) {
        Some("html") => summary.report.to_html(&format!("Compression error of {}", summary.out)),
        Some("svg") => summary.report.to_svg(),
        _ => serde_json::to_string_pretty(summary).context("cannot write the report as JSON")? + "\n",
    };
    let mut file = NewFile::create(path)?;
    file.write(text.as_bytes())?;
    file.commit()
}

fn report_path(path: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(path);
    match path.extension().and_then(|e| e.to_str()) {
        Some("json" | "html" | "svg") => Ok(path),
        _ => Err("a report's name ends in .json, .html or .svg".to_owned()),
    }
}

fn words(summary: &Summary<'_>) -> String {
    let Summary { out, seconds, relative_error, eval, report } = summary;
    let (before, after) = (report.n_bytes_before, report.n_bytes_after);
    let mut text = format!(
        "{}: {} became {} in {seconds:.1} s; {}, relative error {relative_error:.4}\n",
        paint(BOLD, out),
        bytes(before),
        bytes(after),
        counted(report.modules.len(), "matrix")
    );
    let worst = report.worst(N_WORST);
    let width = worst.iter().map(|m| m.module.len()).max().unwrap_or(0);
    text.push_str(&format!("{}\n", paint(BOLD, "the largest errors")));
    for module in worst {
        let (name, error, db) = (&module.module, module.relative_error, module.sqnr_db);
        text.push_str(&format!("  {name:<width$}  {error:.4}  {db:5.1} dB  {}\n", module.scheme));
    }
    if let Some(eval) = eval {
        text.push_str(&format!("{}\n", eval.words()));
    }
    text
}
