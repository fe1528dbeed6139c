//! Thoughts in a stream: what a model writes between its tags before it answers, told apart from the answer however the pieces cut the tags.
//!
//! A thought stands at the beginning of a reply or nowhere: a tag later on is part of the answer, which may speak of tags. White space about
//! the tags belongs to neither, and a thought without a word is none.

use hala_text::Thinking;

/// Tells thought and answer apart.
#[derive(Debug, Clone)]
pub(crate) struct Thoughts {
    at: At,
    /// Text that may be a part of a tag, or of white space that belongs to neither.
    held: String,
}

/// Where the stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// Nothing but white space came, or a part of the tag that begins a thought.
    Beginning,
    /// The same after a prompt that has opened the thought; some models open it once more.
    Begun,
    /// In a thought that has no word yet.
    Blank,
    /// In a thought.
    Thought,
    /// After a thought; nothing but white space came.
    Gap,
    Answer,
}

/// What a piece of text adds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Split {
    /// To the thought, as it was written.
    pub(crate) thought: String,
    /// To the answer.
    pub(crate) answer: String,
    /// Whether the thought or one of its tags goes on or ends in this piece.
    pub(crate) is_thought: bool,
}

impl Thoughts {
    /// For a reply that begins so.
    pub(crate) fn new(thinking: Thinking) -> Self {
        let at = match thinking {
            Thinking::None => At::Answer,
            Thinking::Possible => At::Beginning,
            Thinking::Begun => At::Begun,
        };
        Self { at, held: String::new() }
    }

    /// Takes the next piece of text.
    pub(crate) fn push(&mut self, text: &str) -> Split {
        self.held.push_str(text);
        let mut split = Split { is_thought: self.is_in_thought(), ..Split::default() };
        while self.step(&mut split) {
            split.is_thought |= self.is_in_thought();
        }
        split
    }

    /// The text held back, when no more will come.
    pub(crate) fn finish(&mut self) -> Split {
        let held = std::mem::take(&mut self.held);
        let mut split = Split { is_thought: self.is_in_thought(), ..Split::default() };
        match self.at {
            At::Beginning | At::Answer => split.answer = held,
            At::Begun | At::Blank if held.trim().is_empty() => {}
            At::Begun | At::Blank | At::Thought => split.thought = held,
            At::Gap => {}
        }
        split
    }

    fn is_in_thought(&self) -> bool {
        matches!(self.at, At::Begun | At::Blank | At::Thought)
    }

    /// Takes what is certain out of the text that is held; tells whether more may be, as the stream is somewhere else now.
    fn step(&mut self, split: &mut Split) -> bool {
        let before = self.at;
        match self.at {
            At::Beginning => self.begin(At::Answer),
            At::Begun => self.begin(At::Blank),
            At::Blank | At::Thought => self.think(&mut split.thought),
            At::Gap => {
                self.held = self.held.trim_start().to_owned();
                self.at = if self.held.is_empty() { At::Gap } else { At::Answer };
            }
            At::Answer => split.answer.push_str(&std::mem::take(&mut self.held)),
        }
        self.at != before
    }

    /// Looks for the tag that begins a thought; where none can come any more, the stream is at `otherwise`.
    fn begin(&mut self, otherwise: At) {
        let text = self.held.trim_start();
        if let Some(rest) = text.strip_prefix(Thinking::OPENING) {
            self.held = rest.to_owned();
            self.at = At::Blank;
        } else if !Thinking::OPENING.starts_with(text) {
            self.at = otherwise;
        }
    }

    /// Gives what is certainly of the thought.
    fn think(&mut self, thought: &mut String) {
        let end = self.held.find(Thinking::CLOSING);
        let n_certain = end.unwrap_or_else(|| self.held.len() - n_begun(&self.held, Thinking::CLOSING));
        let has_words = self.at == At::Thought || !self.held[..n_certain].trim().is_empty();
        if end.is_none() && !has_words {
            return;
        }
        if has_words {
            thought.push_str(&self.held[..n_certain]);
        }
        self.at = if end.is_some() { At::Gap } else { At::Thought };
        let n_taken = n_certain + end.map_or(0, |_| Thinking::CLOSING.len());
        self.held = self.held.split_off(n_taken);
    }
}

/// Bytes at the end of a text that begin `tag`.
fn n_begun(text: &str, tag: &str) -> usize {
    (1..tag.len()).rev().find(|n| text.ends_with(&tag[..*n])).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Thought and answer of a whole stream, and the number of pieces that took part in the thought.
    fn stream<'p>(thinking: Thinking, pieces: impl IntoIterator<Item = &'p str>) -> (String, String, usize) {
        let mut thoughts = Thoughts::new(thinking);
        let (mut thought, mut answer, mut n_thought) = (String::new(), String::new(), 0);
        for (i, piece) in pieces.into_iter().enumerate() {
            let split = thoughts.push(piece);
            thought += &split.thought;
            answer += &split.answer;
            n_thought = if split.is_thought { i + 1 } else { n_thought };
        }
        let rest = thoughts.finish();
        (thought + &rest.thought, answer + &rest.answer, n_thought)
    }

    fn split(thinking: Thinking, text: &str) -> (String, String) {
        let (thought, answer, _) = stream(thinking, [text]);
        (thought, answer)
    }

    fn pair(thought: &str, answer: &str) -> (String, String) {
        (thought.to_owned(), answer.to_owned())
    }

    #[test]
    fn a_thought_before_the_answer_is_told_apart() {
        let whole = "<think>\nhm, ok\n</think>\n\nYes.\n";
        assert_eq!(split(Thinking::Possible, whole), pair("\nhm, ok\n", "Yes.\n"));
        assert_eq!(split(Thinking::Begun, "\nhm, ok\n</think>\n\nYes.\n"), pair("\nhm, ok\n", "Yes.\n"));
        assert_eq!(split(Thinking::Possible, "\n <think>a</think>b"), pair("a", "b"));
    }

    #[test]
    fn however_the_pieces_cut_the_text_it_is_the_same() {
        for (thinking, text) in [
            (
                Thinking::Possible,
                " <think>\nأفكّر </thin <think> x < y\n</think>\n\n <b>نعم</b> <think></think> z",
            ),
            (Thinking::Begun, "a</thi</think> b </think>"),
            (Thinking::Begun, " <think>a</think>b"),
            (Thinking::Possible, "<thi> no thought </think> here"),
            (Thinking::Possible, "<think> \n </think>\nb"),
            (Thinking::Possible, "<think>never closed </thin"),
            (Thinking::None, "<think>a</think>b"),
        ] {
            let whole = split(thinking, text);
            let ends: Vec<usize> = (0..=text.len()).filter(|i| text.is_char_boundary(*i)).collect();
            for first in &ends {
                for second in ends.iter().filter(|end| *end >= first) {
                    let (thought, answer, _) =
                        stream(thinking, [&text[..*first], &text[*first..*second], &text[*second..]]);
                    assert_eq!((thought, answer), whole, "{text:?} cut at {first} and {second}");
                }
            }
            let (thought, answer, _) = stream(thinking, text.split_inclusive(|_| true));
            assert_eq!((thought, answer), whole, "{text:?} by characters");
        }
    }

    #[test]
    fn a_thought_that_is_not_closed_is_all_there_is() {
        assert_eq!(split(Thinking::Possible, "<think>on and on"), pair("on and on", ""));
        assert_eq!(split(Thinking::Begun, "on and on </think"), pair("on and on </think", ""));
    }

    #[test]
    fn tags_after_the_first_word_are_text() {
        for text in
            ["Use <think> and </think>.", "a<think>b</think>c", "<thinking>x</thinking>", "<", "<thin", " \n"]
        {
            assert_eq!(split(Thinking::Possible, text), pair("", text));
        }
        let (thought, answer) = split(Thinking::Possible, "<think>a</think>b <think>c</think> d");
        assert_eq!((thought.as_str(), answer.as_str()), ("a", "b <think>c</think> d"));
    }

    #[test]
    fn where_no_thought_can_come_everything_passes_at_once() {
        let mut thoughts = Thoughts::new(Thinking::None);
        let answer = "<think>".to_owned();
        assert_eq!(thoughts.push("<think>"), Split { answer, ..Split::default() });
    }

    #[test]
    fn a_thought_without_a_word_is_none() {
        assert_eq!(split(Thinking::Possible, "<think>\n\n</think>\n\nYes."), pair("", "Yes."));
        assert_eq!(split(Thinking::Begun, "\n</think>Yes."), pair("", "Yes."));
        assert_eq!(split(Thinking::Begun, " \n"), pair("", ""));
    }

    #[test]
    fn text_passes_as_soon_as_it_is_certain() {
        let mut thoughts = Thoughts::new(Thinking::Possible);
        let said = |split: Split| (split.thought, split.answer);
        assert_eq!(said(thoughts.push("<think>one ")), pair("one ", ""));
        assert_eq!(said(thoughts.push("two<")), pair("two", ""));
        assert_eq!(said(thoughts.push("b")), pair("<b", ""));
        assert_eq!(said(thoughts.push("</think>\n")), pair("", ""));
        assert_eq!(said(thoughts.push("Yes")), pair("", "Yes"));
        assert_eq!(said(thoughts.push("</think>")), pair("", "</think>"));
    }

    #[test]
    fn the_pieces_of_a_thought_are_counted_with_its_tags_and_no_others() {
        let pieces = ["<th", "ink>", "a", " b", "</", "think>", "\n\n", "Yes", "."];
        assert_eq!(stream(Thinking::Possible, pieces).2, 6);
        assert_eq!(stream(Thinking::Begun, ["a", "</think>Y", "es"]).2, 2);
        assert_eq!(stream(Thinking::Possible, ["<think>a</think>b", "c"]).2, 1);
        assert_eq!(stream(Thinking::Possible, ["<th", "en>", " b"]).2, 0);
        assert_eq!(stream(Thinking::Begun, ["a", "b"]).2, 2);
    }
}
