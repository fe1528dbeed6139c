//! Rows of files as documents, in their order, with what is wrong with the others.

use crate::data::document::Document;
use crate::data::order::{Order, Place};
use crate::data::read_row::read_row;
use crate::data::renderer::Renderer;
use crate::data::source::Source;
use crate::error::TrainError;
use crate::fault::Fault;

/// Reads rows and renders them.
#[derive(Debug)]
pub(crate) struct Reader {
    pub(crate) order: Order,
    renderer: Renderer,
    max_rows: usize,
}

impl Reader {
    /// Documents have at most `max_rows` rows.
    pub(crate) fn new(order: Order, renderer: Renderer, max_rows: usize) -> Self {
        Self { order, renderer, max_rows }
    }

    /// The documents of a row; one that is too long makes the row so.
    pub(crate) fn documents(&mut self, place: Place) -> Result<Result<Vec<Document>, Fault>, TrainError> {
        let Source { form, weight, .. } = *self.order.source(place.file);
        let line = self.order.line(place)?;
        Ok(line.and_then(|line| {
            let row = read_row(&line, form, place.row as usize)?;
            let mut documents = self.renderer.documents(&row)?;
            for document in &mut documents {
                let (n_rows, max_rows) = (document.n_rows(), self.max_rows);
                if n_rows > max_rows {
                    return Err(Fault::TooLong { n_rows, max_rows });
                }
                document.weights.iter_mut().for_each(|label| *label *= weight);
            }
            Ok(documents)
        }))
    }
}
