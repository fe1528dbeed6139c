//! `cargo xtask fixtures`: lists the scripts that made the test fixtures, and runs them again when asked.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::args::{Task, Usage};
use crate::outcome::Outcome;
use crate::process;
use crate::project::Project;
use crate::tidy::tree::Tree;

pub(crate) const TASK: Task = Task {
    name: "fixtures",
    about: "list the scripts that made the fixtures, or run them again",
    help: "\
Lists the Python scripts that made the fixtures (tests/fixtures and crates/*/tests/fixtures) with what they
need and the command that runs each. With --run it runs them in a virtual environment of its own,
target/venv, into which it installs what the line `Needs: package, package==version` of a script's docstring
names.

Usage: cargo xtask fixtures [--run [SCRIPT]]

  --run      run the scripts, all of them or those whose path contains SCRIPT
",
    run,
};

/// A fixture script, by what its docstring says.
#[derive(Debug, PartialEq, Eq)]
struct Script {
    path: String,
    about: String,
    needs: Vec<String>,
}

fn run(project: &Project, words: &[String]) -> Result<Outcome> {
    let wanted = match words {
        [] => None,
        [run] if run == "--run" => Some(""),
        [run, name] if run == "--run" && !name.starts_with('-') => Some(name.as_str()),
        [run, word, ..] if run == "--run" => return Err(Usage::unknown("fixtures", word).into()),
        [word, ..] => return Err(Usage::unknown("fixtures", word).into()),
    };
    let scripts = scripts(&Tree::of_checkout(&project.root)?);
    match wanted {
        None => list(&scripts),
        Some(name) => {
            let chosen: Vec<_> = scripts.iter().filter(|script| script.path.contains(name)).collect();
            if chosen.is_empty() {
                bail!("no fixture script matches `{name}`; `cargo xtask fixtures` lists them");
            }
            return remake(project, &chosen);
        }
    }
    Ok(Outcome::Good)
}

fn list(scripts: &[Script]) {
    for script in scripts {
        let needs = if script.needs.is_empty() { String::from("nothing") } else { script.needs.join(", ") };
        println!("{}\n  {}\n  needs: {needs}", script.path, script.about);
        println!("  again: cargo xtask fixtures --run {}", script.path);
    }
    println!("{} fixture scripts", scripts.len());
}

fn scripts(tree: &Tree) -> Vec<Script> {
    let files = tree.files().filter(|file| file.is_fixture() && file.path.ends_with(".py"));
    files.map(|file| script(&file.path, file.text.as_deref().unwrap_or_default())).collect()
}

fn script(path: &str, text: &str) -> Script {
    let docstring = text.split("\"\"\"").nth(1).unwrap_or_default();
    let first = docstring.lines().map(str::trim).find(|line| !line.is_empty());
    let named = docstring.lines().find_map(|line| line.trim().strip_prefix("Needs:")).unwrap_or_default();
    let names = named.trim().trim_end_matches('.').split([',', ' ']).map(str::trim);
    let needs = names.filter(|name| !matches!(*name, "" | "nothing" | "and")).map(String::from).collect();
    Script { path: path.to_owned(), about: first.unwrap_or("(no docstring)").to_owned(), needs }
}

fn remake(project: &Project, scripts: &[&Script]) -> Result<Outcome> {
    let python = environment(project)?;
    let mut outcome = Outcome::Good;
    for script in scripts {
        if !script.needs.is_empty() {
            println!("installing {} into {}", script.needs.join(", "), venv(project).display());
            let mut pip = Command::new(&python);
            if !process::show(pip.args(["-m", "pip", "install", "--quiet"]).args(&script.needs))? {
                bail!("pip cannot install what {} needs: {}", script.path, script.needs.join(", "));
            }
        }
        println!("running {}", script.path);
        if !process::show(Command::new(&python).arg(&script.path).current_dir(&project.root))? {
            println!("{} failed; what it wrote may be incomplete", script.path);
            outcome = Outcome::Bad;
        }
    }
    Ok(outcome)
}

fn venv(project: &Project) -> PathBuf {
    project.target().join("venv")
}

/// The interpreter of target/venv, made when it is not there yet.
fn environment(project: &Project) -> Result<PathBuf> {
    let folder = venv(project);
    let python = folder.join(Path::new(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" }));
    if !python.is_file() {
        let mut maker = Command::new("python3");
        let made = process::show(maker.args(["-m", "venv"]).arg(&folder));
        if !made.context("fixture scripts are Python; install python3 with its venv module")? {
            bail!("python3 cannot make {}; on Debian install python3-venv", folder.display());
        }
    }
    Ok(python)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_read_by_its_docstring() {
        let text = "#!/usr/bin/env python3\n\"\"\"Two layers.\n\nNeeds: torch, numpy==2.1 and safetensors.\n\"\"\"\n";
        let script = script("tests/fixtures/lfm2/make.py", text);
        assert_eq!(script.about, "Two layers.");
        assert_eq!(script.needs, ["torch", "numpy==2.1", "safetensors"]);
    }

    #[test]
    fn only_scripts_among_the_fixtures_are_listed() {
        let tree = Tree::of(&[
            ("tests/fixtures/lfm2/make.py", "\"\"\"Needs: nothing\"\"\""),
            ("crates/text/tests/fixtures/make.py", ""),
            ("crates/text/src/tool.py", ""),
            ("tests/fixtures/lfm2/config.json", "{}"),
        ]);
        let found = scripts(&tree);
        assert_eq!(found.len(), 2);
        assert!(found.iter().all(|script| script.needs.is_empty()));
    }
}
