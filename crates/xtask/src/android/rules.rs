//! What a library for Android must be: for the right processor, on large pages, with no name too many and none that Android lacks.

use super::abi::Abi;
use super::api::Api;
use super::elf::Library;
use super::link::{EXPORTED, LIBRARY, PAGE};

/// Android's libraries for apps that it may be loaded with. Drivers of GPUs are found while it runs.
const ALLOWED: &[&str] = &["libc.so", "libdl.so", "libm.so", "liblog.so"];

/// All that is wrong with the library, each in a sentence.
pub(super) fn faults(library: &Library, abi: &Abi, api: &Api) -> Vec<String> {
    let mut faults = Vec::new();
    if library.machine != abi.machine {
        faults.push(format!("it is for {}, not for {}", library.machine, abi.machine));
    }
    if library.name != LIBRARY {
        faults.push(format!("it calls itself `{}`, not {LIBRARY}", library.name));
    }
    if library.alignments.is_empty() || library.alignments.iter().any(|alignment| alignment % PAGE != 0) {
        faults.push(format!(
            "its parts are aligned to {:x?} bytes, not to pages of {PAGE}",
            library.alignments
        ));
    }
    if library.is_code_patched {
        faults.push(String::from("its code is written to while it is loaded (TEXTREL)"));
    }
    named(&mut faults, "is loaded with", &library.needed, |name| ALLOWED.contains(&name));
    named(&mut faults, "exports", &library.exported, is_exported);
    named(&mut faults, &format!("calls what Android {} lacks:", api.level), &library.undefined, |name| {
        api.has(name)
    });
    for pattern in
        EXPORTED.iter().filter(|pattern| !library.exported.iter().any(|name| matches(pattern, name)))
    {
        faults.push(format!("it exports no {pattern}"));
    }
    faults
}

/// Tells of all names that may not be.
fn named(faults: &mut Vec<String>, does: &str, names: &[String], may_be: impl Fn(&str) -> bool) {
    let wrong: Vec<_> = names.iter().map(String::as_str).filter(|name| !may_be(name)).collect();
    if !wrong.is_empty() {
        faults.push(format!("it {does} {}", wrong.join(", ")));
    }
}

fn is_exported(name: &str) -> bool {
    EXPORTED.iter().any(|pattern| matches(pattern, name))
}

/// Whether a name is of a linker's pattern.
fn matches(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(name == pattern, |beginning| name.starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use super::super::abi;
    use super::super::api::{Kind, Symbol};
    use super::*;

    fn right() -> Library {
        let strings = |words: &[&str]| words.iter().copied().map(String::from).collect::<Vec<_>>();
        Library {
            machine: String::from("AArch64"),
            alignments: vec![PAGE, PAGE],
            name: String::from(LIBRARY),
            needed: strings(&["libc.so", "libm.so"]),
            exported: strings(&["JNI_OnLoad", "Java_org_hala_Native_trim", "hala_trim"]),
            undefined: strings(&["malloc"]),
            is_code_patched: false,
        }
    }

    fn faults_of(change: impl FnOnce(&mut Library)) -> Vec<String> {
        let malloc =
            Symbol { library: String::from("libc.so"), name: String::from("malloc"), kind: Kind::Function };
        let mut library = right();
        change(&mut library);
        faults(&library, abi::named("arm64-v8a").unwrap(), &Api { level: 26, symbols: vec![malloc] })
    }

    #[test]
    fn a_right_library_has_no_fault() {
        assert!(faults_of(|_| {}).is_empty());
    }

    #[test]
    fn each_fault_is_told_alone() {
        let one = |change: fn(&mut Library), word: &str| {
            let faults = faults_of(change);
            assert!(faults.len() == 1 && faults[0].contains(word), "{faults:?} of `{word}`");
        };
        one(|library| library.machine = String::from("Advanced Micro Devices X86-64"), "not for AArch64");
        one(|library| library.name = String::from("libhala.so.1"), "libhala.so.1");
        one(|library| library.alignments[1] = 0x1000, "1000");
        one(|library| library.alignments.clear(), "aligned");
        one(|library| library.is_code_patched = true, "TEXTREL");
        one(|library| library.needed.push(String::from("libunwind.so")), "libunwind.so");
        one(|library| library.exported.push(String::from("rust_eh_personality")), "rust_eh_personality");
        one(|library| library.exported.push(String::from("JNI_OnLoadMore")), "JNI_OnLoadMore");
        one(|library| drop(library.exported.remove(0)), "no JNI_OnLoad");
        one(|library| library.undefined.push(String::from("getrandom")), "getrandom");
    }
}
