//! Programs that were compiled with an older header go on working: the headers and clients of tests/abi, against the library of today.

mod changes;
mod header;
mod layout;

use std::path::PathBuf;
use std::sync::Once;

use crate::client::{Client, HEADER};
use crate::compiler::{Watch, root};

/// The version that is frozen, and its folder from the root of the repository.
const V1: &str = "tests/abi/v1";

/// Freezes the header of today as the version that it names, which is done before a release and never after it.
const FREEZE: &str = "HALA_FREEZE_ABI";

fn file(name: &str) -> PathBuf {
    root().join(V1).join(name)
}

/// The header of today.
fn today() -> String {
    std::fs::read_to_string(root().join(HEADER).join("hala.h")).unwrap()
}

/// The frozen header, and its table in lines.
fn frozen() -> (String, Vec<String>) {
    static FROZEN: Once = Once::new();
    FROZEN.call_once(|| {
        if std::env::var(FREEZE).is_ok_and(|version| version == "v1") {
            std::fs::write(file("hala.h"), today()).unwrap();
            let table = layout::of(&header::read(&today()), HEADER);
            std::fs::write(file("layout.txt"), table.unwrap().join("\n") + "\n").unwrap();
        }
    });
    let table = std::fs::read_to_string(file("layout.txt")).unwrap();
    (std::fs::read_to_string(file("hala.h")).unwrap(), table.lines().map(str::to_owned).collect())
}

#[test]
fn nothing_that_v1_has_has_moved() {
    let (_, table) = frozen();
    let Some(today) = layout::of(&header::read(&today()), HEADER) else { return };
    let changes = changes::between(&table, &today);
    assert!(
        changes.is_empty(),
        "programs that were compiled with {V1}/hala.h would no longer work:\n    {}\nNew fields go to the end of a struct that has \
         struct_size, and new functions anywhere; see tests/abi/README.md",
        changes.join("\n    ")
    );
}

/// The table is that of the frozen header, and nobody has changed one without the other.
#[test]
fn the_table_of_v1_is_that_of_its_header() {
    let (frozen, table) = frozen();
    let Some(found) = layout::of(&header::read(&frozen), V1) else { return };
    assert_eq!(table, found, "{V1}/layout.txt is not what {V1}/hala.h has");
}

#[test]
fn a_client_of_v1_works_with_the_library_of_today() {
    let folder = tempfile::tempdir().unwrap();
    let Some(client) = Client::with_header(&format!("{V1}/client.c"), V1, Watch::Nothing) else { return };
    client.arg(folder.path()).run();
}

#[test]
fn the_client_of_v1_calls_every_function_of_its_header() {
    let (frozen, _) = frozen();
    let client = std::fs::read_to_string(file("client.c")).unwrap();
    let functions = header::read(&frozen).functions;
    assert!(functions.len() > 30, "{functions:?}");
    for function in &functions {
        assert!(client.contains(&format!("{}(", function.name)), "{} is not called", function.name);
    }
}
