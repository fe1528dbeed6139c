//! Rows of files in their order, as they are read and before they are rendered.

use crate::data::order::{Order, OrderOptions, Part};
use crate::data::read_row::read_row;
use crate::data::row::Row;
use crate::data::source::Source;
use crate::error::TrainError;
use crate::fault::Fault;

/// All rows, once each.
#[derive(Debug)]
pub(crate) struct OrderedRows(Order);

impl OrderedRows {
    pub(crate) fn new(sources: &[Source]) -> Result<Self, TrainError> {
        Ok(Self(Order::new(sources, OrderOptions { seed: 0, shuffle: None, part: Part::All })?))
    }

    /// The share of the files that was read, from 0 to 1.
    pub(crate) fn share_read(&self) -> f64 {
        self.0.share_read()
    }

    /// The next row; `None` at the end.
    pub(crate) fn next_row(&mut self) -> Result<Option<Result<Row, Fault>>, TrainError> {
        let Some(place) = self.0.next()? else { return Ok(None) };
        let form = self.0.source(place.file).form;
        Ok(Some(self.0.line(place)?.and_then(|line| read_row(&line, form, place.row as usize))))
    }
}
