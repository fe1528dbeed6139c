//! Names of files on the command line.

use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};

use crate::input::STDIN;

/// A file that is read. One that begins with a dash is a file as any other; what begins with two is an option whose turn had not come.
pub(crate) fn existing() -> impl TypedValueParser<Value = PathBuf> {
    named(|text| text.starts_with("--"))
}

/// A file or folder that is made: what begins with a dash was hardly meant to be one.
pub(crate) fn new() -> impl TypedValueParser<Value = PathBuf> {
    named(|text| text.starts_with('-') && text != STDIN)
}

fn named(
    is_option: impl Fn(&str) -> bool + Clone + Send + Sync + 'static,
) -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().try_map(move |name| match name.to_str() {
        Some(text) if is_option(text) => {
            Err(format!("the name of a file is missing; if {text} is meant to be one, write ./{text}"))
        }
        _ => Ok(PathBuf::from(name)),
    })
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    fn read(parser: &impl TypedValueParser<Value = PathBuf>, text: &str) -> Result<PathBuf, String> {
        let command = clap::Command::new("test");
        parser.parse_ref(&command, None, OsStr::new(text)).map_err(|e| e.to_string())
    }

    #[test]
    fn a_dash_begins_a_file_that_is_read_and_an_option_otherwise() {
        for text in ["x", "-x", "-", "./--x", "-1.txt", "ملف"] {
            assert_eq!(read(&existing(), text), Ok(PathBuf::from(text)));
        }
        assert!(read(&existing(), "--quiet").unwrap_err().contains("write ./--quiet"));
        for text in ["x", "-", "./-x"] {
            assert_eq!(read(&new(), text), Ok(PathBuf::from(text)));
        }
        for text in ["-q", "--quiet"] {
            assert!(read(&new(), text).unwrap_err().contains(&format!("write ./{text}")));
        }
    }
}
