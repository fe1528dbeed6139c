//! Runs of which each reads the token that the one before it chose.

use hala_plan::ops::sample::{Choice, TokenSet};

/// One sequence's row in runs of a case's first plan whose tokens the backend chooses.
#[derive(Debug, Clone)]
pub struct Chain {
    /// Whether it goes on from the chain before.
    pub goes_on: bool,
    /// What the first run reads.
    pub id: u32,
    /// Its position.
    pub position: usize,
    /// Ids that are never chosen.
    pub banned: TokenSet,
    /// Ids that were seen.
    pub seen: TokenSet,
    /// How tokens are chosen.
    pub choice: Choice,
    /// Where each is drawn.
    pub draws: Vec<f32>,
}

impl Default for Chain {
    fn default() -> Self {
        let choice = Choice::GREEDY;
        let (banned, seen) = (TokenSet::default(), TokenSet::default());
        Self { goes_on: false, id: 0, position: 0, banned, seen, choice, draws: Vec::new() }
    }
}
