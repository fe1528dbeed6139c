//! How often what followed a place followed again, by how long the text was equal before it.

/// What one more verdict leaves of the weight of those before: some twenty of them count.
const DECAY: f32 = 0.95;

/// The least equal tokens of each class: a passage that has been the same for nine tokens likely stays so, where two may stand anywhere.
const CLASSES: [usize; 5] = [0, 3, 4, 6, 9];

/// Verdicts of one class.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    n_right: f32,
    n: f32,
}

/// Verdicts on a text's drafts, and on those that were looked up and not computed: they cost nothing and tell as much.
#[derive(Debug, Clone, Default)]
pub(crate) struct Acceptance {
    seen: [Seen; CLASSES.len()],
}

impl Acceptance {
    /// Notes whether the token after `n_equal` equal ones was equal too.
    pub(crate) fn note(&mut self, n_equal: usize, is_right: bool) {
        let seen = &mut self.seen[class(n_equal)];
        seen.n_right = seen.n_right * DECAY + f32::from(u8::from(is_right));
        seen.n = seen.n * DECAY + 1.0;
    }

    /// The chance that the token after `n_equal` equal ones is equal too: even where nothing was seen (Laplace's rule of succession).
    pub(crate) fn chance(&self, n_equal: usize) -> f32 {
        let Seen { n_right, n } = self.seen[class(n_equal)];
        (n_right + 1.0) / (n + 2.0)
    }

    /// The chances that the first, the first two, … of `n` drafts are all right.
    pub(crate) fn chances(&self, n_equal: usize, n: usize) -> Vec<f32> {
        let mut all = 1.0;
        let step = |i| {
            all *= self.chance(n_equal + i);
            all
        };
        (0..n).map(step).collect()
    }
}

fn class(n_equal: usize) -> usize {
    CLASSES.iter().rposition(|least| *least <= n_equal).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chances_follow_what_was_seen_of_the_same_length() {
        let mut acceptance = Acceptance::default();
        assert_eq!(acceptance.chance(2), 0.5);
        (0..50).for_each(|_| acceptance.note(2, false));
        (0..50).for_each(|_| acceptance.note(9, true));
        assert!(acceptance.chance(2) < 0.06 && acceptance.chance(12) > 0.94);
        assert_eq!(acceptance.chance(4), 0.5);
        let chances = acceptance.chances(8, 3);
        assert_eq!(chances[0], 0.5);
        assert!(chances[1] > 0.47 && chances[2] < chances[1]);
    }

    #[test]
    fn what_was_wrong_for_long_is_soon_tried_again_once_it_is_right() {
        let mut acceptance = Acceptance::default();
        (0..500).for_each(|_| acceptance.note(2, false));
        (0..4).for_each(|_| acceptance.note(2, true));
        assert!(acceptance.chance(2) > 0.2);
    }
}
