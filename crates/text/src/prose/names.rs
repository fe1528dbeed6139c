//! What of a token is a word, and what an address, a path, an option or a name as programs have them.

use crate::script::{TATWEEL, is_arabic_letter, is_tashkeel};

/// The parts of a token that are words: none of an address, a path or a name.
pub(super) fn pieces(token: &str) -> impl Iterator<Item = &str> {
    let address = address_start(token);
    let words = &token[..address.unwrap_or(token.len())];
    let whole = (address.is_none() && is_mail(words)).then_some("");
    by_script(whole.unwrap_or(words)).filter(|piece| !is_name(piece))
}

/// Where an address with a scheme or `www.` begins in a token.
fn address_start(token: &str) -> Option<usize> {
    if let Some(at) = token.find("://") {
        let scheme =
            token[..at].trim_end_matches(|c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-'));
        return Some(scheme.len());
    }
    ["www.", "mailto:", "tel:", "data:"].iter().filter_map(|start| token.find(start)).min()
}

fn is_mail(token: &str) -> bool {
    token.split_once('@').is_some_and(|(name, host)| {
        name.ends_with(|c: char| c.is_alphanumeric()) && host.trim_end_matches(is_outer).contains('.')
    })
}

/// Marks around a word.
fn is_outer(c: char) -> bool {
    matches!(
        c,
        '(' | ')' | '\'' | '‘' | '’' | '*' | '_' | '~' | '.' | ',' | ':' | ';' | '!' | '?' | '…' | '|'
    )
}

/// The parts of a token in Arabic letters and in others: `وGitHub` is a word and a name.
fn by_script(token: &str) -> impl Iterator<Item = &str> {
    let mut rest = token;
    std::iter::from_fn(move || {
        let first = rest.chars().find(|c| c.is_alphabetic())?;
        let len =
            rest.find(|c: char| c.is_alphabetic() && is_arabic(c) != is_arabic(first)).unwrap_or(rest.len());
        // The mark before a name is a part of it: `لـ@name`.
        let len = match rest[..len].trim_end_matches(['@', '#', '/', '\\', '-']).len() {
            0 => len,
            shorter if len < rest.len() => shorter,
            _ => len,
        };
        let (piece, after) = rest.split_at(len);
        rest = after;
        Some(piece)
    })
}

fn is_arabic(c: char) -> bool {
    is_arabic_letter(c) || is_tashkeel(c) || c == TATWEEL
}

/// Whether a part of a token is a name that is written the same in every language.
fn is_name(piece: &str) -> bool {
    if piece.contains("()") {
        return true;
    }
    let piece =
        piece.trim_start_matches(|c| is_outer(c) && !matches!(c, '.' | '~')).trim_end_matches(is_outer);
    is_handle(piece) || is_path(piece) || is_option(piece) || is_file_or_host(piece) || is_identifier(piece)
}

/// `@user`, `#tag`.
fn is_handle(piece: &str) -> bool {
    piece.strip_prefix(['@', '#']).is_some_and(|name| name.starts_with(char::is_alphanumeric))
}

/// `/usr/local`, `./a`, `~/b`, `src/main.rs`, `C:\Users`; `and/or` is two words.
fn is_path(piece: &str) -> bool {
    let from_root = ["/", "./", "../", "~/", "\\\\"].iter().any(|start| piece.starts_with(start));
    let bytes = piece.as_bytes();
    let on_drive =
        bytes.len() > 2 && bytes[0].is_ascii_alphabetic() && matches!(&bytes[1..3], b":\\" | b":/");
    let last = piece.rsplit('/').next().unwrap_or_default();
    from_root
        || on_drive
        || (piece.contains('/')
            && (last.is_empty()
                || piece.split('/').any(is_file_or_host)
                || piece.split('/').any(is_identifier)))
}

/// `--build`, `-x`.
fn is_option(piece: &str) -> bool {
    match (piece.strip_prefix("--"), piece.strip_prefix('-')) {
        (Some(name), _) => name.starts_with(|c: char| c.is_ascii_alphabetic()),
        (None, Some(name)) => name.len() == 1 && name.starts_with(|c: char| c.is_ascii_alphabetic()),
        (None, None) => false,
    }
}

/// `README.md`, `example.com`, `.env`; not `e.g`, and not `end.Next`, where a space is missing.
fn is_file_or_host(piece: &str) -> bool {
    let Some((name, ending)) = piece.rsplit_once('.') else { return false };
    let ending = ending.split([':', '/', '?', '#']).next().unwrap_or_default();
    let is_ending = (1..=MAX_ENDING_CHARS).contains(&ending.len())
        && ending.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        && ending.chars().any(|c| c.is_ascii_lowercase());
    let longest = name.split('.').map(str::len).max().unwrap_or_default();
    let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
    is_ending
        && is_name
        && (name.is_empty() || longest >= 2)
        && (ending.len() >= 2 || ENDINGS_OF_ONE.contains(&ending))
}

/// The longest usual endings: `package.properties` is one of few that have more.
const MAX_ENDING_CHARS: usize = 6;

/// Endings of one letter: C, D, headers, objects, R.
const ENDINGS_OF_ONE: [&str; 5] = ["c", "d", "h", "o", "r"];

/// `snake_case`, `camelCase`, `GitHub`, `a::b`, `run()`, `x=1`, `mp3`, `C++`; not `10kg` or `APIs`.
fn is_identifier(piece: &str) -> bool {
    let has_sign = piece.contains("::") || piece.contains("->");
    let has_inner_sign = piece.trim_matches(is_outer).contains(['_', '=']);
    let is_plus = piece.len() <= 4 && (piece.ends_with("++") || piece.ends_with('#'));
    let pairs = || piece.chars().zip(piece.chars().skip(1));
    let is_camel = pairs().any(|(a, b)| a.is_ascii_lowercase() && b.is_ascii_uppercase());
    let has_number = piece.is_ascii() && pairs().any(|(a, b)| a.is_ascii_alphabetic() && b.is_ascii_digit());
    has_sign || has_inner_sign || is_plus || is_camel || has_number
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(token: &str) -> Vec<&str> {
        pieces(token).collect()
    }

    #[test]
    fn addresses_paths_options_and_names_are_no_words() {
        for token in [
            "https://example.com/a?b=c",
            "www.example.com",
            "(http://x.y)",
            "mailto:a@b.c",
            "info@example.com,",
            "@user",
            "#tag",
            "#وسم_هنا",
            "/usr/local",
            "./run",
            "~/notes",
            "src/main.rs",
            "C:\\Users\\x",
            "docs/",
            "--build",
            "-x",
            "README.md",
            "node.js",
            "example.com/contact",
            ".env",
            "main.c",
            "main.rs:12",
            "snake_case",
            "camelCase",
            "PlayStation",
            "iPhone",
            "std::fmt",
            "run()",
            "PREFIX=/usr",
            "mp3",
            "C++",
            "C#",
            "v1.2.3",
            "x86",
        ] {
            assert_eq!(words(token), [""; 0], "{token}");
        }
    }

    #[test]
    fn words_stay_words() {
        for token in [
            "hello",
            "(Book)",
            "and/or",
            "he/she",
            "well-known",
            "don't",
            "e.g.",
            "U.S.",
            "10kg",
            "APIs",
            "2nd",
            "_emphasis_",
            "**bold**",
            "-Hello",
            "API",
            "Docker",
            "كتاب،",
            "مرحبا.",
            "km/h",
            "came.Then",
            "COVID-19",
            "5G",
            "A/B",
        ] {
            assert_eq!(words(token), [token], "{token}");
        }
    }

    #[test]
    fn a_token_of_two_scripts_is_taken_apart() {
        assert_eq!(words("وGitHub"), ["و"]);
        assert_eq!(words("الـAPI"), ["الـ", "API"]);
        assert_eq!(words("لـ@user"), ["لـ"]);
        assert_eq!(words("موقعhttps://x.y"), ["موقع"]);
        assert_eq!(words("https://ar.wikipedia.org/wiki/مصر"), [""; 0]);
    }
}
