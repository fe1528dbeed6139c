//! Lines of files as rows.

use hala_text::{Language, Message, eastern_forms, translation_request};

use crate::data::json_row;
use crate::data::row::{ChatRow, Row};
use crate::data::source::{Form, Pairs};
use crate::fault::Fault;

/// Reads a line; `part` says which of a line's rows is meant: a pair is one for each way, everything else is one.
///
/// # Errors
/// What is wrong with it.
pub fn read_row(line: &str, form: Form, part: usize) -> Result<Row, Fault> {
    match form {
        Form::Json => json_row::read(line),
        Form::Lines if line.trim().is_empty() => Err(Fault::Empty { at: "the line".to_owned() }),
        Form::Lines => Ok(Row::Text(line.to_owned())),
        Form::Pairs(pairs) => pair(line, pairs, part),
    }
}

fn pair(line: &str, pairs: Pairs, part: usize) -> Result<Row, Fault> {
    let languages = [pairs.first, pairs.first.other()];
    let columns: Vec<&str> = line.splitn(3, '\t').take(2).map(str::trim).collect();
    let [first, second] = columns[..] else {
        let [first, second] = languages.map(Language::name);
        return Err(Fault::Columns { n_columns: columns.len(), first, second });
    };
    if let Some((language, _)) = languages.iter().zip([first, second]).find(|(_, text)| text.is_empty()) {
        return Err(Fault::Empty { at: format!("the {} text", language.name()) });
    }
    let targets = pairs.targets();
    let to = targets.get(part).copied().unwrap_or(targets[0]);
    let (source, target) = if to == pairs.first { (second, first) } else { (first, second) };
    let request = translation_request(source, to, eastern_forms(source));
    Ok(Row::Chat(ChatRow::new(vec![request, Message::assistant(target)])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chat(line: &str, pairs: Pairs, part: usize) -> Vec<(String, String)> {
        let Row::Chat(row) = read_row(line, Form::Pairs(pairs), part).unwrap() else { panic!("{line}") };
        assert_eq!(row.weights, [0.0, 1.0]);
        row.messages.into_iter().map(|m| (m.role.to_string(), m.content)).collect()
    }

    #[test]
    fn a_pair_asks_as_the_translator_does_each_way() {
        let line = "Good morning.\t صباح الخير. \ttatoeba\t2.18";
        let into_arabic = "Translate everything that follows into Arabic:\n\nGood morning.";
        let into_english = "Translate everything that follows into English:\n\nصباح الخير.";
        let to = |part| chat(line, Pairs::default(), part);
        assert_eq!(to(0)[0], ("user".to_owned(), into_arabic.to_owned()));
        assert_eq!(to(0)[1], ("assistant".to_owned(), "صباح الخير.".to_owned()));
        assert_eq!(to(1)[0].1, into_english);
        assert_eq!(to(1)[1].1, "Good morning.");
        let one = Pairs { first: Language::English, to: Some(Language::English) };
        assert_eq!(chat(line, one, 0), to(1));
        let other = Pairs { first: Language::Arabic, to: Some(Language::English) };
        assert_eq!(chat("صباح الخير.\tGood morning.", other, 0), to(1));
    }

    #[test]
    fn a_pair_that_lacks_a_side_says_which() {
        let fault = |line: &str| read_row(line, Form::Pairs(Pairs::default()), 0).unwrap_err().to_string();
        assert!(fault("only English").starts_with("it has 1 of 2 columns; put a tab between the English"));
        assert!(fault("Good morning.\t ").starts_with("the Arabic text is empty"));
        assert!(fault("\tصباح الخير").starts_with("the English text is empty"));
    }

    #[test]
    fn lines_are_texts_as_they_are() {
        assert_eq!(read_row(" a\tb ", Form::Lines, 0).unwrap(), Row::Text(" a\tb ".to_owned()));
        assert!(read_row(" ", Form::Lines, 0).is_err());
    }
}
