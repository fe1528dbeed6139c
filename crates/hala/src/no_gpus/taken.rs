//! A GPU that was taken by what is known of it: there is none.

use std::sync::Arc;
use std::time::Duration;

use crate::compares::Compares;
use crate::engine::Engine;
use crate::event::Listener;
use crate::unfit::Unfit;

/// A GPU that `auto` took by what is known of it: there is no such value.
#[derive(Debug)]
pub(crate) enum Taken {}

impl Taken {
    pub(crate) async fn pass(&mut self, _: &Arc<Engine>, _: &mut dyn Listener) -> Result<(), Unfit> {
        match *self {}
    }

    pub(crate) fn leave_alone(&mut self, _: Unfit) {
        match *self {}
    }

    pub(crate) fn begin_comparison(&mut self, _: Compares) -> bool {
        match *self {}
    }

    pub(crate) fn end_comparison(&mut self, _: [Duration; 2]) -> Option<Unfit> {
        match *self {}
    }

    pub(crate) fn device(&self) -> &str {
        match *self {}
    }
}
