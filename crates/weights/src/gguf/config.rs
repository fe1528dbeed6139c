//! config.json from a GGUF file's metadata, in the words of the published checkpoints.

use serde_json::{Map, Value as Json, json};

use super::fault::{GgufFault, wrong};
use super::header::Value;
use super::settings::{Settings, number};
use super::{known, names, rope};

/// ε of norms by the root mean square.
const RMS_EPS: &str = "attention.layer_norm_rms_epsilon";

/// What becomes of a setting under another name, whatever the family.
const COPIED: [(&str, &str); 8] = [
    ("hidden_size", "embedding_length"),
    ("num_hidden_layers", "block_count"),
    ("max_position_embeddings", "context_length"),
    ("num_attention_heads", "attention.head_count"),
    ("num_key_value_heads", "attention.head_count_kv"),
    ("layer_norm_eps", "attention.layer_norm_epsilon"),
    ("logit_scale", "logit_scale"),
    ("conv_L_cache", "shortconv.l_cache"),
];

impl Settings<'_> {
    /// config.json; what the file does not say stays out. `factors` are those of rotary frequencies, where a tensor holds them.
    ///
    /// # Errors
    /// A setting that changes what the model computes, in a way that is not computed here.
    pub(super) fn config(&self, factors: Option<&[f32]>) -> Result<Map<String, Json>, GgufFault> {
        let mut map = Map::new();
        // Other families' files may be named and hold their numbers otherwise.
        let is_read = names::is_read(self.architecture);
        let suffix = if is_read { "" } else { " as GGUF" };
        map.insert("model_type".to_owned(), json!(format!("{}{suffix}", self.architecture)));
        if !is_read {
            return Ok(map);
        }
        known::check(self)?;
        let mut set = |key: &str, value: Option<Json>| {
            if let Some(value) = value {
                map.insert(key.to_owned(), value);
            }
        };
        for (key, theirs) in COPIED {
            set(key, self.number(theirs)?.map(number));
        }
        set("head_dim", self.head_size()?.map(number));
        set("intermediate_size", self.ff_width()?.map(number));
        for (key, name) in [("bos_token_id", "bos"), ("eos_token_id", "eos"), ("pad_token_id", "padding")] {
            let id = self.header.metadata.get(&format!("tokenizer.ggml.{name}_token_id"));
            set(key, id.and_then(Value::as_number).map(number));
        }
        set("vocab_size", self.tensor("token_embd.weight").and_then(|t| Some(json!(t.dims.first()?))));
        set("tie_word_embeddings", Some(json!(self.tensor("output.weight").is_none())));
        let rope = if self.architecture == "lfm3" { rope::of_each } else { rope::parameters };
        set("rope_parameters", Some(Json::Object(rope(self, factors)?)));
        match self.architecture {
            "lfm2" => self.lfm2(&mut set)?,
            "lfm3" => self.lfm3(&mut set)?,
            "gemma2" => self.gemma2(&mut set)?,
            _ => {
                set("architectures", Some(json!(["Cohere2ForCausalLM"])));
                self.windows(4, &mut set)?;
            }
        }
        Ok(map)
    }

    fn lfm2(&self, set: &mut impl FnMut(&str, Option<Json>)) -> Result<(), GgufFault> {
        set("architectures", Some(json!(["Lfm2ForCausalLM"])));
        set("norm_eps", self.number(RMS_EPS)?.map(number));
        set("block_auto_adjust_ff_dim", Some(json!(false)));
        set("layer_types", self.mixers());
        Ok(())
    }

    fn lfm3(&self, set: &mut impl FnMut(&str, Option<Json>)) -> Result<(), GgufFault> {
        const PATTERN: &str = "attention.sliding_window_pattern";
        set("architectures", Some(json!(["Lfm3ForCausalLM"])));
        set("norm_eps", self.number(RMS_EPS)?.map(number));
        set("sliding_window", self.number("attention.sliding_window")?.map(number));
        let has_post_norms = self.tensor("blk.0.post_attention_norm.weight").is_some();
        set("use_sandwich_norm", Some(json!(has_post_norms)));
        let Some(Value::List(windows)) = self.get(PATTERN) else {
            return Err(wrong(&self.key(PATTERN), "it is no list of the layers that have a window"));
        };
        let mixers = self.mixers();
        let mixers = mixers.as_ref().and_then(Json::as_array).into_iter().flatten();
        let kind = |(mixer, window): (&Json, &Value)| match (mixer.as_str(), is_yes(window)) {
            (Some("full_attention"), true) => json!("sliding_attention"),
            _ => mixer.clone(),
        };
        set("layer_types", Some(mixers.zip(windows).map(kind).collect()));
        Ok(())
    }

    fn gemma2(&self, set: &mut impl FnMut(&str, Option<Json>)) -> Result<(), GgufFault> {
        set("architectures", Some(json!(["Gemma2ForCausalLM"])));
        set("rms_norm_eps", self.number(RMS_EPS)?.map(number));
        set("hidden_activation", Some(json!("gelu_pytorch_tanh")));
        // llama.cpp computes in f32, the embedding's factor too.
        set("dtype", Some(json!("float32")));
        set("query_pre_attn_scalar", self.attention_scalar()?.map(number));
        for key in ["attn_logit_softcapping", "final_logit_softcapping"] {
            // 0 is no bound of logits, and a file without the key has the published one.
            let is_none = |cap: f64| cap == 0.0 && key.starts_with("final");
            set(key, self.number(key)?.map(|cap| if is_none(cap) { Json::Null } else { number(cap) }));
        }
        self.windows(2, set)
    }

    /// F. Some programs write the number that LFM2's config.json has before its adjustment; then the tensor has the adjusted one.
    fn ff_width(&self) -> Result<Option<f64>, GgufFault> {
        const MULTIPLE: usize = 256;
        let width = self.number("feed_forward_length")?;
        let rows = self.tensor("blk.0.ffn_gate.weight").and_then(|tensor| tensor.dims.first().copied());
        let (Some(width), Some(rows), "lfm2") = (width, rows, self.architecture) else { return Ok(width) };
        let two_thirds = (2.0 * width / 3.0) as usize;
        let is_adjusted = rows == two_thirds || rows == two_thirds.next_multiple_of(MULTIPLE);
        Ok(Some(if is_adjusted { rows as f64 } else { width }))
    }

    /// The kinds of LFM2's layers: a layer without key/value heads is a convolution. Where one number goes for all, the tensors tell.
    fn mixers(&self) -> Option<Json> {
        let kind = |is_conv: bool| if is_conv { "conv" } else { "full_attention" };
        if let Some(Value::List(heads)) = self.get("attention.head_count_kv") {
            return Some(heads.iter().map(|n| kind(n.as_number() == Some(0.0))).collect());
        }
        let n_layers = self.number("block_count").ok().flatten()? as usize;
        // A wrong number makes no long list.
        let is_there = |i: &usize| *i < self.header.tensors.len();
        let is_conv = |i: usize| self.tensor(&format!("blk.{i}.shortconv.in_proj.weight")).is_some();
        Some((0..n_layers).take_while(is_there).map(|i| kind(is_conv(i))).collect())
    }

    /// The window, and which layers have one: by a list, or all but one in so many.
    fn windows(&self, every: usize, set: &mut impl FnMut(&str, Option<Json>)) -> Result<(), GgufFault> {
        const KEY: &str = "attention.sliding_window_pattern";
        set("sliding_window", self.number("attention.sliding_window")?.map(number));
        let n_layers = self.number("block_count")?.unwrap_or(0.0) as usize;
        let n_layers = n_layers.min(self.header.tensors.len());
        let kind = |is_sliding: bool| if is_sliding { "sliding_attention" } else { "full_attention" };
        let types: Json = match self.get(KEY) {
            Some(Value::List(layers)) => layers.iter().map(|value| kind(is_yes(value))).collect(),
            _ => {
                let every = self.number(KEY)?.map_or(every, |x| x as usize);
                // 0 stands for windows in all layers.
                (1..=n_layers).map(|n| kind(every == 0 || n % every != 0)).collect()
            }
        };
        set("layer_types", Some(types));
        Ok(())
    }
}

/// What is true, or a number other than 0.
fn is_yes(value: &Value) -> bool {
    *value == Value::Bool(true) || value.as_number().is_some_and(|x| x != 0.0)
}
