//! The kinds of systems that the native library is packed for, and what its files are called there.

use anyhow::Result;

use crate::need;

/// A kind of system, by how its libraries are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum System {
    /// Linux, Android and others with ELF files.
    Elf,
    Apple,
    Windows,
}

/// A library that is packed: of this version, with this version of its interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Version {
    /// As `0.1.0`.
    pub(super) library: String,
    /// What programs are bound to: it is in the name that they look for.
    pub(super) interface: String,
}

/// What the files of the library are called, within its folder.
pub(super) struct Names {
    /// The shared library.
    pub(super) shared: String,
    /// What programs that are linked with it look for.
    pub(super) bound: String,
    /// Links to it, in the folder of it.
    pub(super) links: Vec<String>,
    /// What a linker reads in its place.
    pub(super) import: Option<&'static str>,
    /// The static library, in `lib`.
    pub(super) fixed: &'static str,
}

impl System {
    /// The system of a target, as `x86_64-unknown-linux-gnu`.
    pub(super) fn of(target: &str) -> System {
        if target.contains("windows") {
            System::Windows
        } else if target.contains("apple") {
            System::Apple
        } else {
            System::Elf
        }
    }

    pub(super) fn names(self, Version { library, interface }: &Version) -> Names {
        match self {
            System::Elf => Names {
                shared: format!("lib/libhala.so.{library}"),
                bound: format!("libhala.so.{interface}"),
                links: vec![format!("libhala.so.{interface}"), String::from("libhala.so")],
                import: None,
                fixed: "libhala.a",
            },
            System::Apple => Names {
                shared: format!("lib/libhala.{library}.dylib"),
                bound: format!("@rpath/libhala.{interface}.dylib"),
                links: vec![format!("libhala.{interface}.dylib"), String::from("libhala.dylib")],
                import: None,
                fixed: "libhala.a",
            },
            System::Windows => Names {
                shared: String::from("bin/hala.dll"),
                bound: String::from("hala.dll"),
                links: Vec::new(),
                import: Some("hala.dll.lib"),
                fixed: "hala.lib",
            },
        }
    }
}

/// The target of this machine.
pub(super) fn host() -> Result<String> {
    need::rustc_prints(&["host-tuple"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_library_is_looked_for_by_the_version_of_its_interface() {
        let version = Version { library: String::from("0.1.0"), interface: String::from("1") };
        let names = |target| System::of(target).names(&version);
        let linux = names("x86_64-unknown-linux-gnu");
        assert_eq!((linux.shared.as_str(), linux.bound.as_str()), ("lib/libhala.so.0.1.0", "libhala.so.1"));
        assert_eq!(linux.links, ["libhala.so.1", "libhala.so"]);
        assert_eq!(names("aarch64-apple-darwin").bound, "@rpath/libhala.1.dylib");
        assert_eq!(names("x86_64-pc-windows-msvc").import, Some("hala.dll.lib"));
    }
}
