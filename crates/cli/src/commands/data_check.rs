//! `hala data check`: what training would see of files.

use anyhow::{Result, ensure};
use clap::Args;
use hala_engine::{EndIds, EngineError, open_tokenizer};
use hala_train::data::{Renderer, Replies, Survey, SurveyOptions};

use crate::app::App;
use crate::commands::data_report;
use crate::data_args::DataArgs;
use crate::failure::InDoubt;
use crate::model_args::CheckpointArgs;
use crate::progress::ShareBar;
use crate::template_args::TemplateArgs;

/// Shows what training would see: the ids of a few rows and which of them are labels, how long rows are, and what is left out.
///
/// A row in JSON says by its fields what it is: `messages` (OpenAI), `conversations` (ShareGPT), `instruction` with `output` (Alpaca), or `text`.
/// Lines of a .tsv file are an English and an Arabic text, learnt both ways unless `--to` says otherwise; those of a .txt file are texts.
/// Labels of a conversation are the assistant's replies, each with the token that ends it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  hala data check pairs.tsv\n  \
                  hala data check talks.jsonl --model LiquidAI/LFM2-350M --max-length 4096\n\n\
                  Ends with exit code 2 where no row can be trained on, and with 3 for `--strict` and a row that cannot.")]
pub(crate) struct DataCheckArgs {
    #[command(flatten)]
    data: DataArgs,

    /// Rows of a batch: documents are packed into them whole
    #[arg(long, value_name = "N", default_value = "2048", value_parser = size())]
    batch_rows: usize,

    /// Rows of a document at most [default: those of a batch]
    #[arg(long, value_name = "N", value_parser = size())]
    max_length: Option<usize>,

    /// Learn the last reply of each conversation alone
    #[arg(long)]
    last_reply: bool,

    /// Rows to show
    #[arg(long, value_name = "N", default_value = "3")]
    rows: usize,

    /// Exit with code 3 where a row cannot be trained on
    #[arg(long)]
    strict: bool,

    /// Print one object of JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    template: TemplateArgs,

    #[command(flatten)]
    model: CheckpointArgs,
}

/// A number of rows.
fn size() -> clap::builder::ValueParser {
    clap::builder::RangedU64ValueParser::<usize>::new().range(1..=1 << 24).into()
}

impl DataCheckArgs {
    /// Runs the command.
    pub(crate) fn run(self, app: &App) -> Result<()> {
        let app = &app.quiet_if(self.json);
        let sources = self.data.sources()?;
        let renderer = self.renderer(app)?;
        let max_document_rows = self.max_length.unwrap_or(self.batch_rows);
        ensure!(
            max_document_rows <= self.batch_rows,
            "--max-length is {max_document_rows} and a batch has {} rows: documents are never cut, so give --batch-rows {max_document_rows}",
            self.batch_rows
        );
        let options =
            SurveyOptions { max_rows: self.batch_rows, max_document_rows, n_shown: self.rows, n_refused: 5 };
        let survey = {
            let _working = app.interrupt.working();
            let mut bar = ShareBar::new(app);
            Survey::of(&sources, renderer.clone(), options, &mut |share| {
                bar.update(share);
                !app.interrupt.cancel().is_cancelled()
            })?
        };
        app.interrupt.check()?;
        data_report::print(&survey, &renderer, &options, self.json)?;
        ensure!(
            survey.counts.n_documents > 0,
            "no row can be trained on{}",
            data_report::first_fault(&survey)
        );
        if self.strict && survey.counts.n_refused() > 0 {
            return Err(InDoubt.into());
        }
        Ok(())
    }

    fn renderer(&self, app: &App) -> Result<Renderer> {
        let checkpoint = self.model.open_files(app)?;
        let tokenizer = open_tokenizer(&checkpoint)?.ok_or(EngineError::NoTokenizer)?;
        let ends = EndIds::read(&checkpoint, Some(&tokenizer))?;
        let template = self.template.options_if_any(&tokenizer)?;
        let replies = if self.last_reply { Replies::Last } else { Replies::All };
        Ok(Renderer::new(tokenizer, template, ends.ids, replies)?)
    }
}
