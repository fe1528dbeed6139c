//! The texts of a set of files, as a model will read and write them.

use crate::data::{OrderedRows, Row, Source};
use crate::error::TrainError;

/// Texts one after the other, until they end or something is wrong.
pub(crate) struct Texts<'a> {
    rows: OrderedRows,
    waiting: Vec<String>,
    on_progress: &'a mut (dyn FnMut(f64) -> bool + Send),
    ended: &'a mut Ended,
}

/// How texts ended.
#[derive(Debug, Default)]
pub(crate) struct Ended {
    pub(crate) error: Option<TrainError>,
    pub(crate) n_texts: u64,
    pub(crate) n_refused: u64,
    /// The first texts, to measure with.
    pub(crate) sample: Vec<String>,
}

impl Ended {
    /// Texts that are kept to measure with.
    const N_SAMPLE: usize = 2000;

    fn add(&mut self, text: &str) {
        self.n_texts += 1;
        if self.sample.len() < Self::N_SAMPLE {
            self.sample.push(text.to_owned());
        }
    }
}

impl<'a> Texts<'a> {
    pub(crate) fn new(
        sources: &[Source],
        on_progress: &'a mut (dyn FnMut(f64) -> bool + Send),
        ended: &'a mut Ended,
    ) -> Result<Self, TrainError> {
        Ok(Self { rows: OrderedRows::new(sources)?, waiting: Vec::new(), on_progress, ended })
    }

    fn read(&mut self) -> Result<Option<String>, TrainError> {
        while self.waiting.is_empty() {
            if !(self.on_progress)(self.rows.share_read()) {
                return Err(TrainError::Stopped);
            }
            match self.rows.next_row()? {
                None => return Ok(None),
                Some(Ok(row)) => self.waiting = texts(row),
                Some(Err(_)) => self.ended.n_refused += 1,
            }
        }
        Ok(self.waiting.pop())
    }
}

impl Iterator for Texts<'_> {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        if self.ended.error.is_some() {
            return None;
        }
        match self.read() {
            Ok(text) => {
                text.iter().for_each(|text| self.ended.add(text));
                text
            }
            Err(error) => {
                self.ended.error = Some(error);
                None
            }
        }
    }
}

/// The texts of a row. Templates write a role before each message, on a line of its own in LFM2's and many others.
fn texts(row: Row) -> Vec<String> {
    match row {
        Row::Text(text) => vec![text],
        Row::Chat(chat) => chat
            .messages
            .into_iter()
            .flat_map(|message| [format!("{}\n", message.role), message.content])
            .filter(|text| !text.is_empty())
            .collect(),
    }
}
