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
        ("--seed", "-2"),
        ("--seed", "18446744073709551616"),
        ("--context", "-1"),
        ("--logprobs", "-1"),
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
fn a_bias_for_an_id_of_no_vocabulary_is_named() {
    let run = hala(&["generate", "--ids", "1", "--logit-bias", "113=5"]).model(two_layer());
    run.run().refused(&["logit_bias is for the id 113", "vocabulary"]);
}

#[test]
fn numbers_below_0_are_told_to_be_too_small() {
    for (arguments, value) in [
        (&["profile", "--position", "-1"][..], "-1"),
        (&["bench", "--prompt", "-5"], "-5"),
        (&["tune", "--tokens", "-2"], "-2"),
    ] {
        hala(arguments).run().refused(&[arguments[1], &format!("'{value}'")]);
    }
}

#[test]
fn an_empty_place_among_ids_is_named() {
    for command in ["generate", "trace"] {
        let run = |ids| hala(&[command, "--ids", ids]).model(two_layer()).run();
        run("1,,2").refused(&["id 2 is missing", "between the commas after 1"]);
        run("1,2,").refused(&["id 3 is missing", "after 2"]);
        run("1,4294967296").refused(&["\"4294967296\" is not a token id", "4294967295"]);
    }
}

#[test]
fn a_file_may_begin_with_a_dash_and_an_option_is_no_file() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("-x"), "Good morning.").unwrap();
    let mut run = hala(&["translate", "--file", "-x"]);
    run.command.current_dir(folder.path());
    assert_eq!(run.run().text(), hala(&["translate", "Good morning."]).run().text().trim_end());
    hala(&["translate", "--file", "-none"]).run().refused(&["cannot read `-none`"]);
    hala(&["translate", "--file", "--quiet"]).run().refused(&[
        "--file",
        "the name of a file is missing",
        "./--quiet",
    ]);
    hala(&["translate", "x", "--output", "-q"]).run().refused(&["--output", "write ./-q"]);
    assert_eq!(names(folder.path()), ["-x"]);
}

#[test]
fn nothing_comes_before_the_error_of_an_argument() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("notes.txt"), "x").unwrap();
    let none = folder.path().join("none");
    for (arguments, model) in [
        (&["generate", "--prompt", "x"][..], none.as_path()),
        (&["generate", "--ids", "1"], folder.path()),
        (&["generate", "--ids", "9999"], &two_layer()),
        (&["generate", "--prompt", "x"], &two_layer()),
        (&["generate", "--ids", "1,2,3", "--context", "2"], &two_layer()),
        (&["chat"], &two_layer()),
        (&["translate", "x"], &two_layer()),
        (&["logits", "--ids", "9999", "--out", "x.safetensors"], &two_layer()),
    ] {
        let done = hala(arguments).model(model).run();
        assert_eq!((done.code, done.n_on_cpu), (Some(2), 0), "{arguments:?} {done:?}");
        assert!(done.stderr.starts_with("error: "), "{arguments:?} {done:?}");
    }
}

#[test]
fn no_message_names_a_file_that_the_user_did_not() {
    let folder = tempdir().unwrap();
    let none = folder.path().join("none");
    let check = |done: crate::Done, what: &str| {
        assert_eq!(done.code, Some(2), "{done:?}");
        assert!(done.stderr.contains(&none.join(what).display().to_string()), "{done:?}");
        let rest = done.stderr.replace(&folder.path().display().to_string(), "");
        assert!(![".hala-", ".tmp", " at path "].iter().any(|name| rest.contains(name)), "{done:?}");
    };
    check(hala(&["translate", "x", "--output"]).arg(none.join("out.md")).run(), "out.md");
    check(hala(&["logits", "--ids", "1", "--out"]).arg(none.join("x.safetensors")).run(), "x.safetensors");
    // A file where a folder is needed cannot be written to, whoever asks.
    fs::write(&none, "").unwrap();
    for out in ["out", "out.gguf"] {
        let run = hala(&["convert"]).arg(two_layer()).arg(none.join(out)).args(&["--type", "f16"]).run();
        assert!(!run.stderr.contains("partial"), "{run:?}");
        check(run, out);
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
