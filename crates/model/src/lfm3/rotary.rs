//! How LFM3's heads are turned: each kind of layer by its own base, and where it sees everything by a part of the pairs alone.

use hala_weights::Config;

use crate::error::ModelError;
use crate::lfm3::mixer::Mixer;
use crate::rope::{self, Dialect, Rope, Scaling, Turned};

/// The kinds of layers that have heads.
const KINDS: [(Mixer, &[&str]); 2] =
    [(Mixer::Sliding, &["sliding_attention"]), (Mixer::Full, &["full_attention"])];

/// Base of the frequencies where an object of `rope_parameters` does not say.
const THETA: f64 = 1e6;

/// The rotary embedding of each kind of layer that the model has. transformers' type `proportional` leaves the last pairs of a head as they
/// are; its type `default` turns all, whatever `partial_rotary_factor` says.
pub(super) fn read(
    config: &Config,
    layers: &[Mixer],
    (head_size, max_context): (usize, usize),
) -> Result<Vec<(Mixer, Rope)>, ModelError> {
    let is_told = ["rope_scaling", "rope_parameters"].iter().any(|key| config.raw(key).is_some());
    let rope = |(mixer, kinds)| {
        let rope = match is_told {
            true => Rope::read(config, &turned(kinds, head_size, max_context))?,
            false => usual(mixer, head_size, max_context),
        };
        Ok((mixer, rope))
    };
    KINDS.into_iter().filter(|(mixer, _)| layers.contains(mixer)).map(rope).collect()
}

fn turned(kinds: &'static [&'static str], head_size: usize, max_context: usize) -> Turned {
    Turned { head_size, max_context, theta: THETA, kinds, dialect: Dialect::OfEach }
}

/// What transformers' `Lfm3Config` has where config.json has no object, whatever stands beside it.
fn usual(mixer: Mixer, head_size: usize, n_positions: usize) -> Rope {
    match mixer {
        Mixer::Full => {
            let scaling = Scaling::Proportional { factor: 1.0, n_turning: head_size / 4 };
            Rope { theta: THETA, scaling, head_size, n_positions }
        }
        Mixer::Conv | Mixer::Sliding => {
            Rope { theta: 10_000.0, scaling: Scaling::Default, head_size, n_positions }
        }
    }
}

/// What config.json says of parts of heads and no maths reads.
pub(super) fn passed_over(config: &Config) -> Vec<String> {
    // Sizes decide frequencies, and not which settings are read.
    KINDS.into_iter().filter_map(|(_, kinds)| rope::passed_over(config, &turned(kinds, 2, 1))).collect()
}
