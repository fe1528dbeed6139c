//! `include/hala.h` is what cbindgen makes of the sources.

#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::path::Path;

/// The header as the sources have it.
fn generated() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(folder.join("cbindgen.toml")).unwrap();
    let bindings = cbindgen::Builder::new().with_crate(folder).with_config(config).generate().unwrap();
    let mut header = Vec::new();
    bindings.write(&mut header);
    String::from_utf8(header).unwrap()
}

#[test]
fn the_header_is_that_of_the_sources() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("include/hala.h");
    let made = generated();
    if std::env::var_os("HALA_BLESS").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == made,
        "crates/ffi/include/hala.h is not what the sources have: make it with `HALA_BLESS=1 cargo test -p hala-ffi --test header`"
    );
}

#[test]
fn its_constants_are_those_of_the_sources() {
    let made = generated();
    let version = format!("#define HALA_ABI_VERSION {}\n", hala_ffi::version::HALA_ABI_VERSION);
    assert!(made.contains(&version));
    assert!(made.contains("#define HALA_STRLEN SIZE_MAX\n"));
    assert_eq!(hala_ffi::text::HALA_STRLEN, usize::MAX);
}
