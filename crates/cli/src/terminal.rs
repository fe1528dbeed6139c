//! What people see besides results: notices in colour, Arabic kept apart from the English around it.

use std::fmt;
use std::io::{IsTerminal, Write, stderr, stdin, stdout};
use std::sync::{Mutex, PoisonError};

use anstyle::{AnsiColor, Style};
use hala_tensor::several;
use hala_text::Language;
use hala_text::detection::detect;

/// Errors.
pub(crate) const ERROR: Style = AnsiColor::Red.on_default().bold();
/// Things that are good to know and need no action.
pub(crate) const DIM: Style = Style::new().dimmed();
/// Headings and prompts.
pub(crate) const BOLD: Style = Style::new().bold();

/// Text in a style; `anstream` drops the codes where they do not belong.
pub(crate) fn paint(style: Style, text: impl fmt::Display) -> impl fmt::Display {
    struct Painted<T>(Style, T);
    impl<T: fmt::Display> fmt::Display for Painted<T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{}{}{}", self.0, self.1, self.0.render_reset())
        }
    }
    Painted(style, text)
}

/// Whether a person sees standard error.
pub(crate) fn stderr_is_terminal() -> bool {
    stderr().is_terminal()
}

/// Whether a person sees standard output.
pub(crate) fn stdout_is_terminal() -> bool {
    stdout().is_terminal()
}

/// Whether standard input is a keyboard.
pub(crate) fn stdin_is_terminal() -> bool {
    stdin().is_terminal()
}

/// Notices that wait until it is certain that the command runs.
static WAITING: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// A notice that is shown once something comes of the command: [`release_notices`] is called before the first result. Where an
/// argument turns out to be wrong, the error alone is shown.
pub(crate) fn notice_later(text: &str) {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner).push(text.to_owned());
}

/// Shows the notices that wait, once.
pub(crate) fn release_notices() {
    let waiting = std::mem::take(&mut *WAITING.lock().unwrap_or_else(PoisonError::into_inner));
    waiting.iter().for_each(|text| notice(text));
}

/// One dim line for people, on standard error.
pub(crate) fn notice(text: &str) {
    let _ = writeln!(anstream::stderr(), "{}", paint(DIM, text));
}

/// A text as it is, on standard error, and a line's end where it has none.
pub(crate) fn verbatim(text: &str) {
    let end = if text.ends_with('\n') { "" } else { "\n" };
    let _ = write!(stderr(), "{text}{end}");
}

/// Arabic inside an English line, isolated so that a terminal with bidirectional text keeps the line in order.
pub(crate) fn isolate(text: &str) -> String {
    match detect(text) {
        Some(Language::Arabic) if stderr_is_terminal() => format!("\u{2068}{text}\u{2069}"),
        _ => text.to_owned(),
    }
}

/// Bytes for people: `8.9 MB`.
pub(crate) fn bytes(n_bytes: usize) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if n_bytes < 1000 {
        return counted(n_bytes, "byte");
    }
    let mut value = n_bytes as f64 / 1000.0;
    let mut unit = 0;
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// A count with what is counted: `1 token`, `2 tokens`.
pub(crate) fn counted(n: usize, one: &str) -> String {
    match n {
        1 => format!("1 {one}"),
        n => format!("{} {}", count(n), several(one)),
    }
}

/// A count with its thousands apart: `1,234,567`.
pub(crate) fn count(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_rounded_to_a_unit() {
        for (n, text) in
            [(0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (1000, "1.0 kB"), (8_912_345, "8.9 MB")]
        {
            assert_eq!(bytes(n), text);
        }
        assert_eq!(bytes(999_960), "1.0 MB");
        assert_eq!(bytes(2_400_000_000), "2.4 GB");
    }

    #[test]
    fn counts_are_grouped_by_thousands() {
        for (n, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (354_483_968, "354,483,968")] {
            assert_eq!(count(n), text);
        }
        assert_eq!([1, 2000].map(|n| counted(n, "matrix")), ["1 matrix", "2,000 matrices"]);
    }
}
