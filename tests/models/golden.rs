//! The built-in model's golden sentences.

/// A sentence with the reference implementation's answer, as ids.
pub(crate) struct Text {
    pub(crate) ids: Vec<u32>,
    /// Of these, the prompt's.
    pub(crate) n_prompt: usize,
}

pub(crate) fn texts() -> Vec<Text> {
    let list = |value: &serde_json::Value| -> Vec<u32> {
        value.as_array().unwrap().iter().map(|id| id.as_u64().unwrap() as u32).collect()
    };
    let golden = hala_demo_model::GOLDEN
        .lines()
        .map(|line| -> serde_json::Value { serde_json::from_str(line).unwrap() });
    let text = |line: serde_json::Value| {
        let [prompt, output] = ["prompt_ids", "output_ids"].map(|key| list(&line[key]));
        Text { n_prompt: prompt.len(), ids: [prompt, output].concat() }
    };
    golden.map(text).collect()
}
