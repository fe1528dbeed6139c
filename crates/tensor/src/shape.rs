//! A tensor's dimensions, outermost first.

use std::fmt;

/// Dimensions of a tensor in elements, outermost first; at most [`Shape::MAX_RANK`] of them.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    dims: [usize; Shape::MAX_RANK],
    rank: u8,
}

/// Dimensions that no shape can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    /// A shape has more dimensions than any tensor of a language model.
    #[error("a shape of {rank} dimensions: at most {max} are supported", max = Shape::MAX_RANK)]
    Rank {
        /// Dimensions found.
        rank: usize,
    },
    /// The number of elements does not fit the address space.
    #[error("a tensor of shape {dims:?} has more elements than this machine can address")]
    TooLarge {
        /// Dimensions found.
        dims: Vec<usize>,
    },
}

impl Shape {
    /// The most dimensions that a shape can have.
    pub const MAX_RANK: usize = 4;

    /// A shape with these dimensions.
    ///
    /// # Errors
    /// More than [`Shape::MAX_RANK`] dimensions, or more elements than `usize` counts.
    pub fn new(dims: &[usize]) -> Result<Self, ShapeError> {
        if dims.len() > Self::MAX_RANK {
            return Err(ShapeError::Rank { rank: dims.len() });
        }
        if dims.iter().try_fold(1usize, |n, &d| n.checked_mul(d)).is_none() {
            return Err(ShapeError::TooLarge { dims: dims.to_vec() });
        }
        let mut padded = [1; Self::MAX_RANK];
        padded[..dims.len()].copy_from_slice(dims);
        Ok(Self { dims: padded, rank: dims.len() as u8 })
    }

    /// `[n]`
    pub const fn vector(n: usize) -> Self {
        Self { dims: [n, 1, 1, 1], rank: 1 }
    }

    /// `[rows, columns]`
    pub const fn matrix(rows: usize, columns: usize) -> Self {
        Self { dims: [rows, columns, 1, 1], rank: 2 }
    }

    /// `[a, b, c]`
    pub const fn cube(a: usize, b: usize, c: usize) -> Self {
        Self { dims: [a, b, c, 1], rank: 3 }
    }

    /// The dimensions.
    pub fn dims(&self) -> &[usize] {
        &self.dims[..self.rank as usize]
    }

    /// How many dimensions there are.
    pub fn rank(&self) -> usize {
        self.rank as usize
    }

    /// The product of the dimensions.
    pub fn n_elements(&self) -> usize {
        self.dims().iter().product()
    }

    /// Elements in one row: the last dimension, or 1 for a scalar.
    pub fn n_columns(&self) -> usize {
        self.dims().last().copied().unwrap_or(1)
    }

    /// Rows: the product of all dimensions but the last.
    pub fn n_rows(&self) -> usize {
        let dims = self.dims();
        dims[..dims.len().saturating_sub(1)].iter().product()
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.dims())
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_columns_multiply_to_the_elements() {
        for dims in [&[][..], &[7], &[3, 5], &[2, 1, 3], &[2, 3, 4, 5]] {
            let shape = Shape::new(dims).unwrap();
            assert_eq!(shape.n_rows() * shape.n_columns(), shape.n_elements(), "{shape}");
        }
    }

    #[test]
    fn a_shape_that_overflows_is_refused() {
        assert!(matches!(Shape::new(&[usize::MAX, 2]), Err(ShapeError::TooLarge { .. })));
        assert!(matches!(Shape::new(&[1; 5]), Err(ShapeError::Rank { rank: 5 })));
    }

    #[test]
    fn prints_as_a_list() {
        assert_eq!(Shape::matrix(3, 4).to_string(), "[3, 4]");
    }
}
