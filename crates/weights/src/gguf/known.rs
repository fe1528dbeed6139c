//! Settings that may change what a model computes: those that are read, those that must have a certain value, and no others.

use super::fault::GgufFault;
use super::header::Value;
use super::settings::Settings;

/// Settings that become part of config.json, or change nothing.
const READ: [&str; 21] = [
    "vocab_size",
    "context_length",
    "embedding_length",
    "block_count",
    "feed_forward_length",
    "tensor_data_layout",
    "attention.head_count",
    "attention.head_count_kv",
    "attention.layer_norm_epsilon",
    "attention.layer_norm_rms_epsilon",
    "attention.key_length",
    "rope.freq_base",
    "rope.scale_linear",
    "rope.scaling.type",
    "rope.scaling.factor",
    "rope.scaling.attn_factor",
    "rope.scaling.original_context_length",
    "rope.scaling.finetuned",
    "shortconv.l_cache",
    "attention.sliding_window",
    "attention.sliding_window_pattern",
];

/// Settings of YaRN, which [`rope`](super::rope) checks where there is YaRN, and which change nothing elsewhere.
const YARN: &str = "rope.scaling.yarn_";

/// Settings with the one number that is computed with here, whatever the family; yes is 1 and no is 0.
const FIXED: [(&str, f64); 17] = [
    ("attention.causal", 1.0),
    ("attention.clamp_kqv", 0.0),
    ("attention.max_alibi_bias", 0.0),
    ("attention.shared_kv_layers", 0.0),
    ("pooling_type", 0.0),
    ("expert_count", 0.0),
    ("expert_used_count", 0.0),
    ("expert_shared_count", 0.0),
    ("expert_group_count", 0.0),
    ("expert_group_used_count", 0.0),
    ("leading_dense_block_count", 0.0),
    ("nextn_predict_layers", 0.0),
    ("residual_scale", 0.0),
    ("embedding_scale", 0.0),
    ("rope.scaling.alpha", 0.0),
    ("swin_norm", 0.0),
    ("attention.temperature_length", 0.0),
];

/// Checks every setting of a family that is read.
///
/// # Errors
/// The first that is not known, or has a value that is not computed with.
pub(super) fn check(settings: &Settings<'_>) -> Result<(), GgufFault> {
    let prefix = settings.key("");
    for (key, value) in settings.header.metadata.range(prefix.clone()..) {
        let Some(key) = key.strip_prefix(&prefix) else { break };
        if READ.contains(&key) && !is_of_others(settings, key) || key.starts_with(YARN) {
            continue;
        }
        let expected = expected(settings, key)?;
        let is_equal =
            |x: f64| expected.is_some_and(|expected| (x - expected).abs() <= 1e-6 * expected.abs());
        let found = match value {
            Value::Bool(on) => Some(f64::from(u8::from(*on))),
            Value::Text(text) if key == "hidden_activation" && is_activation(settings, text) => continue,
            _ => settings.number(key)?,
        };
        if !found.is_some_and(is_equal) {
            let supported = match expected {
                Some(expected) => format!("{expected} is supported in this family"),
                None => "no such setting is known in this family".to_owned(),
            };
            return Err(settings.refused(key, value, &supported));
        }
    }
    Ok(())
}

/// Settings that other families alone have.
fn is_of_others(settings: &Settings<'_>, key: &str) -> bool {
    match key {
        "shortconv.l_cache" => !matches!(settings.architecture, "lfm2" | "lfm3"),
        "attention.sliding_window" | "attention.sliding_window_pattern" => settings.architecture == "lfm2",
        _ => false,
    }
}

fn is_activation(settings: &Settings<'_>, name: &str) -> bool {
    let known: &[&str] =
        if settings.architecture == "gemma2" { &["gelu_pytorch_tanh"] } else { &["silu", "swish"] };
    known.contains(&name)
}

/// The number that a setting must have; `None` where it is not known.
fn expected(settings: &Settings<'_>, key: &str) -> Result<Option<f64>, GgufFault> {
    let head_size = settings.head_size()?;
    let is_gemma2 = settings.architecture == "gemma2";
    Ok(match key {
        "attention.value_length" | "attention.key_length_swa" | "attention.value_length_swa" => head_size,
        "rope.dimension_count" | "rope.dimension_count_swa" => head_size,
        "rope.freq_base_swa" if settings.architecture == "lfm3" => settings.number(key)?,
        "rope.freq_base_swa" => settings.number("rope.freq_base")?.or(Some(10_000.0)),
        "embedding_length_out" => settings.number("embedding_length")?,
        "attention.scale" if is_gemma2 => settings.attention_scalar()?.map(|scalar| scalar.powf(-0.5)),
        "attention.scale" => head_size.map(|size| size.powf(-0.5)),
        "attn_logit_softcapping" | "final_logit_softcapping" if is_gemma2 => settings.number(key)?,
        "attn_logit_softcapping" | "final_logit_softcapping" => Some(0.0),
        "logit_scale" if settings.architecture == "cohere2" => settings.number(key)?,
        "logit_scale" => Some(1.0),
        "use_parallel_residual" => Some(if settings.architecture == "cohere2" { 1.0 } else { 0.0 }),
        "attention.sliding_window" => Some(0.0),
        _ => FIXED.iter().find(|(known, _)| *known == key).map(|(_, value)| *value),
    })
}
