//! `id = sample(logits)`: sorted as a whole, sums in f64.

use hala_plan::ops::sample::{Choice, DECLINED, TokenSet, Turn};

/// What the op reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inputs<'a> {
    /// `[V]`
    pub(crate) logits: &'a [f32],
    /// Ids that are never chosen.
    pub(crate) banned: &'a TokenSet,
    /// Ids that the repetition penalty is for.
    pub(crate) seen: &'a TokenSet,
}

/// The id that is chosen, or [`DECLINED`].
pub(crate) fn run(turn: &Turn, inputs: Inputs<'_>) -> u32 {
    let Choice { temperature, repetition_penalty, .. } = turn.choice;
    let allowed = |id: &u32| !inputs.banned.contains(*id);
    if (0..).zip(inputs.logits).any(|(id, x)| allowed(&id) && (x.is_nan() || *x == f32::INFINITY)) {
        return DECLINED;
    }
    let adjusted = |(id, x): (u32, &f32)| {
        let x = match *x {
            _ if !allowed(&id) => f32::NEG_INFINITY,
            x if !inputs.seen.contains(id) => x,
            x if x > 0.0 => x / repetition_penalty,
            x => x * repetition_penalty,
        };
        (x, id)
    };
    let logits: Vec<(f32, u32)> = (0..).zip(inputs.logits).map(adjusted).collect();
    let first = logits.first().copied().unwrap_or((f32::NEG_INFINITY, DECLINED));
    let (max, likeliest) = logits.iter().fold(first, |best, x| if x.0 > best.0 { *x } else { best });
    if temperature == 0.0 {
        return likeliest;
    }
    if max == f32::NEG_INFINITY {
        return DECLINED;
    }
    let weight = |(x, id): (f32, u32)| ((f64::from(x - max) / f64::from(temperature)).exp(), id);
    draw(&truncated(logits.into_iter().map(weight).collect(), turn.choice), f64::from(turn.at))
}

/// The candidates that are left, the likeliest first.
fn truncated(mut candidates: Vec<(f64, u32)>, choice: Choice) -> Vec<(f64, u32)> {
    candidates.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    if choice.top_k > 0 {
        candidates.truncate(choice.top_k as usize);
    }
    if choice.top_p < 1.0 {
        let enough = f64::from(choice.top_p) * candidates.iter().map(|c| c.0).sum::<f64>();
        let mut before = 0.0;
        let is_kept = |c: &&(f64, u32)| {
            let is_kept = before < enough;
            before += c.0;
            is_kept
        };
        let n_kept = candidates.iter().take_while(is_kept).count();
        candidates.truncate(n_kept.max(1));
    }
    let n_kept = candidates.iter().take_while(|c| c.0 >= f64::from(choice.min_p)).count();
    candidates.truncate(n_kept.max(1));
    candidates
}

/// The candidate at the share `at` of the total weight.
fn draw(candidates: &[(f64, u32)], at: f64) -> u32 {
    let goal = at * candidates.iter().map(|c| c.0).sum::<f64>();
    let mut sum = 0.0;
    let found = candidates.iter().find(|(weight, _)| {
        sum += weight;
        sum > goal
    });
    found.or(candidates.last()).map_or(DECLINED, |c| c.1)
}
