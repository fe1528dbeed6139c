//! Token ids on the command line.

use anyhow::{Context, Result};

/// Reads ids with commas or white space between them.
///
/// # Errors
/// A word that is no id; none at all.
pub(crate) fn parse(text: &str) -> Result<Vec<u32>> {
    let words = text.split(|c: char| c == ',' || c.is_whitespace()).filter(|word| !word.is_empty());
    let ids = words.map(|word| {
        word.parse().with_context(|| format!("{word:?} is not a token id: ids are whole numbers from 0"))
    });
    let ids = ids.collect::<Result<Vec<u32>>>()?;
    anyhow::ensure!(!ids.is_empty(), "there is no token id in {text:?}: give them as in 1,5,9");
    Ok(ids)
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
        assert!(parse(" ,").unwrap_err().to_string().contains("no token id"));
    }
}
