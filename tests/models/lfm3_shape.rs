//! What LFM3-1.7B takes, from the names and shapes of its tensors alone: parameters, caches, and the head that no binding holds.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use hala_backend_cpu::CpuBackend;
use hala_engine::{Engine, LoadOptions, Session};
use hala_model::{Model, Options, Role, WeightFormat};
use hala_plan::{Cancel, PAGE, StateKind};
use hala_tensor::DType;
use hala_tests::fixtures::Fixture;
use hala_tests::random::Rng;
use hala_weights::{Checkpoint, Reader};
use pollster::block_on;
use serde_json::{Map, Value, json};

const N_LAYERS: usize = 24;
const V: usize = 128_000;
const D: usize = 2048;
const F: usize = 7680;
/// H
const N_HEADS: usize = 16;
/// K
const N_KV_HEADS: usize = 4;
const A: usize = 128;
const WINDOW: usize = 256;
/// S
const CONTEXT: usize = 32_768;

/// config.json in the words of the published file.
fn config() -> Value {
    json!({
        "architectures": ["Lfm3ForCausalLM"], "model_type": "lfm3", "dtype": "bfloat16",
        "vocab_size": V, "hidden_size": D, "intermediate_size": F, "num_hidden_layers": N_LAYERS,
        "num_attention_heads": N_HEADS, "num_key_value_heads": N_KV_HEADS, "head_dim": A,
        "sliding_window": WINDOW, "conv_L_cache": 7, "norm_eps": 1e-5, "max_position_embeddings": 262_144,
        "rope_parameters": {
            "sliding_attention": {"rope_type": "default", "rope_theta": 1e4},
            "full_attention": {"rope_type": "default", "rope_theta": 1e6, "partial_rotary_factor": 0.5},
        },
    })
}

/// Names and shapes of one layer's tensors.
fn layer(i: usize) -> Vec<(String, Vec<usize>)> {
    let (q, kv) = (N_HEADS * A, N_KV_HEADS * A);
    let norms = ["operator_norm", "ffn_norm", "post_operator_norm", "post_ffn_norm"];
    let mut list: Vec<(&str, Vec<usize>)> = norms.map(|norm| (norm, vec![D])).into();
    list.extend([
        ("feed_forward.w1", vec![F, D]),
        ("feed_forward.w2", vec![D, F]),
        ("feed_forward.w3", vec![F, D]),
    ]);
    if i > 0 && i.is_multiple_of(2) {
        list.extend([("self_attn.q_proj", vec![q, D]), ("self_attn.k_proj", vec![kv, D])]);
        list.extend([("self_attn.v_proj", vec![kv, D]), ("self_attn.o_proj", vec![D, q])]);
        list.extend([("self_attn.q_norm", vec![A]), ("self_attn.k_norm", vec![A])]);
        list.push(("self_attn.gate_proj", vec![N_HEADS, D]));
    } else {
        list.extend([("conv.in_proj", vec![3 * D, D]), ("conv.out_proj", vec![D, D])]);
        list.push(("conv.conv", vec![D, 1, 7]));
    }
    list.into_iter().map(|(part, dims)| (format!("model.layers.{i}.{part}.weight"), dims)).collect()
}

/// A weight file of which the header alone is there.
struct Header {
    bytes: Vec<u8>,
    n_bytes: u64,
}

impl Header {
    fn new() -> Self {
        let mut tensors = vec![
            ("model.embed_tokens.weight".to_owned(), vec![V, D]),
            ("model.embedding_norm.weight".to_owned(), vec![D]),
        ];
        tensors.extend((0..N_LAYERS).flat_map(layer));
        let (mut header, mut end) = (Map::new(), 0);
        for (name, dims) in tensors {
            let start = end;
            end += 2 * dims.iter().product::<usize>();
            header.insert(name, json!({"dtype": "BF16", "shape": dims, "data_offsets": [start, end]}));
        }
        let header = Value::Object(header).to_string();
        let bytes = [&(header.len() as u64).to_le_bytes(), header.as_bytes()].concat();
        let n_bytes = (bytes.len() + end) as u64;
        Self { bytes, n_bytes }
    }
}

impl Reader for Header {
    async fn size(&self, _: &str) -> Result<u64, String> {
        Ok(self.n_bytes)
    }

    async fn read(&self, _: &str, range: Range<u64>) -> Result<Vec<u8>, String> {
        let range = range.start as usize..range.end as usize;
        self.bytes.get(range).map(<[u8]>::to_vec).ok_or_else(|| "a weight was read".to_owned())
    }
}

fn model(cache: DType) -> (Checkpoint, Box<dyn Model>) {
    let files = vec![("config.json".to_owned(), Cow::Owned(config().to_string().into_bytes()))];
    let checkpoint = block_on(Checkpoint::from_reader(files, &Header::new())).unwrap();
    let options = Options { context: Some(CONTEXT), cache: Some(cache), ..Options::default() };
    let model = hala_model::open(&checkpoint, options).unwrap();
    (checkpoint, model)
}

#[test]
fn the_1_7b_is_opened_with_all_its_parameters() {
    let (checkpoint, model) = model(DType::F16);
    let facts = model.facts();
    assert_eq!((facts.n_parameters, facts.max_context), (1_728_801_536, 262_144));
    assert_eq!((facts.family, facts.n_vocab, facts.n_layers), ("lfm3", V, N_LAYERS));
    let windows: Vec<_> = model.tables().iter().map(|table| table.window).collect();
    assert_eq!(windows, [None, Some(WINDOW as u32)]);
    let heads = model.weights().iter().filter(|weight| weight.role == Role::Vocabulary);
    let n_bytes = heads.map(|w| w.dtype(&checkpoint, WeightFormat::Int8).unwrap().n_bytes(w.shape));
    let n_bytes: Vec<usize> = n_bytes.collect();
    assert!(n_bytes.len() == 1 && n_bytes[0] > V * D, "{n_bytes:?}: one matrix is embedding and head");
}

/// Bytes of a page of each table, in all layers that have it.
fn page_bytes(model: &dyn Model) -> Vec<usize> {
    let of = |table: usize| {
        let kind = StateKind::Paged { table: table as u32 };
        let states = model.states().iter().filter(|state| state.kind == kind);
        states.map(|state| state.dtype.n_bytes(state.shape)).sum()
    };
    (0..model.tables().len()).map(of).collect()
}

/// Pages that a session holds after a prompt, of a model with these windows and small heads.
fn pages_after(n_prompt: usize) -> Vec<usize> {
    let path = Fixture::new("lfm3", "five-layer").path;
    let mut config: Value =
        serde_json::from_slice(&std::fs::read(path.join("config.json")).unwrap()).unwrap();
    (config["sliding_window"], config["max_position_embeddings"]) = (WINDOW.into(), (2 * n_prompt).into());
    let weights = std::fs::read(path.join("model.safetensors")).unwrap();
    let files = [("config.json", serde_json::to_vec(&config).unwrap()), ("model.safetensors", weights)];
    let files = files.map(|(name, bytes)| (name.to_owned(), Cow::Owned(bytes)));
    let checkpoint = Checkpoint::from_files(files.into()).unwrap();
    let model = Options { context: Some(2 * n_prompt), ..Options::default() };
    let options = LoadOptions { weights: WeightFormat::F32, model };
    let engine = Engine::load(CpuBackend::threaded(2).unwrap(), &checkpoint, options, |_| true).unwrap();
    let prompt = Rng::new("prompt").ids(n_prompt, engine.model().facts().n_vocab);
    let mut session = block_on(Session::new(Arc::new(engine))).unwrap();
    block_on(session.prefill(&prompt, &Cancel::new())).unwrap();
    session.n_pages()
}

#[test]
fn at_32768_tokens_caches_take_410_mb_of_which_windows_take_3() {
    let (_, model) = model(DType::F16);
    assert!(model.state_bytes(1, CONTEXT) <= 410_000_000, "{}", model.state_bytes(1, CONTEXT));
    // What windows hold depends on where the text ends in a page alone.
    const LESS: usize = 1024;
    let [full, sliding] = page_bytes(&*model)[..] else { panic!("{:?}", model.tables()) };
    let [n_full, n_sliding] = pages_after(LESS)[..] else { panic!("two tables") };
    assert_eq!((n_full, CONTEXT % PAGE, LESS % PAGE), (LESS / PAGE, 0, 0));
    let n_bytes = n_sliding * sliding;
    println!(
        "{n_sliding} pages of windows: {n_bytes} bytes; all caches: {}",
        CONTEXT / PAGE * full + n_bytes
    );
    assert!(n_bytes <= 3_000_000, "{n_bytes}");
    assert!(CONTEXT / PAGE * full + n_bytes <= 410_000_000);
}
