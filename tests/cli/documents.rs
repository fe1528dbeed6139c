//! Translations of files into files: the output is whole or is not there, and the input is never touched.

use std::fs;
use std::path::Path;

use tempfile::{TempDir, tempdir};

use crate::{Done, hala, names};

const SOURCE: &str = "Good morning.\r\n\r\n  Good morning.\n";
const TARGET: &str = "صباح الخير.\r\n\r\n  صباح الخير.\n";

/// A folder with a document in it.
fn folder() -> TempDir {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("in.md"), SOURCE).unwrap();
    folder
}

fn translate(folder: &Path, input: &str, output: &str, options: &[&str]) -> Done {
    let run = hala(&["translate"]).arg("--file").arg(folder.join(input));
    run.arg("--output").arg(folder.join(output)).args(options).run()
}

#[test]
fn a_file_is_translated_into_another() {
    for options in [&[][..], &["--to", "ar"], &["--lines"]] {
        let folder = folder();
        assert_eq!(translate(folder.path(), "in.md", "out.md", options).text(), "");
        assert_eq!(fs::read_to_string(folder.path().join("out.md")).unwrap(), TARGET);
        assert_eq!(fs::read_to_string(folder.path().join("in.md")).unwrap(), SOURCE);
        assert_eq!(names(folder.path()), ["in.md", "out.md"]);
    }
}

#[test]
fn a_file_is_printed_where_no_output_is_named() {
    let folder = folder();
    assert_eq!(hala(&["translate", "--file"]).arg(folder.path().join("in.md")).run().text(), TARGET);
}

#[test]
fn an_output_that_exists_is_replaced() {
    let folder = folder();
    fs::write(folder.path().join("out.md"), "something longer than the translation\n".repeat(9)).unwrap();
    translate(folder.path(), "in.md", "out.md", &[]).text();
    assert_eq!(fs::read_to_string(folder.path().join("out.md")).unwrap(), TARGET);
}

#[test]
#[cfg(unix)]
fn an_output_that_is_a_link_is_written_through() {
    let folder = folder();
    fs::write(folder.path().join("real.md"), "").unwrap();
    std::os::unix::fs::symlink("real.md", folder.path().join("out.md")).unwrap();
    translate(folder.path(), "in.md", "out.md", &[]).text();
    assert_eq!(fs::read_to_string(folder.path().join("real.md")).unwrap(), TARGET);
    assert!(folder.path().join("out.md").is_symlink());
}

#[test]
fn a_file_is_not_translated_into_itself_under_any_name() {
    let folder = folder();
    fs::create_dir(folder.path().join("sub")).unwrap();
    for output in ["in.md", "sub/../in.md"] {
        let done = translate(folder.path(), "in.md", output, &[]);
        done.refused(&["in.md", "both the input and the output"]);
        assert_eq!(fs::read_to_string(folder.path().join("in.md")).unwrap(), SOURCE);
    }
}

#[test]
fn an_input_that_is_missing_or_a_folder_is_named_and_nothing_is_written() {
    let folder = tempdir().unwrap();
    fs::create_dir(folder.path().join("sub")).unwrap();
    for input in ["none.md", "sub"] {
        translate(folder.path(), input, "out.md", &[]).refused(&["cannot read", input]);
        assert_eq!(names(folder.path()), ["sub"]);
    }
}

#[test]
fn an_input_that_is_not_utf_8_leaves_the_output_as_it_was() {
    for options in [&[][..], &["--lines"]] {
        let folder = tempdir().unwrap();
        fs::write(folder.path().join("in.md"), b"Good morning.\nab\xFF\n").unwrap();
        fs::write(folder.path().join("old.md"), "old").unwrap();
        for output in ["old.md", "new.md"] {
            let done = translate(folder.path(), "in.md", output, options);
            done.refused(&["in.md", "not valid UTF-8", "byte 16"]);
        }
        assert_eq!(names(folder.path()), ["in.md", "old.md"]);
        assert_eq!(fs::read_to_string(folder.path().join("old.md")).unwrap(), "old");
    }
}
