//! The folder of an XCFramework: for each of Apple's systems the static library, with the header as a module.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::plist;
use super::slice::{HEADERS, LIBRARY, Slice};
use crate::project::Project;

/// Where the package looks for it.
pub(super) const FOLDER: &str = "crates/ffi/swift/CHala.xcframework";

const HEADER: &str = "crates/ffi/include/hala.h";

/// Xcode lays the headers of all frameworks into one folder, so that each needs a folder of its own there; that of the module's name is looked
/// into.
const MODULE: &str = "CHala";
const MODULE_MAP: &str = "module CHala {\n    header \"hala.h\"\n    export *\n}\n";

/// How a static library begins, and one of several architectures.
const ARCHIVE: &[u8] = b"!<arch>\n";
const UNIVERSAL: &[u8] = &[0xCA, 0xFE, 0xBA, 0xBE];

/// Writes the framework anew.
pub(super) fn write(project: &Project, slices: &[Slice], folder: &Path) -> Result<()> {
    for slice in slices {
        is_library(&project.root.join(&slice.library))?;
    }
    if folder.exists() {
        let ours = folder.join("Info.plist").is_file();
        ensure!(ours, "{} holds something else; give another folder", folder.display());
        std::fs::remove_dir_all(folder).with_context(|| format!("{} cannot be removed", folder.display()))?;
    }
    for slice in slices {
        let place = folder.join(slice.identifier());
        let headers = place.join(HEADERS).join(MODULE);
        std::fs::create_dir_all(&headers).with_context(|| format!("{} cannot be made", headers.display()))?;
        copy(&project.root.join(&slice.library), &place.join(LIBRARY))?;
        copy(&project.root.join(HEADER), &headers.join("hala.h"))?;
        put(&headers.join("module.modulemap"), MODULE_MAP)?;
    }
    put(&folder.join("Info.plist"), &plist::of(slices))
}

fn is_library(file: &Path) -> Result<()> {
    let mut begins = [0; ARCHIVE.len()];
    std::fs::File::open(file)
        .and_then(|mut opened| std::io::Read::read_exact(&mut opened, &mut begins))
        .with_context(|| {
            format!("{} cannot be read; compile the crate hala-ffi for its target", file.display())
        })?;
    let is_library = begins == ARCHIVE || begins.starts_with(UNIVERSAL);
    ensure!(
        is_library,
        "{} is no static library: it begins with neither `!<arch>` nor 0xCAFEBABE",
        file.display()
    );
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::copy(from, to)
        .with_context(|| format!("{} cannot be copied to {}", from.display(), to.display()))?;
    Ok(())
}

fn put(file: &Path, text: &str) -> Result<()> {
    std::fs::write(file, text).with_context(|| format!("{} cannot be written", file.display()))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::path::PathBuf;
    use std::process::Command;

    use super::*;
    use crate::process;

    /// A folder of a test, which goes with this.
    struct Place(PathBuf);

    impl Place {
        fn new(name: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("hala-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&folder).unwrap();
            Self(folder)
        }

        fn library(&self, targets: &str, bytes: &[u8]) -> Slice {
            let file = self.0.join(format!("{targets}.a"));
            std::fs::write(&file, bytes).unwrap();
            Slice::parse(&format!("{targets}={}", file.display())).unwrap()
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    const EXPECTED: &str = r#"{"AvailableLibraries": [{"BinaryPath": "libhala.a", "HeadersPath": "Headers", "LibraryIdentifier": "ios-arm64", "LibraryPath": "libhala.a", "SupportedArchitectures": ["arm64"], "SupportedPlatform": "ios"}, {"BinaryPath": "libhala.a", "HeadersPath": "Headers", "LibraryIdentifier": "ios-arm64_x86_64-simulator", "LibraryPath": "libhala.a", "SupportedArchitectures": ["arm64", "x86_64"], "SupportedPlatform": "ios", "SupportedPlatformVariant": "simulator"}], "CFBundlePackageType": "XFWK", "XCFrameworkFormatVersion": "1.0"}"#;

    #[test]
    fn each_system_has_its_library_and_the_plist_tells_of_them() {
        let place = Place::new("xcframework");
        let slices = [
            place.library("aarch64-apple-ios", b"!<arch>\nphone"),
            place.library("aarch64-apple-ios-sim+x86_64-apple-ios", b"\xCA\xFE\xBA\xBE\0\0\0\x02both"),
        ];
        let folder = place.0.join("CHala.xcframework");
        let project = Project::find().unwrap();
        // A second time it takes the place of the first.
        write(&project, &slices, &folder).unwrap();
        write(&project, &slices, &folder).unwrap();
        assert_eq!(std::fs::read(folder.join("ios-arm64/libhala.a")).unwrap(), b"!<arch>\nphone");
        let headers = folder.join("ios-arm64_x86_64-simulator/Headers/CHala");
        let map = std::fs::read_to_string(headers.join("module.modulemap")).unwrap();
        assert!(map.contains("module CHala") && headers.join("hala.h").is_file(), "{map}");
        let plist = folder.join("Info.plist");
        let asked = "import json, plistlib, sys; print(json.dumps(plistlib.load(open(sys.argv[1], 'rb'))))";
        match process::read(Command::new("python3").args(["-c", asked]).arg(&plist)) {
            Ok(read) => assert_eq!(read.output.trim(), EXPECTED),
            Err(error) => {
                let _ = writeln!(std::io::stderr(), "skipped: reading Info.plist by plistlib: {error:#}");
            }
        }
    }

    #[test]
    fn what_is_no_library_and_a_folder_of_something_else_are_left_alone() {
        let place = Place::new("xcframework-refused");
        let project = Project::find().unwrap();
        let (folder, library) = (place.0.join("there"), place.library("aarch64-apple-ios", b"!<arch>\n"));
        let program = place.library("aarch64-apple-darwin", b"\x7FELF\x02\x01\x01\0");
        let error = write(&project, &[library.clone(), program], &folder).unwrap_err().to_string();
        assert!(error.contains("no static library") && !folder.exists(), "{error}");
        std::fs::create_dir_all(&folder).unwrap();
        assert!(write(&project, &[library], &folder).unwrap_err().to_string().contains("something else"));
    }
}
