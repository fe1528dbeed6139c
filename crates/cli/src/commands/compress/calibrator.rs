//! A model on a text, and what its matrices are multiplied with there.

use std::collections::BTreeMap;

use anyhow::Result;
use hala::Engine;
use hala_compress::{Calibration, NormedInputs, add_products};
use hala_engine::{MatrixInputs, Probe};
use hala_model::{Inputs, Source, WeightSpec};
use hala_weights::Checkpoint;

use super::text::{Text, as_stored};
use crate::app::App;
use crate::progress::WorkBar;
use crate::terminal::{counted, notice};

/// The uncompressed model on a text.
pub(super) struct Calibrator<'a> {
    engine: Engine,
    text: &'a Text,
    checkpoint: &'a Checkpoint,
    app: &'a App,
}

impl<'a> Calibrator<'a> {
    /// Loads the model.
    ///
    /// # Errors
    /// A model that cannot be run, no memory, Ctrl-C.
    pub(super) fn new(text: &'a Text, checkpoint: &'a Checkpoint, app: &'a App) -> Result<Self> {
        let engine = text.load(checkpoint, as_stored(checkpoint), Inputs::Floats, app)?;
        let n_tokens: usize = text.windows.iter().map(Vec::len).sum();
        let widest =
            checkpoint.tensors().filter(|tensor| tensor.dims.len() == 2).map(|tensor| tensor.dims[1]).max();
        if !app.quiet && widest.is_some_and(|widest| n_tokens < 2 * widest) {
            let widest = widest.unwrap_or_default();
            notice(&format!(
                "{} {} few to calibrate matrices of {}; a longer text, or more --tokens, helps",
                counted(n_tokens, "token"),
                if n_tokens == 1 { "is" } else { "are" },
                counted(widest, "column"),
            ));
        }
        Ok(Self { engine, text, checkpoint, app })
    }

    /// The largest magnitude of what each weight is multiplied with.
    ///
    /// # Errors
    /// Ctrl-C.
    pub(super) fn ranges(&self) -> Result<BTreeMap<String, f32>> {
        let mut ranges: BTreeMap<String, f32> = BTreeMap::new();
        self.each_input(|inputs| {
            let largest = inputs.rows.iter().fold(0.0f32, |max, x| max.max(x.abs()));
            for weight in inputs.weights {
                let range = ranges.entry((*weight).to_owned()).or_default();
                *range = range.max(largest);
            }
        })?;
        Ok(ranges)
    }

    /// Shows the inputs of every matrix in every window.
    fn each_input(&self, mut visit: impl FnMut(MatrixInputs<'_>)) -> Result<()> {
        let _working = self.app.interrupt.working();
        let mut bar = WorkBar::new(self.app);
        let n_total = self.text.windows.len() as u64;
        for (n_done, ids) in (0..).zip(&self.text.windows) {
            bar.update(hala_compress::Progress { n_done, n_total, what: "calibrating" });
            let cancel = self.app.interrupt.cancel();
            let probe = Probe::new(&self.engine);
            pollster::block_on(probe.matrix_inputs(self.checkpoint, ids, cancel, &mut visit))?;
        }
        Ok(self.app.interrupt.check()?)
    }
}

impl Calibration for Calibrator<'_> {
    fn fingerprint(&self) -> String {
        // FNV-1a: not against malice, only to tell one text from another.
        let ids = self.text.windows.iter().flatten();
        let hash = ids.fold(0xcbf2_9ce4_8422_2325u64, |hash, id| {
            (hash ^ u64::from(*id)).wrapping_mul(0x0100_0000_01b3)
        });
        format!("{hash:016x}")
    }

    fn normed_inputs(&self) -> Result<Vec<NormedInputs>, String> {
        let mut found: BTreeMap<Vec<String>, NormedInputs> = BTreeMap::new();
        self.each_input(|inputs| {
            let Some(norm) = inputs.norm else { return };
            let weights: Vec<String> = inputs.weights.iter().map(|weight| (*weight).to_owned()).collect();
            let normed = found.entry(weights.clone()).or_insert_with(|| NormedInputs {
                norm: norm.name.clone(),
                affine: affine(norm),
                weights,
                largest: vec![0.0; norm.shape.n_elements()],
            });
            for row in inputs.rows.chunks_exact(normed.largest.len()) {
                normed.largest.iter_mut().zip(row).for_each(|(max, x)| *max = max.max(x.abs()));
            }
        })
        .map_err(|error| error.to_string())?;
        Ok(found.into_values().collect())
    }

    fn hessians(&self, weights: &[(&str, usize)]) -> Result<BTreeMap<String, Vec<f32>>, String> {
        let zeros = |(name, n): &(&str, usize)| ((*name).to_owned(), vec![0.0; n * n]);
        let mut hessians: BTreeMap<String, Vec<f32>> = weights.iter().map(zeros).collect();
        let sizes: BTreeMap<&str, usize> = weights.iter().copied().collect();
        // Matrices with the same inputs have the same sums: they are made once, for the first of them.
        let mut alike: BTreeMap<String, String> = BTreeMap::new();
        self.each_input(|inputs| {
            let mut wanted = inputs.weights.iter().filter(|weight| sizes.contains_key(**weight));
            let Some(first) = wanted.next() else { return };
            alike.extend(wanted.map(|other| ((*other).to_owned(), (*first).to_owned())));
            if let Some(h) = hessians.get_mut(*first) {
                add_products(inputs.rows, h, sizes[first]);
            }
        })
        .map_err(|error| error.to_string())?;
        for (other, first) in alike {
            let h = hessians[&first].clone();
            hessians.insert(other, h);
        }
        Ok(hessians)
    }
}

/// What a norm multiplies with, of what the checkpoint has.
fn affine(norm: &WeightSpec) -> [f32; 2] {
    match norm.source {
        Source::Affine { factor, offset } => [factor, offset],
        Source::Checkpoint | Source::Rope(_) => [1.0, 0.0],
    }
}
