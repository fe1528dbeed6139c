//! Memory that the ops of one prepared Plan use between them, grown to the largest use and kept.

use super::pieces::Piece;
use super::quantised::Quantised;
use super::tiles::Tiles;

/// What the threads share, and what each has for itself.
#[derive(Debug)]
pub(crate) struct Scratch {
    /// Normalised inputs, `[T, I]`.
    pub(crate) normed: Vec<f32>,
    /// Quantised inputs, one for each of an op's matrices that needs its own.
    pub(crate) quantised: [Quantised; 3],
    /// Inputs of matrices of floats.
    pub(crate) tiles: Tiles,
    /// What attention is cut into.
    pub(crate) pieces: Vec<Piece>,
    /// One for each thread.
    pub(crate) locals: Vec<Local>,
}

/// One thread's memory.
#[derive(Debug, Default)]
pub(crate) struct Local {
    /// Decoded rows of a matrix, or keys.
    pub(crate) rows: Vec<f32>,
    /// Values.
    pub(crate) values: Vec<f32>,
    /// Scores of keys.
    pub(crate) scores: Vec<f32>,
    /// Sums of values.
    pub(crate) sums: Vec<f32>,
}

impl Scratch {
    /// Empty memory for so many threads.
    pub(crate) fn new(n_threads: usize) -> Self {
        Self {
            normed: Vec::new(),
            quantised: Default::default(),
            tiles: Tiles::default(),
            pieces: Vec::new(),
            locals: (0..n_threads).map(|_| Local::default()).collect(),
        }
    }
}

/// The first `n` elements, made where they are missing.
pub(crate) fn at_least(values: &mut Vec<f32>, n: usize) -> &mut [f32] {
    if values.len() < n {
        values.resize(n, 0.0);
    }
    &mut values[..n]
}
