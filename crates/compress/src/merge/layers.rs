//! The kinds of layers in config.json, which come along where layers are put together anew.

use hala_weights::{Config, WeightsError};
use serde_json::{Map, Value, json};

const SLIDING: &str = "sliding_attention";
const FULL: &str = "full_attention";

/// The kind of each of a model's layers, in the words of `layer_types`; `None` where config.json knows no kinds.
///
/// # Errors
/// A setting of another type than it should be.
pub(crate) fn kinds(config: &Config, n_layers: usize) -> Result<Option<Vec<String>>, WeightsError> {
    if let Some(kinds) = config.list_str(&["layer_types"])? {
        return Ok(Some(kinds.into_iter().map(str::to_owned).collect()));
    }
    let kind: Box<dyn Fn(usize) -> &'static str> = match config.model_type()? {
        Some("lfm2") => {
            let full = config.list_usize(&["full_attn_idxs"])?;
            Box::new(move |i| if full.as_ref().is_none_or(|full| full.contains(&i)) { FULL } else { "conv" })
        }
        Some("lfm3") => Box::new(|i| match i % 4 {
            2 => FULL,
            0 if i > 0 => SLIDING,
            _ => "conv",
        }),
        Some(family @ ("gemma2" | "cohere2")) => {
            let every = pattern(config)?.unwrap_or(if family == "gemma2" { 2 } else { 4 });
            Box::new(move |i| if (i + 1).is_multiple_of(every) { FULL } else { SLIDING })
        }
        _ => return Ok(None),
    };
    Ok(Some((0..n_layers).map(|i| kind(i).to_owned()).collect()))
}

/// Every so many layers one sees everything, in the words of older files.
fn pattern(config: &Config) -> Result<Option<usize>, WeightsError> {
    Ok(config.usize(&["sliding_window_pattern"])?.filter(|every| *every > 0))
}

/// Writes the kinds of a result's layers under the names that its config.json has for them, or as `layer_types`.
pub(crate) fn write(map: &mut Map<String, Value>, kinds: &[String]) {
    let is_there = |map: &Map<String, Value>, key: &str| map.get(key).is_some_and(|value| !value.is_null());
    let by_idxs = is_there(map, "full_attn_idxs");
    if by_idxs {
        let full = kinds.iter().enumerate().filter(|(_, kind)| *kind == FULL);
        let full: Vec<usize> = full.map(|(i, _)| i).collect();
        map.insert("full_attn_idxs".to_owned(), json!(full));
    }
    if !by_idxs || is_there(map, "layer_types") {
        map.insert("layer_types".to_owned(), json!(kinds));
    }
    // What counted layers up to the next that sees everything counts no longer, where slices broke the rhythm.
    let keeps_time = |every: usize| {
        kinds.iter().enumerate().all(|(i, kind)| (i + 1).is_multiple_of(every) == (kind == FULL))
    };
    for key in ["sliding_window_pattern", "layer_switch"] {
        let every = map.get(key).and_then(Value::as_u64).map(|every| every as usize);
        if every.is_some_and(|every| !keeps_time(every)) {
            map.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(config: &str, n_layers: usize) -> Option<Vec<String>> {
        kinds(&Config::parse("config.json", config).unwrap(), n_layers).unwrap()
    }

    fn written(config: &str, kinds: &[&str]) -> Value {
        let mut map = serde_json::from_str(config).unwrap();
        write(&mut map, &kinds.iter().map(|kind| (*kind).to_owned()).collect::<Vec<_>>());
        Value::Object(map)
    }

    #[test]
    fn kinds_are_read_in_every_dialect() {
        let gemma2 = r#"{"model_type": "gemma2"}"#;
        assert_eq!(read(gemma2, 3).unwrap(), [SLIDING, FULL, SLIDING]);
        let lfm3 = r#"{"model_type": "lfm3"}"#;
        assert_eq!(
            read(lfm3, 9).unwrap(),
            ["conv", "conv", FULL, "conv", SLIDING, "conv", FULL, "conv", SLIDING]
        );
        let cohere2 = r#"{"model_type": "cohere2"}"#;
        assert_eq!(read(cohere2, 5).unwrap(), [SLIDING, SLIDING, SLIDING, FULL, SLIDING]);
        let cohere2 = r#"{"model_type": "cohere2", "sliding_window_pattern": 2}"#;
        assert_eq!(read(cohere2, 2).unwrap(), [SLIDING, FULL]);
        let lfm2 = r#"{"model_type": "lfm2", "full_attn_idxs": [1]}"#;
        assert_eq!(read(lfm2, 3).unwrap(), ["conv", FULL, "conv"]);
        assert_eq!(read(r#"{"model_type": "lfm2"}"#, 1).unwrap(), [FULL]);
        assert_eq!(read(r#"{"model_type": "x", "layer_types": ["a"]}"#, 1).unwrap(), ["a"]);
        assert_eq!(read(r#"{"model_type": "llama"}"#, 1), None);
    }

    #[test]
    fn kinds_are_written_as_the_file_had_them() {
        let kinds = [FULL, "conv", FULL];
        let old = written(r#"{"full_attn_idxs": [1]}"#, &kinds);
        assert_eq!(old, json!({ "full_attn_idxs": [0, 2] }));
        let new = written(r#"{"full_attn_idxs": null, "layer_types": []}"#, &kinds);
        assert_eq!(new, json!({ "full_attn_idxs": null, "layer_types": kinds }));
        let both = written(r#"{"full_attn_idxs": [1], "layer_types": []}"#, &kinds);
        assert_eq!(both, json!({ "full_attn_idxs": [0, 2], "layer_types": kinds }));
    }

    #[test]
    fn a_broken_rhythm_is_no_longer_told() {
        let config = r#"{"sliding_window_pattern": 2, "layer_switch": 2}"#;
        let kept = written(config, &[SLIDING, FULL]);
        assert_eq!(
            kept,
            json!({ "sliding_window_pattern": 2, "layer_switch": 2, "layer_types": [SLIDING, FULL] })
        );
        assert_eq!(written(config, &[FULL, SLIDING]), json!({ "layer_types": [FULL, SLIDING] }));
    }
}
