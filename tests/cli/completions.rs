//! What shells get to complete the command's words.

use crate::hala;

#[test]
fn every_shell_has_the_commands_and_their_options() {
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let script = hala(&["completions", shell]).run().text();
        for word in ["translate", "completions", "logit-bias", "max-tokens"] {
            assert!(script.contains(word), "{shell} lacks {word}");
        }
    }
    hala(&["completions", "tcsh"]).run().refused(&["tcsh", "bash", "zsh", "fish", "powershell"]);
}

#[test]
#[cfg(unix)]
fn bash_completes_a_command_an_option_and_a_value() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("hala.bash");
    std::fs::write(&script, hala(&["completions", "bash"]).run().text()).unwrap();
    let bash = |code: &str| {
        let run = std::process::Command::new("bash").arg("--norc").arg("-c").arg(code).arg(&script).output();
        // Without bash there is nobody to complete for.
        run.ok().map(|output| {
            assert!(output.status.success(), "{output:?}");
            String::from_utf8(output.stdout).unwrap()
        })
    };
    bash("bash -n \"$0\"");
    for (words, expected) in [
        ("hala transl", "translate"),
        ("hala generate --logit", "--logit-bias"),
        ("hala chat --overflow d", "drop"),
    ] {
        let code = format!(
            "source \"$0\"; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             _hala hala \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"; echo \"${{COMPREPLY[@]}}\""
        );
        if let Some(found) = bash(&code) {
            assert_eq!(found.trim(), expected, "{words}");
        }
    }
}
