//! What of a frozen table is no longer so, by name.

use std::collections::BTreeMap;

/// A field: where it is, its bytes, its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Field<'a> {
    at: usize,
    n_bytes: usize,
    kind: &'a str,
}

/// A table by its names.
#[derive(Debug, Default)]
struct Table<'a> {
    structs: BTreeMap<&'a str, usize>,
    fields: BTreeMap<&'a str, Field<'a>>,
    /// Constants, callbacks and functions, with what is said of them.
    others: BTreeMap<String, &'a str>,
}

impl<'a> Table<'a> {
    fn read(lines: &'a [String]) -> Self {
        let mut table = Self::default();
        for line in lines {
            let (what, rest) = line.split_once(' ').unwrap();
            if what == "struct" {
                let (name, n_bytes) = rest.split_once(" of ").unwrap();
                table.structs.insert(name, n_bytes.parse().unwrap());
            } else if what == "field" {
                let (place, kind) = rest.split_once(": ").unwrap();
                let (name, place) = place.split_once(" at ").unwrap();
                let (at, n_bytes) = place.split_once(" of ").unwrap();
                let field = Field { at: at.parse().unwrap(), n_bytes: n_bytes.parse().unwrap(), kind };
                table.fields.insert(name, field);
            } else {
                let (name, said) = rest.split_once(' ').unwrap();
                table.others.insert(format!("{what} {}", name.trim_end_matches(':')), said);
            }
        }
        table
    }

    /// Whether a struct tells its size, so that it may grow.
    fn may_grow(&self, name: &str) -> bool {
        self.fields.contains_key(format!("{name}.struct_size").as_str())
    }
}

/// What a program that was compiled with the one header would find otherwise with the other. What is new and at the end is no change.
pub(super) fn between(old: &[String], new: &[String]) -> Vec<String> {
    let (old, new) = (Table::read(old), Table::read(new));
    let mut changes = Vec::new();
    for (name, was) in &old.structs {
        match new.structs.get(name) {
            None => changes.push(format!("{name} is gone")),
            Some(is) if is < was || (is != was && !old.may_grow(name)) => {
                changes.push(format!("{name} had {was} bytes, and has {is}"));
            }
            Some(_) => {}
        }
    }
    for (name, was) in &old.fields {
        let Some(is) = new.fields.get(name) else {
            changes.push(format!("{name} is gone"));
            continue;
        };
        if is.at != was.at {
            changes.push(format!("{name} moved from {} to {}", was.at, is.at));
        }
        if (is.n_bytes, is.kind) != (was.n_bytes, was.kind) {
            let (Field { n_bytes: m, kind: was, .. }, Field { n_bytes: n, kind: is, .. }) = (was, is);
            changes.push(format!("{name} was {was} of {m} bytes, and is {is} of {n}"));
        }
    }
    for (name, field) in new.fields.iter().filter(|(name, _)| !old.fields.contains_key(*name)) {
        let within =
            name.split_once('.').and_then(|(one, _)| old.structs.get(one)).filter(|n| field.at < **n);
        if let Some(n) = within {
            changes.push(format!(
                "{name} is new and at {}, among the first {n} bytes, which are taken",
                field.at
            ));
        }
    }
    for (name, was) in &old.others {
        match new.others.get(name) {
            None => changes.push(format!("{name} is gone")),
            Some(is) if is != was => changes.push(format!("{name} was {was}, and is {is}")),
            Some(_) => {}
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "struct HalaText of 16\nfield HalaText.data at 0 of 8: const char *\nfield HalaText.len at 8 of 8: size_t\n\
        struct HalaEvent of 40\nfield HalaEvent.struct_size at 0 of 8: size_t\nfield HalaEvent.kind at 8 of 4: int32_t\n\
        field HalaEvent.text at 24 of 16: struct HalaText\nconstant HALA_KIND_ONE 1\ncallback HalaCallback: bool (void *)\n\
        function hala_trim: HalaStatus (const struct HalaEngine *)";

    /// The changes after lines of the table were replaced.
    fn after(replaced: &[(&str, &str)]) -> Vec<String> {
        let new = replaced.iter().fold(OLD.to_owned(), |table, (from, to)| {
            assert!(table.contains(from), "{from}");
            table.replace(from, to)
        });
        let lines = |table: &str| -> Vec<String> {
            table.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
        };
        between(&lines(OLD), &lines(&new))
    }

    #[test]
    fn what_is_new_and_at_the_end_is_no_change() {
        let grown = [("HalaEvent of 40", "HalaEvent of 48\nfield HalaEvent.more at 40 of 8: size_t")];
        assert_eq!(after(&grown), Vec::<String>::new());
        assert_eq!(
            after(&[("constant HALA", "function hala_new: void (void)\nconstant HALA")]),
            Vec::<String>::new()
        );
        assert_eq!(after(&[("constant HALA", "struct HalaNew of 3\nconstant HALA")]), Vec::<String>::new());
    }

    #[test]
    fn what_moved_shrank_or_went_is_named() {
        let moved =
            [("HalaEvent.text at 24", "HalaEvent.text at 32"), ("HalaEvent of 40", "HalaEvent of 48")];
        assert_eq!(after(&moved), ["HalaEvent.text moved from 24 to 32"]);
        assert_eq!(after(&[("HalaEvent of 40", "HalaEvent of 32")]), ["HalaEvent had 40 bytes, and has 32"]);
        // A struct without struct_size can tell nobody that it grew.
        assert_eq!(after(&[("HalaText of 16", "HalaText of 24")]), ["HalaText had 16 bytes, and has 24"]);
        assert_eq!(after(&[("field HalaEvent.kind at 8 of 4: int32_t\n", "")]), ["HalaEvent.kind is gone"]);
        assert_eq!(after(&[("struct HalaText of 16\n", "")]), ["HalaText is gone"]);
        let hidden = [("constant HALA", "field HalaEvent.more at 12 of 4: int32_t\nconstant HALA")];
        assert_eq!(
            after(&hidden),
            ["HalaEvent.more is new and at 12, among the first 40 bytes, which are taken"]
        );
        let wider = [("kind at 8 of 4: int32_t", "kind at 8 of 8: int64_t")];
        assert_eq!(after(&wider), ["HalaEvent.kind was int32_t of 4 bytes, and is int64_t of 8"]);
    }

    #[test]
    fn constants_callbacks_and_functions_stay_as_they_are() {
        assert_eq!(after(&[("ONE 1", "ONE 2")]), ["constant HALA_KIND_ONE was 1, and is 2"]);
        assert_eq!(
            after(&[("bool (void *)", "bool (int)")]),
            ["callback HalaCallback was bool (void *), and is bool (int)"]
        );
        assert_eq!(after(&[("hala_trim", "hala_cut")]), ["function hala_trim is gone"]);
        let more = [("HalaEngine *)", "HalaEngine *, int)")];
        assert_eq!(
            after(&more),
            [
                "function hala_trim was HalaStatus (const struct HalaEngine *), and is HalaStatus (const struct HalaEngine *, int)"
            ]
        );
    }
}
