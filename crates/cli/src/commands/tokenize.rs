//! `hala tokenize`: text to token ids, and back.

use anyhow::Result;
use clap::Args;
use hala_engine::EngineError;
use hala_text::{Bos, Specials, Tokenizer};
use serde::Serialize;

use crate::input::{Input, STDIN};
use crate::model_args::CheckpointArgs;
use crate::terminal::{DIM, paint};
use crate::{App, ids, output};

/// Shows the tokens of a text, or the text of token ids.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  hala tokenize \"صباح الخير\"\n  hala tokenize --decode 1,5,9")]
pub(crate) struct TokenizeArgs {
    /// The text; `-` or nothing reads standard input
    #[arg(value_name = "TEXT")]
    text: Option<String>,

    /// Turn ids into text instead
    #[arg(long, value_name = "IDS", conflicts_with = "text", allow_hyphen_values = true)]
    decode: Option<String>,

    /// Add no token that begins a text
    #[arg(long, conflicts_with = "decode")]
    no_bos: bool,

    /// Print one object of JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    model: CheckpointArgs,
}

#[derive(Debug, Serialize)]
struct Encoded<'a> {
    text: &'a str,
    ids: Vec<u32>,
    tokens: Vec<Token>,
}

#[derive(Debug, Serialize)]
struct Token {
    id: u32,
    token: String,
    /// First byte of the text that it covers, and the byte after the last.
    start: usize,
    end: usize,
}

#[derive(Debug, Serialize)]
struct Decoded {
    ids: Vec<u32>,
    text: String,
}

impl TokenizeArgs {
    /// Runs the command.
    pub(crate) fn run(self, app: &App) -> Result<()> {
        let ids = self.decode.as_deref().map(ids::parse).transpose()?;
        let text = match (&ids, &self.text) {
            (Some(_), _) => String::new(),
            (None, Some(text)) if text != STDIN => text.clone(),
            (None, _) => Input::stdin().read_all()?,
        };
        let tokenizer =
            hala_engine::open_tokenizer(&self.model.open(app)?)?.ok_or(EngineError::NoTokenizer)?;
        match ids {
            Some(ids) => self.decode(&tokenizer, ids),
            None => self.encode(&tokenizer, &text),
        }
    }

    fn decode(&self, tokenizer: &Tokenizer, ids: Vec<u32>) -> Result<()> {
        let text = tokenizer.decode(&ids, Specials::Keep)?;
        if self.json { output::print_json(&Decoded { ids, text }) } else { output::print_line(&text) }
    }

    fn encode(&self, tokenizer: &Tokenizer, text: &str) -> Result<()> {
        let bos = if self.no_bos { Bos::Never } else { Bos::Auto };
        let pieces = tokenizer.pieces(text, bos)?;
        if self.json {
            let ids = pieces.iter().map(|piece| piece.id).collect();
            let token = |piece: hala_text::TokenPiece| Token {
                id: piece.id,
                token: piece.token,
                start: piece.range.start,
                end: piece.range.end,
            };
            let tokens = pieces.into_iter().map(token).collect();
            return output::print_json(&Encoded { text, ids, tokens });
        }
        let mut table = String::new();
        for piece in &pieces {
            let covered = text.get(piece.range.clone()).filter(|covered| !covered.is_empty());
            // Characters that would break the line are shown escaped.
            let covered =
                covered.map_or_else(|| piece.token.clone(), |c| format!("\"{}\"", c.escape_debug()));
            table.push_str(&format!("{:>7}  {covered}\n", piece.id));
        }
        let total = format!("{} tokens, {} characters", pieces.len(), text.chars().count());
        output::print_styled(&format!("{table}{}\n", paint(DIM, total)))
    }
}
