//! A folder that is filled file by file and tensor by tensor, appears under its name only when it is whole, and is gone on with after an
//! interruption.
//!
//! Until then it is called `OUT.partial`. Its journal begins with a fingerprint of inputs and settings, and names each tensor whose bytes
//! are on the disk.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use hala_weights::{Placed, TensorInfo};
use serde_json::Value;

use crate::error::CompressError;
use crate::threads;

const JOURNAL: &str = ".journal";

/// Bytes of input after whose work files are synced and the journal is written: what a power cut costs at most.
const SYNC_BYTES: u64 = 256 << 20;

/// How far the work is, in bytes of input.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    /// What is done.
    pub n_done: u64,
    /// All there is.
    pub n_total: u64,
    /// The tensor that was done last, or what is being done.
    pub what: &'a str,
}

/// Told how far the work is, a few times a second or more; `false` stops it.
pub type OnProgress<'a> = dyn FnMut(Progress<'_>) -> bool + 'a;

/// How a job runs.
pub(crate) struct Pace<'a, 'p> {
    /// Threads that work at once.
    pub(crate) n_threads: usize,
    /// Whom to tell.
    pub(crate) on_progress: &'a mut OnProgress<'p>,
    /// Bytes of the work that other runs have, before and in all.
    pub(crate) others: [u64; 2],
}

impl<'a, 'p> Pace<'a, 'p> {
    /// For work that is one run.
    pub(crate) fn new(n_threads: usize, on_progress: &'a mut OnProgress<'p>) -> Self {
        Self { n_threads, on_progress, others: [0; 2] }
    }
}

/// A file to be written.
#[derive(Debug)]
pub(crate) struct OutFile {
    pub(crate) name: String,
    pub(crate) placed: Placed,
}

/// Some tensors that are made together.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) name: String,
    /// Bytes of input, for progress.
    pub(crate) n_bytes: u64,
}

impl Task {
    /// What is made of one tensor.
    pub(crate) fn of(tensor: &TensorInfo) -> Self {
        Self { name: tensor.name.clone(), n_bytes: tensor.n_bytes() as u64 }
    }
}

/// A folder being filled.
#[derive(Debug)]
pub(crate) struct Job {
    out: PathBuf,
    partial: PathBuf,
    journal: File,
    done: BTreeSet<String>,
    files: Vec<File>,
    places: BTreeMap<String, (usize, Range<u64>)>,
}

impl Job {
    /// Begins, or goes on where the same work was interrupted.
    pub(crate) fn begin(out: &Path, fingerprint: &Value, files: &[OutFile]) -> Result<Self, CompressError> {
        let is_free = match fs::read_dir(out) {
            Ok(mut entries) => entries.next().is_none(),
            Err(_) => fs::symlink_metadata(out).is_err(),
        };
        if !is_free {
            return Err(CompressError::Exists { path: out.display().to_string() });
        }
        let partial = partial_of(out);
        // Messages name what the user named, and not the folder that stands in for it.
        fs::create_dir_all(&partial).map_err(CompressError::io("create", out))?;
        let (journal, done) = open_journal(&partial, out, fingerprint)?;
        let mut job =
            Self { out: out.to_owned(), partial, journal, done, files: Vec::new(), places: BTreeMap::new() };
        for file in files {
            job.open(file).map_err(|error| job.in_users_words(error))?;
        }
        Ok(job)
    }

    /// An error of a file in the folder that is being filled, as one of the file that it will be.
    fn in_users_words(&self, error: CompressError) -> CompressError {
        if let CompressError::Cancelled { .. } = error {
            return self.cancelled();
        }
        let CompressError::Io { action, path, source } = error else { return error };
        let path = match Path::new(&path).strip_prefix(&self.partial) {
            Ok(inner) if self.out.file_name() == Some(inner.as_os_str()) => self.out.clone(),
            Ok(inner) if inner.as_os_str().is_empty() => self.out.clone(),
            Ok(inner) => self.out.join(inner),
            Err(_) => PathBuf::from(path),
        };
        CompressError::Io { action, path: path.display().to_string(), source }
    }

    /// Opens an output file, and writes its header unless an earlier run did.
    fn open(&mut self, file: &OutFile) -> Result<(), CompressError> {
        let path = self.partial.join(&file.name);
        let placed = &file.placed;
        let io = || CompressError::io("write", &path);
        let mut opened = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(CompressError::io("create", &path))?;
        let mut head = vec![0; placed.head.len()];
        let is_begun = opened.metadata().map_err(io())?.len() == placed.n_bytes
            && opened.read_exact(&mut head).is_ok()
            && head == placed.head;
        if !is_begun {
            // What the journal names would not be there.
            if !self.done.is_empty() {
                let (path, what) = (self.partial.display().to_string(), path.display().to_string());
                return Err(CompressError::OtherRun { path, what });
            }
            opened.set_len(0).map_err(io())?;
            opened.seek(SeekFrom::Start(0)).map_err(io())?;
            opened.write_all(&placed.head).map_err(io())?;
            opened.set_len(placed.n_bytes).map_err(io())?;
        }
        let idx = self.files.len();
        self.places.extend(placed.places.iter().map(|(name, range)| (name.clone(), (idx, range.clone()))));
        self.files.push(opened);
        Ok(())
    }

    /// Does the tasks that are not done yet, on several threads.
    pub(crate) fn run(
        &mut self,
        tasks: &[Task],
        pace: &mut Pace<'_, '_>,
        work: impl Fn(&Task, &Sink<'_>) -> Result<(), CompressError> + Sync,
    ) -> Result<(), CompressError> {
        let n_own: u64 = tasks.iter().map(|task| task.n_bytes).sum();
        let n_total = n_own + pace.others[1];
        let open: Vec<&Task> = tasks.iter().filter(|task| !self.done.contains(&task.name)).collect();
        let mut n_done: u64 = n_own - open.iter().map(|task| task.n_bytes).sum::<u64>() + pace.others[0];
        let stop = AtomicBool::new(false);
        let Self { files, places, journal, out, .. } = self;
        let sink = Sink { files, places, stop: &stop, out };
        let mut log = Log { journal, files, out, pending: Vec::new(), n_pending: 0 };
        let take = |task: &&Task, (): ()| {
            n_done += task.n_bytes;
            log.add(task)?;
            let goes_on = (pace.on_progress)(Progress { n_done, n_total, what: &task.name });
            if goes_on { Ok(()) } else { Err(cancelled(out)) }
        };
        let outcome = threads::each(&open, pace.n_threads, &stop, |task| work(task, &sink), take);
        log.flush()?;
        outcome
    }

    /// The error of work that was stopped.
    pub(crate) fn cancelled(&self) -> CompressError {
        cancelled(&self.out)
    }

    /// Whether a task was done.
    pub(crate) fn is_done(&self, task: &str) -> bool {
        self.done.contains(task)
    }

    /// The folder while it is filled.
    pub(crate) fn folder(&self) -> &Path {
        &self.partial
    }

    /// Ends the job by `finish` where the work succeeded; removes all that was written where the same command could not go on.
    pub(crate) fn end<T>(
        self,
        result: Result<T, CompressError>,
        finish: fn(Self) -> Result<(), CompressError>,
    ) -> Result<T, CompressError> {
        match result {
            Ok(made) => finish(self).map(|()| made),
            Err(error) => {
                let error = self.in_users_words(error);
                if !error.is_passing() {
                    self.discard();
                }
                Err(error)
            }
        }
    }

    /// Gives the folder its name; all is on the disk then.
    pub(crate) fn finish(self) -> Result<(), CompressError> {
        self.sync()?;
        let Self { out, partial, journal, files, .. } = self;
        drop((journal, files));
        let journal = partial.join(JOURNAL);
        fs::remove_file(&journal).map_err(CompressError::io("create", &out))?;
        if out.is_dir() {
            fs::remove_dir(&out).map_err(CompressError::io("replace", &out))?;
        }
        fs::rename(&partial, &out).map_err(CompressError::io("create", &out))
    }

    /// Gives the name to the one file in the folder, and removes that.
    pub(crate) fn finish_as_file(self) -> Result<(), CompressError> {
        self.sync()?;
        let Self { out, partial, .. } = &self;
        let name = out.file_name().unwrap_or_default();
        fs::rename(partial.join(name), out).map_err(CompressError::io("create", out))?;
        self.discard();
        Ok(())
    }

    /// Brings all to the disk.
    fn sync(&self) -> Result<(), CompressError> {
        let sync = |file: &File| file.sync_all().map_err(CompressError::io("write", &self.out));
        self.files.iter().try_for_each(sync)
    }

    /// Removes all that was written.
    fn discard(self) {
        let partial = self.partial.clone();
        drop(self);
        // Where it cannot be removed, it stays under its own name, and the error that led here is the one to tell.
        drop(fs::remove_dir_all(partial));
    }
}

/// The error of work that was stopped before this was made.
pub(crate) fn cancelled(out: &Path) -> CompressError {
    CompressError::Cancelled { path: out.display().to_string() }
}

/// The name of a folder while it is filled.
fn partial_of(out: &Path) -> PathBuf {
    let mut name = out.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    out.with_file_name(name)
}

/// Opens the journal of this work, and reads what is done.
fn open_journal(
    partial: &Path,
    out: &Path,
    fingerprint: &Value,
) -> Result<(File, BTreeSet<String>), CompressError> {
    let path = partial.join(JOURNAL);
    let io = |action| CompressError::io(action, out);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(io("create"))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(CompressError::Busy { path: out.display().to_string() }),
        Err(TryLockError::Error(e)) => return Err(io("lock")(e)),
    }
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(io("read"))?;
    // A line that a kill cut short has no end.
    let whole = text.rfind('\n').map_or(0, |end| end + 1);
    let mut lines = text[..whole].lines();
    let Some(first) = lines.next() else {
        file.set_len(0).map_err(io("write"))?;
        file.seek(SeekFrom::Start(0)).map_err(io("write"))?;
        writeln!(file, "{fingerprint}").map_err(io("write"))?;
        return Ok((file, BTreeSet::new()));
    };
    let found: Value = serde_json::from_str(first).unwrap_or_default();
    if found != *fingerprint {
        let settings = fingerprint.as_object().into_iter().flatten();
        let mut differing = settings.filter(|(key, value)| found.get(key) != Some(value)).map(|(key, _)| key);
        let what = differing.next().cloned().unwrap_or_else(|| "the version".to_owned());
        return Err(CompressError::OtherRun { path: partial.display().to_string(), what });
    }
    let done = lines.map(str::to_owned).collect();
    file.set_len(whole as u64).map_err(io("write"))?;
    file.seek(SeekFrom::End(0)).map_err(io("write"))?;
    Ok((file, done))
}

/// The journal while tasks are done.
struct Log<'a> {
    journal: &'a mut File,
    files: &'a [File],
    out: &'a Path,
    pending: Vec<String>,
    n_pending: u64,
}

impl Log<'_> {
    fn add(&mut self, task: &Task) -> Result<(), CompressError> {
        self.pending.push(task.name.clone());
        self.n_pending += task.n_bytes;
        if self.n_pending >= SYNC_BYTES { self.flush() } else { Ok(()) }
    }

    /// Brings the tensors to the disk, and then says so.
    fn flush(&mut self) -> Result<(), CompressError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let io = || CompressError::io("write", self.out);
        for file in self.files {
            file.sync_data().map_err(io())?;
        }
        let lines: String = self.pending.drain(..).map(|name| name + "\n").collect();
        self.n_pending = 0;
        self.journal.write_all(lines.as_bytes()).map_err(io())?;
        self.journal.sync_data().map_err(io())
    }
}

/// Where tasks write.
#[derive(Debug)]
pub(crate) struct Sink<'a> {
    files: &'a [File],
    places: &'a BTreeMap<String, (usize, Range<u64>)>,
    stop: &'a AtomicBool,
    out: &'a Path,
}

impl Sink<'_> {
    /// Writes bytes of a tensor, `offset` bytes behind its start.
    ///
    /// # Panics
    /// The tensor was not declared, or has fewer bytes: a fault of the caller.
    pub(crate) fn write(&self, tensor: &str, offset: u64, bytes: &[u8]) -> Result<(), CompressError> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(cancelled(self.out));
        }
        let (file, range) = &self.places[tensor];
        assert!(range.start + offset + bytes.len() as u64 <= range.end, "{tensor} has {range:?}");
        write_at(&self.files[*file], bytes, range.start + offset)
            .map_err(CompressError::io("write", self.out))
    }
}

#[cfg(unix)]
fn write_at(file: &File, bytes: &[u8], offset: u64) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, offset)
}

#[cfg(windows)]
fn write_at(file: &File, mut bytes: &[u8], mut offset: u64) -> std::io::Result<()> {
    while !bytes.is_empty() {
        let n = std::os::windows::fs::FileExt::seek_write(file, bytes, offset)?;
        (bytes, offset) = (&bytes[n..], offset + n as u64);
    }
    Ok(())
}
