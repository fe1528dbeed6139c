//! What makes an edge, and which circles are told of.

use super::*;
use crate::tidy::tests::said;

const MANIFEST: (&str, &str) = ("crates/plan/Cargo.toml", "[package]\nname = \"hala-plan\"\n");

/// What the rule says of a crate with these files in its `src`.
fn of(files: &[(&str, &str)]) -> Vec<String> {
    let paths: Vec<_> = files.iter().map(|(name, text)| (format!("crates/plan/src/{name}"), *text)).collect();
    let mut all = vec![MANIFEST];
    all.extend(paths.iter().map(|(path, text)| (path.as_str(), *text)));
    said(modules, &all)
}

/// The files of `of`, whose root names the modules `a` and `b`, with these texts.
fn pair(a: &str, b: &str) -> Vec<String> {
    of(&[("lib.rs", "mod a;\nmod b;"), ("a.rs", a), ("b.rs", b)])
}

#[test]
fn two_modules_that_use_each_other_are_named_with_file_and_line() {
    let found = pair("//! A.\nuse crate::b::B;\nstruct A;", "struct B;\nfn b() -> crate::a::A {}\n");
    assert_eq!(
        found,
        [
            "crates/plan/src/a.rs:2: a circle of 2 modules: crate::a needs crate::b (crates/plan/src/a.rs:2: `crate::b::B`), \
            crate::b needs crate::a (crates/plan/src/b.rs:2: `crate::a::A`); put what both sides need into a file of its own"
        ]
    );
}

#[test]
fn the_shortest_way_round_is_told_and_the_others_counted() {
    let found = of(&[
        ("lib.rs", "mod a; mod b; mod c; mod d;"),
        ("a.rs", "use crate::b::B; use crate::d::D;"),
        ("b.rs", "use crate::c::C;"),
        ("c.rs", "use crate::a::A;"),
        ("d.rs", "use crate::leaf::L;"),
    ]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("a circle of 3 modules: crate::a needs crate::b"), "{found:?}");
    let knot = of(&[
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a.rs", "use crate::b::B;"),
        ("b.rs", "use crate::a::A; use crate::c::C;"),
        ("c.rs", "use crate::a::A;"),
    ]);
    assert!(
        knot.len() == 1 && knot[0].contains("2 modules, and 1 more are in circles with them"),
        "{knot:?}"
    );
}

#[test]
fn a_parent_and_a_child_that_use_each_other_are_a_circle() {
    let found = of(&[
        ("lib.rs", "mod parent;"),
        ("parent/mod.rs", "mod child;\npub struct Item;\nfn run() { child::work() }"),
        ("parent/child.rs", "use super::Item;\npub fn work() {}"),
    ]);
    assert!(
        found.len() == 1 && found[0].contains("`child::work`") && found[0].contains("`super::Item`"),
        "{found:?}"
    );
    let named = of(&[
        ("lib.rs", "mod parent;"),
        ("parent.rs", "mod child;"),
        ("parent/child.rs", "use super::Item;"),
    ]);
    assert!(named.is_empty(), "`mod` lines are no edges: {named:?}");
}

#[test]
fn a_name_that_the_root_passes_on_leads_to_the_root() {
    let files = |within| [("lib.rs", "mod a;\npub use a::Session;"), ("a.rs", "pub struct Session;"), within];
    let mut through = files(("b.rs", "use crate::Session;"));
    through[0].1 = "mod a;\nmod b;\npub use a::Session;\npub use b::B;";
    let found = of(&through);
    assert!(found.len() == 1 && found[0].contains("crate needs crate::b"), "{found:?}");
    through[2].1 = "use crate::a::Session;";
    assert!(of(&through).is_empty());
}

#[test]
fn a_name_that_is_a_module_and_a_function_leads_to_both_unless_self_is_said() {
    let found = |within| {
        of(&[
            ("lib.rs", "mod a;\nmod b;\npub use a::a;\npub use b::B;"),
            ("a.rs", "pub fn a() {}"),
            ("b.rs", within),
        ])
    };
    assert_eq!(found("use crate::a;").len(), 1);
    assert!(found("use crate::a::{self};").is_empty());
    assert!(found("use crate::a::a;").is_empty());
}

#[test]
fn tests_do_not_count() {
    for tests in [
        "#[cfg(test)]\nmod tests {\n    use crate::b::B;\n}",
        "#[cfg(all(test, unix))]\nuse crate::b::B;",
        "#[cfg(test)]\nmod tests;",
        "struct A;\nimpl A {\n    #[cfg(test)]\n    fn of(b: crate::b::B) {}\n}",
        "#[test]\nfn a() { crate::b::b() }",
    ] {
        let files = [
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", tests),
            ("a/tests.rs", "use crate::b::B;"),
            ("b.rs", "use crate::a::A;"),
        ];
        assert!(of(&files).is_empty(), "{tests}");
    }
    assert_eq!(pair("#[cfg(any(test, unix))]\nuse crate::b::B;", "use crate::a::A;").len(), 1);
}

#[test]
fn every_kind_of_path_is_an_edge() {
    for path in [
        "use super::b::{B, C};",
        "use crate::{b::{self as other}, c};",
        "use super::b;",
        "use crate::b::*;",
        "use crate as root;\nuse crate::b as other;\nfn a() { other::b() }",
        "fn a() { use crate::b::B; }",
        "fn a() { let b = crate::b::B { x: 1 }; }",
        "fn a(b: Option<crate::b::B>) {}",
        "impl crate::b::B for u8 {}",
        "fn a() { match x { crate::b::B::C => 1 } }",
        "fn a() { println!(\"{}\", crate::b::B) }",
        "macro_rules! a { () => { $crate::b::B } }",
        "#[error(\"{}\", crate::b::known())]\nstruct A;",
        "mod inner { use super::super::b::B; }",
    ] {
        assert_eq!(pair(path, "use crate::a::A;").len(), 1, "{path}");
    }
}

#[test]
fn what_only_looks_like_a_path_is_none() {
    for path in [
        "pub(in crate::b) struct A;",
        "use ::b::B;",
        "use std::b::B;",
        "fn a() { x.b::<u8>(); }",
        "macro_rules! a { ($b:ident) => { $b::new() } }",
        "/// See [`crate::b::B`].\nstruct A;",
        "mod b { pub struct B; }\nuse b::B;",
        "mod inner { use super::A; }",
    ] {
        assert!(pair(path, "use crate::a::A;").is_empty(), "{path}");
    }
}

#[test]
fn modules_are_found_in_every_place_for_them() {
    let found = of(&[
        ("lib.rs", "mod outer { mod deep; }\n#[path = \"../named/x.rs\"]\nmod x;"),
        ("outer/deep.rs", "use crate::x::X;"),
        ("../named/x.rs", ""),
    ]);
    assert!(found.is_empty());
    let files = [
        MANIFEST,
        ("crates/plan/src/lib.rs", "#[path = \"../named/x.rs\"]\nmod x;\nmod outer { mod deep; }"),
        ("crates/plan/named/x.rs", "use crate::outer::deep::D;"),
        ("crates/plan/src/outer/deep.rs", "use crate::x::X;"),
    ];
    assert!(said(modules, &files)[0].contains("crate::x needs crate::outer::deep (crates/plan/named/x.rs:1"));
}

#[test]
fn programs_and_build_scripts_are_looked_at() {
    let circle = [("m/a.rs", "use crate::b::B;"), ("m/b.rs", "use crate::a::A;")];
    for (root, folder) in
        [("src/main.rs", "src"), ("build.rs", ""), ("src/bin/x.rs", "src/bin"), ("ops/main.rs", "ops")]
    {
        let paths =
            circle.map(|(name, text)| (format!("benches/{folder}/{}", &name[2..]).replace("//", "/"), text));
        let root = format!("benches/{root}");
        let manifest = ("benches/Cargo.toml", "[[bin]]\nname = \"ops\"\npath = \"ops/main.rs\"\n");
        let mut files = vec![manifest, (root.as_str(), "mod a;\nmod b;")];
        files.extend(paths.iter().map(|(path, text)| (path.as_str(), *text)));
        assert_eq!(said(modules, &files).len(), 1, "{root}");
    }
}

#[test]
fn a_file_that_is_no_rust_is_named_with_its_line() {
    let found = of(&[("lib.rs", "mod a;"), ("a.rs", "//! A.\nfn a( {}\n")]);
    assert!(found.len() == 1 && found[0].starts_with("crates/plan/src/a.rs:2: "), "{found:?}");
}
