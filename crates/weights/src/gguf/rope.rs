//! Rotary embeddings: what llama.cpp makes of a GGUF file's settings, in the words of config.json's `rope_parameters`.
//!
//! Source: `llama-model.cpp`, `llama-context.cpp` and ggml's `rope_yarn` of <https://github.com/ggml-org/llama.cpp>.

use serde_json::{Map, Value as Json, json};

use super::fault::{GgufFault, wrong};
use super::header::Value;
use super::settings::{Settings, number};

/// The tensor of a factor for each pair, by which its frequency is divided.
pub(super) const FACTORS: &str = "rope_freqs.weight";

/// Base of the frequencies where the file does not say.
const FREQ_BASE: f64 = 10_000.0;

/// Turns within the first context above which YaRN leaves a pair alone, and below which it stretches it whole.
const BETAS: [f64; 2] = [32.0, 1.0];

/// How near a number must come to the one that is computed here.
const NEAR: f64 = 1e-4;

const TYPE: &str = "rope.scaling.type";
const FACTOR: &str = "rope.scaling.factor";
/// What [`FACTOR`] was called first.
const OLD_FACTOR: &str = "rope.scale_linear";

/// How frequencies are stretched.
enum Kind {
    None,
    Linear,
    Yarn,
}

/// `rope_parameters`; `factors` are those of [`FACTORS`], where the file has it.
///
/// # Errors
/// A kind of scaling that is not computed here, or numbers that give none.
pub(super) fn parameters(
    settings: &Settings<'_>,
    factors: Option<&[f32]>,
) -> Result<Map<String, Json>, GgufFault> {
    let theta = settings.number("rope.freq_base")?.unwrap_or(FREQ_BASE);
    let kind = kind(settings)?;
    let (key, factor) = factor(settings)?;
    let factor = match kind {
        Kind::None if settings.architecture == "gemma2" && factor != 1.0 => {
            // llama.cpp stretches its layers of windows nonetheless, and no others.
            return Err(refused(settings, key, factor, "1 is supported where `rope.scaling.type` is none"));
        }
        Kind::None => 1.0,
        Kind::Linear | Kind::Yarn => factor,
    };
    let attention = above_0(settings, "rope.scaling.attn_factor", 1.0)?;
    let mut map = Map::from_iter([("rope_theta".to_owned(), number(theta))]);
    let entries = match kind {
        Kind::Yarn if factors.is_some() => {
            let supported = "no YaRN is supported beside it".to_owned();
            return Err(GgufFault::Setting { key: FACTORS.to_owned(), found: "there".to_owned(), supported });
        }
        Kind::Yarn => yarn(settings, theta, [factor, attention])?,
        Kind::None | Kind::Linear if factors.is_some() || attention != 1.0 => {
            by_pair(settings, factors, [factor, attention])?
        }
        Kind::None | Kind::Linear if factor == 1.0 => vec![("rope_type", json!("default"))],
        Kind::None | Kind::Linear => vec![("rope_type", json!("linear")), ("factor", number(factor))],
    };
    map.extend(entries.into_iter().map(|(key, value)| (key.to_owned(), value)));
    Ok(map)
}

/// As [`parameters`], for a family whose windows turn by another base, and whose other layers by the factors alone.
///
/// # Errors
/// No base of the windows, no factors, or any other scaling.
pub(super) fn of_each(
    settings: &Settings<'_>,
    factors: Option<&[f32]>,
) -> Result<Map<String, Json>, GgufFault> {
    const WINDOWS: &str = "rope.freq_base_swa";
    let (key, factor) = factor(settings)?;
    if factor != 1.0 {
        return Err(refused(settings, key, factor, "1 is supported in this family"));
    }
    if let Kind::Yarn = kind(settings)? {
        let found = Value::Text("yarn".to_owned());
        return Err(settings.refused(TYPE, &found, "none is supported in this family"));
    }
    let attention = above_0(settings, "rope.scaling.attn_factor", 1.0)?;
    if attention != 1.0 {
        return Err(refused(
            settings,
            "rope.scaling.attn_factor",
            attention,
            "1 is supported in this family",
        ));
    }
    let missing = |key: String| wrong(&key, "it is not there, and this family cannot do without it");
    let factors = factors.ok_or_else(|| missing(FACTORS.to_owned()))?;
    let sliding = settings.number(WINDOWS)?.ok_or_else(|| missing(settings.key(WINDOWS)))?;
    let mut full = vec![("rope_theta", number(settings.number("rope.freq_base")?.unwrap_or(FREQ_BASE)))];
    let is_of_head = settings.head_size()? == Some(2.0 * factors.len() as f64);
    full.extend(match share_that_turns(factors).filter(|_| is_of_head) {
        Some(share) => vec![("rope_type", json!("proportional")), ("partial_rotary_factor", json!(share))],
        None => by_pair(settings, Some(factors), [1.0, 1.0])?,
    });
    let full: Map<String, Json> = full.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    let sliding = json!({ "rope_type": "default", "rope_theta": number(sliding) });
    Ok(Map::from_iter([
        ("full_attention".to_owned(), Json::Object(full)),
        ("sliding_attention".to_owned(), sliding),
    ]))
}

/// The share of a head's pairs that turn, the first ones, where the factors of all others stop them.
fn share_that_turns(factors: &[f32]) -> Option<f64> {
    /// At any length that there is, a pair that is slower by this has turned by less than the last bit of an f32.
    const STOPS: f32 = 1e20;
    let n_turning = factors.iter().take_while(|factor| **factor == 1.0).count();
    let share = n_turning as f64 / factors.len().max(1) as f64;
    let is_exact = (share * factors.len() as f64) as usize == n_turning;
    (is_exact && factors[n_turning..].iter().all(|factor| *factor >= STOPS)).then_some(share)
}

fn kind(settings: &Settings<'_>) -> Result<Kind, GgufFault> {
    match settings.get(TYPE) {
        Some(Value::Text(name)) if name == "none" => Ok(Kind::None),
        Some(Value::Text(name)) if name == "yarn" => Ok(Kind::Yarn),
        // Where a factor alone is given, it is that of all pairs.
        None => Ok(Kind::Linear),
        Some(Value::Text(name)) if name == "linear" => Ok(Kind::Linear),
        Some(other) => Err(settings.refused(TYPE, other, "none, linear and yarn are supported")),
    }
}

/// The factor and the key that holds it; 0 stands for none.
fn factor(settings: &Settings<'_>) -> Result<(&'static str, f64), GgufFault> {
    let key = if settings.get(FACTOR).is_some() { FACTOR } else { OLD_FACTOR };
    let found = settings.number(key)?.filter(|factor| *factor != 0.0).unwrap_or(1.0);
    if found > 0.0 {
        Ok((key, found))
    } else {
        Err(refused(settings, key, found, "a number above 0 is supported"))
    }
}

/// All frequencies by one factor, and each by that of its pair: what transformers calls longrope.
fn by_pair(
    settings: &Settings<'_>,
    factors: Option<&[f32]>,
    [factor, attention]: [f64; 2],
) -> Result<Vec<(&'static str, Json)>, GgufFault> {
    let n_pairs = settings.head_size()?.unwrap_or(0.0) as usize / 2;
    let factors: Vec<f64> = match factors {
        Some(factors) => factors.iter().map(|x| f64::from(*x) * factor).collect(),
        // A wrong number makes no long list.
        None => vec![factor; n_pairs.min(1 << 16)],
    };
    if factors.len() != n_pairs || factors.iter().any(|x| !(x.is_finite() && *x > 0.0)) {
        let (key, found) = (FACTORS.to_owned(), format!("{} numbers", factors.len()));
        let supported = format!("{n_pairs} above 0, half of a head, are supported");
        return Err(GgufFault::Setting { key, found, supported });
    }
    Ok(vec![
        ("rope_type", json!("longrope")),
        ("short_factor", json!(factors)),
        ("long_factor", json!(factors)),
        ("attention_factor", number(attention)),
    ])
}

/// YaRN, whose ramp and whose factor of cosines and sines are llama.cpp's.
fn yarn(
    settings: &Settings<'_>,
    theta: f64,
    [factor, attention]: [f64; 2],
) -> Result<Vec<(&'static str, Json)>, GgufFault> {
    const ORIGINAL: &str = "rope.scaling.original_context_length";
    let spread = if factor <= 1.0 { 1.0 } else { 0.1 * factor.ln() + 1.0 };
    // Keys that llama.cpp passes over in these families: their numbers must be those that it computes with.
    for (key, computed) in [
        ("rope.scaling.yarn_ext_factor", 1.0),
        ("rope.scaling.yarn_attn_factor", spread),
        ("rope.scaling.yarn_beta_fast", BETAS[0]),
        ("rope.scaling.yarn_beta_slow", BETAS[1]),
        ("rope.scaling.yarn_log_multiplier", 0.0),
    ] {
        if let Some(found) = settings.number(key)?.filter(|x| (x - computed).abs() > NEAR) {
            return Err(refused(
                settings,
                key,
                found,
                &format!("{computed}, with which llama.cpp computes, is supported"),
            ));
        }
    }
    let given = settings.number(ORIGINAL)?.or(settings.number("context_length")?);
    let original = given.unwrap_or(0.0);
    let head_size = settings.head_size()?.unwrap_or(0.0);
    let bound = |beta: f64| head_size * (original / (beta * std::f64::consts::TAU)).ln() / (2.0 * theta.ln());
    let [low, high] = [bound(BETAS[0]).floor().max(0.0), bound(BETAS[1]).ceil().min(head_size - 1.0)];
    // Where the bounds are the other way round, llama.cpp and transformers differ.
    if low > high {
        return Err(refused(
            settings,
            ORIGINAL,
            original,
            "a context in which pairs turn seldom and often is supported",
        ));
    }
    Ok(vec![
        ("rope_type", json!("yarn")),
        ("factor", number(factor)),
        ("original_max_position_embeddings", number(original)),
        ("attention_factor", json!(spread * attention)),
        ("beta_fast", json!(BETAS[0])),
        ("beta_slow", json!(BETAS[1])),
    ])
}

fn above_0(settings: &Settings<'_>, key: &str, default: f64) -> Result<f64, GgufFault> {
    let found = settings.number(key)?.unwrap_or(default);
    if found > 0.0 { Ok(found) } else { Err(refused(settings, key, found, "a number above 0 is supported")) }
}

fn refused(settings: &Settings<'_>, key: &str, found: f64, supported: &str) -> GgufFault {
    settings.refused(key, &Value::Float(found), supported)
}
