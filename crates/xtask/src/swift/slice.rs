//! The static library of one of Apple's systems, and how an XCFramework speaks of it.

use std::path::PathBuf;

use anyhow::Result;

use crate::args::Usage;
use crate::need;

/// What libraries and headers are called in the folder of a system.
pub(super) const LIBRARY: &str = "libhala.a";
pub(super) const HEADERS: &str = "Headers";

/// A target of rustc as Apple names it: platform, whether it is of the simulator, architecture.
struct Known {
    target: &'static str,
    platform: Platform,
    architecture: &'static str,
}

/// A system, and whether it is played by a simulator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Platform {
    pub(super) name: &'static str,
    pub(super) variant: Option<&'static str>,
}

const MACOS: Platform = Platform { name: "macos", variant: None };
const IOS: Platform = Platform { name: "ios", variant: None };
const SIMULATOR: Platform = Platform { name: "ios", variant: Some("simulator") };

const KNOWN: &[Known] = &[
    Known { target: "aarch64-apple-ios", platform: IOS, architecture: "arm64" },
    Known { target: "aarch64-apple-ios-sim", platform: SIMULATOR, architecture: "arm64" },
    Known { target: "x86_64-apple-ios", platform: SIMULATOR, architecture: "x86_64" },
    Known { target: "aarch64-apple-darwin", platform: MACOS, architecture: "arm64" },
    Known { target: "x86_64-apple-darwin", platform: MACOS, architecture: "x86_64" },
];

/// One library of an XCFramework.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slice {
    pub(super) platform: Platform,
    /// In Apple's words, sorted.
    pub(super) architectures: Vec<&'static str>,
    pub(super) library: PathBuf,
}

impl Slice {
    /// `TARGET[+TARGET]=LIBRARY`.
    pub(super) fn parse(word: &str) -> Result<Self, Usage> {
        let (targets, library) = word.split_once('=').ok_or_else(|| {
            Usage::new(format!("`{word}` is no TARGET=LIBRARY, as aarch64-apple-ios=libhala_ffi.a"))
        })?;
        Self::of(targets, PathBuf::from(library))
    }

    /// The library that was compiled for this machine.
    pub(super) fn of_host(library: PathBuf) -> Result<Self> {
        Ok(Self::of(&need::rustc_prints(&["host-tuple"])?, library)?)
    }

    fn of(targets: &str, library: PathBuf) -> Result<Self, Usage> {
        let known = targets.split('+').map(|target| {
            KNOWN.iter().find(|known| known.target == target).ok_or_else(|| {
                let all: Vec<_> = KNOWN.iter().map(|known| known.target).collect();
                Usage::new(format!(
                    "`{target}` is none of Apple's targets that Hala knows: {}",
                    all.join(", ")
                ))
            })
        });
        let known = known.collect::<Result<Vec<_>, _>>()?;
        let platform = known[0].platform;
        if known.iter().any(|known| known.platform != platform) {
            return Err(Usage::new(format!(
                "`{targets}` are of several systems: each has a library of its own"
            )));
        }
        let mut architectures: Vec<_> = known.iter().map(|known| known.architecture).collect();
        architectures.sort_unstable();
        Ok(Self { platform, architectures, library })
    }

    /// The folder of it, as `ios-arm64_x86_64-simulator`.
    pub(super) fn identifier(&self) -> String {
        let Platform { name, variant } = self.platform;
        let variant = variant.map(|variant| format!("-{variant}")).unwrap_or_default();
        format!("{name}-{}{variant}", self.architectures.join("_"))
    }
}

/// Refuses none, and two for one system, of which Xcode could take either.
pub(super) fn check(slices: &[Slice]) -> Result<(), Usage> {
    if slices.is_empty() {
        return Err(Usage::new("`--xcframework` needs a library, as aarch64-apple-ios=libhala_ffi.a"));
    }
    for (idx, slice) in slices.iter().enumerate() {
        if let Some(other) = slices[..idx].iter().find(|other| other.platform == slice.platform) {
            let (one, two) = (other.identifier(), slice.identifier());
            let how = "join them by `lipo -create` and name both targets, as TARGET+TARGET=LIBRARY";
            return Err(Usage::new(format!("{one} and {two} are of one system: {how}")));
        }
    }
    Ok(())
}

/// The folders of libraries, for a sentence.
pub(super) fn names(slices: &[Slice]) -> String {
    slices.iter().map(Slice::identifier).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_named_as_apple_names_them() {
        for (word, name) in [
            ("aarch64-apple-ios=a", "ios-arm64"),
            ("aarch64-apple-ios-sim=a", "ios-arm64-simulator"),
            ("x86_64-apple-ios+aarch64-apple-ios-sim=a", "ios-arm64_x86_64-simulator"),
            ("aarch64-apple-darwin+x86_64-apple-darwin=a", "macos-arm64_x86_64"),
        ] {
            assert_eq!(Slice::parse(word).unwrap().identifier(), name);
        }
    }

    #[test]
    fn what_is_no_library_of_one_system_is_refused() {
        for word in
            ["libhala.a", "x86_64-unknown-linux-gnu=a", "aarch64-apple-ios+aarch64-apple-darwin=a", "=a"]
        {
            assert!(Slice::parse(word).is_err(), "{word}");
        }
        let two = ["aarch64-apple-ios-sim=a", "x86_64-apple-ios=b"].map(|word| Slice::parse(word).unwrap());
        assert!(check(&two).unwrap_err().to_string().contains("lipo"));
        assert!(check(&[]).is_err());
        assert!(check(&two[..1]).is_ok());
    }
}
