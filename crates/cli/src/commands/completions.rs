//! `hala completions`: what a shell needs to complete the command's words.

use anyhow::Result;
use clap::builder::EnumValueParser;
use clap::{Args, Command};
use clap_complete::Shell;

use crate::output;

/// Prints the completions of a shell: commands, options and their values.
///
/// bash: put them into ~/.local/share/bash-completion/completions/hala.
/// zsh: into _hala in a folder of $fpath, before compinit runs.
/// fish: into ~/.config/fish/completions/hala.fish.
/// powershell: add `hala completions powershell | Out-String | Invoke-Expression` to $PROFILE.
/// A new shell knows them then.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
#[command(after_help = "Example:
  hala completions bash > ~/.local/share/bash-completion/completions/hala")]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL", value_parser = EnumValueParser::<Shell>::new())]
    shell: Shell,
}

impl CompletionsArgs {
    /// Runs the command.
    pub(crate) fn run(self, mut all: Command) -> Result<()> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut all, "hala", &mut script);
        output::print(&String::from_utf8_lossy(&script))
    }
}
