//! What a scheduler works on: a generation, and what becomes of its tokens.

use hala_text::Tokenizer;

use crate::error::EngineError;
use crate::generate::Generation;
use crate::generated::{Generated, Piece};

/// A generation of a [`Scheduler`](crate::Scheduler) with who takes what it gives.
pub trait Task {
    /// The generation.
    fn generation(&self) -> &Generation;

    /// The same, for the scheduler to go on with.
    fn generation_mut(&mut self) -> &mut Generation;

    /// Takes the next piece, `None` once at the end, or an error that ended this task alone.
    fn take(&mut self, tokenizer: Option<&Tokenizer>, piece: Result<Option<Piece>, EngineError>);
}

impl<T: Task + ?Sized> Task for &mut T {
    fn generation(&self) -> &Generation {
        (**self).generation()
    }

    fn generation_mut(&mut self) -> &mut Generation {
        (**self).generation_mut()
    }

    fn take(&mut self, tokenizer: Option<&Tokenizer>, piece: Result<Option<Piece>, EngineError>) {
        (**self).take(tokenizer, piece);
    }
}

/// A generation whose pieces are kept in order.
#[derive(Debug)]
pub struct Collecting {
    generation: Generation,
    pieces: Vec<Piece>,
    error: Option<EngineError>,
}

impl Collecting {
    /// Collects what a generation gives.
    pub fn new(generation: Generation) -> Self {
        Self { generation, pieces: Vec::new(), error: None }
    }

    /// The pieces that came since this was asked last.
    pub fn pieces(&mut self) -> impl Iterator<Item = Piece> {
        self.pieces.drain(..)
    }

    /// Whether it has ended.
    pub fn is_over(&self) -> bool {
        self.error.is_some() || self.generation.is_over()
    }

    /// What was generated so far.
    pub fn so_far(&self) -> &Generated {
        self.generation.so_far()
    }

    /// The generation, to be finished.
    ///
    /// # Errors
    /// What ended this task alone.
    pub fn into_generation(self) -> Result<Generation, EngineError> {
        self.error.map_or(Ok(self.generation), Err)
    }
}

impl Task for Collecting {
    fn generation(&self) -> &Generation {
        &self.generation
    }

    fn generation_mut(&mut self) -> &mut Generation {
        &mut self.generation
    }

    fn take(&mut self, _: Option<&Tokenizer>, piece: Result<Option<Piece>, EngineError>) {
        match piece {
            Ok(piece) => self.pieces.extend(piece),
            Err(error) => self.error = Some(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps<T: Task>(_: &mut [T]) {}

    #[test]
    fn tasks_of_several_kinds_share_a_step() {
        let mut tasks: [&mut (dyn Task + Send); 0] = [];
        steps(&mut tasks);
    }
}
