//! The bytes of one file: mapped into memory where there are files, else owned or borrowed, whole or in parts.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

/// The kernel maps pages around the one that is touched, those before it included: a release reaches this many
/// bytes back, or the pages that came back with the first touch of each range would stay.
#[cfg(unix)]
const MAPPED_AROUND_BYTES: usize = 1 << 20;

/// A file's bytes, readable as slices.
#[derive(Debug)]
pub(crate) enum FileBytes {
    /// Pages of the file itself, read when touched.
    #[cfg(not(target_family = "wasm"))]
    Mapped(memmap2::Mmap),
    /// Pages of the file itself, but for parts that were computed from it, by where they begin.
    #[cfg(not(target_family = "wasm"))]
    Amended(memmap2::Mmap, BTreeMap<usize, Vec<u8>>),
    /// Bytes that were handed over.
    Held(Cow<'static, [u8]>),
    /// The parts that were read so far, by where they begin.
    Fetched(BTreeMap<usize, Vec<u8>>),
    /// None: the file's header alone was read, and its values never will be.
    #[cfg(not(target_family = "wasm"))]
    Unread,
}

impl FileBytes {
    /// Maps a file.
    ///
    /// Another program that shortens the file while it is mapped ends this one with SIGBUS; checkpoints are
    /// replaced by renaming, which leaves the mapped file whole.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn map(path: &std::path::Path) -> std::io::Result<Self> {
        let file = std::fs::File::open(path)?;
        // SAFETY: the map is read-only and shared, and its bytes are only ever read as plain integers, so a
        // program that writes to the file meanwhile can change numbers but break no invariant.
        let map = unsafe { memmap2::Mmap::map(&file)? };
        Ok(Self::Mapped(map))
    }

    /// A mapped file some of whose bytes are others: those of `parts`, by where they begin.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn with_parts(self, parts: BTreeMap<usize, Vec<u8>>) -> Self {
        match self {
            Self::Mapped(map) if !parts.is_empty() => Self::Amended(map, parts),
            other => other,
        }
    }

    /// Drops the resident pages of a range that will not be read soon; a later read brings them back.
    ///
    /// Resident file pages count in a process's peak memory. Does nothing for bytes that are no file's.
    #[cfg(unix)]
    pub(crate) fn release(&self, range: &Range<usize>) {
        if let Self::Mapped(map) | Self::Amended(map, _) = self {
            let start = range.start.saturating_sub(MAPPED_AROUND_BYTES);
            // SAFETY: dropping pages of a read-only map of a file changes no byte that is read from it.
            let dropped = unsafe {
                map.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, start, range.end - start)
            };
            // Refusal costs memory and nothing else.
            drop(dropped);
        }
    }

    /// Does nothing where pages cannot be dropped.
    #[cfg(not(unix))]
    pub(crate) fn release(&self, _range: &Range<usize>) {}

    /// All bytes of a file that is there as a whole; none of one that is read in parts.
    pub(crate) fn whole(&self) -> &[u8] {
        match self {
            #[cfg(not(target_family = "wasm"))]
            Self::Mapped(map) | Self::Amended(map, _) => map,
            Self::Held(bytes) => bytes,
            #[cfg(not(target_family = "wasm"))]
            Self::Unread => &[],
            Self::Fetched(_) => &[],
        }
    }

    /// The bytes of a range; `None` where they were not fetched, or lie outside of the file.
    pub(crate) fn get(&self, range: &Range<usize>) -> Option<&[u8]> {
        match self {
            #[cfg(not(target_family = "wasm"))]
            Self::Mapped(map) => map.get(range.clone()),
            #[cfg(not(target_family = "wasm"))]
            Self::Amended(map, parts) => match parts.get(&range.start) {
                Some(part) if part.len() == range.len() => Some(part),
                _ => map.get(range.clone()),
            },
            #[cfg(not(target_family = "wasm"))]
            Self::Unread => None,
            Self::Held(bytes) => bytes.get(range.clone()),
            // A tensor without elements has no bytes to fetch.
            Self::Fetched(_) if range.is_empty() => Some(&[]),
            Self::Fetched(parts) => {
                parts.get(&range.start).filter(|part| part.len() == range.len()).map(Vec::as_slice)
            }
        }
    }

    /// Keeps a part that was read, where the file is read in parts.
    pub(crate) fn hold(&mut self, start: usize, bytes: Vec<u8>) {
        if let Self::Fetched(parts) = self {
            parts.insert(start, bytes);
        }
    }

    /// Drops a part that was read.
    pub(crate) fn drop_range(&mut self, range: &Range<usize>) {
        if let Self::Fetched(parts) = self {
            parts.remove(&range.start);
        }
    }
}
