//! Copies of the recurrent state at earlier positions, so that a session can go back.

/// The most snapshots that a session keeps.
const MAX: usize = 64;

/// Snapshots by position, the lowest first; position 0 is always there.
#[derive(Debug)]
pub(crate) struct Snapshots<S> {
    list: Vec<(usize, S)>,
}

impl<S> Snapshots<S> {
    /// The state before any token.
    pub(crate) fn new(empty: S) -> Self {
        Self { list: vec![(0, empty)] }
    }

    /// Adds the state after `position` tokens; the one that leaves the smallest gap makes room where needed.
    pub(crate) fn push(&mut self, position: usize, snapshot: S) {
        self.list.retain(|(p, _)| *p < position);
        self.list.push((position, snapshot));
        if self.list.len() > MAX {
            let gap = |i: &usize| self.list[i + 1].0 - self.list[i - 1].0;
            if let Some(i) = (1..self.list.len() - 1).min_by_key(gap) {
                self.list.remove(i);
            }
        }
    }

    /// Drops what lies after `position` and gives the last one left, at or before it.
    pub(crate) fn rewind(&mut self, position: usize) -> (usize, &S) {
        let n_kept = self.list.iter().take_while(|(p, _)| *p <= position).count().max(1);
        self.list.truncate(n_kept);
        let (position, snapshot) = &self.list[n_kept - 1];
        (*position, snapshot)
    }

    /// Position of the last snapshot.
    pub(crate) fn last(&self) -> usize {
        self.list.last().map_or(0, |(p, _)| *p)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rewinding_gives_the_nearest_at_or_before() {
        let mut snapshots = Snapshots::new('a');
        snapshots.push(10, 'b');
        snapshots.push(20, 'c');
        assert_eq!(snapshots.rewind(25), (20, &'c'));
        assert_eq!(snapshots.rewind(19), (10, &'b'));
        assert_eq!(snapshots.rewind(20), (10, &'b'));
        assert_eq!(snapshots.rewind(3), (0, &'a'));
    }

    #[test]
    fn a_long_session_keeps_the_ends_and_thins_the_middle() {
        let mut snapshots = Snapshots::new(0);
        (1..=1000).for_each(|i| snapshots.push(i * 10, i));
        assert!(snapshots.list.len() <= MAX);
        assert_eq!(snapshots.last(), 10_000);
        let largest = snapshots.list.windows(2).map(|w| w[1].0 - w[0].0).max();
        assert!(largest <= Some(10_000 / MAX * 4), "{largest:?}");
        assert_eq!(snapshots.rewind(5).0, 0);
    }
}
