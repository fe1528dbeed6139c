//! A file whose lines are read once in order and again at their places.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::error::TrainError;
use crate::fault::Fault;

/// Where a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LinePlace {
    /// Its first byte in the file.
    pub(crate) offset: u64,
    /// Its number, from 1.
    pub(crate) line: u64,
}

/// A file of lines. What has been read of it in order is behind `offset`.
#[derive(Debug)]
pub(crate) struct Lines {
    path: PathBuf,
    n_bytes: u64,
    in_order: BufReader<File>,
    at_places: BufReader<File>,
    next: LinePlace,
}

impl Lines {
    /// Opens a file on a disk.
    pub(crate) fn open(path: &Path) -> Result<Self, TrainError> {
        let open = || File::open(path).map_err(|error| TrainError::io("read", path, error));
        let found = path.metadata().map_err(|error| TrainError::io("read", path, error))?;
        if !found.is_file() {
            let found = if found.is_dir() { "a folder" } else { "a pipe or device" };
            return Err(TrainError::NotAFile { path: path.display().to_string(), found });
        }
        // Lines are short, and so is what is read for one at its place.
        let at_places = BufReader::with_capacity(4096, open()?);
        let in_order = BufReader::with_capacity(1 << 18, open()?);
        let next = LinePlace { offset: 0, line: 1 };
        Ok(Self { path: path.to_owned(), n_bytes: found.len(), in_order, at_places, next })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Its size when it was opened; what is added later is not read.
    pub(crate) fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    /// The bytes that were not read in order yet.
    pub(crate) fn n_left(&self) -> u64 {
        self.n_bytes.saturating_sub(self.next.offset)
    }

    /// Goes back to the first line.
    pub(crate) fn rewind(&mut self) -> Result<(), TrainError> {
        self.next = LinePlace { offset: 0, line: 1 };
        self.in_order.seek(SeekFrom::Start(0)).map_err(|error| TrainError::io("read", &self.path, error))?;
        Ok(())
    }

    /// The next line in order, without its end; `None` at the end of the file.
    pub(crate) fn next(&mut self, bytes: &mut Vec<u8>) -> Result<Option<LinePlace>, TrainError> {
        bytes.clear();
        let place = self.next;
        let left = self.n_left();
        let read = self.in_order.by_ref().take(left).read_until(b'\n', bytes);
        let n_read = read.map_err(|error| TrainError::io("read", &self.path, error))?;
        if n_read == 0 {
            self.next.offset = self.n_bytes;
            return Ok(None);
        }
        self.next = LinePlace { offset: place.offset + n_read as u64, line: place.line + 1 };
        trim(bytes, place);
        Ok(Some(place))
    }

    /// The line at a place, as text.
    pub(crate) fn at(&mut self, place: LinePlace) -> Result<Result<String, Fault>, TrainError> {
        let mut bytes = Vec::new();
        let left = self.n_bytes.saturating_sub(place.offset);
        let read = self.at_places.seek(SeekFrom::Start(place.offset));
        let read = read.and_then(|_| self.at_places.by_ref().take(left).read_until(b'\n', &mut bytes));
        read.map_err(|error| TrainError::io("read", &self.path, error))?;
        trim(&mut bytes, place);
        Ok(String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            Fault::NotUtf8 { at, byte: error.as_bytes()[at] }
        }))
    }
}

/// Takes away the end of a line, and the mark at the beginning of a file that some editors write.
fn trim(bytes: &mut Vec<u8>, place: LinePlace) {
    const MARK: &[u8] = "\u{FEFF}".as_bytes();
    for end in [b'\n', b'\r'] {
        bytes.pop_if(|last| *last == end);
    }
    if place.offset == 0 && bytes.starts_with(MARK) {
        bytes.drain(..MARK.len());
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn lines(bytes: &[u8]) -> (tempfile::NamedTempFile, Lines) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        let lines = Lines::open(file.path()).unwrap();
        (file, lines)
    }

    #[test]
    fn a_line_at_its_place_is_the_one_that_was_read_in_order() {
        let (_file, mut lines) = lines("\u{FEFF}a\r\n\nصباح\nlast".as_bytes());
        let mut bytes = Vec::new();
        let mut found = Vec::new();
        while let Some(place) = lines.next(&mut bytes).unwrap() {
            assert_eq!(lines.at(place).unwrap().unwrap().as_bytes(), bytes);
            found.push((place.line, String::from_utf8(bytes.clone()).unwrap()));
        }
        let expected = [(1, "a"), (2, ""), (3, "صباح"), (4, "last")].map(|(n, text)| (n, text.to_owned()));
        assert_eq!(found, expected);
        lines.rewind().unwrap();
        assert_eq!(lines.next(&mut bytes).unwrap(), Some(LinePlace { offset: 0, line: 1 }));
    }

    #[test]
    fn what_is_added_while_it_is_read_is_not_read() {
        let (mut file, mut lines) = lines(b"a\nb");
        file.write_all(b"c\nd\n").unwrap();
        let mut bytes = Vec::new();
        lines.next(&mut bytes).unwrap();
        lines.next(&mut bytes).unwrap();
        assert_eq!(bytes, b"b");
        assert_eq!(lines.next(&mut bytes).unwrap(), None);
    }

    #[test]
    fn bytes_that_are_no_text_are_the_lines_fault() {
        let (_file, mut lines) = lines(b"ab\xFF\nc\n");
        let fault = lines.at(LinePlace { offset: 0, line: 1 }).unwrap().unwrap_err();
        assert!(fault.to_string().contains("byte 2 of the line is 0xFF"), "{fault}");
    }

    #[test]
    fn a_folder_is_no_file_of_rows() {
        let error = Lines::open(Path::new("/")).unwrap_err().to_string();
        assert!(error.contains("is a folder"), "{error}");
        let error = Lines::open(Path::new("no-such-file.jsonl")).unwrap_err().to_string();
        assert!(error.starts_with("cannot read `no-such-file.jsonl`"), "{error}");
    }
}
