//! How much memory a scheduler may take.

use hala_plan::{Backend, PoolSize};

use super::beginnings::Beginnings;
use super::kept::{self, KeptSequences, MOST_KEPT};
use crate::engine::Engine;
use crate::snapshots::Snapshots;
use crate::table::Table;

/// Bytes of caches at most where no number of tokens is asked for; one sequence may always fill its context.
#[cfg(not(target_family = "wasm"))]
const MAX_CACHE_BYTES: usize = 1 << 30;
#[cfg(target_family = "wasm")]
const MAX_CACHE_BYTES: usize = 256 << 20;

/// The most that so many sequences may hold, with those that wait.
pub(super) fn limit<B: Backend>(engine: &Engine<B>, n_parallel: usize, n_tokens: Option<usize>) -> PoolSize {
    let (model, context) = (engine.model(), engine.model().facts().context);
    let n_rows = engine.backend().prefill_sizes().last().copied().unwrap_or(1);
    // Of layers with a window, a snapshot's pages too.
    let held = model.tables().iter().zip(model.n_pages(context, 0));
    let held = held.map(|(table, n)| if table.window.is_some() { n } else { 0 });
    let of_one: Vec<usize> =
        model.n_pages(context, n_rows).into_iter().zip(held).map(|(n, held)| n + held).collect();
    let n_bytes = PoolSize { n_slots: 0, n_pages: of_one.clone() }.n_bytes(model.states());
    let share = match n_tokens {
        Some(n_tokens) => n_tokens as f64 / context as f64,
        None => MAX_CACHE_BYTES as f64 / n_bytes.max(1) as f64,
    };
    let share = share.clamp(1.0, (n_parallel + MOST_KEPT) as f64);
    let n_copied = n_parallel * Table::N_COPIED;
    let n_pages = of_one.into_iter().map(|n| (n as f64 * share).ceil() as usize + n_copied).collect();
    let n_running = n_parallel * Snapshots::n_slots(kept::N_SNAPSHOTS);
    let n_waiting = Beginnings::n_slots(kept::N_SNAPSHOTS) + KeptSequences::n_slots();
    PoolSize { n_slots: n_running + n_waiting, n_pages }
}
