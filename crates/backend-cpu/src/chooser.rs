//! What the op `sample` reads and writes besides buffers, and the ids that wait to be read.

use std::collections::VecDeque;

use hala_plan::Start;
use hala_plan::ops::sample::{self, Choice, DECLINED, Turn};

use crate::ops;

/// The choices of one prepared Plan.
#[derive(Debug)]
pub(crate) struct Chooser {
    pub(crate) turn: Turn,
    banned: Vec<u32>,
    seen: Vec<u32>,
    /// The id chosen last.
    pub(crate) id: u32,
    /// The ids of the calls that were not read yet, the oldest first.
    pub(crate) queued: VecDeque<Vec<u32>>,
}

impl Chooser {
    /// Takes the likeliest ids of `n_vocab` until told otherwise.
    pub(crate) fn new(n_vocab: usize) -> Self {
        let empty = vec![0; sample::n_words(n_vocab)];
        Self {
            turn: Turn { choice: Choice::GREEDY, at: 0.0, slot: 0 },
            banned: empty.clone(),
            seen: empty,
            id: DECLINED,
            queued: VecDeque::new(),
        }
    }

    /// Begins a chain.
    pub(crate) fn start(&mut self, start: Start<'_>) {
        for (set, words) in [(&mut self.banned, start.banned), (&mut self.seen, start.seen)] {
            set.fill(0);
            set.iter_mut().zip(words).for_each(|(set, word)| *set = *word);
        }
        self.id = start.id;
    }

    /// Chooses from `logits [V]`.
    pub(crate) fn choose(&mut self, logits: &[f32]) {
        let Self { turn, banned, seen, .. } = self;
        self.id = ops::sample::run(turn, ops::sample::Inputs { logits, banned, seen });
        sample::insert(seen, self.id);
    }
}
