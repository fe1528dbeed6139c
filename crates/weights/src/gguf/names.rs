//! What a GGUF file calls tensors, in the words of the published checkpoints.

use super::header::Tensor;

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
///
/// llama.cpp's name for the last norm is a slip that it keeps; other programs write the one that every other family has.
const LFM2: [Names; 4] = [
    ["token_embd", "model.embed_tokens"],
    ["token_embd_norm", "model.embedding_norm"],
    ["output_norm", "model.embedding_norm"],
    ["output", "lm_head"],
];

/// Names of LFM3's tensors in a layer.
const LFM3_LAYER: [Names; 17] = [
    ["attn_norm", "operator_norm"],
    ["post_attention_norm", "post_operator_norm"],
    ["ffn_norm", "ffn_norm"],
    ["post_ffw_norm", "post_ffn_norm"],
    ["ffn_gate", "feed_forward.w1"],
    ["ffn_down", "feed_forward.w2"],
    ["ffn_up", "feed_forward.w3"],
    ["shortconv.in_proj", "conv.in_proj"],
    ["shortconv.conv", "conv.conv"],
    ["shortconv.out_proj", "conv.out_proj"],
    ["attn_q", "self_attn.q_proj"],
    ["attn_k", "self_attn.k_proj"],
    ["attn_v", "self_attn.v_proj"],
    ["attn_gate", "self_attn.gate_proj"],
    ["attn_output", "self_attn.o_proj"],
    ["attn_q_norm", "self_attn.q_norm"],
    ["attn_k_norm", "self_attn.k_norm"],
];

/// Names of LFM3's tensors outside of layers.
const LFM3: [Names; 3] =
    [["token_embd", "model.embed_tokens"], ["output_norm", "model.embedding_norm"], ["output", "lm_head"]];

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

/// Names of Gemma 2's tensors in a layer.
const GEMMA2_LAYER: [Names; 11] = [
    ["attn_norm", "input_layernorm"],
    ["attn_q", "self_attn.q_proj"],
    ["attn_k", "self_attn.k_proj"],
    ["attn_v", "self_attn.v_proj"],
    ["attn_output", "self_attn.o_proj"],
    ["post_attention_norm", "post_attention_layernorm"],
    ["ffn_norm", "pre_feedforward_layernorm"],
    ["ffn_gate", "mlp.gate_proj"],
    ["ffn_up", "mlp.up_proj"],
    ["ffn_down", "mlp.down_proj"],
    ["post_ffw_norm", "post_feedforward_layernorm"],
];

/// Names of Gemma 2's and Cohere 2's tensors outside of layers.
const OTHERS: [Names; 3] =
    [["token_embd", "model.embed_tokens"], ["output_norm", "model.norm"], ["output", "lm_head"]];

/// Names of one family's tensors: in a layer, and outside of layers.
#[derive(Clone, Copy)]
struct Family {
    layer: &'static [Names],
    others: &'static [Names],
}

const LFM2_NAMES: Family = Family { layer: &LFM2_LAYER, others: &LFM2 };

/// The families whose GGUF files are read, by their architectures' names.
const FAMILIES: [(&str, Family); 4] = [
    ("lfm2", LFM2_NAMES),
    ("lfm3", Family { layer: &LFM3_LAYER, others: &LFM3 }),
    ("gemma2", Family { layer: &GEMMA2_LAYER, others: &OTHERS }),
    ("cohere2", Family { layer: &COHERE2_LAYER, others: &OTHERS }),
];

fn family(architecture: &str) -> Option<Family> {
    FAMILIES.into_iter().find(|(name, _)| *name == architecture).map(|(_, family)| family)
}

/// Whether GGUF files of this architecture are read.
pub(super) fn is_read(architecture: &str) -> bool {
    family(architecture).is_some()
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
        let name = translated(LFM2_NAMES, "output_norm.weight", [GGUF, CHECKPOINT]);
        assert_eq!(name.as_deref(), Some("model.embedding_norm.weight"));
        let lfm3 = family("lfm3").unwrap();
        let name = translated(lfm3, "blk.4.attn_gate.weight", [GGUF, CHECKPOINT]);
        assert_eq!(name.as_deref(), Some("model.layers.4.self_attn.gate_proj.weight"));
        let cohere2 = family("cohere2").unwrap();
        let name = translated(cohere2, "blk.3.attn_output.weight", [GGUF, CHECKPOINT]);
        assert_eq!(name.as_deref(), Some("model.layers.3.self_attn.o_proj.weight"));
        let gemma2 = family("gemma2").unwrap();
        let name = translated(gemma2, "blk.41.post_ffw_norm.weight", [GGUF, CHECKPOINT]);
        assert_eq!(name.as_deref(), Some("model.layers.41.post_feedforward_layernorm.weight"));
        assert!(family("llama").is_none());
        assert_eq!(gguf_name("model.layers.0.mlp.up_proj.weight"), None);
    }
}
