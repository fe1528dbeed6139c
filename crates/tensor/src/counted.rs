//! Counts in messages.

/// A count with what is counted, named as one of them: `1 token`, `2 tokens`, `3 matrices`.
pub fn counted(n: u64, one: &str) -> String {
    format!("{n} {}", if n == 1 { one.to_owned() } else { several(one) })
}

/// The word for several of what has a word for one.
pub fn several(one: &str) -> String {
    match one.strip_suffix('y') {
        _ if one.ends_with("matrix") => one.replace("matrix", "matrices"),
        Some(stem) => format!("{stem}ies"),
        None => format!("{one}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_one_and_others_are_several() {
        let found = [0, 1, 2].map(|n| counted(n, "token"));
        assert_eq!(found, ["0 tokens", "1 token", "2 tokens"]);
        assert_eq!([1, 2].map(|n| counted(n, "entry")), ["1 entry", "2 entries"]);
        assert_eq!([1, 2].map(|n| counted(n, "packed matrix")), ["1 packed matrix", "2 packed matrices"]);
    }
}
