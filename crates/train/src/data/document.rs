//! One text as training sees it: its ids, and how much each counts as a label.

/// One text: a conversation, a pair of a translation, or plain text.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Document {
    /// The token ids, the one that begins a text included.
    pub ids: Vec<u32>,
    /// For each id how much the loss of predicting it counts; 0 is not at all. The first id is predicted from nothing, so its weight is not
    /// looked at.
    pub weights: Vec<f32>,
}

impl Document {
    /// How many rows of a batch it takes: those up to the last one that predicts a label. Ids behind that (the last label itself, a newline
    /// behind the end of a turn) are read by no row that counts, so leaving them out changes no gradient.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.weights.iter().rposition(|weight| *weight > 0.0).unwrap_or(0)
    }

    /// How many ids are labels.
    #[must_use]
    pub fn n_supervised(&self) -> usize {
        self.weights.iter().skip(1).filter(|weight| **weight > 0.0).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_end_with_the_one_that_predicts_the_last_label() {
        let rows =
            |weights: &[f32]| Document { ids: vec![7; weights.len()], weights: weights.to_vec() }.n_rows();
        assert_eq!(rows(&[0.0, 0.0, 1.0, 1.0, 0.0]), 3);
        assert_eq!(rows(&[0.0, 1.0]), 1);
        for without in [&[][..], &[1.0], &[1.0, 0.0], &[0.0, 0.0, 0.0]] {
            assert_eq!(rows(without), 0, "{without:?}");
        }
    }

    #[test]
    fn the_first_id_is_no_label() {
        let document = Document { ids: vec![1, 2, 3], weights: vec![1.0, 0.0, 0.5] };
        assert_eq!(document.n_supervised(), 1);
    }
}
