//! Names that come near a wanted one, for messages.

/// At most this many names are offered.
const MAX_OFFERED: usize = 3;

/// The names nearest to `wanted` by edit distance, nearest first; those that share too little are left out.
pub fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let limit = wanted.len() / 2;
    let mut scored: Vec<(usize, &str)> = names
        .map(|name| (distance(wanted.as_bytes(), name.as_bytes()), name))
        .filter(|(d, _)| *d <= limit)
        .collect();
    scored.sort_unstable();
    scored.into_iter().take(MAX_OFFERED).map(|(_, name)| name.to_owned()).collect()
}

/// Levenshtein's distance: inserted, removed and replaced bytes.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_levenshteins() {
        for (a, b, d) in
            [("", "", 0), ("abc", "abc", 0), ("kitten", "sitting", 3), ("", "ab", 2), ("ab", "", 2)]
        {
            assert_eq!(distance(a.as_bytes(), b.as_bytes()), d, "{a} to {b}");
        }
    }

    #[test]
    fn offers_three_names_at_most_and_none_that_is_far() {
        let names = ["layers.0.w1", "layers.0.w2", "layers.1.w1", "layers.0.w3", "norm"];
        assert_eq!(nearest("layers.0.w1.weight", names.into_iter()).len(), 3);
        assert_eq!(nearest("layers.0.w4", names.into_iter())[0], "layers.0.w1");
        assert!(nearest("embed", ["feed_forward"].into_iter()).is_empty());
    }
}
