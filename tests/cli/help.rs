//! What the command says of itself.

use crate::hala;

const COMMANDS: [&str; 19] = [
    "translate",
    "chat",
    "generate",
    "logits",
    "bench",
    "profile",
    "tune",
    "devices",
    "inspect",
    "tokenize",
    "trace",
    "pull",
    "compress",
    "convert",
    "merge",
    "data",
    "tokenizer",
    "train",
    "completions",
];

#[test]
fn every_command_has_help_with_an_example() {
    for command in COMMANDS {
        let help = hala(&[command, "--help"]).run().text();
        assert!(help.contains("Example") && help.contains(&format!("\n  hala {command}")), "{help}");
    }
}

#[test]
fn help_says_what_a_command_does_and_a_summary_says_it_in_a_line() {
    for (command, word) in
        [("translate", "line breaks"), ("compress", "interrupted"), ("inspect", "exit code 2")]
    {
        let [long, short] = ["--help", "-h"].map(|option| hala(&[command, option]).run().text());
        assert!(long.contains(word) && !short.contains(word), "{command}: {long}");
    }
}

#[test]
fn commands_that_run_a_model_take_the_same_options() {
    for command in ["translate", "chat", "generate", "logits", "bench", "trace"] {
        let help = hala(&[command, "--help"]).run().text();
        for option in ["--model", "--backend", "--weights", "--threads", "--context"] {
            assert!(help.contains(option), "{command} lacks {option}");
        }
    }
}

#[test]
fn without_arguments_the_help_lists_the_commands() {
    let (asked, alone) = (hala(&["help"]).run().text(), hala(&[]).run());
    assert_eq!((alone.code, alone.stdout.as_str()), (Some(2), ""));
    for text in [asked, alone.stderr] {
        for command in COMMANDS {
            assert!(text.contains(&format!("\n  {command} ")), "{command} is not in {text}");
        }
    }
}

#[test]
fn an_option_that_no_command_has_is_named() {
    for command in COMMANDS {
        hala(&[command, "--no-such"]).run().refused(&["'--no-such'", "--help"]);
    }
}

#[test]
fn a_command_that_does_not_exist_is_named() {
    hala(&["sing"]).run().refused(&["'sing'", "--help"]);
}

#[test]
fn the_version_is_the_packages() {
    assert_eq!(hala(&["--version"]).run().text(), concat!("hala ", env!("CARGO_PKG_VERSION"), "\n"));
}
