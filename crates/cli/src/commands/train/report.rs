//! `hala train report`: the metrics of a run as a page.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use hala_train::RunFault;
use hala_train::metrics::read;
use hala_train::report::page;
use hala_train::run::RunFolder;

use crate::new_file::NewFile;
use crate::{output, paths};

/// Draws the metrics of a run, also of one that goes on, as one HTML page that loads nothing.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  hala train report ./run")]
pub(crate) struct ReportArgs {
    /// The folder of the run
    #[arg(value_name = "RUN", value_parser = paths::existing())]
    run: PathBuf,

    /// The page to write; report.html in the run's folder where this is not given
    #[arg(long, short, value_name = "FILE", value_parser = paths::new())]
    output: Option<PathBuf>,
}

impl ReportArgs {
    /// Runs the command.
    pub(super) fn run(self) -> Result<()> {
        let lines = read(&RunFolder::metrics_of(&self.run))?;
        if lines.is_empty() {
            return Err(RunFault::NoMetrics { path: self.run.display().to_string() }.into());
        }
        let path = self.output.unwrap_or_else(|| self.run.join("report.html"));
        let name = self.run.canonicalize().unwrap_or_else(|_| self.run.clone());
        let name = name.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut file = NewFile::create(&path)?;
        file.write(page(&name, &lines).as_bytes())?;
        file.commit()?;
        output::print_line(&path.display().to_string())
    }
}
