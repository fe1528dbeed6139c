//! `hala bench`: how fast a model loads, reads a prompt and writes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, ensure};
use clap::Args;
use hala::{Chosen, Engine, Event, Listener, RuntimeOptions, Scheduler, Session};
use hala_engine::{Collecting, Draft, GenerateOptions, Generation, Probe, Prompts, SchedulerOptions};
use hala_model::WeightFormat;
use hala_tensor::DType;
use serde::Serialize;

use crate::app::App;
use crate::model_args::ModelArgs;
use crate::screen::Screen;
use crate::terminal::{self, BOLD, paint};
use crate::{memory, output};

/// Measures loading, prefill and decoding, with random token ids.
///
/// Speeds are medians of the runs after a warm-up. Decoding reads every weight for each token, so on the CPU the bytes that it reads
/// are set against what the same threads read from memory at most. `peak_bytes` is the most memory that the process held, where
/// the system tells.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  hala bench --model ./LFM2-350M --backend cpu --threads 1,2,4\n  \
        hala bench --model ./LFM2-350M --weights int8 --prompt 256 --generate 64 --json
  \
        hala bench --model ./LFM2-350M --parallel 1,2,4,8,16 --prompt 32 --generate 32 --json")]
pub(crate) struct BenchArgs {
    /// Tokens of the prompt
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = 256)]
    prompt: usize,

    /// Tokens that are decoded after it
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = 64)]
    generate: usize,

    /// Runs, at least 3
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = 3, value_parser = clap::value_parser!(u32).range(3..))]
    repeat: u32,

    /// Seed of the token ids
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = 1)]
    seed: u64,

    /// Sequences at once, or a list of such numbers: speeds are then of all sequences together
    #[arg(long, value_name = "N", value_delimiter = ',', allow_negative_numbers = true, value_parser = clap::value_parser!(u16).range(1..))]
    parallel: Vec<u16>,

    /// Print a line of JSON for each number of threads and of sequences
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    model: ModelArgs,
}

/// What was measured; speeds in tokens a second.
#[derive(Debug, Serialize)]
struct Measured {
    /// Sequences at once, where they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    parallel: Option<u16>,
    prefill_tps: f64,
    decode_tps: f64,
    /// Bytes a second of weights that decoding reads.
    decode_read_bps: f64,
    /// Bytes a second that the CPU's threads read from memory at most; none for GPUs.
    memory_read_bps: Option<f64>,
    load_s: f64,
    peak_bytes: Option<usize>,
    weight_bytes: usize,
    backend: &'static str,
    device: String,
    model: String,
    weights: String,
    /// What computes products with most of the weights; none for GPUs, whose kernels `hala profile` names.
    kernel: Option<String>,
    n_parameters: usize,
    context: usize,
    prompt: usize,
    generate: usize,
    repeat: u32,
}

impl BenchArgs {
    /// Runs the command.
    pub(crate) fn run(self, app: &App) -> Result<()> {
        ensure!(self.prompt > 0 && self.generate > 0, "--prompt and --generate must be at least 1");
        let app = &app.quiet_if(self.json);
        let mut all = Vec::new();
        for n_threads in self.model.thread_counts() {
            self.measure(self.model.options_on(*n_threads, app), &mut all, app)?;
        }
        if self.json { Ok(()) } else { output::print_styled(&table(&all)) }
    }

    fn measure(&self, mut options: RuntimeOptions, all: &mut Vec<Measured>, app: &App) -> Result<()> {
        let Chosen { backend, notices, .. } = pollster::block_on(options.device.open())?;
        let mut screen = Screen::new(app);
        notices.into_iter().for_each(|notice| screen.tell(Event::Notice(notice)));
        // Fetching from the Hub is no part of loading, so the path is resolved first.
        let checkpoint = self.model.checkpoint().fetched(app)?;
        let _working = app.interrupt.working();
        let start = Instant::now();
        let checkpoint = checkpoint.open(app)?;
        options.model.context.get_or_insert(self.prompt + self.generate);
        let engine = Arc::new(hala::load(backend, &checkpoint, &options, &mut screen)?);
        let load_s = start.elapsed().as_secs_f64();
        let listed = self.parallel.iter().copied().map(Some);
        for parallel in if self.parallel.is_empty() { vec![None] } else { listed.collect() } {
            let (prefill_tps, decode_tps) = pollster::block_on(async {
                match parallel {
                    None => self.speeds(&engine, app).await,
                    Some(n) => self.batch_speeds(&engine, usize::from(n), app).await,
                }
            })?;
            let measured = Measured {
                parallel,
                prefill_tps,
                decode_tps,
                decode_read_bps: decode_tps / f64::from(parallel.unwrap_or(1))
                    * Probe::new(&engine).weight_bytes_per_token()? as f64,
                load_s,
                peak_bytes: memory::peak_bytes(),
                // Last, because it takes memory of its own.
                memory_read_bps: engine.backend().read_speed(),
                ..self.facts(&engine)
            };
            if self.json {
                output::print_json(&measured)?;
            }
            all.push(measured);
        }
        Ok(())
    }

    /// What is measured and of what; speeds are to be filled in.
    fn facts(&self, engine: &Engine) -> Measured {
        let facts = engine.model().facts();
        Measured {
            parallel: None,
            prefill_tps: 0.0,
            decode_tps: 0.0,
            decode_read_bps: 0.0,
            memory_read_bps: None,
            load_s: 0.0,
            peak_bytes: None,
            weight_bytes: engine.weight_bytes(),
            backend: engine.device().backend,
            device: engine.device().name.clone(),
            model: self.model.checkpoint().name().to_owned(),
            weights: most_held(engine).map(name_of).unwrap_or_default(),
            kernel: most_held(engine).and_then(|dtype| engine.backend().product_kernel(dtype)),
            n_parameters: facts.n_parameters,
            context: facts.context,
            prompt: self.prompt,
            generate: self.generate,
            repeat: self.repeat,
        }
    }

    /// Medians of prefill and decoding of `n` sequences, in tokens a second of all of them: first all prompts, then a token of each in
    /// every run.
    async fn batch_speeds(&self, engine: &Arc<Engine>, n: usize, app: &App) -> Result<(f64, f64)> {
        let mut ids = RandomIds { state: self.seed, n_vocab: engine.model().facts().n_vocab };
        let options = SchedulerOptions {
            n_parallel: Some(n),
            n_tokens: Some(n * engine.model().facts().context),
            prompts: Prompts::First,
        };
        let mut scheduler = Scheduler::new(Arc::clone(engine), options)?;
        let most = scheduler.n_parallel();
        ensure!(
            most == n,
            "--parallel {n} is more than the {most} sequences that run at once on this device"
        );
        // The first token comes with the prompt.
        let max_tokens = Some(self.generate + 1);
        // A text that goes round would be drafted, and its speed says nothing of a run's.
        let draft = Draft::Off;
        let options = GenerateOptions { max_tokens, ignore_eos: true, draft, ..GenerateOptions::default() };
        let (mut prefill, mut decode) = (Vec::new(), Vec::new());
        for run in 0..=self.repeat {
            let mut tasks = Vec::new();
            for _ in 0..n {
                let prompt: Vec<u32> = (0..self.prompt).map(|_| ids.next()).collect();
                let generation = Generation::on(engine, &prompt, &options, app.interrupt.cancel())?;
                tasks.push(Collecting::new(generation));
            }
            let start = Instant::now();
            while tasks.iter().any(|task| task.so_far().ids.is_empty() && !task.is_over()) {
                scheduler.step(&mut tasks).await?;
            }
            let prefill_s = start.elapsed().as_secs_f64();
            let start = Instant::now();
            while tasks.iter().any(|task| !task.is_over()) {
                scheduler.step(&mut tasks).await?;
            }
            let decode_s = start.elapsed().as_secs_f64();
            app.interrupt.check()?;
            if run > 0 {
                prefill.push((n * self.prompt) as f64 / prefill_s);
                decode.push((n * self.generate) as f64 / decode_s);
            }
        }
        Ok((median(prefill), median(decode)))
    }

    /// Medians of prefill and decoding, in tokens a second.
    async fn speeds(&self, engine: &Arc<Engine>, app: &App) -> Result<(f64, f64)> {
        let mut ids = RandomIds { state: self.seed, n_vocab: engine.model().facts().n_vocab };
        let mut session = Session::new(Arc::clone(engine)).await?;
        let cancel = app.interrupt.cancel();
        let (mut prefill, mut decode) = (Vec::new(), Vec::new());
        for run in 0..=self.repeat {
            let prompt: Vec<u32> = (0..self.prompt).map(|_| ids.next()).collect();
            session.clear().await?;
            let start = Instant::now();
            session.prefill(&prompt, cancel).await?;
            let prefill_s = start.elapsed().as_secs_f64();
            let start = Instant::now();
            for _ in 0..self.generate {
                session.decode(ids.next(), cancel).await?;
            }
            let decode_s = start.elapsed().as_secs_f64();
            // The first run warms up: it makes the plans and touches all memory.
            if run > 0 {
                prefill.push(self.prompt as f64 / prefill_s);
                decode.push(self.generate as f64 / decode_s);
            }
        }
        Ok((median(prefill), median(decode)))
    }
}

/// Token ids from SplitMix64 (Steele, Lea and Flood 2014).
struct RandomIds {
    state: u64,
    n_vocab: usize,
}

impl RandomIds {
    fn next(&mut self) -> u32 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % self.n_vocab.max(1) as u64) as u32
    }
}

/// The type that most elements are held in.
fn most_held(engine: &Engine) -> Option<DType> {
    let mut n_elements: BTreeMap<String, (DType, usize)> = BTreeMap::new();
    for (spec, dtype) in engine.model().weights().iter().zip(engine.dtypes()) {
        n_elements.entry(name_of(*dtype)).or_insert((*dtype, 0)).1 += spec.shape.n_elements();
    }
    n_elements.into_values().max_by_key(|(_, n)| *n).map(|(dtype, _)| dtype)
}

/// A type as `--weights` names it.
fn name_of(dtype: DType) -> String {
    match dtype {
        DType::Int8 { .. } => WeightFormat::Int8.to_string(),
        DType::Int4 { .. } => WeightFormat::Int4.to_string(),
        DType::E4M3 => WeightFormat::Fp8.to_string(),
        DType::F32 | DType::F16 | DType::BF16 | DType::U32 => dtype.to_string(),
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 }
}

/// What was measured first in words, then a line for each number of threads.
fn table(all: &[Measured]) -> String {
    let Some(first) = all.first() else { return String::new() };
    let peak = first.peak_bytes.map_or_else(|| "unknown".to_owned(), terminal::bytes);
    let facts = [
        ("model", format!("{} ({} parameters)", first.model, terminal::count(first.n_parameters))),
        ("weights", format!("{}, {}", first.weights, terminal::bytes(first.weight_bytes))),
        ("load", format!("{:.2} s", first.load_s)),
        ("peak memory", peak),
    ];
    let mut text: String = facts
        .iter()
        .map(|(name, value)| format!("{}  {value}\n", paint(BOLD, format!("{name:>11}"))))
        .collect();
    for measured in all {
        let together =
            measured.parallel.map(|n| format!(", {} at once", terminal::counted(n.into(), "sequence")));
        let together = together.unwrap_or_default();
        text.push_str(&format!("\n{}: {}{together}\n", measured.backend, measured.device));
        if let Some(kernel) = &measured.kernel {
            text.push_str(&format!("{}  {kernel}\n", paint(BOLD, format!("{:>11}", "kernel"))));
        }
        let rows = [
            ("prefill", format!("{:.1} tokens/s over {}", measured.prefill_tps, measured.prompt)),
            ("decode", format!("{:.1} tokens/s over {}", measured.decode_tps, measured.generate)),
            ("reading", reading(measured)),
        ];
        for (name, value) in rows {
            text.push_str(&format!("{}  {value}\n", paint(BOLD, format!("{name:>11}"))));
        }
    }
    text
}

/// How fast decoding reads weights, and how much that is of what memory gives.
fn reading(measured: &Measured) -> String {
    let rate = format!("{:.1} GB/s of weights", measured.decode_read_bps / 1e9);
    match measured.memory_read_bps {
        None => rate,
        Some(limit) if limit < measured.decode_read_bps => {
            format!("{rate}, from the cache: more than the {:.1} GB/s that memory gives", limit / 1e9)
        }
        Some(limit) => {
            let percent = 100.0 * measured.decode_read_bps / limit;
            format!("{rate}, {percent:.0} % of the {:.1} GB/s that memory gives", limit / 1e9)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_or_the_mean_of_two() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
    }

    #[test]
    fn ids_are_in_the_vocabulary_and_depend_on_the_seed() {
        let ids = |seed| {
            let mut ids = RandomIds { state: seed, n_vocab: 7 };
            (0..100).map(|_| ids.next()).collect::<Vec<_>>()
        };
        assert!(ids(1).iter().all(|id| *id < 7));
        assert_eq!(ids(1), ids(1));
        assert_ne!(ids(1), ids(2));
    }
}
