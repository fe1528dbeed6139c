//! Expands one variant of a kernel: includes, conditions, constants; comments and blank lines fall away.
//!
//! Directives stand alone on a line: `#include "shared/x.wgsl"`, `#if`, `#elif`, `#else`, `#endif`.

use std::collections::BTreeSet;

use super::branches::{self, Branches};
use super::comments;
use super::fault::{Fault, Place};
use super::folder::Folder;
use super::table::Row;

/// The text of one variant, and where its lines come from.
#[derive(Debug, Default)]
pub(super) struct Expanded {
    pub(super) text: String,
    /// The place of each line of `text`.
    pub(super) places: Vec<Place>,
}

impl Expanded {
    fn push(&mut self, line: &str, place: Place) {
        self.text.push_str(line);
        self.text.push('\n');
        self.places.push(place);
    }
}

/// The text of the variant `row`.
///
/// # Errors
/// The first directive that is malformed, unknown or unbalanced, include of what is missing or being included, or
/// comment that does not end.
pub(super) fn expand(folder: &Folder, row: &Row) -> Result<Expanded, Fault> {
    let mut out = Expanded::default();
    for (name, number) in &row.defines {
        if let Some(number) = number {
            out.push(&format!("const {name}: u32 = {number}u;"), row.place.clone());
        }
    }
    let mut expansion = Expansion { folder, row, open: Vec::new(), included: BTreeSet::new(), out };
    expansion.include(&row.file, &row.place)?;
    Ok(expansion.out)
}

struct Expansion<'a> {
    folder: &'a Folder,
    row: &'a Row,
    /// The files that are being read, outermost first.
    open: Vec<&'a str>,
    included: BTreeSet<&'a str>,
    out: Expanded,
}

impl Expansion<'_> {
    /// Appends the lines of `path`, unless it has been included; `place` asks for it.
    fn include(&mut self, path: &str, place: &Place) -> Result<(), Fault> {
        let Some((name, text)) = self.folder.get_key_value(path) else {
            return Err(place.fault(format!("there is no shaders/{path}")));
        };
        if self.open.contains(&name.as_str()) {
            let chain = self.open.join(" includes ");
            return Err(place.fault(format!("files include each other: {chain} includes {name}")));
        }
        if !self.included.insert(name) {
            return Ok(());
        }
        self.open.push(name);
        let blanked =
            comments::blanked(text).map_err(|line| Place::new(name, line).fault("this `/*` has no `*/`"))?;
        let mut branches = Branches::default();
        for (idx, line) in blanked.lines().enumerate() {
            let place = Place::new(name, idx + 1);
            let line = line.trim_end();
            if let Some(directive) = line.trim_start().strip_prefix('#') {
                self.directive(directive.trim(), &mut branches, &place)?;
            } else if branches.live() && !line.is_empty() {
                self.out.push(line, place);
            }
        }
        self.open.pop();
        branches.end()
    }

    fn directive(&mut self, text: &str, branches: &mut Branches, place: &Place) -> Result<(), Fault> {
        let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let rest = rest.trim();
        let holds = || branches::holds(rest, |name| self.row.defines(name), place);
        match word {
            "if" => branches.open(holds()?, place),
            "elif" => branches.other(holds()?, place)?,
            "else" | "endif" if !rest.is_empty() => {
                return Err(place.fault(format!("`#{word}` takes nothing, and has `{rest}`")));
            }
            "else" => branches.otherwise(place)?,
            "endif" => branches.close(place)?,
            "include" => {
                let quoted = rest.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
                let path = quoted.ok_or_else(|| {
                    place.fault(format!("`#include {rest}` is not `#include \"shared/FILE.wgsl\"`"))
                })?;
                if branches.live() {
                    self.include(path, place)?;
                }
            }
            _ => {
                let what = format!("`#{word}` is none of #include, #if, #elif, #else, #endif");
                return Err(place.fault(what));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::table::{self, TABLE};
    use super::super::tests::folder;
    use super::*;

    /// What the variant `a` with these defines expands to, or the fault as text.
    fn expanded(defines: &str, files: &[(&str, &str)]) -> Result<Expanded, String> {
        let mut folder = folder(files);
        folder.insert(TABLE.to_owned(), format!("a a.wgsl {defines}\n"));
        let rows = table::parse(&folder).map_err(|faults| faults[0].to_string())?;
        expand(&folder, &rows[0]).map_err(|fault| fault.to_string())
    }

    fn text(defines: &str, file: &str) -> String {
        expanded(defines, &[("a.wgsl", file)]).unwrap().text
    }

    fn fault(file: &str) -> String {
        let files = [("a.wgsl", file), ("shared/x.wgsl", "#include \"shared/y.wgsl\"\n")];
        let y = ("shared/y.wgsl", "// y\n#include \"shared/x.wgsl\"\n");
        expanded("", &[files[0], files[1], y]).unwrap_err()
    }

    #[test]
    fn the_first_branch_whose_condition_holds_is_taken() {
        let file = "#if A\na\n#elif B || C\nbc\n#else\nrest\n#endif\nend\n";
        for (defines, wanted) in
            [("A", "a\nend\n"), ("A B", "a\nend\n"), ("C", "bc\nend\n"), ("D", "rest\nend\n")]
        {
            assert_eq!(text(defines, file), wanted, "{defines}");
        }
    }

    #[test]
    fn conditions_nest() {
        let file = "#if A\n#if B\nab\n#else\na\n#endif\n#else\n#if B\nb\n#else\nnone\n#endif\n#endif\n";
        for (defines, wanted) in [("A B", "ab\n"), ("A", "a\n"), ("B", "b\n"), ("", "none\n")] {
            assert_eq!(text(defines, file), wanted, "{defines}");
        }
    }

    #[test]
    fn a_number_is_a_constant_and_a_condition() {
        let file = "#if ROWS\nrows\n#endif\n";
        assert_eq!(text("ROWS=4", file), "const ROWS: u32 = 4u;\nrows\n");
        assert_eq!(text("ROWS", file), "rows\n");
        let file = "#if ROWS_4\nfour\n#elif MORE_ROWS_12\ntwelve\n#else\nother\n#endif\n";
        assert_eq!(text("ROWS=4", file), "const ROWS: u32 = 4u;\nfour\n");
        assert_eq!(text("MORE_ROWS=12", file), "const MORE_ROWS: u32 = 12u;\ntwelve\n");
        assert_eq!(text("ROWS=40", file), "const ROWS: u32 = 40u;\nother\n");
        assert_eq!(text("ROWS", file), "other\n");
    }

    #[test]
    fn comments_and_blank_lines_fall_away() {
        let file =
            "// y = x\n\nfn main() { // why\n    /* a\n    b */\n    x();\n}\n#if A // never\n#endif\n";
        assert_eq!(text("", file), "fn main() {\n    x();\n}\n");
    }

    #[test]
    fn a_file_is_included_once_and_where_it_is_first_asked_for() {
        let found = expanded(
            "",
            &[
                ("a.wgsl", "#include \"shared/x.wgsl\"\n#include \"shared/y.wgsl\"\na\n"),
                ("shared/x.wgsl", "// x\n#include \"shared/y.wgsl\"\nx\n"),
                ("shared/y.wgsl", "y\n"),
            ],
        );
        assert_eq!(found.unwrap().text, "y\nx\na\n");
    }

    #[test]
    fn an_include_in_a_dead_branch_is_left_out() {
        assert_eq!(text("", "#if A\n#include \"shared/none.wgsl\"\n#endif\na\n"), "a\n");
    }

    #[test]
    fn each_line_knows_where_it_came_from() {
        let files = [("a.wgsl", "// a\n#include \"shared/x.wgsl\"\n\na\n"), ("shared/x.wgsl", "// x\n\nx\n")];
        let found = expanded("N=1", &files).unwrap();
        assert_eq!(found.text, "const N: u32 = 1u;\nx\na\n");
        let places = [("variants.txt", 1), ("shared/x.wgsl", 3), ("a.wgsl", 4)];
        assert_eq!(found.places, places.map(|(file, line)| Place::new(file, line)));
    }

    #[test]
    fn a_wrong_directive_is_named_with_its_place() {
        for (line, what) in [
            ("#define A", "`#define` is none of #include"),
            ("#if a", "the condition `a` is none of"),
            ("#elif A", "`#elif` without `#if`"),
            ("#else", "`#else` without `#if`"),
            ("#endif", "`#endif` without `#if`"),
            ("#if A\n#else\n#else", "a second `#else`"),
            ("#if A\n#else\n#elif B", "`#elif` after `#else`"),
            ("#if A\n#endif A", "`#endif` takes nothing"),
            ("#include shared/x.wgsl", "`#include shared/x.wgsl` is not"),
            ("#include \"shared/none.wgsl\"", "there is no shaders/shared/none.wgsl"),
        ] {
            let line_no = 1 + line.lines().count();
            let found = fault(&format!("// a\n{line}\n"));
            assert!(found.starts_with(&format!("shaders/a.wgsl:{line_no}: {what}")), "{found}");
        }
    }

    #[test]
    fn what_does_not_end_is_named_where_it_begins() {
        assert_eq!(fault("a\n#if A\nb\n#if B\n#endif\n"), "shaders/a.wgsl:2: this `#if` has no `#endif`");
        assert_eq!(fault("a\n/* b\n"), "shaders/a.wgsl:2: this `/*` has no `*/`");
    }

    #[test]
    fn files_that_include_each_other_are_a_fault() {
        assert_eq!(
            fault("#include \"shared/x.wgsl\"\n"),
            "shaders/shared/y.wgsl:2: files include each other: \
             a.wgsl includes shared/x.wgsl includes shared/y.wgsl includes shared/x.wgsl"
        );
    }
}
