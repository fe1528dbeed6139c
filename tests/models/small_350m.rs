//! A random checkpoint with the layers of LFM2-350M and small widths: as many steps a token, and quick.

use std::borrow::Cow;
use std::collections::BTreeMap;

use hala_tensor::{DType, Shape, Tensor};
use hala_tests::random::{Rng, float, vector};
use hala_weights::{Checkpoint, SafetensorsWriter};
use serde_json::json;

/// Of the layers, those of attention; the others are convolutions.
const ATTENTION: [usize; 6] = [2, 5, 8, 10, 12, 14];

/// L.
const N_LAYERS: usize = 16;

/// V.
pub(crate) const N_VOCAB: usize = 64;

const D: usize = 64;
const F: usize = 96;
/// H·A, rows of the queries.
const Q: usize = 64;
/// K·A, rows of the keys and of the values.
const KV: usize = 32;
const A: usize = 16;

/// The checkpoint, in memory.
pub(crate) fn checkpoint() -> Checkpoint {
    let tensors = tensors();
    let mut writer = SafetensorsWriter::new();
    for (name, tensor) in &tensors {
        writer.declare(name, tensor.shape(), tensor.dtype()).unwrap();
    }
    let weights = writer.to_bytes(|name| Ok(Cow::Borrowed(&tensors[name]))).unwrap();
    let files = [("config.json", config().into_bytes()), ("model.safetensors", weights)];
    let files = files.map(|(name, bytes)| (name.to_owned(), Cow::Owned(bytes)));
    Checkpoint::from_files(files.into()).unwrap()
}

fn config() -> String {
    let kind = |i| if ATTENTION.contains(&i) { "full_attention" } else { "conv" };
    json!({
        "model_type": "lfm2",
        "vocab_size": N_VOCAB,
        "hidden_size": D,
        "intermediate_size": F,
        "block_auto_adjust_ff_dim": false,
        "num_hidden_layers": N_LAYERS,
        "layer_types": (0..N_LAYERS).map(kind).collect::<Vec<_>>(),
        "num_attention_heads": Q / A,
        "num_key_value_heads": KV / A,
        "head_dim": A,
        "conv_L_cache": 3,
        "max_position_embeddings": 1024,
        "rope_theta": 1e6,
        "norm_eps": 1e-5,
        "tie_word_embeddings": true,
    })
    .to_string()
}

fn tensors() -> BTreeMap<String, Tensor> {
    let mut rng = Rng::new("the layers of the 350M");
    let mut tensors = BTreeMap::new();
    let mut add = |name: String, tensor| tensors.insert(format!("model.{name}.weight"), tensor);
    add("embed_tokens".to_owned(), rng.projection(N_VOCAB, D, DType::F32));
    add("embedding_norm".to_owned(), vector(rng.around(1.0, D)));
    for i in 0..N_LAYERS {
        for norm in ["operator_norm", "ffn_norm"] {
            add(format!("layers.{i}.{norm}"), vector(rng.around(1.0, D)));
        }
        for (part, [n_out, n_in]) in matrices(i) {
            add(format!("layers.{i}.{part}"), rng.projection(n_out, n_in, DType::F32));
        }
        if ATTENTION.contains(&i) {
            for norm in ["q_layernorm", "k_layernorm"] {
                add(format!("layers.{i}.self_attn.{norm}"), vector(rng.around(1.0, A)));
            }
        } else {
            add(format!("layers.{i}.conv.conv"), float(Shape::cube(D, 1, 3), rng.normals(3 * D, 0.6)));
        }
    }
    tensors
}

/// Names and shapes of a layer's matrices.
fn matrices(i: usize) -> Vec<(&'static str, [usize; 2])> {
    let mut list =
        vec![("feed_forward.w1", [F, D]), ("feed_forward.w2", [D, F]), ("feed_forward.w3", [F, D])];
    if ATTENTION.contains(&i) {
        list.extend([("self_attn.q_proj", [Q, D]), ("self_attn.k_proj", [KV, D])]);
        list.extend([("self_attn.v_proj", [KV, D]), ("self_attn.out_proj", [D, Q])]);
    } else {
        list.extend([("conv.in_proj", [3 * D, D]), ("conv.out_proj", [D, D])]);
    }
    list
}
