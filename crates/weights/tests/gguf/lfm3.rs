//! LFM3's settings, of which llama.cpp's files have some that no other family's have.

use serde_json::json;

use crate::build::File;

const FACTORS: &str = "rope_freqs.weight";
const WINDOWS_BASE: &str = "lfm3.rope.freq_base_swa";
const PATTERN: &str = "lfm3.attention.sliding_window_pattern";

/// Three layers, one of each kind, and heads of 64, without what is named.
fn file(without: &str, factors: &[f32]) -> File {
    let mut file = File::new("lfm3");
    file.float("lfm3.rope.freq_base", 1e6).integers("lfm3.attention.head_count_kv", &[0, 2, 2]);
    file.integer("lfm3.shortconv.l_cache", 7).integer("lfm3.attention.sliding_window", 256);
    if without != WINDOWS_BASE {
        file.float(WINDOWS_BASE, 1e4);
    }
    if without != PATTERN {
        file.bools(PATTERN, &[false, true, false]);
    }
    if without != FACTORS {
        file.tensor(FACTORS, &[factors.len()], factors);
    }
    file
}

/// The first half of the pairs turns.
fn halves() -> Vec<f32> {
    [[1.0; 16], [1e30; 16]].concat()
}

#[test]
fn layers_of_each_kind_turn_by_their_own_base() {
    let config = |file: &File| json!(file.open().unwrap().config().unwrap().map());
    let found = config(&file("", &halves()));
    let sliding = json!({"rope_type": "default", "rope_theta": 10_000});
    let full = json!({"rope_type": "proportional", "rope_theta": 1_000_000, "partial_rotary_factor": 0.5});
    assert_eq!(found["rope_parameters"], json!({"full_attention": full, "sliding_attention": sliding}));
    assert_eq!(found["layer_types"], json!(["conv", "sliding_attention", "full_attention"]));
    assert_eq!(
        [&found["conv_L_cache"], &found["sliding_window"], &found["num_key_value_heads"]],
        [7, 256, 2]
    );
    assert_eq!(found["use_sandwich_norm"], false);
    let mut both = file("", &halves());
    both.tensor("blk.0.post_attention_norm.weight", &[2], &[1.0, 2.0]);
    assert_eq!(config(&both)["use_sandwich_norm"], true);
    // Factors that neither stop a pair nor leave it alone are those of pairs.
    let slower = [[1.0; 16], [3.0; 16]].concat();
    let found = config(&file("", &slower));
    let full = &found["rope_parameters"]["full_attention"];
    assert_eq!((&full["rope_type"], &full["short_factor"]), (&json!("longrope"), &json!(slower)));
}

#[test]
fn what_such_a_file_cannot_do_without_is_named() {
    for key in [WINDOWS_BASE, PATTERN, FACTORS] {
        let message = file(key, &halves()).refusal();
        assert!(message.contains(key), "{message}");
    }
    assert!(file("", &[1.0; 31]).refusal().contains(FACTORS));
    for (key, value) in
        [("rope.scaling.factor", 2.0), ("rope.scaling.attn_factor", 1.5), ("logit_scale", 2.0)]
    {
        let mut file = file("", &halves());
        let message = file.float(&format!("lfm3.{key}"), value).refusal();
        assert!(message.contains(key), "{message}");
    }
    let mut yarn = file("", &halves());
    assert!(yarn.text("lfm3.rope.scaling.type", "yarn").refusal().contains("yarn"));
}
