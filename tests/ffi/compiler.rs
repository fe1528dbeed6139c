//! The system's compilers, which make a client of its source; without one, what needs it is skipped, and that is told.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// What watches a client while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Watch {
    /// Nothing but the program's own checks.
    Nothing,
    /// AddressSanitizer with LeakSanitizer, and UndefinedBehaviorSanitizer.
    Addresses,
    /// ThreadSanitizer.
    Threads,
}

impl Watch {
    fn flags(self) -> &'static [&'static str] {
        match self {
            Self::Nothing => &[],
            Self::Addresses => {
                &["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"]
            }
            Self::Threads => &["-fsanitize=thread"],
        }
    }
}

/// A compiler with the language that it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Compiler {
    C,
    Cpp,
}

impl Compiler {
    fn of(source: &Path) -> Self {
        if source.extension().is_some_and(|ending| ending == "cpp") { Self::Cpp } else { Self::C }
    }

    fn program(self) -> &'static str {
        match self {
            Self::C => "cc",
            Self::Cpp => "c++",
        }
    }

    fn standard(self) -> &'static str {
        match self {
            Self::C => "-std=c99",
            Self::Cpp => "-std=c++17",
        }
    }

    /// Whether it is there, with the library that watches; told once where it is not.
    fn is_there(self, watch: Watch) -> bool {
        static FOUND: Mutex<BTreeMap<(Compiler, Watch), bool>> = Mutex::new(BTreeMap::new());
        let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
        *found.entry((self, watch)).or_insert_with(|| {
            let program = folder().join(format!("probe-{self:?}-{watch:?}"));
            let language = if self == Self::C { "c" } else { "c++" };
            let mut command = Command::new(self.program());
            command.args(watch.flags()).args(["-x", language, "-", "-o"]).arg(&program);
            let works = compiles(&mut command, "int main(void) { return 0; }\n");
            if !works {
                let flags = watch.flags().join(" ");
                tell(&format!("skipped: `{}` is not here, or does not take `{flags}`; `cargo xtask setup` installs it where it can", self.program()));
            }
            works
        })
    }
}

/// Checks that a header stands by itself in a standard of its language, and tells of nothing that strict settings warn of.
#[track_caller]
pub(crate) fn accepts(standard: &str, header: &str) {
    let (compiler, language, warnings): (_, _, &[&str]) = if standard.contains("++") {
        (Compiler::Cpp, "c++", &["-Wold-style-cast", "-Wnon-virtual-dtor", "-Woverloaded-virtual"])
    } else {
        (Compiler::C, "c", &["-Wstrict-prototypes"])
    };
    if !compiler.is_there(Watch::Nothing) {
        return;
    }
    let source = folder().join(format!("{header}-{standard}"));
    std::fs::write(&source, format!("#include \"{header}\"\n")).unwrap();
    let mut command = Command::new(compiler.program());
    command.arg(format!("-std={standard}")).args([
        "-pedantic",
        "-Wall",
        "-Wextra",
        "-Wconversion",
        "-Wshadow",
        "-Werror",
    ]);
    command.args(warnings).arg("-fsyntax-only").arg("-I").arg(root().join("crates/ffi/include"));
    let done = command.args(["-x", language]).arg(source).output().unwrap();
    assert!(done.status.success(), "{header} as {standard}:\n{}", String::from_utf8_lossy(&done.stderr));
}

/// Whether a source on standard input is made a program.
fn compiles(command: &mut Command, source: &str) -> bool {
    let Ok(mut child) = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
    else {
        return false;
    };
    child.stdin.take().unwrap().write_all(source.as_bytes()).unwrap();
    child.wait().unwrap().success()
}

/// Where programs and what they write go.
pub(crate) fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ffi");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The folder of the library that cargo has built beside this test.
fn library() -> PathBuf {
    let folder = std::env::current_exe().unwrap().parent().unwrap().to_owned();
    let name = format!("{}hala_ffi{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    assert!(folder.join(&name).exists(), "{name} is not in {}", folder.display());
    folder
}

/// A client's program, which is made once; `None` where no compiler is there to make it. `source` is its path from the root of the repository,
/// and `header` the folder of the hala.h that it is for. Warnings are errors.
pub(crate) fn compiled(source: &str, header: &str, watch: Watch) -> Option<PathBuf> {
    static MADE: Mutex<BTreeMap<String, Arc<OnceLock<Option<PathBuf>>>>> = Mutex::new(BTreeMap::new());
    let name: String =
        format!("{source}-{watch:?}").chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
    let place =
        Arc::clone(MADE.lock().unwrap_or_else(PoisonError::into_inner).entry(name.clone()).or_default());
    place.get_or_init(|| compile(&root().join(source), header, watch, &folder().join(name))).clone()
}

/// The same of a source that a test writes, which is for one test alone.
pub(crate) fn compiled_text(source: &str, header: &str, watch: Watch) -> Option<PathBuf> {
    static N_WRITTEN: AtomicUsize = AtomicUsize::new(0);
    let program = folder().join(format!("written-{}", N_WRITTEN.fetch_add(1, Ordering::Relaxed)));
    let path = program.with_extension("c");
    std::fs::write(&path, source).unwrap();
    compile(&path, header, watch, &program)
}

fn compile(source: &Path, header: &str, watch: Watch, program: &Path) -> Option<PathBuf> {
    let compiler = Compiler::of(source);
    if !compiler.is_there(watch) {
        return None;
    }
    let library = library();
    let mut command = Command::new(compiler.program());
    command.args([compiler.standard(), "-pedantic", "-Wall", "-Wextra", "-Werror", "-g", "-O1"]);
    command.args(watch.flags()).arg("-I").arg(root().join(header)).arg("-I").arg(root().join("tests/ffi"));
    command.arg(source).arg("-o").arg(program).arg("-L").arg(&library).arg("-lhala_ffi").arg("-pthread");
    command.arg(format!("-Wl,-rpath,{}", library.display()));
    let done = command.output().unwrap();
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{} is not compiled:\n{errors}", source.display());
    Some(program.to_owned())
}

/// Says a line that the test runner does not hold back: what is skipped must be seen where all tests pass.
pub(crate) fn tell(line: &str) {
    // A screen that went away is no reason to fail.
    let _ = writeln!(std::io::stderr(), "{line}");
}
