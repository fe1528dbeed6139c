//! `hala tokenizer train`: a tokenizer of a set of files.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::Args;
use hala_text::{Language, translation_request};
use hala_train::tokenizer::{Digits, TokenizerOptions, TokenizerTraining, TrainedTokenizer};
use indicatif::{ProgressBar, ProgressDrawTarget};
use serde::Serialize;

use crate::app::App;
use crate::data_args::DataArgs;
use crate::input::Input;
use crate::new_file::NewFile;
use crate::progress::ShareBar;
use crate::terminal::{self, BOLD, count, paint};
use crate::{output, paths};

/// Makes a tokenizer: byte-level BPE with the words that occur most in the files, which are read as `hala data check` reads them.
///
/// Any text becomes tokens and comes back as it was. Special tokens are LFM2's, at its ids. Files for Hala and transformers are written:
/// tokenizer.json, tokenizer_config.json and chat_template.jinja.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  hala tokenizer train pairs.tsv --vocab 8192 --translation --out ./small\n  \
                  hala tokenizer train a.jsonl b.txt --vocab 32000 --single-digits --special \"<think>\" --special \"</think>\" --out ./mine\n  \
                  hala tokenize --model ./small \"صباح الخير\""
)]
pub(crate) struct TokenizerTrainArgs {
    #[command(flatten)]
    data: DataArgs,

    /// Tokens in all
    #[arg(long, value_name = "N", value_parser = sizes())]
    vocab: usize,

    /// The folder to write to
    #[arg(long, short, value_name = "FOLDER", value_parser = paths::new())]
    out: PathBuf,

    /// Cut numbers into single digits, and not into up to three at once
    #[arg(long)]
    single_digits: bool,

    /// A special token beside LFM2's; may be given several times
    #[arg(long, value_name = "TOKEN")]
    special: Vec<String>,

    /// A text that is one token wherever it stands; may be given several times
    #[arg(long, value_name = "TEXT")]
    whole: Vec<String>,

    /// Make each of the two instructions that ask for a translation one token
    #[arg(long)]
    translation: bool,

    /// How often two tokens must stand together to become one
    #[arg(long, value_name = "N", default_value = "2")]
    min_frequency: u64,

    /// A chat template (Jinja) in place of LFM2's
    #[arg(long, value_name = "FILE", value_parser = paths::existing())]
    chat_template: Option<PathBuf>,

    /// Print one object of JSON
    #[arg(long)]
    json: bool,
}

fn sizes() -> clap::builder::ValueParser {
    clap::builder::RangedU64ValueParser::<usize>::new().range(1..=1 << 20).into()
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    out: String,
    n_vocab: usize,
    n_texts: u64,
    /// Rows that were passed over.
    n_refused: u64,
    n_words: usize,
    bytes_per_token: f64,
}

impl TokenizerTrainArgs {
    /// Runs the command.
    pub(crate) fn run(self, app: &App) -> Result<()> {
        let app = &app.quiet_if(self.json);
        for name in ["tokenizer.json", "tokenizer_config.json", "chat_template.jinja"] {
            let out = self.out.display();
            let is_there = self.out.join(name).exists();
            ensure!(!is_there, "`{out}` has a {name} already: name another folder, or remove the file");
        }
        let options = self.options()?;
        let training = {
            let _working = app.interrupt.working();
            let mut bar = ShareBar::new(app);
            let cancel = app.interrupt.cancel();
            TokenizerTraining::read(&self.data.sources()?, options, &mut |share| {
                bar.update(share);
                !cancel.is_cancelled()
            })
        };
        app.interrupt.check()?;
        let training = training?;
        let (n_texts, n_refused, n_words) = (training.n_texts(), training.n_refused(), training.n_words());
        // From here on Ctrl-C leaves at once: nothing has been written.
        let trained = with_spinner(app, || training.finish())?;
        self.write(&trained)?;
        let (n_vocab, bytes_per_token) = (trained.n_vocab, trained.bytes_per_token);
        let out = self.out.display().to_string();
        let report = Report { out, n_vocab, n_texts, n_refused, n_words, bytes_per_token };
        if self.json { output::print_json(&report) } else { self.print(&report) }
    }

    fn options(&self) -> Result<TokenizerOptions> {
        let chat_template =
            self.chat_template.as_ref().map(|path| Input::file(path)?.read_all()).transpose()?;
        let mut whole = self.whole.clone();
        if self.translation {
            // What stands before the sentence, with its two line ends.
            let instruction = |to| translation_request("", to, Default::default()).content;
            whole.extend(Language::ALL.map(instruction));
        }
        Ok(TokenizerOptions {
            digits: if self.single_digits { Digits::Single } else { Digits::UpToThree },
            special: self.special.clone(),
            whole,
            min_frequency: self.min_frequency,
            chat_template,
            ..TokenizerOptions::new(self.vocab)
        })
    }

    fn write(&self, trained: &TrainedTokenizer) -> Result<()> {
        let what = || format!("cannot make the folder `{}`", self.out.display());
        fs::create_dir_all(&self.out).with_context(what)?;
        for (name, text) in trained.files() {
            let mut file = NewFile::create(&self.out.join(name))?;
            file.write(text.as_bytes())?;
            file.commit()?;
        }
        Ok(())
    }

    fn print(&self, report: &Report) -> Result<()> {
        let n = |n: u64| count(n as usize);
        let Report { out, n_vocab, n_texts, n_words, bytes_per_token, n_refused } = report;
        let mut text = format!(
            "{}: {} tokens of {} texts with {} words; a token stands for {bytes_per_token:.2} bytes\n",
            paint(BOLD, out),
            count(*n_vocab),
            n(*n_texts),
            count(*n_words)
        );
        if *n_vocab < self.vocab {
            text += &format!(
                "{} tokens fewer than asked for: no more pairs occur {} times\n",
                count(self.vocab - n_vocab),
                self.min_frequency
            );
        }
        if *n_refused > 0 {
            text += &format!("{} rows were passed over; `hala data check` says why\n", n(*n_refused));
        }
        output::print_styled(&text)
    }
}

/// Shows that something goes on, where somebody looks.
fn with_spinner<T>(app: &App, work: impl FnOnce() -> T) -> T {
    let is_shown = !app.quiet && terminal::stderr_is_terminal();
    let spinner = is_shown.then(|| {
        let spinner = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
        spinner.set_message("joining the pairs that occur most");
        spinner.enable_steady_tick(std::time::Duration::from_millis(100));
        spinner
    });
    let done = work();
    if let Some(spinner) = spinner {
        spinner.finish_and_clear();
    }
    done
}
