//! Token ids on the command line.

use anyhow::{Context, Result, ensure};

/// Reads ids with commas or white space between them.
///
/// # Errors
/// A word that is no id; nothing before, between or after commas; none at all.
pub(crate) fn parse(text: &str) -> Result<Vec<u32>> {
    ensure!(
        text.contains(|c: char| c != ',' && !c.is_whitespace()),
        "there is no token id in {text:?}: give them as in 1,5,9"
    );
    let mut ids = Vec::new();
    for between_commas in text.split(',') {
        let n_before = ids.len();
        for word in between_commas.split_whitespace() {
            ids.push(word.parse().with_context(|| {
                format!("{word:?} is not a token id: ids are whole numbers from 0 to {}", u32::MAX)
            })?);
        }
        ensure!(
            ids.len() > n_before,
            "in {text:?} id {} is missing: there is nothing {}",
            n_before + 1,
            place(n_before, &ids, text)
        );
    }
    Ok(ids)
}

/// Where in the list an id is missing.
fn place(n_before: usize, ids: &[u32], text: &str) -> String {
    match ids.last() {
        None => "before the first comma".to_owned(),
        Some(last) if text.trim_end().ends_with(',') && n_before == count(text) => format!("after {last},"),
        Some(last) => format!("between the commas after {last}"),
    }
}

/// Words in a list.
fn count(text: &str) -> usize {
    text.split(|c: char| c == ',' || c.is_whitespace()).filter(|word| !word.is_empty()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_and_spaces_separate() {
        assert_eq!(parse("1,5, 9\n7").unwrap(), [1, 5, 9, 7]);
    }

    #[test]
    fn what_is_no_id_is_named() {
        assert!(parse("1,x").unwrap_err().to_string().contains("\"x\""));
        assert!(parse("-1").unwrap_err().to_string().contains("\"-1\""));
        assert!(parse("4294967296").unwrap_err().to_string().contains("to 4294967295"));
        assert!(parse(" ,").unwrap_err().to_string().contains("no token id"));
    }

    #[test]
    fn an_empty_place_is_named() {
        for (text, message) in [
            ("1,,2", "id 2 is missing: there is nothing between the commas after 1"),
            ("1, 5 9, ,7", "id 4 is missing: there is nothing between the commas after 9"),
            (",3", "id 1 is missing: there is nothing before the first comma"),
            ("3,", "id 2 is missing: there is nothing after 3,"),
        ] {
            let found = parse(text).unwrap_err().to_string();
            assert!(found.contains(message), "{found}");
        }
    }
}
