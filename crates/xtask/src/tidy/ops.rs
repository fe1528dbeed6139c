//! Rules: one op, one name. What the plan defines, every backend and the tests have a file for; and the page that tells how an op is
//! added names every file that one touches.

use std::collections::BTreeSet;

use super::tree::{File, Tree};
use super::violation::Violation;

/// The op that the page is held against.
const EXAMPLE: &str = "softcap";

/// Where ops are defined.
const OPS: &str = "crates/plan/src/ops/";

/// The page, and its section.
const PAGE: &str = "crates/README.md";
const SECTION: &str = "## Adding an op";

struct Twin {
    folder: &'static str,
    ending: &'static str,
    what: &'static str,
    /// False where the folder comes later: the rule starts with its first file.
    from_the_start: bool,
}

const TWINS: &[Twin] = &[
    Twin {
        folder: "crates/backend-cpu/src/ops/",
        ending: ".rs",
        what: "plain CPU twin",
        from_the_start: true,
    },
    Twin { folder: "tests/ops/", ending: ".rs", what: "test", from_the_start: true },
    Twin { folder: "shaders/", ending: ".wgsl", what: "shader", from_the_start: false },
];

pub(super) fn twins(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (file, _) in tree.texts(".rs") {
        let op = file.path.strip_prefix(OPS).and_then(|name| name.strip_suffix(".rs"));
        let Some(op) = op.filter(|op| *op != "mod" && !op.contains('/')) else { continue };
        for Twin { folder, ending, what, from_the_start } in TWINS {
            let twin = format!("{folder}{op}{ending}");
            if !tree.has(&twin) && (*from_the_start || tree.has_folder(folder)) {
                let message = format!("the op `{op}` has no {what}; write {twin}");
                found.push(Violation::new(&file.path, 1, message));
            }
        }
    }
    found
}

/// The page lists the files that an op touches, no more and no fewer: so a match on ops that is added elsewhere is found.
pub(super) fn page(tree: &Tree) -> Vec<Violation> {
    if !tree.has(&format!("{OPS}{EXAMPLE}.rs")) {
        return Vec::new();
    }
    let listed = listed(tree.text(PAGE).unwrap_or_default());
    let touched: BTreeSet<String> =
        tree.files().filter(|file| touches(file)).map(|f| f.path.clone()).collect();
    let stale = listed.iter().filter(|path| !touched.contains(*path)).map(|path| {
        let what =
            format!("\"{SECTION}\" lists {path}, which the op `{EXAMPLE}` does not touch; take it out");
        Violation::new(PAGE, 1, what)
    });
    let missing = touched.iter().filter(|path| !listed.contains(*path)).map(|path| {
        let what = format!(
            "names the op `{EXAMPLE}`, and \"{SECTION}\" in {PAGE} does not list it: ask the op's `OpSpec` instead, or list the file"
        );
        Violation::new(path, 1, what)
    });
    stale.chain(missing).collect()
}

/// The paths in the section: those in backticks with a `/`, from the root or from `crates/`, `<op>` standing for the example.
fn listed(page: &str) -> BTreeSet<String> {
    let section = page.split_once(SECTION).map_or("", |(_, rest)| rest);
    let section = section.split_once("\n## ").map_or(section, |(section, _)| section);
    let spans = section.split('`').skip(1).step_by(2).filter(|span| span.contains('/'));
    let from_root = |span: &str| {
        let is_from_root =
            ["tests/", "shaders/", "benches/", "crates/"].iter().any(|top| span.starts_with(top));
        format!("{}{}", if is_from_root { "" } else { "crates/" }, span.replace("<op>", EXAMPLE))
    };
    spans.map(from_root).collect()
}

/// Whether a file is named after the example, declares its module, calls it, gives it to a macro, or matches its variant. Code that records the op, with
/// `softcap::Args { .. }`, only uses it.
fn touches(file: &File) -> bool {
    let name = file.path.rsplit('/').next().unwrap_or_default();
    if name.split('.').next() == Some(EXAMPLE) {
        return true;
    }
    let is_code = [".rs", ".wgsl", ".txt"].iter().any(|ending| name.ends_with(ending));
    let Some(text) = file.text.as_deref().filter(|_| is_code && !file.path.starts_with("crates/xtask/"))
    else {
        return false;
    };
    let variant = format!("{}{}", EXAMPLE[..1].to_uppercase(), &EXAMPLE[1..]);
    let is_word = |(at, word): (usize, &str)| {
        let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        !is_part(text[..at].chars().next_back()) && !is_part(text[at + word.len()..].chars().next())
    };
    let calls = text.match_indices(EXAMPLE).filter(|found| is_word(*found)).any(|(at, word)| {
        let (before, after) = (&text[..at], &text[at + word.len()..]);
        let is_called = after.starts_with("::") && !after.starts_with("::Args {");
        let is_given = before.ends_with("mod ") || before.ends_with("!(");
        is_called || is_given || after.starts_with(".wgsl")
    });
    calls || text.match_indices(&variant).any(is_word)
}

#[cfg(test)]
mod tests {
    use super::super::tests::said;
    use super::*;

    const WHOLE: [(&str, &str); 4] = [
        ("crates/plan/src/ops/mod.rs", ""),
        ("crates/plan/src/ops/add.rs", ""),
        ("crates/backend-cpu/src/ops/add.rs", ""),
        ("tests/ops/add.rs", ""),
    ];

    #[test]
    fn an_op_with_its_twins_is_in_order() {
        assert!(said(twins, &WHOLE).is_empty());
    }

    #[test]
    fn a_missing_twin_is_named() {
        let found = said(twins, &WHOLE[..3]);
        assert_eq!(found, ["crates/plan/src/ops/add.rs:1: the op `add` has no test; write tests/ops/add.rs"]);
    }

    #[test]
    fn a_shader_is_wanted_once_there_are_shaders() {
        let mut files = WHOLE.to_vec();
        files.push(("shaders/mul.wgsl", ""));
        let found = said(twins, &files);
        assert!(found.len() == 1 && found[0].contains("write shaders/add.wgsl"), "{found:?}");
    }

    const PLAN: [(&str, &str); 4] = [
        (
            "crates/README.md",
            "## Adding an op\n\n1. `plan/src/ops/<op>.rs`\n2. `shaders/<op>.wgsl`\n\n## Tests\n`no/such`\n",
        ),
        ("crates/plan/src/ops/softcap.rs", ""),
        (
            "crates/model/src/gemma2.rs",
            "use hala_plan::ops::softcap;\nadd(softcap::Args { x, cap }); attention_softcap",
        ),
        ("shaders/softcap.wgsl", ""),
    ];

    #[test]
    fn a_page_that_lists_what_an_op_touches_is_in_order() {
        assert!(said(page, &PLAN).is_empty(), "{:?}", said(page, &PLAN));
    }

    #[test]
    fn a_match_elsewhere_a_file_that_is_not_listed_and_one_too_many_are_found() {
        for (path, text) in [
            ("crates/engine/src/x.rs", "match op { Op::Softcap(_) => 1 }"),
            ("crates/engine/src/x.rs", "ops::softcap::run()"),
            ("crates/engine/src/x.rs", "softcap::Args::of(io, params)"),
            ("shaders/variants.txt", "softcap softcap.wgsl"),
            ("crates/backend-x/src/ops/mod.rs", "mod softcap;"),
            ("tests/ops/layouts.rs", "layout!(softcap: n_columns, cap)"),
            ("crates/backend-x/src/ops/softcap.rs", ""),
        ] {
            let found = said(page, &[&PLAN[..], &[(path, text)]].concat());
            assert!(
                found.len() == 1 && found[0].starts_with(&format!("{path}:1: names the op")),
                "{found:?}"
            );
        }
        let found = said(page, &PLAN[..3]);
        assert!(found.len() == 1 && found[0].contains("lists shaders/softcap.wgsl"), "{found:?}");
    }
}
