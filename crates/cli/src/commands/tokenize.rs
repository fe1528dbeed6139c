//! `hala tokenize`: text to token ids, and back.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use hala_engine::EngineError;
use hala_text::{Bos, Message, Specials, TokenPiece, Tokenizer, messages_from_json};
use serde::Serialize;
use serde_json::Value;

use crate::app::App;
use crate::input::{Input, STDIN};
use crate::model_args::CheckpointArgs;
use crate::template_args::TemplateArgs;
use crate::terminal::{DIM, counted, paint};
use crate::{ids, output};

/// Shows the tokens of a text or of a conversation, or the text of token ids.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  hala tokenize \"صباح الخير\"\n  hala tokenize --decode 1,5,9\n  \
                  hala tokenize --model LiquidAI/LFM2-1.2B --chat \"Hello\"\n  \
                  hala tokenize --model LiquidAI/LFM2-1.2B --messages talk.json --template-arg thinking=false")]
pub(crate) struct TokenizeArgs {
    /// The text; `-` or nothing reads standard input
    #[arg(value_name = "TEXT")]
    text: Option<String>,

    /// Turn ids into text instead
    #[arg(long, value_name = "IDS", conflicts_with = "text", allow_hyphen_values = true)]
    decode: Option<String>,

    /// Show the prompt that the chat template makes of the text, as one message of a user
    #[arg(long, conflicts_with = "decode")]
    chat: bool,

    /// Show the prompt of the messages in this file: JSON as the OpenAI API takes it, a list or an object with `messages` and
    /// `tools`; `-` reads standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["text", "decode", "chat"])]
    messages: Option<PathBuf>,

    #[command(flatten)]
    template: TemplateArgs,

    /// Add no token that begins a text
    #[arg(long, conflicts_with_all = ["decode", "chat", "messages"])]
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
        let text = match (&ids, &self.messages, &self.text) {
            (Some(_), _, _) => String::new(),
            (None, Some(path), _) if path.as_os_str() != STDIN => Input::file(path)?.read_all()?,
            (None, None, Some(text)) if text != STDIN => text.clone(),
            _ => Input::stdin().read_all()?,
        };
        let tokenizer =
            hala_engine::open_tokenizer(&self.model.open_files(app)?)?.ok_or(EngineError::NoTokenizer)?;
        match ids {
            Some(ids) => self.decode(&tokenizer, ids),
            None if self.messages.is_some() => self.prompt(&tokenizer, &Talk::read(&text)?),
            None if self.chat => {
                self.prompt(&tokenizer, &Talk { messages: vec![Message::user(text)], tools: Vec::new() })
            }
            None => self.encode(&tokenizer, &text),
        }
    }

    /// The prompt of a conversation, as `hala chat` makes it.
    fn prompt(&self, tokenizer: &Tokenizer, talk: &Talk) -> Result<()> {
        let options = self.template.options(tokenizer)?;
        let template = options.template(tokenizer)?;
        let input = options.input(&talk.messages, &talk.tools);
        let (text, pieces) = tokenizer.chat_pieces(template, &input)?;
        if !self.json {
            let end = if text.ends_with('\n') { "\n" } else { "\n\n" };
            output::print(&format!("{text}{end}"))?;
        }
        self.show(&text, pieces)
    }

    fn decode(&self, tokenizer: &Tokenizer, ids: Vec<u32>) -> Result<()> {
        let text = tokenizer.decode(&ids, Specials::Keep)?;
        if self.json { output::print_json(&Decoded { ids, text }) } else { output::print_line(&text) }
    }

    fn encode(&self, tokenizer: &Tokenizer, text: &str) -> Result<()> {
        let bos = if self.no_bos { Bos::Never } else { Bos::Auto };
        self.show(text, tokenizer.pieces(text, bos)?)
    }

    fn show(&self, text: &str, pieces: Vec<TokenPiece>) -> Result<()> {
        if self.json {
            let ids = pieces.iter().map(|piece| piece.id).collect();
            let token = |piece: TokenPiece| Token {
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
        let n_characters = text.chars().count();
        let total = format!("{}, {}", counted(pieces.len(), "token"), counted(n_characters, "character"));
        output::print_styled(&format!("{table}{}\n", paint(DIM, total)))
    }
}

/// A conversation that is read from JSON.
struct Talk {
    messages: Vec<Message>,
    tools: Vec<Value>,
}

impl Talk {
    /// A list of messages, or a request of the OpenAI API's; its other fields say nothing of the prompt.
    fn read(json: &str) -> Result<Self> {
        let json: Value = serde_json::from_str(json).context("the messages are no JSON")?;
        let tools = json.get("tools").and_then(Value::as_array).cloned().unwrap_or_default();
        Ok(Self { messages: messages_from_json(json.get("messages").unwrap_or(&json))?, tools })
    }
}
