//! What finds a packed library: the files for pkg-config and CMake, filled from crates/ffi/packaging. They know no folder but their own.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::system::{Names, Version};

const TEMPLATES: &str = "crates/ffi/packaging";

/// Each template of that folder, and where it goes.
const FILES: &[(&str, &str)] = &[
    ("hala.pc.in", "lib/pkgconfig/hala.pc"),
    ("halaConfig.cmake.in", "lib/cmake/hala/halaConfig.cmake"),
    ("halaConfigVersion.cmake.in", "lib/cmake/hala/halaConfigVersion.cmake"),
];

/// What such files say.
pub(super) struct Finders<'a> {
    pub(super) names: &'a Names,
    pub(super) version: &'a Version,
    pub(super) features: &'a [&'static str],
    /// As a linker takes them.
    pub(super) system_libraries: &'a str,
    pub(super) pointer_bytes: usize,
}

impl Finders<'_> {
    /// Writes them into a packed folder.
    pub(super) fn write(&self, root: &Path, folder: &Path) -> Result<()> {
        for (template, file) in FILES {
            let template = root.join(TEMPLATES).join(template);
            let text = std::fs::read_to_string(&template)
                .with_context(|| format!("{} cannot be read", template.display()))?;
            let text = self.fill(&text).with_context(|| format!("in {}", template.display()))?;
            let file = folder.join(file);
            let parent = file.parent().unwrap_or(folder);
            std::fs::create_dir_all(parent)
                .and_then(|()| std::fs::write(&file, text))
                .with_context(|| format!("{} cannot be written", file.display()))?;
        }
        Ok(())
    }

    /// Puts what is so in the place of each `@NAME@`.
    fn fill(&self, template: &str) -> Result<String> {
        let values = [
            ("VERSION", self.version.library.clone()),
            ("ABI_VERSION", self.version.interface.clone()),
            ("FEATURES", self.features.join(";")),
            ("POINTER_BYTES", self.pointer_bytes.to_string()),
            ("STATIC", self.names.fixed.to_owned()),
            ("SHARED_PROPERTIES", self.shared_properties()),
            ("PRIVATE_LIBS", self.system_libraries.to_owned()),
            ("CMAKE_PRIVATE_LIBS", for_cmake(self.system_libraries).join(";")),
        ];
        let filled = values
            .iter()
            .fold(template.to_owned(), |text, (name, value)| text.replace(&format!("@{name}@"), value));
        let left = filled.split('@').skip(1).step_by(2).next();
        ensure!(left.is_none(), "nothing is known of @{}@", left.unwrap_or_default());
        Ok(filled)
    }

    /// Lines of CMake.
    fn shared_properties(&self) -> String {
        let location = format!("    IMPORTED_LOCATION \"${{_hala_prefix}}/{}\"", self.names.shared);
        match self.names.import {
            Some(import) => format!("{location}\n    IMPORTED_IMPLIB \"${{_hala_prefix}}/lib/{import}\""),
            None => format!("{location}\n    IMPORTED_SONAME \"{}\"", self.names.bound),
        }
    }
}

/// A linker's words as CMake's list of libraries: frameworks are two words.
fn for_cmake(system_libraries: &str) -> Vec<String> {
    let mut list = Vec::new();
    let mut words = system_libraries.split_whitespace();
    while let Some(word) = words.next() {
        list.push(match word.strip_prefix("-l") {
            Some(library) => library.to_owned(),
            None if word == "-framework" => format!("{word} {}", words.next().unwrap_or_default()),
            None => word.to_owned(),
        });
    }
    list
}

#[cfg(test)]
mod tests {
    use super::super::system::System;
    use super::*;

    fn filled(target: &str, template: &str) -> Result<String> {
        let version = Version { library: String::from("0.1.0"), interface: String::from("1") };
        let names = System::of(target).names(&version);
        let (version, features) = (&version, &["wgpu", "hub"][..]);
        let system_libraries = "-lm -framework Metal -lc";
        Finders { names: &names, version, features, system_libraries, pointer_bytes: 8 }.fill(template)
    }

    #[test]
    fn what_a_template_leaves_open_is_filled() {
        let text = filled("x86_64-unknown-linux-gnu", "@VERSION@ @ABI_VERSION@ @FEATURES@ @POINTER_BYTES@\n")
            .unwrap();
        assert_eq!(text, "0.1.0 1 wgpu;hub 8\n");
        let text =
            filled("x86_64-unknown-linux-gnu", "@STATIC@: @PRIVATE_LIBS@, @CMAKE_PRIVATE_LIBS@").unwrap();
        assert_eq!(text, "libhala.a: -lm -framework Metal -lc, m;-framework Metal;c");
        let error = filled("x86_64-unknown-linux-gnu", "a @NAME@").unwrap_err().to_string();
        assert!(error.contains("@NAME@"), "{error}");
    }

    #[test]
    fn a_linker_is_given_an_import_library_where_there_is_one() {
        let text = filled("x86_64-pc-windows-msvc", "@SHARED_PROPERTIES@").unwrap();
        assert!(text.contains("/bin/hala.dll\"") && text.contains("IMPORTED_IMPLIB"), "{text}");
        let text = filled("x86_64-unknown-linux-gnu", "@SHARED_PROPERTIES@").unwrap();
        assert!(
            text.contains("/lib/libhala.so.0.1.0\"") && text.contains("SONAME \"libhala.so.1\""),
            "{text}"
        );
    }
}
