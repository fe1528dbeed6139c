//! A conversation: messages in, a streamed reply out.

use std::ops::Range;
use std::sync::Arc;

use hala_plan::{Backend, Cancel};
use hala_text::{Message, Role, Specials, TextError, Thinking, Tokenizer};

use crate::engine::Engine;
use crate::error::EngineError;
use crate::generate::Generation;
use crate::generated::{Generated, Piece};
use crate::options::GenerateOptions;
use crate::session::Session;
use crate::template::TemplateOptions;

/// What happens when a conversation outgrows the context.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Overflow {
    /// An error that says how long it has become.
    #[default]
    Error,
    /// The oldest turns are left out of the prompt; the system message stays, and so does the list of messages.
    DropOldest,
}

/// Choices of a conversation.
#[derive(Debug, Clone, Default)]
pub struct ChatOptions {
    /// What the model is told before the first message.
    pub system: Option<String>,
    /// Descriptions of functions that the model may call, as JSON objects.
    pub tools: Vec<serde_json::Value>,
    /// Which template writes the prompts, and what it is told besides.
    pub template: TemplateOptions,
    /// What happens when the context is full.
    pub overflow: Overflow,
    /// How replies are generated.
    pub generate: GenerateOptions,
}

/// Messages, and the part of them that fits the context.
#[derive(Debug, Clone, Default)]
pub struct Conversation {
    /// The messages, without the system message.
    pub messages: Vec<Message>,
    /// How they are answered.
    pub options: ChatOptions,
    /// Messages from the start that no longer fit the context.
    n_dropped: usize,
}

impl Conversation {
    /// Tokens kept free for a reply when the oldest turns are dropped.
    const REPLY_ROOM: usize = 256;

    /// Messages to be answered.
    pub fn new(messages: Vec<Message>, options: ChatOptions) -> Self {
        Self { messages, options, n_dropped: 0 }
    }

    /// Messages at the start that no longer fit the context and are not part of the prompt.
    pub fn n_dropped(&self) -> usize {
        self.n_dropped
    }

    /// The prompt of all messages that fit. Whether the reply begins with a thought, as the template has it, is in
    /// [`GenerateOptions::thinking`] of the options from then on.
    ///
    /// # Errors
    /// A checkpoint without tokenizer or template, or messages that the template refuses. Whether the prompt fits the
    /// context is for [`Generation::new`] to say.
    pub fn prompt<B: Backend>(&mut self, engine: &Engine<B>) -> Result<Vec<u32>, EngineError> {
        let limit = engine.model().facts().context;
        let mut prompt = self.render(engine, self.n_dropped)?;
        self.options.generate.thinking = self.thinking(engine)?;
        if self.options.overflow == Overflow::Error || prompt.len() + self.reply_room(limit) <= limit {
            return Ok(prompt);
        }
        // Dropping changes the start of the prompt, which is then computed anew: drop enough for several turns.
        let target = limit / 2;
        while prompt.len() > target {
            let Some(next) = self.next_turn() else { break };
            self.n_dropped = next;
            prompt = self.render(engine, next)?;
        }
        Ok(prompt)
    }

    fn reply_room(&self, limit: usize) -> usize {
        self.options.generate.max_tokens.unwrap_or(Self::REPLY_ROOM).min(limit / 4)
    }

    /// Index of the second user message that is still part of the prompt.
    fn next_turn(&self) -> Option<usize> {
        let users = self.messages.iter().enumerate().filter(|(_, m)| m.role == Role::User);
        users.map(|(i, _)| i).find(|i| *i > self.n_dropped)
    }

    fn render<B: Backend>(&self, engine: &Engine<B>, first: usize) -> Result<Vec<u32>, EngineError> {
        engine.chat_prompt_with(&self.with_system(first), &self.options.tools, &self.options.template)
    }

    fn thinking<B: Backend>(&self, engine: &Engine<B>) -> Result<Thinking, EngineError> {
        let ChatOptions { template, tools, .. } = &self.options;
        let messages = self.with_system(self.n_dropped);
        Ok(template.template(engine.tokenizer()?)?.thinking(&template.input(&messages, tools))?)
    }

    /// The messages from the first that is part of the prompt, the system message before them.
    fn with_system(&self, first: usize) -> Vec<Message> {
        let system = self.options.system.iter().map(|text| Message::new(Role::System, text));
        system.chain(self.messages[first..].iter().cloned()).collect()
    }
}

/// A conversation with a model. Every turn's prompt begins with the last one's, so only what is new is computed.
#[derive(Debug)]
pub struct Chat<B: Backend> {
    session: Session<B>,
    conversation: Conversation,
}

impl<B: Backend> Chat<B> {
    /// An empty conversation.
    pub fn new(session: Session<B>, options: ChatOptions) -> Self {
        Self { session, conversation: Conversation::new(Vec::new(), options) }
    }

    /// The messages so far, without the system message.
    pub fn messages(&self) -> &[Message] {
        &self.conversation.messages
    }

    /// Replaces the messages, as when a saved conversation is loaded; the next reply computes what differs.
    pub fn set_messages(&mut self, messages: Vec<Message>) {
        self.conversation.messages = messages;
        self.conversation.n_dropped = 0;
    }

    /// The options, which may be changed between turns.
    pub fn options_mut(&mut self) -> &mut ChatOptions {
        &mut self.conversation.options
    }

    /// The options.
    pub fn options(&self) -> &ChatOptions {
        &self.conversation.options
    }

    /// The session.
    pub fn session(&self) -> &Session<B> {
        &self.session
    }

    /// Messages at the start that no longer fit the context and are not part of the prompt.
    pub fn n_dropped(&self) -> usize {
        self.conversation.n_dropped
    }

    /// Adds the user's message and begins the reply.
    ///
    /// # Errors
    /// A prompt that is too long; the message is then not added.
    pub fn send(&mut self, text: &str, cancel: &Cancel) -> Result<Reply<'_, B>, EngineError> {
        let (n_messages, n_dropped) = (self.conversation.messages.len(), self.conversation.n_dropped);
        self.conversation.messages.push(Message::new(Role::User, text));
        let generation = self.generation(cancel).inspect_err(|_| {
            self.conversation.messages.truncate(n_messages);
            self.conversation.n_dropped = n_dropped;
        })?;
        Ok(self.reply(generation))
    }

    /// Drops the last reply, if there is one, and begins another to the same message.
    ///
    /// # Errors
    /// No message to reply to, or a prompt that is too long.
    pub fn regenerate(&mut self, cancel: &Cancel) -> Result<Reply<'_, B>, EngineError> {
        while self.conversation.messages.last().is_some_and(|m| m.role == Role::Assistant) {
            self.conversation.messages.pop();
        }
        if self.conversation.messages.is_empty() {
            return Err(EngineError::Conversation("there is no message to reply to: send one first"));
        }
        let generation = self.generation(cancel)?;
        Ok(self.reply(generation))
    }

    fn generation(&mut self, cancel: &Cancel) -> Result<Generation, EngineError> {
        let prompt = self.conversation.prompt(self.session.engine())?;
        Generation::new(&self.session, &prompt, &self.conversation.options.generate, cancel)
    }

    fn reply(&mut self, generation: Generation) -> Reply<'_, B> {
        self.conversation.messages.push(Message::new(Role::Assistant, ""));
        Reply { chat: self, generation }
    }
}

/// A reply while it streams; what has come so far is already the conversation's last message.
#[derive(Debug)]
pub struct Reply<'a, B: Backend> {
    chat: &'a mut Chat<B>,
    generation: Generation,
}

impl<B: Backend> Reply<'_, B> {
    /// The next token and its text; `None` when the reply has ended.
    ///
    /// # Errors
    /// A lost device, or logits that are no numbers.
    pub async fn next(&mut self) -> Result<Option<Piece>, EngineError> {
        let piece = self.generation.next(&mut self.chat.session).await?;
        if let (Some(piece), Some(message)) = (&piece, self.chat.conversation.messages.last_mut()) {
            message.content.push_str(&piece.text);
            if !piece.reasoning.is_empty() {
                message.push_reasoning(&piece.reasoning);
            }
        }
        Ok(piece)
    }

    /// Goes on with another engine of the same model after a lost device; the next token is the one that was due.
    ///
    /// # Errors
    /// As for [`Session::rebuild`].
    pub async fn rebuild(&mut self, engine: Arc<Engine<B>>, cancel: &Cancel) -> Result<(), EngineError> {
        self.chat.session.rebuild(engine, cancel).await
    }

    /// The model on its device.
    pub fn engine(&self) -> &Arc<Engine<B>> {
        self.chat.session.engine()
    }

    /// The conversation's messages; the last one is this reply, as far as it has come.
    pub fn messages(&self) -> &[Message] {
        self.chat.messages()
    }

    /// Messages at the start that no longer fit the context and are not part of this reply's prompt.
    pub fn n_dropped(&self) -> usize {
        self.chat.n_dropped()
    }

    /// The ids that the model sees before this reply.
    pub fn prompt(&self) -> &[u32] {
        self.generation.prompt()
    }

    /// Ends the reply, wherever it is, and gives what was generated.
    ///
    /// # Errors
    /// Text that cannot be decoded.
    pub fn finish(self) -> Result<Generated, EngineError> {
        let generated = self.generation.finish()?;
        let Chat { session, conversation } = self.chat;
        let shown = conversation.options.generate.specials;
        let tokenizer = session.engine().tokenizer().ok().filter(|_| shown == Specials::Keep);
        if let Some(message) = conversation.messages.last_mut() {
            message.content.clone_from(&generated.text);
            if let Some(tokenizer) = tokenizer {
                message.special_tokens = special_tokens(tokenizer, &generated)?;
            }
        }
        Ok(generated)
    }
}

/// Where the special tokens of a reply are in its text, so that they come back as themselves in the next prompt. Those of its thought
/// come back as text.
fn special_tokens(tokenizer: &Tokenizer, generated: &Generated) -> Result<Vec<Range<usize>>, TextError> {
    let n_thought = generated.usage.completion_tokens_details.reasoning_tokens;
    let ids = generated.ids.get(n_thought..).unwrap_or_default();
    // White space after a thought is no part of the text.
    let whole = if n_thought == 0 { String::new() } else { tokenizer.decode(ids, Specials::Keep)? };
    let n_white = whole.len() - whole.trim_start().len();
    let mut found = Vec::new();
    for (i, id) in ids.iter().enumerate().filter(|(_, id)| tokenizer.is_special(**id)) {
        let Some(start) = tokenizer.decode(&ids[..i], Specials::Keep)?.len().checked_sub(n_white) else {
            continue;
        };
        let words = tokenizer.token_of(*id).unwrap_or_default();
        let range = start..start + words.len();
        // A stop string may have cut the text before it.
        if generated.text.get(range.clone()) == Some(words.as_str()) {
            found.push(range);
        }
    }
    Ok(found)
}
