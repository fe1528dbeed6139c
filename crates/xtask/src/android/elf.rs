//! What readelf tells of a shared library, as far as Android asks for it.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};

use crate::process;

/// A shared library as a loader sees it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Library {
    /// The processor, in readelf's words.
    pub(super) machine: String,
    /// The alignment of each part that is loaded, in bytes.
    pub(super) alignments: Vec<u64>,
    /// The name that programs look for.
    pub(super) name: String,
    /// The libraries that are loaded with it.
    pub(super) needed: Vec<String>,
    pub(super) exported: Vec<String>,
    /// Names that those libraries must have.
    pub(super) undefined: Vec<String>,
    /// Whether its code is written to while it is loaded, which Android refuses.
    pub(super) is_code_patched: bool,
}

impl Library {
    pub(super) fn read(file: &Path) -> Result<Self> {
        let mut command = Command::new("readelf");
        command.args(["--wide", "--file-header", "--program-headers", "--dynamic", "--dyn-syms"]).arg(file);
        let done = process::read(command.env("LC_ALL", "C"))?;
        ensure!(done.success, "readelf cannot read {}: {}", file.display(), done.output.trim());
        Ok(Self::parse(&done.output))
    }

    pub(super) fn parse(told: &str) -> Self {
        let mut library = Self::default();
        for line in told.lines() {
            let words: Vec<_> = line.split_whitespace().collect();
            match words[..] {
                ["Machine:", ..] => words[1..].join(" ").clone_into(&mut library.machine),
                ["LOAD", .., alignment] => library.alignments.push(hexadecimal(alignment)),
                [_, "(NEEDED)", ..] => library.needed.push(bracketed(line)),
                [_, "(SONAME)", ..] => library.name = bracketed(line),
                [_, "(TEXTREL)", ..] => library.is_code_patched = true,
                // `Num: Value Size Type Bind Vis Ndx Name`, where a weak name may be without an owner.
                [number, _, _, _, "GLOBAL", _, "UND", name, ..] if number.ends_with(':') => {
                    library.undefined.push(without_version(name));
                }
                [number, _, _, _, "GLOBAL" | "WEAK", _, part, name, ..]
                    if number.ends_with(':') && part != "UND" =>
                {
                    library.exported.push(without_version(name));
                }
                _ => {}
            }
        }
        library
    }
}

/// `0x4000`; 0 for what is no number, which no check lets pass.
fn hexadecimal(word: &str) -> u64 {
    word.strip_prefix("0x").and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or(0)
}

/// `Shared library: [libc.so]`.
fn bracketed(line: &str) -> String {
    let inner = line.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
    inner.map_or("", |(inner, _)| inner).to_owned()
}

/// `malloc@LIBC`.
fn without_version(name: &str) -> String {
    name.split('@').next().unwrap_or(name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLD: &str = "
  Machine:                           AArch64
  LOAD           0x000000 0x0000000000000000 0x0000000000000000 0x2af6b8 0x2af6b8 R   0x4000
  LOAD           0x2af6c0 0x00000000002b36c0 0x00000000002b36c0 0x54b940 0x54b940 R E 0x1000
 0x0000000000000001 (NEEDED)             Shared library: [libc.so]
 0x000000000000000e (SONAME)             Library soname: [libhala.so]
 0x0000000000000016 (TEXTREL)            0x0
     0: 0000000000000000     0 NOTYPE  LOCAL  DEFAULT  UND
     1: 0000000000000000     0 FUNC    GLOBAL DEFAULT  UND malloc@LIBC (2)
     2: 0000000000000000     0 NOTYPE  WEAK   DEFAULT  UND getrandom
     3: 00000000003c1a40   604 FUNC    GLOBAL DEFAULT   12 hala_load
     4: 00000000003c1a40   604 FUNC    WEAK   DEFAULT   12 rust_alloc
";

    #[test]
    fn what_readelf_tells_is_understood() {
        let strings = |words: &[&str]| words.iter().copied().map(String::from).collect::<Vec<_>>();
        let expected = Library {
            machine: String::from("AArch64"),
            alignments: vec![0x4000, 0x1000],
            name: String::from("libhala.so"),
            needed: strings(&["libc.so"]),
            exported: strings(&["hala_load", "rust_alloc"]),
            undefined: strings(&["malloc"]),
            is_code_patched: true,
        };
        assert_eq!(Library::parse(TOLD), expected);
    }
}
