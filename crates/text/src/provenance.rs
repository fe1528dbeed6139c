//! Which special tokens of a rendered template are its own: none that has a character from outside.
//!
//! A template is a program that may cut, join and rewrite what it is given, so what came out does not tell where it
//! came from. It is run once more with the characters from outside changed to others, one for one and always the
//! same: where a character of the output changes, it came from outside. Templates also look at what they are given, and
//! would take another way if that were changed; so what they look for stays, and where the output still has
//! another form, less is changed, down to the point where nothing is trusted that anybody wrote.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::changes::{Change, Outside, TELL, Tell, compare, move_starts};
use crate::chat::{ChatInput, Message};
use crate::error::TextError;
use crate::plain::Place;
use crate::template::ChatTemplate;
use crate::template_words::{TemplateWords, is_name};

/// Roles that are the API's words and not somebody's text: templates make special tokens of them (`<|user|>`).
const ROLES: [&str; 9] =
    ["system", "user", "assistant", "tool", "developer", "function", "model", "ipython", "observation"];

/// A rendered template, and what of it is its own.
#[derive(Debug)]
pub(crate) struct Origins<'a> {
    template: &'a ChatTemplate,
    input: &'a ChatInput<'a>,
    /// The words of all special tokens.
    specials: &'a BTreeSet<String>,
    words: TemplateWords,
}

impl<'a> Origins<'a> {
    /// Of a template, what it is given, and the words of the tokenizer's special tokens.
    pub(crate) fn new(
        template: &'a ChatTemplate,
        input: &'a ChatInput<'a>,
        specials: &'a BTreeSet<String>,
    ) -> Self {
        let words = TemplateWords::of(template.source(input), specials);
        Self { template, input, specials, words }
    }

    /// Those of the places in the rendered text that are the template's own, or the model's of an earlier reply.
    ///
    /// # Errors
    /// As for [`ChatTemplate::render`].
    pub(crate) fn own(&self, rendered: &str, places: Vec<Place>) -> Result<Vec<Place>, TextError> {
        let given = self.texts();
        let near: Vec<&str> = self.words.near_specials().collect();
        let near: Vec<&str> =
            near.into_iter().filter(|words| given.iter().any(|text| text.contains(words))).collect();
        let kept = || near.iter().map(std::slice::from_ref).chain([near.as_slice()]);
        let told = kept().flat_map(|kept| [Tell::Before, Tell::After].map(|tell| Change::All(kept, tell)));
        let untold = kept().map(|kept| Change::All(kept, Tell::Nothing));
        let first = Change::All(&[], Tell::Nothing);
        for change in
            [first].into_iter().chain(told).chain([Change::Ascii]).chain(untold).chain([Change::Specials])
        {
            if let Some(outside) = self.outside(rendered, change)? {
                let is_own = |place: &Place| is_own(rendered, place, &outside, change);
                return Ok(places.into_iter().filter(is_own).collect());
            }
        }
        let is_given = |place: &Place| given.iter().any(|text| text.contains(&rendered[place.range.clone()]));
        Ok(places.into_iter().filter(|place| !is_given(place)).collect())
    }

    /// What of the rendered text came from outside; `None` where the change had the template take another way.
    fn outside(&self, rendered: &str, change: Change<'_>) -> Result<Option<Outside>, TextError> {
        let messages: Vec<Message> =
            self.input.messages.iter().map(|message| self.changed_message(message, change)).collect();
        let tools: Vec<Value> = self.input.tools.iter().map(|tool| self.changed(tool, change)).collect();
        let variables: Option<Map<String, Value>> =
            self.input.variables.map(|map| self.changed_map(map, change));
        let input =
            ChatInput { messages: &messages, tools: &tools, variables: variables.as_ref(), ..*self.input };
        match self.template.render(&input) {
            Ok(text) => Ok(compare(rendered, &text, change)),
            // What a template refuses or fails on is what was changed.
            Err(TextError::TemplateRaised { .. } | TextError::TemplateFailed { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn changed_message(&self, message: &Message, change: Change<'_>) -> Message {
        let role = message.role.as_str();
        let is_known = ROLES.contains(&role) || self.words.is_name(role);
        let mut changed = message.clone();
        if !is_known {
            changed.role = self.changed_text(role, change).into();
        }
        changed.content.clear();
        let mut at = 0;
        for own in &message.special_tokens {
            let (Some(before), Some(words)) =
                (message.content.get(at..own.start), message.content.get(own.clone()))
            else {
                break;
            };
            changed.content += &self.changed_text(before, change);
            changed.content += words;
            at = own.end;
        }
        changed.content += &self.changed_text(&message.content[at..], change);
        changed.parts =
            message.parts.as_ref().map(|parts| parts.iter().map(|p| self.changed(p, change)).collect());
        changed.extra = self.changed_map(&message.extra, change);
        changed
    }

    fn changed(&self, value: &Value, change: Change<'_>) -> Value {
        match value {
            Value::String(text) => Value::String(self.changed_text(text, change)),
            Value::Array(items) => {
                Value::Array(items.iter().map(|item| self.changed(item, change)).collect())
            }
            Value::Object(map) => Value::Object(self.changed_map(map, change)),
            other => other.clone(),
        }
    }

    /// Names of fields stay, as templates ask for them; a key that is more than a name is text.
    fn changed_map(&self, map: &Map<String, Value>, change: Change<'_>) -> Map<String, Value> {
        let key = |key: &String| if is_name(key) { key.clone() } else { self.changed_text(key, change) };
        map.iter().map(|(name, value)| (key(name), self.changed(value, change))).collect()
    }

    fn changed_text(&self, text: &str, change: Change<'_>) -> String {
        let (kept, tell) = match change {
            Change::Specials => return move_starts(text, self.specials),
            _ if self.words.is_name(text) => return text.to_owned(),
            Change::All(kept, tell) => (kept, tell),
            Change::Ascii => (&[][..], Tell::Nothing),
        };
        let mut stays = vec![false; text.len()];
        let mut tells = Vec::new();
        for words in self.words.apart_from_specials() {
            text.match_indices(words).for_each(|(at, _)| stays[at..at + words.len()].fill(true));
        }
        for (at, words) in kept.iter().flat_map(|words| text.match_indices(words)) {
            let end = at + words.len();
            stays[at..end].fill(true);
            tells.extend(match tell {
                Tell::Before => Some(at),
                Tell::After => Some(end),
                Tell::Nothing => None,
            });
        }
        let mut changed = String::with_capacity(4 * text.len());
        for (at, c) in text.char_indices() {
            changed.extend(tells.contains(&at).then_some(TELL));
            changed.push(if stays[at] { c } else { change.of(c) });
        }
        changed.extend(tells.contains(&text.len()).then_some(TELL));
        changed
    }

    /// All that comes from outside.
    fn texts(&self) -> Vec<&str> {
        let mut texts = Vec::new();
        for message in self.input.messages {
            texts.extend([message.role.as_str(), message.content.as_str()]);
            message.parts.iter().flatten().for_each(|part| collect(part, &mut texts));
            collect_map(&message.extra, &mut texts);
        }
        self.input.tools.iter().for_each(|tool| collect(tool, &mut texts));
        self.input.variables.into_iter().for_each(|map| collect_map(map, &mut texts));
        texts
    }
}

fn collect<'v>(value: &'v Value, texts: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => texts.push(text),
        Value::Array(items) => items.iter().for_each(|item| collect(item, texts)),
        Value::Object(map) => collect_map(map, texts),
        _ => {}
    }
}

fn collect_map<'v>(map: &'v Map<String, Value>, texts: &mut Vec<&'v str>) {
    for (name, value) in map {
        texts.push(name);
        collect(value, texts);
    }
}

/// Whether no character of a special token came from outside.
fn is_own(rendered: &str, place: &Place, outside: &Outside, change: Change<'_>) -> bool {
    let range = place.range.clone();
    let words = &rendered[range.clone()];
    let is_like = |kept: &&str| kept.contains(words) || (kept.len() > 1 && words.contains(*kept));
    let is_doubtful = match change {
        Change::All(kept, Tell::Nothing) => kept.iter().any(is_like),
        // Words that are a part of a special token, or hold one, have their tell anywhere about it.
        Change::All(kept, _) => {
            let reach = kept.iter().filter(|kept| is_like(kept)).map(|kept| kept.len()).max();
            let near = |at: &usize, reach: usize| {
                (range.start.saturating_sub(reach)..=range.end + reach).contains(at)
            };
            reach.is_some_and(|reach| {
                outside.tells.iter().any(|at| near(at, reach.saturating_sub(words.len())))
            })
        }
        Change::Specials | Change::Ascii => false,
    };
    !is_doubtful && !outside.is_outside[range].contains(&true)
}
