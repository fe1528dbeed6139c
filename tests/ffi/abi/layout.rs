//! Where everything is that a header declares, as the system's compiler lays it out: one line for each thing.

use std::process::Command;

use crate::compiler::{Watch, compiled_text};

use super::header::Header;

/// The table of a header, in `folder` from the root of the repository; `None` where no compiler is there, or sizes are those of another kind of machine.
///
/// `struct HalaText of 16`, `field HalaText.data at 0 of 8: const char *`, `constant HALA_STATUS_OK 0`, `function hala_trim: …`.
pub(super) fn of(header: &Header, folder: &str) -> Option<Vec<String>> {
    if cfg!(not(target_pointer_width = "64")) {
        return None;
    }
    let program = compiled_text(&source(header), folder, Watch::Nothing)?;
    let output = Command::new(program).output().unwrap();
    assert!(output.status.success());
    let table = String::from_utf8(output.stdout).unwrap();
    Some(table.lines().map(str::to_owned).collect())
}

/// A program that prints the table.
fn source(header: &Header) -> String {
    let mut source = String::from("#include \"hala.h\"\n#include <stdio.h>\nint main(void) {\n");
    for one in &header.structs {
        let name = &one.name;
        source += &format!("    printf(\"struct {name} of %zu\\n\", sizeof({name}));\n");
        for (kind, field) in &one.fields {
            source += &format!(
                "    printf(\"field {name}.{field} at %zu of %zu: {kind}\\n\", offsetof({name}, {field}), sizeof((({name} *)0)->{field}));\n"
            );
        }
    }
    for name in &header.constants {
        source += &format!("    printf(\"constant {name} %lld\\n\", (long long)({name}));\n");
    }
    for (what, list) in [("callback", &header.callbacks), ("function", &header.functions)] {
        for one in list {
            source += &format!("    puts(\"{what} {}: {}\");\n", one.name, one.kind);
        }
    }
    source + "    return 0;\n}\n"
}
