//! A sequence that is retained, written to a file.

use std::io::Write;

use hala_plan::{Backend, MaybeSend, StateId, StateKind, StatePlaces};

use super::Scheduler;
use crate::checksum::Summed;
use crate::error::EngineError;
use crate::places::Place;
use crate::retained::{Claim, Retained};
use crate::saved::error::SavedError;
use crate::saved::head::{self, Part};
use crate::sequence::image::Image;

/// Bytes of pages or slots that are moved at once.
pub(super) const CHUNK_BYTES: usize = 4 << 20;

impl<B: Backend> Scheduler<B> {
    /// Writes what is in memory of a sequence, a few megabytes at a time, so that [`Scheduler::restore`] can go on with it: its tokens, and the pages and
    /// slots that they lead to, in the element type of the cache. The sequence stays as it is.
    ///
    /// # Errors
    /// Nothing of it is in memory; `out` cannot be written; a lost device.
    pub async fn save(
        &mut self,
        retained: &Retained,
        out: &mut (impl Write + MaybeSend),
    ) -> Result<(), EngineError> {
        let (image, ids) = self.image(&retained.claim()).await?;
        let Image { layout, pages, slots } = image;
        let head = head::write(self.engine.model(), self.engine.fingerprint(), layout)?;
        let mut out = Summed::new(out);
        put(&mut out, &head.bytes)?;
        for part in &head.parts {
            match part {
                Part::Ids => put(&mut out, bytemuck::cast_slice(&ids))?,
                Part::State(i, _) => {
                    let places = match self.engine.model().states()[*i].kind {
                        StateKind::Paged { table } => &pages[table as usize],
                        StateKind::Recurrent => &slots,
                    };
                    self.save_state(*i, places, &mut out).await?;
                }
            }
        }
        let (out, sum) = out.into_parts();
        put(out, &sum.to_le_bytes())?;
        out.flush().map_err(failed)?;
        Ok(())
    }

    /// All that is held of a sequence, at rest, with its tokens.
    async fn image(&mut self, claim: &Claim) -> Result<(Image, Vec<u32>), EngineError> {
        let is_it = |claimed: &Option<Claim>| claimed.as_ref() == Some(claim);
        if self.running.iter().any(|running| is_it(&running.claim)) {
            self.ground().await?;
        }
        for running in self.running.iter_mut().filter(|running| is_it(&running.claim)) {
            running.sequence.mend(&self.engine, &mut self.memory)?;
        }
        let running = self.running.iter().find(|running| is_it(&running.claim));
        let sequence = running.map(|running| &running.sequence).or_else(|| self.kept.get(claim));
        let sequence = sequence.filter(|sequence| sequence.n_cached() > 0).ok_or(SavedError::NotHeld)?;
        Ok((sequence.image(), sequence.ids()[..sequence.n_cached()].to_vec()))
    }

    /// Takes back what was queued and not handed out.
    ///
    /// # Errors
    /// A lost device.
    pub(super) async fn ground(&mut self) -> Result<(), EngineError> {
        let Some(mut flight) = self.flight.take() else { return Ok(()) };
        while flight.n_flying() > 0 {
            flight.read(&self.engine).await?;
        }
        for running in &mut self.running {
            running.sequence.mend(&self.engine, &mut self.memory)?;
        }
        Ok(())
    }

    /// Writes pages or slots of one state.
    async fn save_state(
        &self,
        state: usize,
        places: &[Place],
        out: &mut (impl Write + MaybeSend),
    ) -> Result<(), EngineError> {
        let spec = &self.engine.model().states()[state];
        let n_chunk = (CHUNK_BYTES / spec.dtype.n_bytes(spec.shape).max(1)).max(1);
        let mut bytes = Vec::new();
        for places in places.chunks(n_chunk) {
            let idx: Vec<u32> = places.iter().map(Place::idx).collect();
            let places = StatePlaces { state: StateId(state as u32), idx: &idx };
            self.engine.backend().read_places(self.memory.shared_states(), places, &mut bytes).await?;
            put(out, &bytes)?;
        }
        Ok(())
    }
}

fn put(out: &mut impl Write, bytes: &[u8]) -> Result<(), EngineError> {
    out.write_all(bytes).map_err(failed).map_err(EngineError::from)
}

fn failed(source: std::io::Error) -> SavedError {
    SavedError::Io { action: "write", source }
}
