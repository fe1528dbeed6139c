//! Bad input of every kind is refused: exit code 2, a message that names the fault, nothing written.

use std::fs;

use tempfile::tempdir;

use crate::checkpoint::two_layer;
use crate::{demo_folder, hala, names};

#[test]
fn a_model_that_is_not_there_is_named() {
    let folder = tempdir().unwrap();
    let none = folder.path().join("none");
    for command in [
        &["translate", "x"][..],
        &["chat"],
        &["generate", "--ids", "1"],
        &["bench"],
        &["inspect"],
        &["tokenize", "x"],
        &["trace", "--ids", "1"],
    ] {
        hala(command).model(&none).run().refused(&[none.to_str().unwrap(), "neither a path"]);
    }
    let run = hala(&["logits", "--ids", "1", "--out"]).arg(folder.path().join("out.safetensors"));
    run.model(&none).run().refused(&[none.to_str().unwrap()]);
    assert!(names(folder.path()).is_empty());
}

#[test]
fn a_path_that_holds_no_model_is_named() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("notes.txt"), "x").unwrap();
    let run = |path| hala(&["generate", "--ids", "1"]).model(path).run();
    run(folder.path().to_owned()).refused(&["neither model.safetensors", "notes.txt"]);
    run(folder.path().join("notes.txt")).refused(&["notes.txt", "neither a safetensors nor a GGUF file"]);
}

#[test]
fn bad_utf_8_on_standard_input_is_named_by_its_byte() {
    let bytes = b"ab\xD8\xB5\xFFc";
    let faults = ["standard input is not valid UTF-8", "byte 4", "0xFF"];
    for command in [
        &["translate"][..],
        &["translate", "--lines"],
        &["translate", "--json"],
        &["generate", "--prompt", "-"],
        &["tokenize"],
        &["trace", "--prompt", "-"],
    ] {
        hala(command).input(&bytes[..]).run().refused(&faults);
    }
    hala(&["chat"]).model(demo_folder()).input(&bytes[..]).run().refused(&faults);
}

#[test]
fn bad_utf_8_after_good_lines_is_named_by_its_place_in_the_whole() {
    let done = hala(&["translate", "--lines"]).input(&b"12\n34\nab\xC3\n"[..]).run();
    assert_eq!((done.code, done.stdout.as_str()), (Some(2), "12\n34\n"));
    done.blames(&["byte 8", "0xC3"]);
}

#[test]
#[cfg(unix)]
fn bad_utf_8_in_an_argument_is_refused() {
    use std::os::unix::ffi::OsStrExt;
    let bytes = std::ffi::OsStr::from_bytes(b"a\xFF");
    hala(&["translate"]).arg(bytes).run().refused(&["UTF-8"]);
}

#[test]
fn a_prompt_longer_than_the_context_is_refused_with_both_numbers() {
    let run = hala(&["generate", "--ids", "1,5,9,4", "--context", "3"]).model(two_layer());
    run.run().refused(&["4 tokens", "holds 3", "512"]);
    let word = "x".repeat(400);
    hala(&["translate", &word, "--context", "64"]).run().refused(&[" tokens", "holds 64"]);
}

#[test]
fn a_context_that_the_model_does_not_have_is_refused() {
    for context in ["0", "513"] {
        let run = hala(&["generate", "--ids", "1", "--context", context]).model(two_layer());
        run.run().refused(&[context, "512"]);
    }
}

#[test]
fn a_prompt_of_nothing_is_refused() {
    for command in ["generate", "trace"] {
        hala(&[command, "--prompt", ""]).run().refused(&["the prompt is empty"]);
        hala(&[command, "--prompt", "-"]).input("").run().refused(&["the prompt is empty"]);
        hala(&[command, "--ids", " , "]).run().refused(&["no token id"]);
        hala(&[command]).run().refused(&["--prompt", "--ids"]);
    }
}

#[test]
fn sampling_options_out_of_range_are_named() {
    for (option, value) in [
        ("--temperature", "-1"),
        ("--temperature", "NaN"),
        ("--temperature", "inf"),
        ("--top-p", "0"),
        ("--top-p", "1.5"),
        ("--min-p", "-0.1"),
        ("--repetition-penalty", "0"),
        ("--frequency-penalty", "NaN"),
        ("--presence-penalty", "inf"),
    ] {
        let name = option.trim_start_matches('-').replace('-', "_");
        hala(&["generate", "--prompt", "x", option, value]).run().refused(&[&name, value]);
    }
}

#[test]
fn options_that_are_no_numbers_or_no_names_are_named() {
    for (option, value) in [
        ("--temperature", "hot"),
        ("--top-k", "-3"),
        ("--max-tokens", "-1"),
        ("--seed", "-1"),
        ("--context", "-1"),
        ("--logit-bias", "7"),
        ("--logit-bias", "7=NaN"),
        ("--weights", "q4"),
        ("--backend", "abacus"),
        ("--threads", "-1"),
        ("--threads", "5000"),
    ] {
        hala(&["generate", "--prompt", "x", option, value]).run().refused(&[option, value]);
    }
}

#[test]
fn a_language_that_is_unknown_or_its_own_target_is_named() {
    for option in ["--to", "--from"] {
        hala(&["translate", option, "fr", "x"]).run().refused(&[option, "\"fr\"", "ar", "en"]);
    }
    hala(&["translate", "--from", "ar", "--to", "ar", "x"]).run().refused(&["both Arabic"]);
}

#[test]
fn an_output_that_cannot_be_written_is_named_before_the_model_is_loaded() {
    let folder = tempdir().unwrap();
    fs::create_dir(folder.path().join("sub")).unwrap();
    fs::write(folder.path().join("file"), "old").unwrap();
    for name in ["none/out.md", "sub", "file/out.md"] {
        let run = hala(&["translate", "Good morning.", "--output"]).arg(folder.path().join(name));
        run.model("no-such-model").run().refused(&["cannot write", name]);
    }
    assert_eq!(names(folder.path()), ["file", "sub"]);
    assert_eq!(fs::read_to_string(folder.path().join("file")).unwrap(), "old");
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_behind_standard_output_is_an_error() {
    for command in [&["translate", "Good morning."][..], &["tokenize", "x"], &["inspect", "--json"]] {
        let mut run = hala(command);
        run.command.stdout(fs::File::options().write(true).open("/dev/full").unwrap());
        run.run().refused(&["cannot write to standard output"]);
    }
}

#[test]
fn options_that_exclude_each_other_are_named() {
    for (command, faults) in [
        (&["translate", "x", "--file", "y"][..], ["--file", "TEXT"]),
        (&["generate", "--prompt", "x", "--ids", "1"], ["--prompt", "--ids"]),
        (&["generate", "--chat", "--ids", "1"], ["--chat", "--ids"]),
        (&["generate", "--prompt", "x", "--system", "y"], ["--chat", "--prompt"]),
        (&["tokenize", "x", "--decode", "1"], ["--decode", "TEXT"]),
    ] {
        hala(command).run().refused(&faults);
    }
}
