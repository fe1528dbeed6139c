//! Every browser text is one that Chrome's compiler takes, where its command `tint` is at hand.

use std::io::Write;
use std::process::Command;

use hala_shaders::{Target, VARIANTS};

#[test]
fn chrome_s_compiler_takes_every_browser_text() {
    if let Err(error) = Command::new("tint").arg("--help").output() {
        // Straight to the terminal: the test harness keeps to itself what passing tests print.
        let _ = writeln!(std::io::stderr(), "skipped: `tint` is not on PATH ({error})");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut failed = Vec::new();
    for variant in VARIANTS.iter().filter(|variant| !variant.needs.int64) {
        let path = folder.path().join(format!("{}.wgsl", variant.name));
        std::fs::write(&path, variant.source(Target::Browser)).unwrap();
        let done = Command::new("tint").args(["--format", "wgsl"]).arg(&path).output().unwrap();
        if !done.status.success() {
            failed.push(format!("{}: {}", variant.name, String::from_utf8_lossy(&done.stderr)));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
