//! Stubs of Android's libraries: they have the names that a linker looks for, and nothing behind them.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::abi::Abi;
use super::api::{Api, Kind};
use crate::process;

/// Makes a stub of each library in `folder`; their files, or `None` where the C compiler fails, which it has told.
pub(super) fn make(api: &Api, abi: &Abi, folder: &Path) -> Result<Option<Vec<PathBuf>>> {
    std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let mut made = Vec::new();
    for library in api.libraries() {
        let (source, file) = (folder.join(format!("{library}.s")), folder.join(library));
        std::fs::write(&source, assembly(api, library))
            .with_context(|| format!("{} cannot be written", source.display()))?;
        let mut command = Command::new(abi.compiler);
        command
            .args(["-shared", "-nostdlib", &format!("-Wl,-soname,{library}"), "-o"])
            .arg(&file)
            .arg(&source);
        if !process::show(&mut command)? {
            return Ok(None);
        }
        made.push(file);
    }
    Ok(Some(made))
}

/// The names of one library, each with its kind.
fn assembly(api: &Api, library: &str) -> String {
    let mut text = String::from(".section .note.GNU-stack,\"\",%progbits\n.data\n");
    for symbol in api.symbols.iter().filter(|symbol| symbol.library == library) {
        let (name, kind) = (&symbol.name, if symbol.kind == Kind::Variable { "object" } else { "function" });
        let _ = write!(text, ".globl {name}\n.type {name}, %{kind}\n.size {name}, 8\n{name}: .quad 0\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::api::Symbol;
    use super::*;

    #[test]
    fn a_stub_has_the_names_of_its_library_alone() {
        let symbol = |library: &str, name: &str, kind| Symbol {
            library: library.to_owned(),
            name: name.to_owned(),
            kind,
        };
        let symbols = vec![
            symbol("libc.so", "free", Kind::Function),
            symbol("libc.so", "environ", Kind::Variable),
            symbol("libm.so", "expf", Kind::Function),
        ];
        let text = assembly(&Api { level: 26, symbols }, "libc.so");
        assert!(
            text.contains(".type free, %function\n") && text.contains(".type environ, %object\n"),
            "{text}"
        );
        assert!(!text.contains("expf"), "{text}");
    }
}
