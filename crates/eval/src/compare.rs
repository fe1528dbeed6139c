//! Two models on one text.

use hala_engine::{Engine, Probe};
use hala_plan::{Backend, Cancel};

use crate::error::EvalError;
use crate::fidelity::Fidelity;

/// Tokens that are computed at once: of one window, or of several short ones.
const ROWS: usize = 128;

/// How far a comparison is, in tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Tokens that are done.
    pub n_done: usize,
    /// All there are.
    pub n_total: usize,
}

/// Cuts a text's ids into windows of at most `n_window` (at least 2), each of which begins with `bos` where there is one. What is left at the
/// end is a window too, unless it is a token alone.
pub fn windows(ids: &[u32], n_window: usize, bos: Option<u32>) -> Vec<Vec<u32>> {
    let n_text = n_window.max(2) - usize::from(bos.is_some());
    let window = |ids: &[u32]| bos.into_iter().chain(ids.iter().copied()).collect::<Vec<_>>();
    ids.chunks(n_text.max(1)).map(window).filter(|window| window.len() > 1).collect()
}

/// Compares a model with a reference at every position of `windows`, of which none remembers another.
///
/// # Errors
/// Other vocabularies, no window, logits that are no numbers, what engines refuse, cancellation.
pub async fn compare<A: Backend, B: Backend>(
    reference: &Engine<A>,
    model: &Engine<B>,
    windows: &[Vec<u32>],
    cancel: &Cancel,
    mut on_progress: impl FnMut(Progress),
) -> Result<Fidelity, EvalError> {
    let [n_vocab, found] = [reference.model().facts().n_vocab, model.model().facts().n_vocab];
    if n_vocab != found {
        return Err(EvalError::Vocabulary { reference: n_vocab, found });
    }
    let n_total = windows.iter().map(Vec::len).sum();
    if n_total < 2 {
        return Err(EvalError::TooShort { found: n_total });
    }
    let (mut expecting, mut finding) = (Probe::new(reference), Probe::new(model));
    let (mut fidelity, mut n_done) = (Fidelity::default(), 0);
    for together in groups(windows) {
        let ids: Vec<&[u32]> = together.iter().map(Vec::as_slice).collect();
        let expected = expecting.batch_logits(&ids, ROWS, cancel).await?;
        let found = finding.batch_logits(&ids, ROWS, cancel).await?;
        for (ids, (expected, found)) in ids.iter().zip(expected.iter().zip(&found)) {
            for (i, (expected, found)) in expected.chunks(n_vocab).zip(found.chunks(n_vocab)).enumerate() {
                for (which, logits) in [("reference", expected), ("compared", found)] {
                    if !logits.iter().all(|x| x.is_finite()) {
                        return Err(EvalError::NotFinite { which, position: i });
                    }
                }
                fidelity.add(expected, found, ids.get(i + 1).copied());
            }
            n_done += ids.len();
        }
        on_progress(Progress { n_done, n_total });
    }
    Ok(fidelity)
}

/// Windows that are computed together: as many as fill a run, so that their logits are not too many to hold.
fn groups(windows: &[Vec<u32>]) -> impl Iterator<Item = &[Vec<u32>]> {
    let mut left = windows;
    std::iter::from_fn(move || {
        let mut n_rows = 0;
        let fits = |window: &&Vec<u32>| {
            n_rows += window.len();
            n_rows <= ROWS
        };
        let n = left.iter().take_while(fits).count().max(1).min(left.len());
        let (group, rest) = left.split_at(n);
        left = rest;
        (n > 0).then_some(group)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_computed_together_up_to_the_rows_of_a_run() {
        let windows = [100, 28, 1, 300, 127, 2].map(|n| vec![0; n]);
        let sizes: Vec<usize> = groups(&windows).map(<[_]>::len).collect();
        assert_eq!(sizes, [2, 1, 1, 1, 1]);
        assert_eq!(groups(&[]).count(), 0);
    }

    #[test]
    fn windows_begin_with_the_token_for_it() {
        let ids: Vec<u32> = (10..17).collect();
        assert_eq!(windows(&ids, 4, Some(1)), [vec![1, 10, 11, 12], vec![1, 13, 14, 15], vec![1, 16]]);
        assert_eq!(windows(&ids, 3, None), [vec![10, 11, 12], vec![13, 14, 15]]);
        assert!(windows(&[], 4, Some(1)).is_empty());
    }
}
