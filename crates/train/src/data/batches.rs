//! Batches of a set of files, one after the other: the same ones for the same seed, and from any position that was saved.

use serde::{Deserialize, Serialize};

use crate::data::batch::Batch;
use crate::data::counts::Counts;
use crate::data::order::{Order, OrderOptions, Place, Reached};
use crate::data::packer::{Bin, Held, Origin, Packer, Packing, Placed};
use crate::data::random::{hash, hash_ids};
use crate::data::reader::Reader;
use crate::data::renderer::Renderer;
use crate::data::source::Source;
use crate::error::TrainError;
use crate::fault::FaultKind;

/// What becomes of rows that cannot be trained on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// They are an error.
    Refuse,
    /// They are left out and counted.
    Drop,
}

/// How batches are made.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BatchOptions {
    /// The order of rows.
    pub order: OrderOptions,
    /// Passes over the data; `None` never ends.
    pub epochs: Option<u32>,
    /// Rows of a batch at most.
    pub max_rows: usize,
    /// Rows of a document at most; longer ones are never cut.
    pub max_document_rows: usize,
    /// How documents share batches.
    pub packing: Packing,
    /// Documents that are longer.
    pub too_long: Rule,
    /// Rows with any other fault.
    pub faulty: Rule,
}

/// Where batches had come to; restored, the same batches follow, to the bit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    fingerprint: u64,
    reached: Reached,
    held: Held,
    counts: Counts,
}

/// Batches of a set of files.
#[derive(Debug)]
pub struct Batches {
    reader: Reader,
    options: BatchOptions,
    packer: Packer,
    counts: Counts,
}

impl Batches {
    /// Opens the files; nothing is read yet.
    ///
    /// # Errors
    /// Files that cannot be read, and settings that make no sense.
    pub fn new(sources: &[Source], renderer: Renderer, options: BatchOptions) -> Result<Self, TrainError> {
        let BatchOptions { max_rows, max_document_rows, packing, order, .. } = options;
        if max_document_rows == 0 || max_document_rows > max_rows {
            return Err(TrainError::Setting {
                setting: "the most rows of a document",
                found: max_document_rows.to_string(),
                expected: "from 1 to the rows of a batch, since documents are never cut",
            });
        }
        Ok(Self {
            reader: Reader::new(Order::new(sources, order)?, renderer, max_document_rows),
            options,
            packer: Packer::new(packing, max_rows),
            counts: Counts::default(),
        })
    }

    /// The next batch; `None` after the last epoch. Each epoch ends with the batches that are not full then.
    ///
    /// # Errors
    /// Rows that are refused by the rules, files that cannot be read, and an epoch without a document.
    pub fn next_batch(&mut self) -> Result<Option<Batch>, TrainError> {
        loop {
            if let Some(bin) = self.packer.take() {
                return Ok(Some(bin.batch()));
            }
            let epoch = self.reader.order.reached().epoch;
            if self.options.epochs.is_some_and(|epochs| epoch >= epochs) {
                return Ok(None);
            }
            match self.reader.order.next()? {
                Some(place) => self.read(place)?,
                None if self.packer.is_empty() => self.end_epoch(epoch)?,
                None => self.packer.close(),
            }
        }
    }

    /// Where it is: what [`Batches::next_batch`] gave is behind it.
    #[must_use]
    pub fn position(&self) -> Position {
        Position {
            fingerprint: self.fingerprint(),
            reached: self.reader.order.reached(),
            held: self.packer.held(),
            counts: self.counts.clone(),
        }
    }

    /// Goes to a position of the same files and settings. Lines are read up to there, which takes as long as reading the files does; files may
    /// have been moved.
    ///
    /// # Errors
    /// Files or settings that differ from those of the position.
    pub fn restore(&mut self, position: &Position) -> Result<(), TrainError> {
        if self.fingerprint() != position.fingerprint {
            let what = "sizes of files, or settings of the data".to_owned();
            return Err(TrainError::OtherData { what });
        }
        self.reader.order.go_to(position.reached)?;
        let open = self.bins(&position.held.open)?;
        let closed = self.bins(&position.held.closed)?;
        self.packer.hold(open, closed);
        self.counts = position.counts.clone();
        Ok(())
    }

    /// What was read so far, in all epochs.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// The epoch of the batch that was given last, from 0.
    #[must_use]
    pub fn epoch(&self) -> u32 {
        self.reader.order.reached().epoch
    }

    fn fingerprint(&self) -> u64 {
        let BatchOptions {
            epochs: _,
            too_long: _,
            faulty: _,
            order: _,
            max_rows,
            max_document_rows,
            packing,
        } = self.options;
        let settings =
            format!("{} {max_rows} {max_document_rows} {packing:?}", self.reader.order.fingerprint());
        hash(settings.as_bytes())
    }

    fn end_epoch(&mut self, epoch: u32) -> Result<(), TrainError> {
        if self.counts.n_documents == 0 {
            let found = self.counts.refused.iter().map(|(kind, n)| format!("{n} {}", kind.words()));
            let found = found.collect::<Vec<_>>().join(", ");
            let found = if found.is_empty() { "there is none".to_owned() } else { found };
            return Err(TrainError::NoRows { files: self.reader.order.names(), found });
        }
        self.reader.order.begin(epoch + 1)
    }

    fn read(&mut self, place: Place) -> Result<(), TrainError> {
        self.counts.n_rows += 1;
        let fault = match self.reader.documents(place)? {
            Ok(documents) => {
                for (document, i) in documents.into_iter().zip(0..) {
                    self.counts.add(&document);
                    let origin = Origin { place, document: i, ids: hash_ids(&document.ids) };
                    self.packer.add(Placed { origin, document });
                }
                return Ok(());
            }
            Err(fault) => fault,
        };
        let is_long = fault.kind() == FaultKind::TooLong;
        let rule = if is_long { self.options.too_long } else { self.options.faulty };
        self.counts.refuse(fault.kind());
        match rule {
            Rule::Drop => Ok(()),
            Rule::Refuse => Err(TrainError::Row {
                path: self.reader.order.file(place.file).path().display().to_string(),
                line: place.line,
                fault,
            }),
        }
    }

    /// Makes the documents of a position again.
    fn bins(&mut self, bins: &[Vec<Origin>]) -> Result<Vec<Bin>, TrainError> {
        let mut made = Vec::with_capacity(bins.len());
        for origins in bins {
            let mut bin = Bin::default();
            for origin in origins {
                let documents = self.reader.documents(origin.place)?.ok();
                let document = documents.and_then(|mut all| all.drain(..).nth(origin.document as usize));
                let document = document.filter(|document| hash_ids(&document.ids) == origin.ids);
                let what = || "a row of an open batch has changed, or the tokenizer or template has";
                let document = document.ok_or_else(|| TrainError::OtherData { what: what().to_owned() })?;
                bin.push(Placed { origin: *origin, document });
            }
            made.push(bin);
        }
        Ok(made)
    }
}
