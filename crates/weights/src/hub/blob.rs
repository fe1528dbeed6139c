//! The bytes of one file of the Hub, which the cache keeps under their ETag.

use std::path::{Path, PathBuf};

use super::ask::FileFacts;
use super::cache::is_url_safe;
use crate::download::digest::Digest;
use crate::download::event::{DownloadEvent, Watch};
use crate::download::fault::Fault;
use crate::download::http::Client;
use crate::download::lock::Lock;
use crate::download::retries::{LOOK_EVERY, Retries};
use crate::download::transfer::{Content, Goal, Transfer};

/// How often another's lock is looked at: for five seconds.
const N_LOOKS_AT_LOCK: usize = 25;

/// Whether what the Hub says can be parts of paths.
pub(super) fn check(facts: &FileFacts, commit: &str) -> Result<(), String> {
    let FileFacts { commit: found, etag, .. } = facts;
    if found != commit {
        return Err(format!("it is of commit {found:?}, not {commit}"));
    }
    if etag.is_empty() || etag.starts_with('.') || !is_url_safe(etag) {
        return Err(format!("its ETag is {etag:?}"));
    }
    Ok(())
}

/// The bytes of one file, which the cache keeps under their ETag.
pub(super) struct Blob<'a> {
    pub(super) url: &'a str,
    pub(super) path: PathBuf,
    pub(super) facts: &'a FileFacts,
}

impl Blob<'_> {
    /// Fetches the bytes unless they are there. The part and its lock are those of the crate `hf-hub`, so that each can go on with what the other left.
    pub(super) fn bring(
        &self,
        client: &Client,
        retries: &mut Retries,
        watch: &mut Watch<'_>,
    ) -> Result<(), Fault> {
        let is_there =
            |path: &Path| path.metadata().is_ok_and(|m| self.facts.n_bytes.is_none_or(|n| m.len() == n));
        if is_there(&self.path) {
            return Ok(());
        }
        let _lock = self.lock(watch)?;
        // Whoever had the lock before may have been at the same.
        if is_there(&self.path) {
            return Ok(());
        }
        let goal = Goal {
            url: self.url,
            path: &self.path,
            part: &self.path.with_extension("part"),
            n_bytes: self.facts.n_bytes,
            digest: Digest::of_etag(&self.facts.etag),
            content: Content::Fixed,
        };
        Transfer::new(client, goal, &mut |_| Ok(()))?.run(retries, watch)
    }

    /// Takes the lock; small files are soon brought by whoever has it.
    fn lock(&self, watch: &mut Watch<'_>) -> Result<Lock, Fault> {
        let path = self.path.with_extension("lock");
        for _ in 0..N_LOOKS_AT_LOCK {
            match Lock::take(&path) {
                Err(Fault::Locked { .. }) if watch.is_stopped() => return Err(Fault::Stopped),
                Err(Fault::Locked { .. }) => {}
                taken => return taken,
            }
            watch.tell(DownloadEvent::Waiting);
            std::thread::sleep(LOOK_EVERY);
        }
        Lock::take(&path)
    }
}
