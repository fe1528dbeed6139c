//! Inputs of products as engines see them that multiply codes: rounded to int8 or E4M3, and here floats again.
//!
//! Source: the dynamic and static activations of compressed-tensors.

use crate::e4m3;

/// How inputs are rounded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rounding {
    /// What to.
    pub to: Rounded,
    /// Columns that share a scale; `None` for all of a token.
    pub group: Option<usize>,
    /// One scale for all tokens; `None` for each token's own, of its largest magnitude.
    pub scale: Option<f32>,
}

/// What inputs are rounded to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounded {
    /// Whole numbers from −128 to 127.
    Int8,
    /// 8-bit floats up to 448.
    E4M3,
}

impl Rounded {
    /// What a scale is the share of: half of the range of codes.
    pub const fn half_range(self) -> f32 {
        match self {
            Self::Int8 => 127.5,
            Self::E4M3 => e4m3::MAX,
        }
    }
}

impl Rounding {
    /// Rounds the inputs of one token.
    #[inline]
    pub fn row(&self, x: &mut [f32]) {
        let n = self.group.unwrap_or(x.len()).max(1);
        for x in x.chunks_mut(n) {
            let largest = || x.iter().fold(0.0f32, |max, x| max.max(x.abs())) / self.to.half_range();
            let scale = self.scale.unwrap_or_else(largest);
            // Of zeros nothing is lost.
            if scale == 0.0 {
                continue;
            }
            for x in x {
                let code = *x / scale;
                let rounded = match self.to {
                    Rounded::Int8 => code.clamp(-128.0, 127.0).round_ties_even(),
                    Rounded::E4M3 => e4m3::decode(e4m3::encode(code)),
                };
                *x = rounded * scale;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounded(rounding: Rounding, mut x: Vec<f32>) -> Vec<f32> {
        rounding.row(&mut x);
        x
    }

    #[test]
    fn a_token_has_its_own_scale_and_so_has_a_group() {
        let whole = Rounding { to: Rounded::Int8, group: None, scale: None };
        let x = vec![127.5, -1.2, 0.4, 0.0];
        assert_eq!(rounded(whole, x.clone()), [127.0, -1.0, 0.0, 0.0]);
        let grouped = Rounding { group: Some(2), ..whole };
        let scale = 0.4 / 127.5;
        assert_eq!(rounded(grouped, x), [127.0, -1.0, 127.0 * scale, 0.0]);
        assert_eq!(rounded(whole, vec![0.0; 3]), [0.0; 3]);
    }

    #[test]
    fn floats_are_e4m3_and_a_static_scale_clamps() {
        let dynamic = Rounding { to: Rounded::E4M3, group: None, scale: None };
        assert_eq!(rounded(dynamic, vec![448.0, 17.0, -0.3]), [448.0, 16.0, -0.3125]);
        let fixed = Rounding { scale: Some(0.5), ..dynamic };
        assert_eq!(rounded(fixed, vec![448.0, 17.0, -0.3]), [224.0, 16.0, -0.3125]);
    }
}
