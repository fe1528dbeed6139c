//! In which order rows come: those of one part of the data, mixed among files and within a buffer, the same for the same seed.
//!
//! The buffer holds places of rows and not the rows, so a buffer of a million costs some thirty megabytes however long the rows are. Where a run
//! stopped is two numbers; to go on from there, lines are read again up to that place without anything else being done with them.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::data::lines::{LinePlace, Lines};
use crate::data::random::{Draws, fraction, hash, join};
use crate::data::source::Source;
use crate::error::TrainError;
use crate::fault::Fault;

/// Which part of the data is meant. A row is in the same part however many rows are added, and rows that are equal are in the same one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Part {
    /// Every row.
    All,
    /// What is left to train on where a share from 0 to 1 is held out.
    Train {
        /// The share.
        held_out: f64,
    },
    /// That share. `repeat` is passed over.
    HeldOut {
        /// The share.
        held_out: f64,
    },
}

/// How rows are put in order.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct OrderOptions {
    /// What draws and parts depend on.
    pub seed: u64,
    /// Rows that are mixed at once; `None` keeps the order of the files.
    pub shuffle: Option<usize>,
    /// Which rows.
    pub part: Part,
}

impl OrderOptions {
    /// A buffer in which most sets of rows are mixed as a whole.
    pub const DEFAULT_SHUFFLE: usize = 1 << 20;
}

/// A row's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) file: u32,
    /// Which of the line's rows.
    pub(crate) row: u32,
    pub(crate) line: u64,
    pub(crate) offset: u64,
}

/// How far an epoch has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Reached {
    /// The epoch, from 0.
    pub(crate) epoch: u32,
    /// Rows that were given.
    pub(crate) n_given: u64,
    /// A hash of all lines that were read for that.
    pub(crate) lines: u64,
}

/// The rows of an epoch, one after the other.
#[derive(Debug)]
pub(crate) struct Order {
    files: Vec<Lines>,
    sources: Vec<Source>,
    options: OrderOptions,
    draws: Draws,
    buffer: VecDeque<Place>,
    reached: Reached,
    /// A hash of all lines that were read.
    lines: u64,
    line: Vec<u8>,
}

impl Order {
    pub(crate) fn new(sources: &[Source], options: OrderOptions) -> Result<Self, TrainError> {
        sources.iter().try_for_each(Source::check)?;
        if let Part::Train { held_out } | Part::HeldOut { held_out } = options.part
            && !(0.0..1.0).contains(&held_out)
        {
            let expected = "a share from 0 to below 1, such as 0.01";
            return Err(TrainError::Setting { setting: "held_out", found: held_out.to_string(), expected });
        }
        let files = sources.iter().map(|source| Lines::open(&source.path)).collect::<Result<Vec<_>, _>>()?;
        let mut order = Self {
            files,
            sources: sources.to_vec(),
            options,
            draws: Draws::new(0),
            buffer: VecDeque::new(),
            reached: Reached::default(),
            lines: 0,
            line: Vec::new(),
        };
        order.begin(0)?;
        Ok(order)
    }

    /// Begins an epoch.
    pub(crate) fn begin(&mut self, epoch: u32) -> Result<(), TrainError> {
        self.files.iter_mut().try_for_each(Lines::rewind)?;
        self.buffer.clear();
        self.draws = Draws::new(join(self.options.seed, u64::from(epoch)));
        self.reached = Reached { epoch, ..Reached::default() };
        self.lines = 0;
        Ok(())
    }

    /// The next row of the epoch; `None` at its end.
    pub(crate) fn next(&mut self) -> Result<Option<Place>, TrainError> {
        let wanted = self.options.shuffle.unwrap_or(1).max(1);
        while self.buffer.len() < wanted && self.read_line()? {}
        let place = match self.options.shuffle {
            None => self.buffer.pop_front(),
            Some(_) if self.buffer.is_empty() => None,
            Some(_) => {
                let drawn = self.draws.below(self.buffer.len() as u64);
                self.buffer.swap_remove_back(drawn as usize)
            }
        };
        if place.is_some() {
            self.reached.n_given += 1;
            // What is read behind the last row is read in vain.
            self.reached.lines = self.lines;
        }
        Ok(place)
    }

    /// How far it has come.
    pub(crate) fn reached(&self) -> Reached {
        self.reached
    }

    /// Goes to where an order of the same files and options had come.
    pub(crate) fn go_to(&mut self, reached: Reached) -> Result<(), TrainError> {
        let other = |what: &str| TrainError::OtherData { what: what.to_owned() };
        self.begin(reached.epoch)?;
        while self.reached.n_given < reached.n_given {
            self.next()?.ok_or_else(|| other("there are fewer rows"))?;
        }
        if self.reached.lines == reached.lines { Ok(()) } else { Err(other("rows have changed")) }
    }

    /// The line of a row.
    pub(crate) fn line(&mut self, place: Place) -> Result<Result<String, Fault>, TrainError> {
        self.file(place.file).at(LinePlace { offset: place.offset, line: place.line })
    }

    /// The share of the files that was read, from 0 to 1.
    pub(crate) fn share_read(&self) -> f64 {
        let total: u64 = self.files.iter().map(Lines::n_bytes).sum();
        let left: u64 = self.files.iter().map(Lines::n_left).sum();
        1.0 - left as f64 / total.max(1) as f64
    }

    /// The names of all files, for messages.
    pub(crate) fn names(&self) -> String {
        let names = self.files.iter().map(|file| format!("`{}`", file.path().display()));
        names.collect::<Vec<_>>().join(", ")
    }

    /// The file of a source.
    pub(crate) fn file(&mut self, file: u32) -> &mut Lines {
        &mut self.files[file as usize]
    }

    /// The source of a file.
    pub(crate) fn source(&self, file: u32) -> &Source {
        &self.sources[file as usize]
    }

    /// A number that differs where the options or the sizes and uses of the files do.
    pub(crate) fn fingerprint(&self) -> u64 {
        let uses = self.sources.iter().zip(&self.files).map(|(source, file)| {
            let Source { form, repeat, weight, .. } = source;
            format!("{form:?} {repeat} {weight} {}", file.n_bytes())
        });
        hash(format!("{:?} {:?}", self.options, uses.collect::<Vec<_>>()).as_bytes())
    }

    /// Reads a line and puts its rows into the buffer; false where all files have been read.
    fn read_line(&mut self) -> Result<bool, TrainError> {
        let Some(file) = self.drawn_file() else { return Ok(false) };
        let Some(LinePlace { offset, line }) = self.files[file].next(&mut self.line)? else {
            return Ok(true);
        };
        let hash = hash(&self.line);
        self.lines = join(self.lines, hash);
        if self.line.trim_ascii().is_empty() || !self.is_in_part(hash) {
            return Ok(true);
        }
        let (file_idx, n_rows) = (file as u32, self.sources[file].form.n_rows() as u32);
        for _ in 0..self.n_copies(file, join(hash, line)) {
            let places = (0..n_rows).map(|row| Place { file: file_idx, row, line, offset });
            self.buffer.extend(places);
        }
        Ok(true)
    }

    /// The file of the next line: each in turn, or mixed as their sizes are, so that they end together.
    fn drawn_file(&mut self) -> Option<usize> {
        let left: Vec<u64> = self.files.iter().map(Lines::n_left).collect();
        let total: u64 = left.iter().sum();
        if total == 0 || self.options.shuffle.is_none() {
            return left.iter().position(|left| *left > 0);
        }
        let mut at = self.draws.below(total);
        left.iter().position(|left| match at.checked_sub(*left) {
            Some(rest) => {
                at = rest;
                false
            }
            None => true,
        })
    }

    fn is_in_part(&self, line: u64) -> bool {
        let is_held_out = |share: f64| fraction(join(self.options.seed, line)) < share;
        match self.options.part {
            Part::All => true,
            Part::Train { held_out } => !is_held_out(held_out),
            Part::HeldOut { held_out } => is_held_out(held_out),
        }
    }

    /// How often a line comes in this epoch.
    fn n_copies(&self, file: usize, line: u64) -> u64 {
        if matches!(self.options.part, Part::HeldOut { .. }) {
            return 1;
        }
        let repeat = self.sources[file].repeat;
        let coin = fraction(join(join(self.options.seed, line), u64::from(self.reached.epoch)));
        repeat.trunc() as u64 + u64::from(coin < repeat.fract())
    }
}
