//! From the texts of `shaders/` to the Rust text of the table of variants.

mod branches;
mod comments;
mod declarations;
mod diagnose;
mod fault;
mod folder;
mod generate;
mod loops;
mod preprocess;
mod reflect;
mod table;

use std::path::Path;

pub(crate) use fault::Fault;
pub(crate) use folder::Folder;
pub(crate) use table::TABLE;

use generate::Compiled;
use reflect::Reflected;
use table::Row;

/// Adds the kernels and tables of `path` to `folder`, under names that begin with `prefix`.
///
/// # Errors
/// What cannot be read.
pub(crate) fn read(path: &Path, prefix: &str, folder: &mut Folder) -> Result<(), String> {
    let told = |error: std::io::Error| format!("{} cannot be read: {error}", path.display());
    for entry in std::fs::read_dir(path).map_err(told)? {
        let entry = entry.map_err(told)?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            read(&entry.path(), &format!("{name}/"), folder)?;
        } else if name.ends_with(".wgsl") || name == TABLE {
            folder.insert(name, std::fs::read_to_string(entry.path()).map_err(told)?);
        }
    }
    Ok(())
}

/// Who runs the variants.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Devices {
    /// Any device.
    All,
    /// Browsers', which have no integers of 64 bits: kernels with those are half of all text, and nothing there could run them.
    Browsers,
}

/// The Rust text of a block with an array of every variant that some of the devices run, sorted by name.
///
/// # Errors
/// Everything that is wrong with the folder, sorted by place: in the table, or in any variant.
pub(crate) fn compile(folder: &Folder, devices: Devices) -> Result<String, Vec<Fault>> {
    let rows = table::parse(folder)?;
    let mut compiled = Vec::new();
    let mut faults = Vec::new();
    for row in rows {
        match check(folder, &row) {
            Ok((body, reflected)) => compiled.push(Compiled { row, body, reflected }),
            Err(fault) => faults.push(fault.of_variant(&row.name)),
        }
    }
    if !faults.is_empty() {
        return Err(fault::merged(faults));
    }
    compiled.retain(|variant| devices == Devices::All || !variant.row.int64);
    Ok(generate::array(&compiled))
}

fn check(folder: &Folder, row: &Row) -> Result<(String, Reflected), Fault> {
    let expanded = preprocess::expand(folder, row)?;
    let reflected = reflect::reflect(folder, row, &expanded)?;
    Ok((expanded.text, reflected))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of these files.
    pub(super) fn folder(files: &[(&str, &str)]) -> Folder {
        files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    fn faults(files: &[(&str, &str)]) -> Vec<String> {
        compile(&folder(files), Devices::All).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn variants_come_sorted_by_name() {
        let add = "@compute @workgroup_size(64)\nfn main() {}\n";
        let files = [("add.wgsl", add), (TABLE, "add.rows add.wgsl\nadd.columns add.wgsl\nadd add.wgsl\n")];
        let text = compile(&folder(&files), Devices::All).unwrap();
        let names = ["\"add\"", "\"add.columns\"", "\"add.rows\""].map(|name| text.find(name).unwrap());
        assert!(names.is_sorted(), "{text}");
    }

    #[test]
    fn browsers_get_no_kernels_that_they_cannot_run() {
        let add = "@compute @workgroup_size(64)\nfn main() {}\n";
        let files = [("add.wgsl", add), (TABLE, "add.rows add.wgsl +int64\nadd.lanes add.wgsl\n")];
        let names = |devices| {
            let text = compile(&folder(&files), devices).unwrap();
            ["\"add.lanes\"", "\"add.rows\""].map(|name| text.contains(name))
        };
        assert_eq!(names(Devices::All), [true, true]);
        assert_eq!(names(Devices::Browsers), [true, false]);
    }

    #[test]
    fn an_empty_folder_is_an_empty_table() {
        let empty = "{\nconst DECLARATIONS: &[&str] = &[\n];\n[\n]\n}\n";
        assert_eq!(compile(&Folder::new(), Devices::All).unwrap(), empty);
        assert_eq!(compile(&folder(&[("shared/run.wgsl", "")]), Devices::All).unwrap(), empty);
    }

    /// A constant of a variant, as the Rust text has it.
    fn constant(text: &str, variant: &str, name: &str) -> u32 {
        let (_, rest) = text.split_once(&format!("name: {variant:?},")).unwrap();
        let (_, rest) = rest.split_once("constants: &[").unwrap();
        let (constants, _) = rest.split_once(']').unwrap();
        let (_, rest) = constants.split_once(&format!("({name:?}, ")).unwrap();
        rest.split_once(')').unwrap().0.parse().unwrap()
    }

    #[test]
    fn a_number_that_changes_in_the_table_changes_in_the_variant() {
        let shaders = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shaders");
        let mut folder = Folder::new();
        read(&shaders, "", &mut folder).unwrap();
        let changes =
            [("LANES ROWS=4", "LANES ROWS=8"), ("FOURS=2 TOKENS=4 THREADS=8", "FOURS=2 TOKENS=4 THREADS=16")];
        let table = folder.get_mut(TABLE).unwrap();
        for (from, to) in changes {
            assert!(table.contains(from), "{from}");
            *table = table.replace(from, to);
        }
        let text = compile(&folder, Devices::All).unwrap();
        for variant in ["matmul.int8.lanes", "swiglu.f32.lanes", "matmul.bf16.rows4", "swiglu.int4.rows4"] {
            let before = crate::constant(variant, "N_RESULTS");
            assert_eq!(constant(&text, variant, "N_RESULTS"), 2 * before, "{variant}");
        }
        for variant in ["matmul.int8.tile32", "short_conv.int8.lanes"] {
            let before = crate::constant(variant, "N_RESULTS");
            assert_eq!(constant(&text, variant, "N_RESULTS"), before, "{variant}");
        }
    }

    #[test]
    fn a_fault_of_many_variants_is_told_once() {
        let files = [
            ("add.wgsl", "// a\n\n#include \"shared/x.wgsl\"\n@compute @workgroup_size(64)\nfn main() {}\n"),
            ("shared/x.wgsl", "// x\nfn x() -> u32 {\n    /* one */ return missing;\n}\n"),
            (TABLE, "add.a add.wgsl N=1\nadd.b add.wgsl N=2\nadd.c add.wgsl\n"),
        ];
        let found = faults(&files);
        assert_eq!(found.len(), 1, "{found:#?}");
        let lines: Vec<_> = found[0].lines().collect();
        assert_eq!(
            lines[0],
            "shaders/shared/x.wgsl:3: no definition in scope for identifier: `missing` \
             (variants add.a, add.b, add.c)"
        );
        assert_eq!(lines[1], "    3 |     /* one */ return missing;");
        assert_eq!(lines[2], "      |                      ^^^^^^^ unknown identifier");
    }
}
