//! Whole sweeps of `attention`: every prompt through long caches, every shape of heads with every number of tokens.

use hala_tensor::DType;
use hala_tests::check;

use super::{CAPS, GROUPS, LONG_WINDOWS, Scores, filled, long_cache, row, scale, until};
use crate::TOKENS;
use crate::heads::{CACHES, HEAD_SIZES, Heads, RATIOS};

#[test]
#[ignore = "long: every number of tokens for every shape of heads"]
fn every_shape_of_heads_with_every_number_of_tokens() {
    let shapes = HEAD_SIZES.iter().flat_map(|a| RATIOS.map(|heads| (heads, *a)));
    let specs = shapes.flat_map(|(heads, a)| CACHES.map(|cache| (heads, a, cache)));
    let specs = specs.flat_map(|(heads, a, cache)| TOKENS.map(|t| Heads::new(heads, a, cache, t)));
    check::all(specs.map(|heads| row(&heads, scale(&heads))));
}

#[test]
#[ignore = "long: prompts of a thousand tokens"]
fn long_prompts_see_a_long_cache_to_its_start() {
    let prompts = [DType::F32, DType::F16].map(|cache| long_cache([3, 1], 16, cache, &[1025, 1]));
    let pieces = long_cache([2, 1], 64, DType::F16, &[512, 512, 1, 5, 1]);
    check::all(prompts.iter().chain([&pieces]).map(|heads| row(heads, scale(heads))));
}

#[test]
#[ignore = "long: prompts through caches of up to 1100 positions"]
fn prompts_of_every_length_with_every_group_of_heads() {
    let lengths = [1, 17, 63, 64, 65, 257].iter().flat_map(|n| GROUPS.map(|heads| (*n, heads)));
    let specs = lengths.flat_map(|(n, heads)| CACHES.map(|cache| (n, heads, cache)));
    check::all(specs.map(|(n, heads, cache)| until(n, heads, 64, cache)));
    let split = [(511, [3, 1]), (512, [2, 1]), (513, [3, 1]), (769, [1, 1]), (1100, [4, 1])];
    check::all(split.map(|(n, heads)| until(n, heads, 64, CACHES[n % 2])));
    check::all(GROUPS.map(|heads| until(520, heads, 8, DType::F16)));
}

#[test]
#[ignore = "long: prompts of hundreds of tokens for every size of head"]
fn prompts_with_every_size_of_head() {
    let specs = [8, 16, 32, 40, 60, 80, 128, 256].iter().flat_map(|a| [40, 300].map(|n| (n, *a)));
    let specs = specs.chain([(520, 80), (520, 256)]);
    check::all(specs.flat_map(|(n, a)| CACHES.map(|cache| until(n, [2, 1], a, cache))));
}

#[test]
#[ignore = "long: every window in prompts of up to a thousand tokens"]
fn every_window_of_long_prompts() {
    let windows = [1, 2, 15, 16, 17, 63, 64, 65, 129, 299, 300, 301].into_iter();
    let specs = windows.flat_map(|window| [[2, 2], [6, 2], [5, 1]].map(|ratio| (window, ratio)));
    let sizes = [(64, DType::F32), (128, DType::F16), (6, DType::F32)];
    let short =
        specs.flat_map(|(window, ratio)| sizes.map(|(a, cache)| (window, filled(300, ratio, a, cache))));
    let sizes = [(777, [4, 1], 64), (770, [2, 1], 16), (1025, [3, 1], 256)];
    let long = LONG_WINDOWS
        .into_iter()
        .flat_map(|window| sizes.map(|(n, ratio, a)| (window, filled(n, ratio, a, CACHES[n % 2]))));
    check::all(
        short
            .chain(long)
            .map(|(window, heads)| row(&heads, Scores { window: Some(window), ..scale(&heads) })),
    );
}

#[test]
#[ignore = "long: prompts of hundreds of tokens for every bound"]
fn bounded_scores_of_long_prompts() {
    let specs = CAPS.iter().flat_map(|cap| [None, Some(40)].map(|window| (*cap, window)));
    check::all(specs.flat_map(|((cap, scale), window)| {
        [(300, [2, 1], 128), (520, [3, 1], 16)].map(|(n, ratio, head_size)| {
            row(&filled(n, ratio, head_size, DType::F32), Scores { scale, softcap: Some(cap), window })
        })
    }));
}
