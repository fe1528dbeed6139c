//! What a GGUF file calls things, in the words of the published checkpoints: tensors' names, and the settings of config.json.

use serde_json::{Map, Value as Json, json};

use super::header::{Header, Tensor, Value};

/// A name in the GGUF file, and in the checkpoint.
type Names = [&'static str; 2];

/// Which of the two.
const GGUF: usize = 0;
const CHECKPOINT: usize = 1;

/// What stands before a layer's number.
const LAYER: Names = ["blk.", "model.layers."];

/// Names of LFM2's tensors in a layer.
const LFM2_LAYER: [Names; 14] = [
    ["attn_norm", "operator_norm"],
    ["ffn_norm", "ffn_norm"],
    ["ffn_gate", "feed_forward.w1"],
    ["ffn_down", "feed_forward.w2"],
    ["ffn_up", "feed_forward.w3"],
    ["shortconv.in_proj", "conv.in_proj"],
    ["shortconv.conv", "conv.conv"],
    ["shortconv.out_proj", "conv.out_proj"],
    ["attn_q", "self_attn.q_proj"],
    ["attn_k", "self_attn.k_proj"],
    ["attn_v", "self_attn.v_proj"],
    ["attn_output", "self_attn.out_proj"],
    ["attn_q_norm", "self_attn.q_layernorm"],
    ["attn_k_norm", "self_attn.k_layernorm"],
];

/// Names of LFM2's tensors outside of layers.
const LFM2: [Names; 3] = [
    ["token_embd", "model.embed_tokens"],
    ["token_embd_norm", "model.embedding_norm"],
    ["output", "lm_head"],
];

/// Names of Cohere 2's tensors in a layer.
const COHERE2_LAYER: [Names; 8] = [
    ["attn_norm", "input_layernorm"],
    ["attn_q", "self_attn.q_proj"],
    ["attn_k", "self_attn.k_proj"],
    ["attn_v", "self_attn.v_proj"],
    ["attn_output", "self_attn.o_proj"],
    ["ffn_gate", "mlp.gate_proj"],
    ["ffn_up", "mlp.up_proj"],
    ["ffn_down", "mlp.down_proj"],
];

/// Names of Cohere 2's tensors outside of layers.
const COHERE2: [Names; 3] =
    [["token_embd", "model.embed_tokens"], ["output_norm", "model.norm"], ["output", "lm_head"]];

/// Names of one family's tensors: in a layer, and outside of layers.
#[derive(Clone, Copy)]
struct Family {
    layer: &'static [Names],
    others: &'static [Names],
}

const LFM2_NAMES: Family = Family { layer: &LFM2_LAYER, others: &LFM2 };

/// The families whose GGUF files are read, by their architectures' names.
const FAMILIES: [(&str, Family); 2] =
    [("lfm2", LFM2_NAMES), ("cohere2", Family { layer: &COHERE2_LAYER, others: &COHERE2 })];

fn family(architecture: &str) -> Option<Family> {
    FAMILIES.into_iter().find(|(name, _)| *name == architecture).map(|(_, family)| family)
}

/// The name of LFM2's tensor in a GGUF file by its name in a checkpoint; `None` where it has none.
pub fn gguf_name(name: &str) -> Option<String> {
    translated(LFM2_NAMES, name, [CHECKPOINT, GGUF])
}

/// The name of a tensor on the one side by its name on the other.
fn translated(family: Family, name: &str, [from, to]: [usize; 2]) -> Option<String> {
    let (stem, ending) = name.rsplit_once('.')?;
    let find =
        |table: &[Names], name: &str| table.iter().find(|names| names[from] == name).map(|names| names[to]);
    if let Some(found) = find(family.others, stem) {
        return Some(format!("{found}.{ending}"));
    }
    let (layer, rest) = stem.strip_prefix(LAYER[from])?.split_once('.')?;
    Some(format!("{}{layer}.{}.{ending}", LAYER[to], find(family.layer, rest)?))
}

/// Gives a tensor the name and the dimensions that it has in a checkpoint; unknown ones keep their names, and are refused by the
/// model.
pub(super) fn renamed(architecture: &str, mut tensor: Tensor) -> Tensor {
    let family = family(architecture);
    if let Some(name) = family.and_then(|family| translated(family, &tensor.name, [GGUF, CHECKPOINT])) {
        if let (true, &[n_channels, n_taps]) = (name.ends_with("conv.conv.weight"), tensor.dims.as_slice()) {
            tensor.dims = vec![n_channels, 1, n_taps];
        }
        tensor.name = name;
    }
    tensor
}

/// Looks values up under the architecture's prefix.
pub(super) struct Settings<'a> {
    header: &'a Header,
    pub(super) architecture: &'a str,
}

impl<'a> Settings<'a> {
    /// The settings of a file; `None` where it does not name its architecture.
    pub(super) fn of(header: &'a Header) -> Option<Self> {
        match header.metadata.get("general.architecture") {
            Some(Value::Text(architecture)) => Some(Self { header, architecture }),
            _ => None,
        }
    }

    fn get(&self, key: &str) -> Option<Json> {
        json_of(self.header.metadata.get(&format!("{}.{key}", self.architecture))?)
    }

    fn id(&self, key: &str) -> Option<Json> {
        json_of(self.header.metadata.get(&format!("tokenizer.ggml.{key}_token_id"))?)
    }

    /// config.json in the words of the published checkpoints; what the file does not say stays out.
    pub(super) fn config(&self) -> Map<String, Json> {
        let mut map = Map::new();
        let mut set = |key: &str, value: Option<Json>| {
            if let Some(value) = value {
                map.insert(key.to_owned(), value);
            }
        };
        // Other families' files may be named and hold their numbers otherwise.
        let is_read = family(self.architecture).is_some();
        let suffix = if is_read { "" } else { " as GGUF" };
        set("model_type", Some(json!(format!("{}{suffix}", self.architecture))));
        for (key, theirs) in [
            ("hidden_size", "embedding_length"),
            ("num_hidden_layers", "block_count"),
            ("max_position_embeddings", "context_length"),
            ("intermediate_size", "feed_forward_length"),
            ("num_attention_heads", "attention.head_count"),
            ("norm_eps", "attention.layer_norm_rms_epsilon"),
            ("layer_norm_eps", "attention.layer_norm_epsilon"),
            ("sliding_window", "attention.sliding_window"),
            ("logit_scale", "logit_scale"),
            ("rope_theta", "rope.freq_base"),
            ("conv_L_cache", "shortconv.l_cache"),
            ("head_dim", "attention.key_length"),
        ] {
            set(key, self.get(theirs));
        }
        for (key, name) in [("bos_token_id", "bos"), ("eos_token_id", "eos"), ("pad_token_id", "padding")] {
            set(key, self.id(name));
        }
        if self.architecture == "cohere2" {
            set("architectures", Some(json!(["Cohere2ForCausalLM"])));
            set("num_key_value_heads", self.get("attention.head_count_kv"));
        }
        if self.architecture == "lfm2" {
            set("architectures", Some(json!(["Lfm2ForCausalLM"])));
            set("block_auto_adjust_ff_dim", Some(json!(false)));
            self.layers(&mut set);
        }
        let find = |name: &str| self.header.tensors.iter().find(|tensor| tensor.name == name);
        set("vocab_size", find("token_embd.weight").and_then(|t| Some(json!(t.dims.first()?))));
        set("tie_word_embeddings", Some(json!(find("output.weight").is_none())));
        map
    }

    /// The kinds of layers: a layer without key/value heads is a convolution.
    fn layers(&self, set: &mut impl FnMut(&str, Option<Json>)) {
        let Some(Json::Array(heads)) = self.get("attention.head_count_kv") else { return };
        let heads: Vec<u64> = heads.iter().filter_map(Json::as_u64).collect();
        let kind = |n: &u64| if *n == 0 { "conv" } else { "full_attention" };
        set("layer_types", Some(heads.iter().map(kind).collect()));
        set("num_key_value_heads", heads.iter().max().map(|n| json!(n)));
    }
}

fn json_of(value: &Value) -> Option<Json> {
    Some(match value {
        Value::Integer(n) => json!(i64::try_from(*n).ok()?),
        Value::Float(x) => json!(x),
        Value::Bool(on) => json!(on),
        Value::Text(text) => json!(text),
        Value::List(values) => Json::Array(values.iter().map(json_of).collect::<Option<_>>()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_both_ways() {
        for (name, gguf) in [
            ("model.embed_tokens.weight", "token_embd.weight"),
            ("model.embedding_norm.weight", "token_embd_norm.weight"),
            ("model.layers.12.conv.in_proj.weight", "blk.12.shortconv.in_proj.weight"),
            ("model.layers.2.self_attn.k_layernorm.weight", "blk.2.attn_k_norm.weight"),
        ] {
            assert_eq!(gguf_name(name).as_deref(), Some(gguf));
            assert_eq!(translated(LFM2_NAMES, gguf, [GGUF, CHECKPOINT]).as_deref(), Some(name));
        }
        let cohere2 = family("cohere2").unwrap();
        let name = translated(cohere2, "blk.3.attn_output.weight", [GGUF, CHECKPOINT]);
        assert_eq!(name.as_deref(), Some("model.layers.3.self_attn.o_proj.weight"));
        assert!(family("gemma2").is_none());
        assert_eq!(gguf_name("model.layers.0.mlp.up_proj.weight"), None);
    }
}
