//! metrics.jsonl: appended to while a run goes on, and cut back to where a resumed run goes on from.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::path::{Path, PathBuf};

use hala_weights::WholeFile;

use crate::metrics::line::Line;
use crate::run_fault::RunFault;

/// The file, open to be appended to.
#[derive(Debug)]
pub struct Log {
    file: File,
    path: PathBuf,
}

impl Log {
    /// Opens the file and leaves in it what belongs to the first `n_steps` steps.
    ///
    /// # Errors
    /// The file cannot be read or written, or is damaged elsewhere than in its last line.
    pub fn open(path: &Path, n_steps: u64) -> Result<Self, RunFault> {
        let mut kept: Vec<Line> = if path.exists() { read(path)? } else { Vec::new() };
        kept.retain(|line| line.step() <= n_steps);
        let mut text = Vec::new();
        kept.iter().try_for_each(|line| write(&mut text, line)).map_err(RunFault::io("write", path))?;
        let mut whole = WholeFile::create(path).map_err(RunFault::io("write", path))?;
        whole.write_all(&text).and_then(|()| whole.finish()).map_err(RunFault::io("write", path))?;
        let file = OpenOptions::new().append(true).open(path).map_err(RunFault::io("write", path))?;
        Ok(Self { file, path: path.to_owned() })
    }

    /// Adds a line.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn add(&mut self, line: &Line) -> Result<(), RunFault> {
        // In one call, so that no other process sees half a line.
        let mut text = Vec::new();
        let written = write(&mut text, line).and_then(|()| self.file.write_all(&text));
        written.map_err(RunFault::io("write", &self.path))
    }
}

fn write(text: &mut Vec<u8>, line: &Line) -> std::io::Result<()> {
    serde_json::to_writer(&mut *text, line)?;
    text.push(b'\n');
    Ok(())
}

/// Reads all lines. What was killed while it wrote may have left half a last line, which is passed over.
///
/// # Errors
/// The file cannot be read, or another line is damaged.
pub fn read(path: &Path) -> Result<Vec<Line>, RunFault> {
    let file = File::open(path).map_err(RunFault::io("read", path))?;
    let mut reader = BufReader::new(file);
    let (mut lines, mut text) = (Vec::new(), String::new());
    for number in 1.. {
        text.clear();
        match reader.read_line(&mut text) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::InvalidData => {
                return Err(RunFault::damaged(path, format!("line {number} is no text")));
            }
            Err(error) => return Err(RunFault::io("read", path)(error)),
        }
        if !text.ends_with('\n') {
            break;
        }
        let line = serde_json::from_str(&text);
        lines.push(line.map_err(|e| RunFault::damaged(path, format!("line {number}: {e}")))?);
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::line::{Evaluated, Stepped};

    fn step(step: u64) -> Line {
        Line::Step(Stepped {
            step,
            loss: 2.5,
            learning_rate: 1e-3,
            gradient_norm: 0.5,
            is_clipped: false,
            epoch: 0,
            n_rows: 64,
            n_labels: 20,
            rows_per_second: 100.0,
        })
    }

    #[test]
    fn a_resumed_run_goes_on_where_its_state_is_and_half_a_line_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let mut log = Log::open(&path, 0).unwrap();
        (1..=3).for_each(|i| log.add(&step(i)).unwrap());
        let evaluated = Evaluated { step: 2, loss: 2.0, n_labels: 5, chrf: None, is_best: true };
        log.add(&Line::Evaluation(evaluated)).unwrap();
        std::fs::write(&path, std::fs::read_to_string(&path).unwrap() + "{\"kind\":\"st").unwrap();
        assert_eq!(read(&path).unwrap().len(), 4);
        let mut log = Log::open(&path, 2).unwrap();
        log.add(&step(3)).unwrap();
        assert_eq!(read(&path).unwrap(), [step(1), step(2), Line::Evaluation(evaluated), step(3)]);
    }

    #[test]
    fn damage_elsewhere_is_told_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        std::fs::write(&path, "{}\n").unwrap();
        let error = read(&path).unwrap_err().to_string();
        assert!(error.contains("metrics.jsonl` is damaged: line 1"), "{error}");
    }
}
