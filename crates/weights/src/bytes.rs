//! The bytes of one file: mapped into memory where there are files, else owned or borrowed.

use std::borrow::Cow;
use std::ops::Range;

/// The kernel maps pages around the one that is touched, those before it included: a release reaches this many
/// bytes back, or the pages that came back with the first touch of each range would stay.
#[cfg(unix)]
const MAPPED_AROUND_BYTES: usize = 1 << 20;

/// A file's bytes, readable as a slice.
#[derive(Debug)]
pub(crate) enum FileBytes {
    /// Pages of the file itself, read when touched.
    #[cfg(not(target_family = "wasm"))]
    Mapped(memmap2::Mmap),
    /// Bytes that were handed over.
    Held(Cow<'static, [u8]>),
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

    /// Drops the resident pages of a range that will not be read soon; a later read brings them back.
    ///
    /// Resident file pages count in a process's peak memory. Does nothing for bytes that are no file's.
    #[cfg(unix)]
    pub(crate) fn release(&self, range: &Range<usize>) {
        if let Self::Mapped(map) = self {
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
}

impl AsRef<[u8]> for FileBytes {
    fn as_ref(&self) -> &[u8] {
        match self {
            #[cfg(not(target_family = "wasm"))]
            Self::Mapped(map) => map,
            Self::Held(bytes) => bytes,
        }
    }
}
