//! The functions of Android's own libraries that the library may call: a list that is made of Android's sources.

use anyhow::{Context, Result, ensure};

use crate::project::Project;

/// The list, and the script that makes it beside it.
pub(super) const LIST: &str = "android/api/symbols.txt";

/// Where the oldest Android is written that apps may run on.
const VERSIONS: &str = "android/gradle/libs.versions.toml";

/// A function or variable of one of Android's libraries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Symbol {
    /// As `libc.so`.
    pub(super) library: String,
    pub(super) name: String,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Function,
    Variable,
}

/// What the oldest Android that apps may run on has.
pub(super) struct Api {
    /// Its number.
    pub(super) level: u32,
    pub(super) symbols: Vec<Symbol>,
}

impl Api {
    pub(super) fn read(project: &Project) -> Result<Self> {
        let text = |file: &str| {
            std::fs::read_to_string(project.root.join(file)).with_context(|| format!("{file} cannot be read"))
        };
        Self::parse(&text(VERSIONS)?, &text(LIST)?)
    }

    fn parse(versions: &str, list: &str) -> Result<Self> {
        let level =
            versions.lines().find_map(|line| line.strip_prefix("android-min = \"")?.split('"').next());
        let level = level.and_then(|level| level.parse().ok());
        let level = level.with_context(|| format!("{VERSIONS} has no `android-min = \"NUMBER\"`"))?;
        let lines = list.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let symbols = lines.map(|line| symbol(line, level)).collect::<Result<_>>()?;
        Ok(Self { level, symbols })
    }

    /// The libraries, in the order of the list.
    pub(super) fn libraries(&self) -> Vec<&str> {
        let mut libraries: Vec<_> = self.symbols.iter().map(|symbol| symbol.library.as_str()).collect();
        libraries.dedup();
        libraries
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.symbols.iter().any(|symbol| symbol.name == name)
    }
}

/// `LIBRARY SINCE NAME [var]`, as `libc.so 26 pthread_getname_np`.
fn symbol(line: &str, level: u32) -> Result<Symbol> {
    let words: Vec<_> = line.split_whitespace().collect();
    let (library, since, name, kind) = match words[..] {
        [library, since, name] => (library, since, name, Kind::Function),
        [library, since, name, "var"] => (library, since, name, Kind::Variable),
        _ => anyhow::bail!("{LIST} has `{line}`, which is no `LIBRARY SINCE NAME [var]`"),
    };
    let since: u32 = since.parse().with_context(|| format!("{LIST}: `{since}` is no number of an API"))?;
    ensure!(
        since <= level,
        "{LIST}: Android has {name} since API {since}, and apps may run on {level}: the library cannot call it"
    );
    Ok(Symbol { library: library.to_owned(), name: name.to_owned(), kind })
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERSION: &str = "[versions]\nandroid-min = \"26\" # Android 8\n";

    #[test]
    fn the_list_of_the_project_is_read() {
        let api = Api::read(&Project::find().unwrap()).unwrap();
        assert_eq!(api.level, 26);
        assert!(api.has("malloc") && api.has("dl_iterate_phdr") && !api.has("getrandom"));
        assert_eq!(api.libraries(), ["libc.so", "libdl.so", "libm.so"]);
    }

    #[test]
    fn what_is_newer_than_the_oldest_android_is_refused() {
        let api = Api::parse(VERSION, "# notes\nlibc.so 26 nl_langinfo\nlibc.so 21 environ var\n").unwrap();
        assert_eq!(api.symbols[1].kind, Kind::Variable);
        let error = Api::parse(VERSION, "libc.so 28 getrandom").err().unwrap().to_string();
        assert!(error.contains("getrandom since API 28"), "{error}");
        assert!(Api::parse(VERSION, "libc.so malloc").is_err());
        assert!(Api::parse("[versions]\n", "").is_err());
    }
}
