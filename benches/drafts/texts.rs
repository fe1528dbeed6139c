//! Texts that repeat their prompt, seem to, or do not.

use anyhow::Result;
use hala_benches::weights::Rng;
use hala_text::{Bos, Tokenizer};

/// Tokens of a passage after which a text that only seems to repeat goes another way.
const N_SAME: usize = 3;

/// A prompt, and what is written after it.
#[derive(Debug)]
pub(crate) struct Text {
    pub(crate) name: &'static str,
    pub(crate) prompt: Vec<u32>,
    /// The prompt and the text; nothing where the model writes what it likes.
    pub(crate) script: Vec<u32>,
}

/// Ids of which hardly any pair comes twice by chance.
struct Ids {
    rng: Rng,
    n_vocab: usize,
}

impl Ids {
    fn next(&mut self) -> u32 {
        (self.rng.bits() % self.n_vocab as u64) as u32
    }

    fn some(&mut self, n: usize) -> Vec<u32> {
        (0..n).map(|_| self.next()).collect()
    }
}

/// The texts of `n_prompt` and `n` tokens.
pub(crate) fn all(n_prompt: usize, n: usize, n_vocab: usize) -> Vec<Text> {
    let mut ids = Ids { rng: Rng(18), n_vocab };
    let prompt = ids.some(n_prompt);
    let edited = |every: usize, ids: &mut Ids| {
        let changed = |i: usize, id: u32, ids: &mut Ids| if i % every == every - 1 { ids.next() } else { id };
        (0..n).map(|i| changed(i, prompt[i % n_prompt], ids)).collect::<Vec<_>>()
    };
    let texts = [
        ("its prompt, one token in 40 changed", edited(40, &mut ids)),
        ("its prompt, one token in 16 changed", edited(16, &mut ids)),
        ("its prompt, one token in 8 changed", edited(8, &mut ids)),
        ("three tokens of its prompt, then another", edited(N_SAME + 1, &mut ids)),
        ("two tokens of its prompt, then another", edited(N_SAME, &mut ids)),
        ("half of it its prompt, then nothing repeats", {
            let copied = prompt.iter().copied().cycle().take(n / 2);
            copied.chain(ids.some(n - n / 2)).collect()
        }),
        ("nothing repeats", ids.some(n)),
    ];
    let text = |(name, text): (_, Vec<u32>)| Text {
        name,
        script: [&prompt[..], &text].concat(),
        prompt: prompt.clone(),
    };
    texts.into_iter().map(text).collect()
}

/// Texts for the built-in model.
pub(crate) fn in_words(tokenizer: &Tokenizer) -> Result<Vec<Text>> {
    let round = "Good morning, my dear friend. How are you today? ".repeat(6);
    let once = "The station is behind the old market, where my uncle sold fish before the war.";
    let mut texts = Vec::new();
    for (name, text) in [("after a text that goes round", round.as_str()), ("after a sentence", once)] {
        texts.push(Text { name, prompt: tokenizer.encode(text, Bos::Auto)?, script: Vec::new() });
    }
    Ok(texts)
}
