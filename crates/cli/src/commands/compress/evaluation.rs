//! What compression did to a model, on a text: perplexity and divergence from the model that it was made from, as Hala runs it, and as
//! engines do that round inputs where the scheme says so.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use hala::Engine;
use hala_eval::{Fidelity, compare};
use hala_model::{Inputs, WeightFormat};
use hala_weights::Checkpoint;
use serde::Serialize;

use super::text::{Text, as_stored, options};
use crate::app::App;
use crate::progress::WorkBar;
use crate::terminal::counted;

/// What was found.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Found {
    #[serde(flatten)]
    floats: Difference,
    /// With rounded inputs, where a scheme has them.
    #[serde(skip_serializing_if = "Option::is_none")]
    rounded_inputs: Option<Difference>,
}

/// What two models have in common on a text.
#[derive(Debug, Clone, Copy, Serialize)]
struct Difference {
    /// Tokens that were scored.
    n_tokens: usize,
    perplexity_before: f64,
    perplexity_after: f64,
    /// Mean KL divergence of the next-token distributions, in nats.
    kl_divergence: f64,
    /// Share of positions with the same likeliest token.
    top1: f64,
}

/// Runs both models on a text.
///
/// # Errors
/// A model that cannot be run, no memory, Ctrl-C.
pub(super) fn evaluate(text: &Text, before: &Checkpoint, after: &Path, app: &App) -> Result<Found> {
    let reference = Arc::new(text.load(before, as_stored(before), Inputs::Floats, app)?);
    let after = Checkpoint::open(after)?;
    let load = |inputs| text.load(&after, WeightFormat::Auto, inputs, app).map(Arc::new);
    let floats = difference(text, &reference, &load(Inputs::Floats)?, app)?;
    let rounded = hala_model::open(&after, options(Inputs::Rounded))?;
    let is_rounded = rounded.weights().iter().any(|weight| weight.rounding.is_some());
    let with_rounded = || difference(text, &reference, &load(Inputs::Rounded)?, app);
    Ok(Found { floats, rounded_inputs: is_rounded.then(with_rounded).transpose()? })
}

/// Runs both models on a text.
fn difference(text: &Text, reference: &Arc<Engine>, model: &Arc<Engine>, app: &App) -> Result<Difference> {
    let _working = app.interrupt.working();
    let mut bar = WorkBar::new(app);
    let on_progress = |progress: hala_eval::Progress| {
        let (n_done, n_total) = (progress.n_done as u64, progress.n_total as u64);
        bar.update(hala_compress::Progress { n_done, n_total, what: "comparing" });
    };
    let cancel = app.interrupt.cancel();
    let found = pollster::block_on(compare(reference, model, &text.windows, cancel, on_progress))?;
    Ok(Difference::new(&found))
}

impl Found {
    /// A line or two for people.
    pub(super) fn words(&self) -> String {
        let mut text = self.floats.words();
        if let Some(rounded) = &self.rounded_inputs {
            text.push_str(&format!(
                "\nwith inputs rounded as the scheme asks of other engines: {}",
                rounded.words()
            ));
        }
        text
    }
}

impl Difference {
    fn new(fidelity: &Fidelity) -> Self {
        let [perplexity_before, perplexity_after] = fidelity.perplexities();
        let (kl_divergence, top1) = (fidelity.divergence(), fidelity.top1());
        Self { n_tokens: fidelity.n_scored, perplexity_before, perplexity_after, kl_divergence, top1 }
    }

    /// A line for people.
    fn words(&self) -> String {
        let Self { n_tokens, perplexity_before, perplexity_after, kl_divergence, top1 } = self;
        let (share, tokens) = (top1 * 100.0, counted(*n_tokens, "token"));
        format!(
            "perplexity {perplexity_before:.3} became {perplexity_after:.3} on {tokens}; KL divergence \
             {kl_divergence:.5} nats, the same likeliest token at {share:.1} % of positions"
        )
    }
}
