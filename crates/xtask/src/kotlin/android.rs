//! What is Android's alone, compiled without Android: `org.hala.android` and the demo app against stubs of what they use.

use std::path::PathBuf;

use anyhow::Result;

use super::compiler::{Compiler, Job, Rules};
use super::java;
use super::program::Program;
use super::resources::{self, Module};
use super::sources;
use crate::project::Project;
use crate::verdict::Verdict;

/// The library's own sources, the façade and what is Android's alone.
const LIBRARY: &[&str] = &["android/hala/src/main/kotlin", "android/hala/src/android/kotlin"];

/// Declarations of what they use of Android, in Java, and of AndroidX, in Kotlin.
const JAVA_STUBS: &str = "android/stubs/java";
const KOTLIN_STUBS: &str = "android/stubs/kotlin";
const COMPOSE_STUBS: &str = "android/stubs/compose";

/// Tests against stubs, those for a phone, which are compiled alone, and what the former have in common with the façade's.
const TESTS: &[&str] = &[
    "android/hala/src/stubTest/kotlin",
    "android/demo/src/stubTest/kotlin",
    "android/hala/src/androidTest/kotlin",
];
const SHARED: &[&str] =
    &["android/hala/src/test/kotlin/org/hala/Check.kt", "android/hala/src/test/kotlin/org/hala/Server.kt"];
const MAIN: &str = "org.hala.android.MainKt";

const HALA: Module = Module { folder: "android/hala", package: "org.hala" };

const DEMO: Module = Module { folder: "android/demo", package: "org.hala.demo" };
const DEMO_SOURCES: &str = "android/demo/src/main/kotlin";

/// What compiling needs and makes.
pub(super) struct Android<'a> {
    project: &'a Project,
    compiler: &'a Compiler,
}

/// What was compiled, or why it was not.
pub(super) type Made<T> = Result<T, Verdict>;

/// What was compiled, and what it stands on.
pub(super) struct Classes {
    pub(super) jar: PathBuf,
    /// Stubs, its R, and for the app the library.
    under: Vec<PathBuf>,
}

impl Classes {
    /// Both, as what stands on it needs them.
    fn with_all_under(&self) -> Vec<PathBuf> {
        self.under.iter().chain([&self.jar]).cloned().collect()
    }
}

impl<'a> Android<'a> {
    pub(super) fn new(project: &'a Project, compiler: &'a Compiler) -> Self {
        Self { project, compiler }
    }

    /// Compiles everything and runs the tests.
    pub(super) fn verdict(&self, filter: Option<&str>) -> Result<Verdict> {
        let library = match self.library()? {
            Ok(library) => library,
            Err(verdict) => return Ok(verdict),
        };
        let demo = match self.demo(&library)? {
            Ok(demo) => demo,
            Err(verdict) => return Ok(verdict),
        };
        let mut sources = sources::of(self.project, TESTS, "kt")?;
        sources.extend(SHARED.iter().map(|file| self.project.root.join(file)));
        let mut libraries = demo.with_all_under();
        let job = Job {
            what: "the tests against stubs of Android",
            jar: "stub-tests.jar",
            sources,
            libraries: libraries.clone(),
            friend: Some(library.jar),
            ..Job::default()
        };
        let Some(tests) = self.compiler.compile(&job)? else {
            return Ok(failed("the tests against stubs of Android do not compile; see above"));
        };
        libraries.push(tests);
        Program { jars: &libraries, main: MAIN, filter }.run(self.project, self.compiler)
    }

    /// The demo app's classes, over those of Compose's stubs.
    fn demo(&self, library: &Classes) -> Result<Made<Classes>> {
        let mut under = library.with_all_under();
        let stubs = Job {
            what: "stubs of Compose",
            jar: "stubs-compose.jar",
            sources: sources::of(self.project, &[COMPOSE_STUBS], "kt")?,
            libraries: under.clone(),
            rules: Rules::ComposableStubs,
            ..Job::default()
        };
        let Some(stubs) = self.compiler.compile(&stubs)? else {
            return Ok(Err(failed("the stubs of Compose do not compile; see above")));
        };
        under.push(stubs);
        match self.r(&DEMO, &[&HALA])? {
            Ok(r) => under.push(r),
            Err(verdict) => return Ok(Err(verdict)),
        }
        let job = Job {
            what: "the demo app",
            jar: "demo.jar",
            sources: sources::of(self.project, &[DEMO_SOURCES], "kt")?,
            libraries: under.clone(),
            rules: Rules::App,
            ..Job::default()
        };
        let jar = self.compiler.compile(&job)?;
        Ok(jar
            .map(|jar| Classes { jar, under })
            .ok_or_else(|| failed("the demo app does not compile; see above")))
    }

    /// The library's classes: the façade and `org.hala.android`, without tests and without stubs.
    pub(super) fn library(&self) -> Result<Made<Classes>> {
        let mut under = match self.stubs()? {
            Ok(stubs) => stubs,
            Err(verdict) => return Ok(Err(verdict)),
        };
        match self.r(&HALA, &[])? {
            Ok(r) => under.push(r),
            Err(verdict) => return Ok(Err(verdict)),
        }
        let job = Job {
            what: "the façade with what is Android's alone",
            jar: "library.jar",
            sources: sources::of(self.project, LIBRARY, "kt")?,
            libraries: under.clone(),
            ..Job::default()
        };
        let jar = self.compiler.compile(&job)?;
        Ok(jar
            .map(|jar| Classes { jar, under })
            .ok_or_else(|| failed("org.hala.android does not compile; see above")))
    }

    /// The stubs of Android and those of AndroidX, as jars.
    fn stubs(&self) -> Result<Made<Vec<PathBuf>>> {
        let java = self.compiler.folder().join("stubs-android.jar");
        if !java::jar(&sources::of(self.project, &[JAVA_STUBS], "java")?, &java)? {
            return Ok(Err(failed("the stubs of Android do not compile; see above")));
        }
        let job = Job {
            what: "stubs of AndroidX",
            jar: "stubs-androidx.jar",
            sources: sources::of(self.project, &[KOTLIN_STUBS], "kt")?,
            libraries: vec![java.clone()],
            rules: Rules::Stubs,
            ..Job::default()
        };
        let kotlin = self.compiler.compile(&job)?;
        Ok(kotlin
            .map(|kotlin| vec![java, kotlin])
            .ok_or_else(|| failed("the stubs of AndroidX do not compile; see above")))
    }

    /// The list of the library's resources, once its classes are compiled.
    pub(super) fn symbols(&self) -> PathBuf {
        self.resources(&HALA).join(resources::SYMBOLS)
    }

    /// What is made of the resources of a module.
    fn resources(&self, module: &Module) -> PathBuf {
        self.compiler.folder().join(format!("resources-{}", module.package))
    }

    /// The class R of a module, from its resources and those of the modules under it.
    fn r(&self, module: &Module, under: &[&Module]) -> Result<Made<PathBuf>> {
        let made = self.resources(module);
        let Some(java) = resources::r_class(self.project, module, under, &made)? else {
            let why = format!("aapt2 refuses the resources or the manifest of {}; see above", module.folder);
            return Ok(Err(Verdict::Failed(why)));
        };
        let jar = self.compiler.folder().join(format!("r-{}.jar", module.package));
        let mut files = Vec::new();
        sources::collect(&java, "java", &mut files)?;
        Ok(if java::jar(&files, &jar)? { Ok(jar) } else { Err(failed("R does not compile; see above")) })
    }
}

fn failed(why: &str) -> Verdict {
    Verdict::Failed(String::from(why))
}
