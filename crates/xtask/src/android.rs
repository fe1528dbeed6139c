//! The Android package: the native library for phones, linked with an NDK or without, and the AAR that apps depend on.

mod aar;
mod abi;
mod api;
mod elf;
mod files;
mod ios;
mod link;
mod manifest;
mod prefab;
mod rules;
mod size;
mod stubs;
mod toolchain;

use std::path::PathBuf;

use anyhow::Result;

use crate::args::{self, Task, Usage};
use crate::ffi;
use crate::ffi::compile::{self, Profile, Wanted};
use crate::kotlin;
use crate::need::Install;
use crate::outcome::Outcome;
use crate::project::Project;
use crate::verdict::{Verdict, ready};
use aar::Aar;
use abi::Abi;
use api::Api;
use elf::Library;
use link::Link;
use size::Package;
use toolchain::{Choice, Toolchain};

pub(crate) const TASK: Task = Task {
    name: "android",
    about: "build the native library for Android and pack the AAR",
    help: "\
Compiles crates/ffi for arm64-v8a and x86_64 with what Kotlin calls, and packs target/android/hala.aar: Kotlin's classes, resources and
manifest, the libraries, rules for R8, and what C and C++ find the library by (prefab). Checks what it has made. Gradle takes the libraries from
target/android/jniLibs.

Where ANDROID_NDK_HOME or ANDROID_NDK_ROOT names an NDK, or one is installed in the SDK of ANDROID_HOME, that compiles C and links. Elsewhere the library is compiled all the same, and linked
by Rust's linker against stubs of Android's libraries that have the names of android/api/symbols.txt, with an unwinder of its own. Such a library
is complete and has passed the same checks, but has never been loaded by an Android: ship what an NDK has linked.

Usage: cargo xtask android [--abi ABI]... [--no-built-in] [--no-hub] [--no-wgpu] [--dev]
                           [--with-ndk | --without-ndk]

  --abi ABI        only this kind of phone: arm64-v8a, or x86_64 for the emulator; may be given more than once
  --no-built-in    without the small translator that ships with Hala
  --no-hub         without models of the Hugging Face Hub and downloads
  --no-wgpu        without GPUs
  --dev            in the profile of tests: sooner built, larger, and with checks
  --with-ndk       nothing at all where there is no NDK, as for a package that is shipped
  --without-ndk    as where there is no NDK
",
    run,
};

/// The steps of `cargo xtask test --long`, in a word or two.
pub(crate) const TESTED: &str = "the Android package";
pub(crate) const IOS_TESTED: &str = "the library's types for iOS";

struct Options {
    abis: Vec<&'static Abi>,
    features: Vec<&'static str>,
    profile: Profile,
    choice: Choice,
}

fn run(project: &Project, words: &[String]) -> Result<Outcome> {
    let options = parse(words)?;
    Ok(build(project, Install::Allowed, &options)?.report())
}

/// Builds the package as it is shipped, without the built-in model, whose bytes any build has.
pub(crate) fn verdict(project: &Project, install: Install) -> Result<Verdict> {
    let features = compile::FEATURES.iter().copied().filter(|feature| *feature != "built-in").collect();
    let abis = abi::ALL.iter().collect();
    build(
        project,
        install,
        &Options { abis, features, profile: Profile::Native, choice: Choice::WhatIsThere },
    )
}

/// Compiles the library for iOS as far as that goes here.
pub(crate) fn ios_verdict(project: &Project, install: Install) -> Result<Verdict> {
    ios::verdict(project, install)
}

fn parse(words: &[String]) -> Result<Options, Usage> {
    let (mut abis, mut left_out) = (Vec::new(), Vec::new());
    let (mut profile, mut choice) = (Profile::Native, Choice::WhatIsThere);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--dev" => profile = Profile::Dev,
            "--with-ndk" => choice = Choice::WithNdk,
            "--without-ndk" => choice = Choice::WithoutNdk,
            "--abi" => abis.push(abi_of(&args::value(&mut words, word)?)?),
            _ => match word.strip_prefix("--no-").filter(|name| compile::FEATURES.contains(name)) {
                Some(feature) => left_out.push(feature),
                None => return Err(Usage::unknown("android", word)),
            },
        }
    }
    if abis.is_empty() {
        abis.extend(abi::ALL);
    }
    let features = compile::FEATURES.iter().copied().filter(|feature| !left_out.contains(feature)).collect();
    Ok(Options { abis, features, profile, choice })
}

fn abi_of(name: &str) -> Result<&'static Abi, Usage> {
    abi::named(name).ok_or_else(|| {
        let known: Vec<_> = abi::ALL.iter().map(|abi| abi.name).collect();
        Usage::new(format!("`--abi {name}`: it is {}", known.join(" or ")))
    })
}

/// A package to be made, with what makes it.
struct Build<'a> {
    project: &'a Project,
    options: &'a Options,
    toolchain: Toolchain,
    api: Api,
    folder: PathBuf,
}

fn build(project: &Project, install: Install, options: &Options) -> Result<Verdict> {
    for abi in &options.abis {
        if let Err(skipped) = ready(abi.library, install) {
            return Ok(skipped);
        }
    }
    let toolchain = match Toolchain::find(options.choice, install)? {
        Ok(toolchain) => toolchain,
        Err(verdict) => return Ok(verdict),
    };
    // Sooner than what takes minutes.
    let kotlin = match kotlin::part(project, install)? {
        Ok(part) => part,
        Err(verdict) => return Ok(verdict),
    };
    let (api, folder) = (Api::read(project)?, project.target().join("android"));
    // What an earlier build has left would be taken by Gradle for one of this build.
    let _ = std::fs::remove_dir_all(folder.join("jniLibs"));
    let build = Build { project, options, toolchain, api, folder };
    for abi in &options.abis {
        if let Some(failed) = build.library(abi)? {
            return Ok(failed);
        }
    }
    build.package(&kotlin)
}

impl Build<'_> {
    fn wanted(&self, abi: &Abi) -> Wanted {
        let more = ["jni"].iter().chain(self.toolchain.features());
        Wanted {
            profile: self.options.profile,
            features: self.options.features.iter().chain(more).copied().collect(),
            target: Some(abi.target.to_owned()),
            environment: self.toolchain.environment(abi, self.api.level),
        }
    }

    /// Compiles, links and checks the library for one kind of phone; what went wrong, if anything.
    fn library(&self, abi: &Abi) -> Result<Option<Verdict>> {
        let failed = |why: String| Ok(Some(Verdict::Failed(why)));
        println!("android: compiling the library for {}", abi.name);
        let Some(compiled) = ffi::compile_fixed(self.project, &self.wanted(abi))? else {
            return failed(format!("the library does not compile for {}; see above", abi.name));
        };
        let scratch = self.folder.join("link").join(abi.name);
        let link =
            Link { toolchain: &self.toolchain, api: &self.api, abi, compiled: &compiled, scratch: &scratch };
        let file = aar::library(&self.folder, abi);
        if !link.link(&file)? {
            return failed(format!(
                "the library cannot be linked for {}; see above. What is undefined there is either newer than Android's API {}, \
                 or goes into {} by the script beside it",
                abi.name,
                self.api.level,
                api::LIST
            ));
        }
        let faults = rules::faults(&Library::read(&file)?, abi, &self.api);
        if !faults.is_empty() {
            return failed(format!("{}: {}", file.display(), faults.join("; ")));
        }
        Ok(None)
    }

    /// Packs what has been linked, and checks the package.
    fn package(&self, kotlin: &kotlin::Part) -> Result<Verdict> {
        let Options { abis, profile, .. } = self.options;
        let Some(first) = abis.first() else { return Ok(Verdict::Failed(String::from("no kind of phone"))) };
        let wanted = self.wanted(first);
        let aar = Aar {
            project: self.project,
            folder: &self.folder,
            abis,
            wanted: &wanted,
            kotlin,
            level: self.api.level,
        };
        let file = aar.pack()?;
        let faults = aar.faults(&file)?;
        if !faults.is_empty() {
            return Ok(Verdict::Failed(format!("{}: {}", file.display(), faults.join("; "))));
        }
        let read = manifest::read(&aar.content().join("AndroidManifest.xml"), &self.folder, self.api.level)?;
        if !matches!(read, Verdict::Passed(_)) {
            return Ok(read);
        }
        let how = match self.toolchain {
            Toolchain::Ndk(_) => "linked by the NDK",
            Toolchain::Stubs(_) => "linked without an NDK: not to be shipped",
        };
        let libraries = abis.iter().map(|abi| aar::library(&self.folder, abi)).collect::<Vec<_>>();
        let has_model = wanted.features.contains(&"built-in");
        let is_shipped = *profile == Profile::Native;
        Package { file: &file, libraries: &libraries, has_model, is_shipped }.judge(how)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Options, Usage> {
        parse(&text.split_whitespace().map(String::from).collect::<Vec<_>>())
    }

    #[test]
    fn all_phones_get_everything_unless_something_else_is_asked_for() {
        let all = parsed("").unwrap();
        assert_eq!(all.abis.iter().map(|abi| abi.name).collect::<Vec<_>>(), ["arm64-v8a", "x86_64"]);
        assert!(all.features.contains(&"built-in") && all.choice == Choice::WhatIsThere);
        let some = parsed("--abi x86_64 --no-built-in --dev --without-ndk").unwrap();
        assert_eq!((some.abis[0].name, some.profile), ("x86_64", Profile::Dev));
        assert!(!some.features.contains(&"built-in") && some.choice == Choice::WithoutNdk);
        assert_eq!(parsed("--with-ndk").unwrap().choice, Choice::WithNdk);
    }

    #[test]
    fn what_it_does_not_know_is_refused() {
        for words in ["--abi armeabi-v7a", "--abi", "--no-cpu", "--release"] {
            assert!(parsed(words).is_err(), "{words}");
        }
    }
}
