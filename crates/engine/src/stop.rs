//! Stop strings in a stream: text is held back while it may be the beginning of one.

/// Watches streamed text for stop strings.
#[derive(Debug, Clone, Default)]
pub(crate) struct StopStrings {
    stops: Vec<String>,
    held: String,
}

/// What became of a piece of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Checked {
    /// Text that no stop string can claim any more.
    Pass(String),
    /// A stop string came; the text before it.
    Stop(String),
}

impl StopStrings {
    /// Empty strings are left out: they would stop at once.
    pub(crate) fn new(stops: &[String]) -> Self {
        Self { stops: stops.iter().filter(|s| !s.is_empty()).cloned().collect(), held: String::new() }
    }

    /// Takes the next piece of text.
    pub(crate) fn push(&mut self, text: &str) -> Checked {
        self.held.push_str(text);
        if let Some(at) = self.stops.iter().filter_map(|s| self.held.find(s.as_str())).min() {
            self.held.truncate(at);
            return Checked::Stop(std::mem::take(&mut self.held));
        }
        let n_held = self.longest_beginning();
        let rest = self.held.split_off(self.held.len() - n_held);
        Checked::Pass(std::mem::replace(&mut self.held, rest))
    }

    /// The text held back, when no more will come.
    pub(crate) fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
    }

    /// Bytes at the end of the text that begin a stop string.
    fn longest_beginning(&self) -> usize {
        let begins = |stop: &String| {
            let ends = (1..stop.len()).rev().filter(|n| stop.is_char_boundary(*n));
            ends.into_iter().find(|n| self.held.ends_with(&stop[..*n])).unwrap_or(0)
        };
        self.stops.iter().map(begins).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(stops: &[&str], pieces: &[&str]) -> (String, bool) {
        let mut watch = StopStrings::new(&stops.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>());
        let mut out = String::new();
        for piece in pieces {
            match watch.push(piece) {
                Checked::Pass(text) => out += &text,
                Checked::Stop(text) => return (out + &text, true),
            }
        }
        (out + &watch.finish(), false)
    }

    #[test]
    fn a_stop_string_across_pieces_is_found() {
        assert_eq!(stream(&["\n\nUser:"], &["Hello\n", "\nUs", "er: hi"]), ("Hello".to_owned(), true));
    }

    #[test]
    fn a_false_beginning_is_given_back() {
        assert_eq!(stream(&["END"], &["E", "N", "X"]), ("ENX".to_owned(), false));
        assert_eq!(stream(&["aab"], &["a", "a", "a", "b"]), ("a".to_owned(), true));
    }

    #[test]
    fn the_earliest_of_several_wins() {
        assert_eq!(stream(&["World", "lo"], &["Hello World"]), ("Hel".to_owned(), true));
    }

    #[test]
    fn arabic_is_cut_between_characters() {
        assert_eq!(stream(&["؟؟"], &["كيف حالك", "؟", "؟"]), ("كيف حالك".to_owned(), true));
        assert_eq!(stream(&["؟؟"], &["كيف", "؟"]), ("كيف؟".to_owned(), false));
    }

    #[test]
    fn without_stop_strings_everything_passes_at_once() {
        let mut watch = StopStrings::new(&[String::new()]);
        assert_eq!(watch.push("abc"), Checked::Pass("abc".to_owned()));
    }
}
