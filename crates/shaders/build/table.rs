//! `variants.txt`: which kernels there are, each from which file with which defines.

use std::collections::{BTreeMap, BTreeSet};

use super::branches::is_define;
use super::fault::{Fault, Place, merged};
use super::folder::Folder;
use super::loops::{Line, unrolled};

/// The table's path from `shaders/`.
pub(crate) const TABLE: &str = "variants.txt";

const SHARED: &str = "shared/";

/// One variant: a line `NAME FILE [DEFINE | DEFINE=NUMBER | +subgroups | +f16 | +int64]…`.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) place: Place,
    pub(super) name: String,
    pub(super) file: String,
    /// Each with its number, if it has one.
    pub(super) defines: BTreeMap<String, Option<u32>>,
    pub(super) subgroups: bool,
    pub(super) f16: bool,
    pub(super) int64: bool,
}

impl Row {
    /// The op: the name up to its first dot.
    pub(super) fn op(&self) -> &str {
        op_of(&self.name)
    }

    /// Whether `#if` holds for a name: that of a define, or with `_4` behind it that of one whose number is 4.
    pub(super) fn defines(&self, name: &str) -> bool {
        let numbered = |(define, number): (&str, &str)| {
            let number = number.parse().ok();
            number.is_some() && self.defines.get(define) == Some(&number)
        };
        self.defines.contains_key(name) || name.rsplit_once('_').is_some_and(numbered)
    }
}

fn op_of(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
}

/// The rows, sorted by name.
///
/// # Errors
/// Every malformed line or loop, name that comes twice, file that is missing, and kernel that no line names.
pub(super) fn parse(folder: &Folder) -> Result<Vec<Row>, Vec<Fault>> {
    let kernels = folder.keys().filter(|file| file.ends_with(".wgsl") && !file.starts_with(SHARED));
    let Some(text) = folder.get(TABLE) else {
        let untold =
            kernels.map(|file| Place::new(file, 1).fault(format!("there is no shaders/{TABLE} to name it")));
        let untold: Vec<_> = untold.collect();
        return if untold.is_empty() { Ok(Vec::new()) } else { Err(untold) };
    };
    let mut rows = BTreeMap::new();
    let mut used = BTreeSet::new();
    let mut faults = Vec::new();
    for line in unrolled(TABLE, text)? {
        used.extend(line.words.get(1).cloned());
        faults.extend(row(folder, line).and_then(|row| add(&mut rows, row)).err());
    }
    let unused = kernels.filter(|file| !used.contains(file.as_str()));
    faults
        .extend(unused.map(|file| Place::new(file, 1).fault(format!("no line of shaders/{TABLE} uses it"))));
    // A wrong line of a loop is wrong for each value.
    if faults.is_empty() { Ok(rows.into_values().collect()) } else { Err(merged(faults)) }
}

fn add(rows: &mut BTreeMap<String, Row>, row: Row) -> Result<(), Fault> {
    if let Some(other) = rows.get(&row.name) {
        return Err(row.place.fault(format!("`{}` is there already, at {}", row.name, other.place)));
    }
    rows.insert(row.name.clone(), row);
    Ok(())
}

fn row(folder: &Folder, line: Line) -> Result<Row, Fault> {
    let Line { place, words } = line;
    let [name, file, flags @ ..] = &words[..] else {
        return Err(
            place.fault("a line is `NAME FILE [DEFINE | DEFINE=NUMBER | +subgroups | +f16 | +int64]…`")
        );
    };
    let is_part = |part: &str| {
        let all = part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        all && !part.is_empty()
    };
    if !name.split('.').all(is_part) {
        let what =
            format!("the name `{name}` is not of small letters, digits and `_`, in parts joined by dots");
        return Err(place.fault(what));
    }
    let op = op_of(name);
    if *file != format!("{op}.wgsl") {
        return Err(
            place.fault(format!("`{name}` must be made of {op}.wgsl, not of {file}: one op, one name"))
        );
    }
    if !folder.contains_key(file) {
        return Err(place.fault(format!("there is no shaders/{file}")));
    }
    let (name, file) = (name.clone(), file.clone());
    let mut row =
        Row { place, name, file, defines: BTreeMap::new(), subgroups: false, f16: false, int64: false };
    for flag in flags {
        apply(&mut row, flag)?;
    }
    Ok(row)
}

fn apply(row: &mut Row, flag: &str) -> Result<(), Fault> {
    let twice = match flag.strip_prefix('+') {
        Some("subgroups") => std::mem::replace(&mut row.subgroups, true),
        Some("f16") => std::mem::replace(&mut row.f16, true),
        Some("int64") => std::mem::replace(&mut row.int64, true),
        Some(_) => {
            return Err(row.place.fault(format!("`{flag}` is none of +subgroups, +f16 and +int64")));
        }
        None => {
            let (name, number) = flag.split_once('=').map_or((flag, None), |(name, n)| (name, Some(n)));
            if !is_define(name) {
                let what = format!("`{name}` is no define: capitals, digits and `_`, a capital first");
                return Err(row.place.fault(what));
            }
            let number = number.map(|text| {
                text.parse::<u32>().map_err(|_| row.place.fault(format!("`{text}` in `{flag}` is no u32")))
            });
            row.defines.insert(name.to_owned(), number.transpose()?).is_some()
        }
    };
    if twice { Err(row.place.fault(format!("`{flag}` comes twice"))) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::super::tests::folder;
    use super::*;

    fn said(table: &str) -> Vec<String> {
        let folder = folder(&[("add.wgsl", ""), ("shared/x.wgsl", ""), (TABLE, table)]);
        parse(&folder).err().into_iter().flatten().map(|fault| fault.to_string()).collect()
    }

    #[test]
    fn a_line_names_a_variant_its_file_and_its_flags() {
        let table = "# the sums\n\nadd add.wgsl\nadd.f16.rows add.wgsl ROWS=4 +f16 WIDE # wide\n";
        let folder = folder(&[("add.wgsl", ""), (TABLE, table)]);
        let rows = parse(&folder).unwrap();
        assert_eq!(rows.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["add", "add.f16.rows"]);
        let row = &rows[1];
        assert_eq!((row.op(), row.file.as_str(), row.place.line), ("add", "add.wgsl", 4));
        assert_eq!((row.f16, row.subgroups), (true, false));
        assert_eq!(row.defines, BTreeMap::from([("ROWS".to_owned(), Some(4)), ("WIDE".to_owned(), None)]));
    }

    #[test]
    fn a_wrong_line_is_named_with_its_place() {
        for (line, what) in [
            ("add", "a line is `NAME FILE"),
            ("Add add.wgsl", "the name `Add`"),
            ("add. add.wgsl", "the name `add.`"),
            ("sum add.wgsl", "`sum` must be made of sum.wgsl"),
            ("sum sum.wgsl", "there is no shaders/sum.wgsl"),
            ("add.b add.wgsl +f64", "`+f64` is none of"),
            ("add.b add.wgsl wide", "`wide` is no define"),
            ("add.b add.wgsl ROWS=x", "`x` in `ROWS=x` is no u32"),
            ("add.b add.wgsl ROWS=1 ROWS=2", "`ROWS=2` comes twice"),
            ("add.b add.wgsl +f16 +f16", "`+f16` comes twice"),
            ("add.a add.wgsl", "`add.a` is there already, at shaders/variants.txt:1"),
        ] {
            let found = said(&format!("add.a add.wgsl\n{line}\n"));
            assert_eq!(found.len(), 1, "{line}: {found:?}");
            assert!(found[0].starts_with(&format!("shaders/variants.txt:2: {what}")), "{found:?}");
        }
    }

    #[test]
    fn a_line_of_a_loop_is_a_variant_for_each_value_and_its_fault_is_told_once() {
        let of_types = |line: &str| format!("for W in f32 int8\n{line}\nend\n");
        let folder = folder(&[("add.wgsl", ""), (TABLE, &of_types("add.$w add.wgsl W_$W"))]);
        let rows = parse(&folder).unwrap();
        let told: Vec<_> = rows.iter().map(|row| (row.name.as_str(), row.defines.keys().next())).collect();
        let defines = ["W_F32", "W_INT8"].map(str::to_owned);
        assert_eq!(told, [("add.f32", Some(&defines[0])), ("add.int8", Some(&defines[1]))]);
        let wrong = "shaders/variants.txt:2: `wide` is no define: capitals, digits and `_`, a capital first";
        assert_eq!(said(&of_types("add.$w add.wgsl wide")), [wrong]);
        assert!(said(&of_types("add add.wgsl"))[0].contains("`add` is there already"));
        assert!(said(&of_types("add.$v add.wgsl"))[0].contains("the name `add.$v`"));
        assert_eq!(said("end\nadd add.wgsl\n"), ["shaders/variants.txt:1: `end` without `for`"]);
    }

    #[test]
    fn a_kernel_that_no_line_names_is_a_fault() {
        assert_eq!(said("# add add.wgsl\n"), ["shaders/add.wgsl:1: no line of shaders/variants.txt uses it"]);
        let found = parse(&folder(&[("add.wgsl", "")])).unwrap_err()[0].to_string();
        assert_eq!(found, "shaders/add.wgsl:1: there is no shaders/variants.txt to name it");
        assert!(parse(&folder(&[("shared/x.wgsl", "")])).unwrap().is_empty());
    }
}
