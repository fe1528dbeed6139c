//! What training would see of a set of files: documents, lengths, labels, and what is left out.

use crate::data::counts::Counts;
use crate::data::document::Document;
use crate::data::lengths::Lengths;
use crate::data::order::{Order, OrderOptions, Part, Place};
use crate::data::packer::{Origin, Packer, Packing, Placed};
use crate::data::reader::Reader;
use crate::data::renderer::Renderer;
use crate::data::source::Source;
use crate::error::TrainError;
use crate::fault::Fault;

/// What is looked at.
#[derive(Debug, Clone, Copy)]
pub struct SurveyOptions {
    /// Rows of a batch.
    pub max_rows: usize,
    /// Rows of a document at most.
    pub max_document_rows: usize,
    /// Documents that are kept to be shown, the first ones.
    pub n_shown: usize,
    /// Refused rows that are kept to be shown, the first ones.
    pub n_refused: usize,
}

/// What training would see.
#[derive(Debug, Default)]
pub struct Survey {
    /// Rows, documents, ids, labels, and what is left out.
    pub counts: Counts,
    /// The lengths of all documents, those that are too long included.
    pub lengths: Lengths,
    /// Batches of an epoch, packed by [`Packing::FirstFit`].
    pub n_batches: u64,
    /// Documents to be shown.
    pub shown: Vec<Shown>,
    /// Rows that are left out, to be shown.
    pub refused: Vec<Refused>,
}

/// A document and where it came from.
#[derive(Debug)]
pub struct Shown {
    /// The file.
    pub path: String,
    /// The line, from 1.
    pub line: u64,
    /// The document.
    pub document: Document,
}

/// A row that is left out.
#[derive(Debug)]
pub struct Refused {
    /// The file.
    pub path: String,
    /// The line, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub fault: Fault,
}

impl Survey {
    /// Reads all rows once, in the order of the files. `on_progress` is told the share of the files that was read, from 0 to 1, and says
    /// whether to go on; where it does not, the survey is of what was read.
    ///
    /// # Errors
    /// Files that cannot be read. Rows that cannot be trained on are counted.
    pub fn of(
        sources: &[Source],
        renderer: Renderer,
        options: SurveyOptions,
        on_progress: &mut dyn FnMut(f64) -> bool,
    ) -> Result<Self, TrainError> {
        let order = OrderOptions { seed: 0, shuffle: None, part: Part::All };
        let mut reader = Reader::new(Order::new(sources, order)?, renderer, options.max_document_rows);
        let mut packer = Packer::new(Packing::FirstFit, options.max_rows);
        let mut survey = Self::default();
        while on_progress(reader.order.share_read())
            && let Some(place) = reader.order.next()?
        {
            survey.counts.n_rows += 1;
            match reader.documents(place)? {
                Ok(documents) => {
                    let origin = Origin { place, document: 0, ids: 0 };
                    for document in documents {
                        survey.add(&document);
                        survey.show(&mut reader, place, &document, options.n_shown);
                        packer.add(Placed { origin, document });
                    }
                }
                Err(fault) => survey.refuse(&mut reader, place, fault, options.n_refused),
            }
            survey.n_batches += std::iter::from_fn(|| packer.take()).count() as u64;
        }
        packer.close();
        survey.n_batches += std::iter::from_fn(|| packer.take()).count() as u64;
        Ok(survey)
    }

    fn add(&mut self, document: &Document) {
        self.counts.add(document);
        self.lengths.add(document.n_rows());
    }

    fn show(&mut self, reader: &mut Reader, place: Place, document: &Document, n_shown: usize) {
        if self.shown.len() < n_shown {
            let path = reader.order.file(place.file).path().display().to_string();
            self.shown.push(Shown { path, line: place.line, document: document.clone() });
        }
    }

    fn refuse(&mut self, reader: &mut Reader, place: Place, fault: Fault, n_refused: usize) {
        self.counts.refuse(fault.kind());
        if let Fault::TooLong { n_rows, .. } = fault {
            self.lengths.add(n_rows);
        }
        if self.refused.len() < n_refused {
            let path = reader.order.file(place.file).path().display().to_string();
            self.refused.push(Refused { path, line: place.line, fault });
        }
    }
}
