//! `attention` of several sequences in one run, each over its own pages.

use hala_tensor::DType;
use hala_tests::check;

use super::{CAPS, Scores, Way, row_of, scale};
use crate::heads::{CACHES, Heads, batches};

/// Pages hold what is no number when they are given out.
const POISONED: Way = Way { is_poisoned: true, ..Way::EVERY };

/// Sequences that decode beside prompts of other lengths, at other positions.
fn heads(ratio: [usize; 2], head_size: usize, cache: DType) -> Heads {
    let plans = vec![4, 109];
    Heads { runs: batches(), plans, n_positions: 128, ..Heads::new(ratio, head_size, cache, 109) }
}

#[test]
fn each_row_sees_its_own_sequence_alone() {
    let sizes = [6, 16, 24, 40, 64, 80, 128, 256];
    let ratios = [[4, 2], [3, 1], [2, 2], [8, 2]];
    let specs = sizes.iter().enumerate().map(|(i, a)| heads(ratios[i % 4], *a, CACHES[i / 2 % 2]));
    let specs = specs.chain(CACHES.map(|cache| heads([6, 2], 64, cache)));
    check::all(specs.map(|heads| row_of(&heads, scale(&heads), POISONED)));
}

#[test]
fn a_window_hides_what_is_further_back_in_each_sequence() {
    let specs = [1, 20, 63, 64, 65, 100].into_iter().enumerate();
    check::all(specs.flat_map(|(i, window)| {
        [([4, 2], 64), ([5, 1], 24)].map(|(ratio, head_size)| {
            let heads = heads(ratio, head_size, CACHES[i % 2]);
            row_of(&heads, Scores { window: Some(window), ..scale(&heads) }, POISONED)
        })
    }));
}

#[test]
fn scores_of_several_sequences_may_be_bounded() {
    let specs = CAPS.iter().zip([None, Some(40), Some(64), None]);
    check::all(specs.map(|((cap, scale), window)| {
        let scores = Scores { scale: *scale, softcap: Some(*cap), window };
        row_of(&heads([4, 2], 64, DType::F32), scores, POISONED)
    }));
}

/// A long sequence, a short one and one that begins, side by side.
fn uneven(ratio: [usize; 2], head_size: usize, cache: DType) -> Heads {
    let together = vec![(1, 1), (0, 1), (2, 1), (3, 1)];
    let runs = vec![vec![(0, 600)], vec![(1, 513)], vec![(2, 40)], together.clone(), together];
    Heads { runs, plans: vec![4, 600], n_positions: 640, ..Heads::new(ratio, head_size, cache, 4) }
}

#[test]
fn sequences_of_every_length_decode_side_by_side() {
    let specs = [([3, 1], 16, DType::F16), ([4, 2], 64, DType::F32), ([2, 1], 128, DType::F16)];
    check::all(specs.iter().flat_map(|(ratio, head_size, cache)| {
        [None, Some(300)].map(|window| {
            let heads = uneven(*ratio, *head_size, *cache);
            row_of(&heads, Scores { window, ..scale(&heads) }, Way::up_to(4))
        })
    }));
}

#[test]
#[ignore = "long: every shape of heads in runs of several sequences"]
fn each_row_sees_its_own_sequence_alone_with_every_shape_of_heads() {
    let ratios = [[1, 1], [2, 1], [3, 1], [4, 1], [5, 1], [8, 1], [6, 2], [8, 8]];
    let specs = ratios.iter().flat_map(|ratio| [8, 16, 32, 60, 64, 66, 128, 256].map(|a| (*ratio, a)));
    let specs = specs.flat_map(|(ratio, a)| CACHES.map(|cache| heads(ratio, a, cache)));
    check::all(specs.flat_map(|heads| {
        [None, Some(33), Some(64)].map(|window| row_of(&heads, Scores { window, ..scale(&heads) }, POISONED))
    }));
}
