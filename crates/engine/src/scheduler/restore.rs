//! A sequence that was saved, read into memory.

use std::io::Read;

use hala_plan::{Backend, BackendError, StateId, StateKind, StatePlaces};
use hala_tensor::DType;
use half::f16;

use super::save::CHUNK_BYTES;
use super::{Scheduler, kept};
use crate::checksum::Summed;
use crate::error::EngineError;
use crate::memory::Memory;
use crate::places::Place;
use crate::retained::Retained;
use crate::saved::error::SavedError;
use crate::saved::head::{self, Head, N_CHECKSUM, Part};
use crate::saved::layout::Layout;
use crate::sequence::Sequence;
use crate::sequence::image::Image;

impl<B: Backend> Scheduler<B> {
    /// Reads a sequence that [`Scheduler::save`] wrote, of `n_bytes` in all, so that a generation which carries it computes only what differs. On whatever
    /// device and with whatever element type of the cache it was saved, it goes on with the same model, its weights held the same way.
    ///
    /// # Errors
    /// No such file, one that is cut off or damaged, of another version or model, or of more tokens than the context holds; no memory, though all that
    /// waits to be used again was let go of; a lost device. Nothing of it is then kept.
    pub fn restore(&mut self, input: &mut impl Read, n_bytes: u64) -> Result<Retained, EngineError> {
        let mut input = Summed::new(input);
        let model = (self.engine.model(), self.engine.fingerprint());
        let Head { layout, parts, .. } = head::read(&mut input, n_bytes, model)?;
        let image = self.room_for(layout)?;
        let mut ids = Vec::new();
        for part in parts {
            match part {
                Part::Ids => ids = self.read_ids(&mut input, image.layout.n_tokens)?,
                Part::State(i, dtype) => {
                    let places = match self.engine.model().states()[i].kind {
                        StateKind::Paged { table } => &image.pages[table as usize],
                        StateKind::Recurrent => &image.slots,
                    };
                    self.read_state(&mut input, (i, dtype), places)?;
                }
            }
        }
        let (input, sum) = input.into_parts();
        let mut expected = [0; N_CHECKSUM];
        head::read_exact(input, &mut expected)?;
        if sum != u64::from_le_bytes(expected) {
            return Err(SavedError::Damaged { what: "its bytes are others than were written" }.into());
        }
        let retained = Retained::new();
        let sequence = Sequence::of_image(&self.engine, ids, &image, kept::N_SNAPSHOTS);
        self.kept.keep(retained.claim(), sequence);
        Ok(retained)
    }

    /// Takes all pages and slots of a layout that was checked.
    fn room_for(&mut self, layout: Layout) -> Result<Image, EngineError> {
        let mut pages = Vec::new();
        for table in 0..self.engine.model().tables().len() {
            let n = layout.n_pages(table);
            pages.push(
                (0..n)
                    .map(|_| self.take(|memory, b| memory.take_page(b, table)))
                    .collect::<Result<_, _>>()?,
            );
        }
        let n = layout.n_slots();
        let slots =
            (0..n).map(|_| self.take(|memory, b| memory.take_slot(b, None))).collect::<Result<_, _>>()?;
        Ok(Image { layout, pages, slots })
    }

    /// Takes a page or slot, for which what waits to be used again gives way.
    fn take(
        &mut self,
        take: impl Fn(&mut Memory<B>, &B) -> Result<Option<Place>, EngineError>,
    ) -> Result<Place, EngineError> {
        loop {
            let full = match take(&mut self.memory, self.engine.backend()) {
                Ok(Some(place)) => return Ok(place),
                Ok(None) => EngineError::MemoryFull,
                Err(error) if Memory::<B>::is_full(&error) => error,
                Err(error) => return Err(error),
            };
            if !self.let_go(None) {
                return Err(full);
            }
        }
    }

    fn read_ids(&self, input: &mut impl Read, n_tokens: usize) -> Result<Vec<u32>, EngineError> {
        let mut ids = vec![0; n_tokens];
        head::read_exact(input, bytemuck::cast_slice_mut(&mut ids))?;
        let n_vocab = self.engine.model().facts().n_vocab;
        match ids.iter().find(|id| **id as usize >= n_vocab) {
            Some(&id) => Err(BackendError::Id { id, n_vocab }.into()),
            None => Ok(ids),
        }
    }

    /// Reads pages or slots of one state, converted to the element type of the cache.
    fn read_state(
        &mut self,
        input: &mut impl Read,
        (state, dtype): (usize, DType),
        places: &[Place],
    ) -> Result<(), EngineError> {
        let spec = &self.engine.model().states()[state];
        let (n_place, to) = (dtype.n_bytes(spec.shape), spec.dtype);
        let n_chunk = (CHUNK_BYTES / n_place.max(1)).max(1);
        for places in places.chunks(n_chunk) {
            let mut bytes = vec![0; n_place * places.len()];
            head::read_exact(input, &mut bytes)?;
            let bytes = converted(bytes, [dtype, to]);
            let idx: Vec<u32> = places.iter().map(Place::idx).collect();
            let places = StatePlaces { state: StateId(state as u32), idx: &idx };
            self.engine.backend().write_places(self.memory.states(), places, &bytes)?;
        }
        Ok(())
    }
}

/// Elements of f32 or f16 as those of the other.
fn converted(bytes: Vec<u8>, [from, to]: [DType; 2]) -> Vec<u8> {
    match (from, to) {
        (DType::F16, DType::F32) => {
            let halves: Vec<f16> = bytemuck::pod_collect_to_vec(&bytes);
            halves.iter().flat_map(|x| x.to_f32().to_le_bytes()).collect()
        }
        (DType::F32, DType::F16) => {
            let floats: Vec<f32> = bytemuck::pod_collect_to_vec(&bytes);
            floats.iter().flat_map(|x| f16::from_f32(*x).to_le_bytes()).collect()
        }
        _ => bytes,
    }
}
