//! Streamed text in whole characters, as readers see them: nothing ends between a letter and its mark, or within a joined emoji.

use unicode_segmentation::UnicodeSegmentation;

/// Bytes of one character that are held at most: text of marks without end is passed on.
const MOST_HELD: usize = 256;

/// Holds the last character of a text until it is known where it ends: extended grapheme clusters of
/// [UAX 29](https://www.unicode.org/reports/tr29/).
#[derive(Debug, Clone, Default)]
pub struct WholeCharacters {
    held: String,
}

impl WholeCharacters {
    /// Takes the next text, and gives what is certain: all but the last character. The end of a line is given at once, as nothing joins it.
    pub fn push(&mut self, text: &str) -> String {
        self.held.push_str(text);
        let last = self.held.grapheme_indices(true).next_back();
        let end = match last {
            Some((start, last)) if last.len() <= MOST_HELD && !last.ends_with('\n') => start,
            _ => self.held.len(),
        };
        let rest = self.held.split_off(end);
        std::mem::replace(&mut self.held, rest)
    }

    /// What is held, at the end of the text.
    pub fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(texts: &[&str]) -> Vec<String> {
        let mut characters = WholeCharacters::default();
        let mut pieces: Vec<String> = texts.iter().map(|text| characters.push(text)).collect();
        pieces.push(characters.finish());
        pieces.retain(|piece| !piece.is_empty());
        pieces
    }

    #[test]
    fn no_character_is_cut_wherever_the_text_is() {
        let text = "كِتَابٌ 👩\u{200d}👩\u{200d}👧 🇸🇦🇪🇬 e\u{301} 1\u{fe0f}\u{20e3} 👍🏽 क्षि 각\r\n.";
        let whole: Vec<&str> = text.graphemes(true).collect();
        let characters: Vec<String> = text.chars().map(String::from).collect();
        let texts: Vec<&str> = characters.iter().map(String::as_str).collect();
        assert_eq!(pieces(&texts).concat(), text);
        for piece in pieces(&texts) {
            assert!(
                whole.contains(&piece.as_str()) || piece.graphemes(true).all(|c| whole.contains(&c)),
                "{piece:?}"
            );
        }
    }

    #[test]
    fn lines_end_at_once_and_marks_without_end_are_not_held_for_ever() {
        assert_eq!(pieces(&["Hello", " ", "you\n", "."]), ["Hell", "o", " you\n", "."]);
        let mut characters = WholeCharacters::default();
        let given: usize = (0..1000).map(|_| characters.push("\u{301}").len()).sum();
        assert!(given > 1000, "{given}");
    }
}
