//! The native library: compiled, linked, packed into a folder that C and C++ projects find, and the examples built against that folder.

pub(crate) mod compile;
mod examples;
mod finders;
mod link;
pub(crate) mod notices;
pub(crate) mod pack;
mod size;
mod sources;
mod symbols;
mod system;

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::args::{self, Task, Usage};
use crate::need::Install;
use crate::needs;
use crate::outcome::Outcome;
use crate::project::Project;
use crate::times::Times;
use crate::verdict::{Verdict, ready};
use compile::{Compiled, Profile, Wanted};
use pack::Packing;
use system::System;

pub(crate) const TASK: Task = Task {
    name: "ffi",
    about: "build and pack the native library for C, C++ and others",
    help: "\
Compiles crates/ffi as it is shipped and packs it: include/ with hala.h and hala.hpp; lib/ with the shared library, the static one, and what
pkg-config and CMake (find_package(hala)) find them by; LICENSE, NOTICES.txt with the licences of all that is linked, and the card of the
built-in model. The folder may be moved. Prints the libraries' sizes, and fails where one exports another name than
hala.h declares, or has grown beyond what benches/runs has of it.

Usage: cargo xtask ffi [--no-built-in] [--no-hub] [--no-wgpu] [--dev] [--target TARGET] [--output DIR]
       cargo xtask ffi --test

  --no-built-in    without the small translator that ships with Hala
  --no-hub         without models of the Hugging Face Hub and downloads
  --no-wgpu        without GPUs
  --dev            in the profile of tests: sooner built, larger, and with checks
  --target TARGET  for another machine; its linker is CARGO_TARGET_<TARGET>_LINKER, as cargo has it
  --output DIR     packs into this folder (default: target/ffi)
  --test           packs what `cargo test --package hala-ffi` has compiled, builds the examples against that by CMake and pkg-config, and
                   runs them: a step of `cargo xtask test`
",
    run,
};

/// The step of `cargo xtask test`, in a word or two.
pub(crate) const TESTED: &str = "the packed native library";

#[derive(Debug, PartialEq, Eq)]
struct Options {
    wanted: Wanted,
    output: Option<PathBuf>,
}

fn run(project: &Project, words: &[String]) -> Result<Outcome> {
    if words == ["--test"] {
        return Ok(verdict(project, Install::Allowed)?.report());
    }
    let Options { wanted, output } = parse(words)?;
    let folder = output.map_or_else(|| project.target().join("ffi"), |folder| project.root.join(folder));
    let mut times = Times::default();
    let names = System::of(&wanted.target_name()?).names(&pack::version(project)?);
    let compiled = times.take("compiling", || compile::compile(project, &wanted, &names))?;
    let Some(compiled) = compiled else {
        return Ok(Verdict::Failed(String::from("the library cannot be compiled; see above")).report());
    };
    let packing = Packing { project, wanted: &wanted, compiled: &compiled, folder: &folder };
    if !times.take("packing", || packing.pack())? {
        return Ok(Verdict::Failed(String::from("the library cannot be linked; see above")).report());
    }
    print!("{}", times.in_order());
    let sizes = [names.shared, format!("lib/{}", names.fixed)].map(|name| folder.join(name));
    Ok(size::judge(&wanted, &sizes, &folder)?.report())
}

fn parse(words: &[String]) -> Result<Options, Usage> {
    let mut left_out = Vec::new();
    let (mut profile, mut target, mut output) = (Profile::Native, None, None);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--dev" => profile = Profile::Dev,
            "--target" => target = Some(args::value(&mut words, word)?),
            "--output" => output = Some(PathBuf::from(args::value(&mut words, word)?)),
            _ => match word.strip_prefix("--no-").filter(|name| compile::FEATURES.contains(name)) {
                Some(feature) => left_out.push(feature),
                None => return Err(Usage::unknown("ffi", word)),
            },
        }
    }
    let features = compile::FEATURES.iter().copied().filter(|feature| !left_out.contains(feature)).collect();
    Ok(Options { wanted: Wanted { profile, features, target, environment: Vec::new() }, output })
}

/// Compiles the static library alone, for whoever links it otherwise; `None` where that fails, which has been told.
pub(crate) fn compile_fixed(project: &Project, wanted: &Wanted) -> Result<Option<Compiled>> {
    let names = System::of(&wanted.target_name()?).names(&pack::version(project)?);
    compile::compile(project, wanted, &names)
}

/// Compiles the library in the profile of tests and packs it into `folder`; false where that fails, which has been told.
pub(crate) fn pack_for_tests(project: &Project, folder: &Path) -> Result<bool> {
    let wanted = Wanted {
        profile: Profile::Dev,
        features: compile::FEATURES.to_vec(),
        target: None,
        environment: Vec::new(),
    };
    let names = System::of(&wanted.target_name()?).names(&pack::version(project)?);
    let Some(compiled) = compile::compile(project, &wanted, &names)? else { return Ok(false) };
    Packing { project, wanted: &wanted, compiled: &compiled, folder }.pack()
}

/// Packs the library as the tests of the workspace have left it, and builds and runs the examples against that.
pub(crate) fn verdict(project: &Project, install: Install) -> Result<Verdict> {
    if let Err(skipped) = ready(&needs::CMAKE, install) {
        return Ok(skipped);
    }
    let wanted = Wanted {
        profile: Profile::Dev,
        features: compile::FEATURES.to_vec(),
        target: None,
        environment: Vec::new(),
    };
    let compiled = compile::of_tests(project)?;
    let folder = project.target().join("ffi-tests");
    examples::start_anew(&folder)?;
    let packed = folder.join("packed");
    let packing = Packing { project, wanted: &wanted, compiled: &compiled, folder: &packed };
    if !packing.pack()? {
        return Ok(Verdict::Failed(String::from("the library cannot be linked; see above")));
    }
    examples::verdict(project, &folder, &packed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Options, Usage> {
        parse(&text.split_whitespace().map(String::from).collect::<Vec<_>>())
    }

    #[test]
    fn everything_is_packed_but_what_is_left_out() {
        let all = parsed("").unwrap();
        assert_eq!(all.wanted.features, ["wgpu", "hub", "built-in"]);
        assert_eq!((all.wanted.profile, all.output), (Profile::Native, None));
        let some = parsed("--no-hub --dev --no-built-in --output there").unwrap();
        let wanted =
            Wanted { profile: Profile::Dev, features: vec!["wgpu"], target: None, environment: Vec::new() };
        assert_eq!(some, Options { wanted, output: Some(PathBuf::from("there")) });
    }

    #[test]
    fn what_it_does_not_know_is_refused() {
        for word in ["--no-cpu", "--release", "lib"] {
            assert!(parsed(word).unwrap_err().to_string().contains(word));
        }
        assert!(parsed("--target").is_err());
    }
}
