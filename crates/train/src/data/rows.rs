//! Some rows of files as they are read, without becoming documents.

use crate::data::order::{Order, OrderOptions};
use crate::data::read_row::read_row;
use crate::data::row::Row;
use crate::data::source::{Form, Source};
use crate::error::TrainError;

/// A row with what its line was.
#[derive(Debug, Clone, PartialEq)]
pub struct FormedRow {
    /// What the lines of its file are.
    pub form: Form,
    /// The row.
    pub row: Row,
}

/// The first rows in an order that `keep` says yes to, at most `n`; rows that cannot be read are passed over.
///
/// # Errors
/// Files that cannot be read.
pub fn first_rows(
    sources: &[Source],
    options: OrderOptions,
    n: usize,
    mut keep: impl FnMut(&FormedRow) -> bool,
) -> Result<Vec<FormedRow>, TrainError> {
    let mut order = Order::new(sources, options)?;
    let mut found = Vec::new();
    while found.len() < n
        && let Some(place) = order.next()?
    {
        let form = order.source(place.file).form;
        let Ok(line) = order.line(place)? else { continue };
        let Ok(row) = read_row(&line, form, place.row as usize) else { continue };
        let row = FormedRow { form, row };
        if keep(&row) {
            found.push(row);
        }
    }
    Ok(found)
}
