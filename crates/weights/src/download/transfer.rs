//! One file brought from a URL to a path: into a part beside it, gone on with where it broke, hashed while it comes, renamed when it is
//! whole and right.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::digest::{Digest, Hasher};
use super::event::{DownloadEvent, Watch};
use super::fault::Fault;
use super::http::{Answer, Client, ContentRange, Question};
use super::retries::Retries;

/// Bytes of what is on disk that are read at once.
const READ_BYTES: usize = 1 << 20;

/// What is to be brought, and where to.
pub(crate) struct Goal<'a> {
    pub(crate) url: &'a str,
    /// Where it will be.
    pub(crate) path: &'a Path,
    /// Where it is while it comes.
    pub(crate) part: &'a Path,
    /// Bytes that it has, where that is known before.
    pub(crate) n_bytes: Option<u64>,
    pub(crate) digest: Option<Digest>,
    pub(crate) content: Content,
}

/// Whether what a URL leads to may change.
pub(crate) enum Content {
    /// It never does.
    Fixed,
    /// It may. The part is of this version, in the words of the server that it came from: an ETag or a date.
    Version(Option<String>),
}

/// Told what an answer is a version of, before the first of its bytes is written.
pub(crate) type Begin<'a> = &'a mut dyn FnMut(Option<&str>) -> io::Result<()>;

/// A transfer under way. The caller holds a lock on the part.
pub(crate) struct Transfer<'a, 'b> {
    client: &'a Client,
    goal: Goal<'a>,
    begin: Begin<'b>,
    file: File,
    done_bytes: u64,
    total_bytes: Option<u64>,
    hasher: Hasher,
}

impl<'a, 'b> Transfer<'a, 'b> {
    /// Opens the part, or makes it.
    pub(crate) fn new(client: &'a Client, goal: Goal<'a>, begin: Begin<'b>) -> Result<Self, Fault> {
        let failed = |source| Fault::Disk { path: goal.part.to_owned(), source };
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(goal.part);
        let file = file.map_err(failed)?;
        let (total_bytes, hasher) = (goal.n_bytes, Hasher::new(goal.digest.as_ref()));
        Ok(Self { client, goal, begin, file, done_bytes: 0, total_bytes, hasher })
    }

    /// Brings the file. One that is whole and wrong is fetched once more from its start.
    pub(crate) fn run(mut self, retries: &mut Retries, watch: &mut Watch<'_>) -> Result<(), Fault> {
        self.take_up(watch)?;
        let mut is_second = false;
        loop {
            self.receive(retries, watch)?;
            match self.verify(watch) {
                Err(fault @ Fault::Corrupt { .. }) if !is_second => {
                    is_second = true;
                    watch.tell(DownloadEvent::Retrying { reason: &fault.to_string() });
                    self.restart()?;
                }
                Err(fault @ Fault::Corrupt { .. }) => return Err(self.drop_part(fault)),
                done => break done?,
            }
        }
        let Self { goal, file, .. } = self;
        let failed = |source| Fault::Disk { path: goal.path.to_owned(), source };
        file.sync_all().and_then(|()| std::fs::rename(goal.part, goal.path)).map_err(failed)
    }

    /// Reads what an earlier attempt left, so that its hash goes on from there.
    fn take_up(&mut self, watch: &mut Watch<'_>) -> Result<(), Fault> {
        let there = self.file.metadata().map_err(|e| self.disk(e))?.len();
        if self.goal.n_bytes.is_some_and(|n| there > n) {
            return self.restart();
        }
        if there > 0 && matches!(self.hasher, Hasher::Sha256(_)) {
            let hasher = &mut self.hasher;
            read_through(self.goal.part, &mut self.file, there, watch, |bytes| hasher.update(bytes))?;
        }
        self.done_bytes = there;
        self.file.seek(SeekFrom::Start(there)).map(drop).map_err(|e| self.disk(e))
    }

    /// Fetches what is missing, as often as it takes.
    fn receive(&mut self, retries: &mut Retries, watch: &mut Watch<'_>) -> Result<(), Fault> {
        while self.total_bytes.is_none_or(|n| self.done_bytes != n) {
            match self.attempt(watch) {
                Ok(()) => break,
                Err(fault) => retries.again(fault, watch)?,
            }
        }
        Ok(())
    }

    /// One request, and what comes of it.
    fn attempt(&mut self, watch: &mut Watch<'_>) -> Result<(), Fault> {
        let mut answer = self.ask(watch)?;
        if self.done_bytes > 0 && !self.goes_on(&answer) {
            // The file has changed, or the server knows no ranges. An answer from the start is of use as it is.
            self.restart()?;
            if answer.status() != 200 {
                answer = self.ask(watch)?;
            }
        }
        let total = match (answer.status(), answer.range()) {
            (200, _) => answer.n_bytes(),
            (206, Some(range)) if range.first == Some(self.done_bytes) => range.total,
            (206, _) => {
                return Err(Fault::Reply { detail: "it sent a range that was not asked for".to_owned() });
            }
            // It had come whole before, and had not got its name.
            (416, Some(range)) if self.done_bytes > 0 && range.total == Some(self.done_bytes) => {
                return Ok(());
            }
            _ => return Err(answer.refusal()),
        };
        if let (Some(found), Some(expected)) = (total, self.goal.n_bytes)
            && found != expected
        {
            return Err(self.drop_part(Fault::Length { found, expected }));
        }
        self.total_bytes = total.or(self.goal.n_bytes);
        if let Content::Version(known) = &mut self.goal.content {
            *known = version(&answer);
            (self.begin)(known.as_deref())
                .map_err(|source| Fault::Disk { path: self.goal.part.to_owned(), source })?;
        }
        self.write(&mut answer, watch)
    }

    fn ask(&self, watch: &mut Watch<'_>) -> Result<Answer, Fault> {
        let mut question = Question::get(self.goal.url);
        if self.done_bytes > 0 {
            question.headers.push(("Range", format!("bytes={}-", self.done_bytes)));
            if let Content::Version(Some(version)) = &self.goal.content {
                question.headers.push(("If-Range", version.clone()));
            }
        }
        self.client.ask(&question, watch)
    }

    /// Whether an answer is the rest of what the part begins with, or says nothing of the file.
    fn goes_on(&self, answer: &Answer) -> bool {
        let Some(range) = answer.range() else { return !matches!(answer.status(), 200 | 206 | 416) };
        match answer.status() {
            206 => range.first == Some(self.done_bytes) && self.is_same(&range, version(answer).as_deref()),
            416 => range.total == Some(self.done_bytes),
            status => status != 200,
        }
    }

    /// Whether a range is of the file that the part is of, as far as the two can be told apart.
    fn is_same(&self, range: &ContentRange, found: Option<&str>) -> bool {
        let known = match &self.goal.content {
            Content::Fixed => None,
            Content::Version(version) => version.as_deref(),
        };
        let same_version = known.is_none() || found.is_none() || known == found;
        let same_total =
            range.total.is_none() || self.total_bytes.is_none() || range.total == self.total_bytes;
        same_version && same_total
    }

    fn write(&mut self, answer: &mut Answer, watch: &mut Watch<'_>) -> Result<(), Fault> {
        self.report(watch);
        while let Some(bytes) = self.client.next(answer, self.done_bytes, watch)? {
            self.file.write_all(&bytes).map_err(|e| self.disk(e))?;
            self.hasher.update(&bytes);
            self.done_bytes += bytes.len() as u64;
            if let Some(expected) = self.total_bytes.filter(|n| self.done_bytes > *n) {
                return Err(self.drop_part(Fault::Length { found: self.done_bytes, expected }));
            }
            self.report(watch);
        }
        match self.total_bytes {
            Some(n) if n != self.done_bytes => {
                let detail = format!("it ended before its {n} bytes");
                Err(Fault::Broken { detail, done_bytes: self.done_bytes })
            }
            _ => Ok(()),
        }
    }

    fn report(&self, watch: &mut Watch<'_>) {
        watch.tell(DownloadEvent::Downloading { done_bytes: self.done_bytes, total_bytes: self.total_bytes });
    }

    /// Holds the hash of what came against what it must be.
    fn verify(&mut self, watch: &mut Watch<'_>) -> Result<(), Fault> {
        let Some(digest) = &self.goal.digest else { return Ok(()) };
        let hasher = std::mem::replace(&mut self.hasher, Hasher::Nothing);
        let found = hasher.finish(&mut self.file).map_err(|e| self.disk(e))?.unwrap_or_default();
        let n = self.done_bytes;
        watch.tell(DownloadEvent::Verifying { done_bytes: n, total_bytes: n });
        let expected = digest.hex().to_owned();
        if found == expected { Ok(()) } else { Err(Fault::Corrupt { found, expected }) }
    }

    /// Forgets what has arrived.
    fn restart(&mut self) -> Result<(), Fault> {
        let empty = self.file.set_len(0).and_then(|()| self.file.seek(SeekFrom::Start(0)));
        empty.map_err(|e| self.disk(e))?;
        (self.done_bytes, self.total_bytes) = (0, self.goal.n_bytes);
        if let Content::Version(version) = &mut self.goal.content {
            *version = None;
        }
        self.hasher = Hasher::new(self.goal.digest.as_ref());
        Ok(())
    }

    /// Removes what has arrived and is of no use.
    fn drop_part(&self, fault: Fault) -> Fault {
        match std::fs::remove_file(self.goal.part) {
            Ok(()) => fault,
            Err(source) => self.disk(source),
        }
    }

    fn disk(&self, source: io::Error) -> Fault {
        Fault::Disk { path: self.goal.part.to_owned(), source }
    }
}

/// What a later request can ask for the rest of, in the server's words: the ETag, if it stands for the very bytes, or the date. None of
/// content that came in another form, of which there is no rest.
fn version(answer: &Answer) -> Option<String> {
    let etag = answer.header("ETag").filter(|etag| etag.starts_with('"'));
    let version = etag.or_else(|| answer.header("Last-Modified"))?;
    (!answer.is_encoded()).then(|| version.to_owned())
}

/// Hands out the first `n_bytes` of a file from its start, and tells how far it is.
pub(crate) fn read_through(
    path: &Path,
    file: &mut File,
    n_bytes: u64,
    watch: &mut Watch<'_>,
    mut take: impl FnMut(&[u8]),
) -> Result<(), Fault> {
    let failed = |source| Fault::Disk { path: path.to_owned(), source };
    file.seek(SeekFrom::Start(0)).map_err(failed)?;
    let (mut buffer, mut done_bytes) = (vec![0; READ_BYTES], 0);
    while done_bytes < n_bytes {
        if watch.is_stopped() {
            return Err(Fault::Stopped);
        }
        let n = file.read(&mut buffer).map_err(failed)?;
        if n == 0 {
            return Err(failed(io::ErrorKind::UnexpectedEof.into()));
        }
        take(&buffer[..n]);
        done_bytes += n as u64;
        watch.tell(DownloadEvent::Verifying { done_bytes, total_bytes: n_bytes });
    }
    Ok(())
}
