//! Pages and slots between the pool and the host.

use hala_plan::{BackendError, StatePlaces};
use wgpu::{BufferUsages, CommandEncoderDescriptor};

use crate::gpu::Gpu;
use crate::read;
use crate::state::{Cells, States};

impl States {
    /// Reads pages or slots of one state, one after the other.
    ///
    /// # Errors
    /// A page or slot that there is not, no memory, or a lost device.
    pub(crate) async fn read_places(
        &self,
        gpu: &Gpu,
        places: StatePlaces<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), BackendError> {
        out.clear();
        let cells = self.checked(places)?;
        let n = cells.n_place_bytes();
        let n_bytes = n as usize * places.idx.len();
        if n_bytes == 0 {
            return gpu.check();
        }
        let staging = gpu.buffer("reading", n_bytes, BufferUsages::MAP_READ | BufferUsages::COPY_DST)?;
        let mut encoder = gpu.device.create_command_encoder(&CommandEncoderDescriptor::default());
        for (i, place) in places.idx.iter().enumerate() {
            encoder.copy_buffer_to_buffer(&cells.buffer, u64::from(*place) * n, &staging, i as u64 * n, n);
        }
        gpu.submit(encoder);
        read::map(gpu, &staging, n_bytes, |bytes| out.extend_from_slice(bytes)).await
    }

    /// Writes pages or slots of one state.
    ///
    /// # Errors
    /// A page or slot that there is not, or that stays empty; other bytes than it takes; a lost device.
    pub(crate) fn write_places(
        &self,
        gpu: &Gpu,
        places: StatePlaces<'_>,
        bytes: &[u8],
    ) -> Result<(), BackendError> {
        let cells = self.checked(places)?;
        let n = cells.n_place_bytes();
        let (found, limit) = (bytes.len(), n as usize * places.idx.len());
        if found != limit {
            return Err(BackendError::Limit { what: "bytes of pages or slots", found, limit });
        }
        // What was put off would come after what is written now.
        gpu.submit(gpu.device.create_command_encoder(&CommandEncoderDescriptor::default()));
        for (place, bytes) in places.idx.iter().zip(bytes.chunks_exact(n.max(1) as usize)) {
            gpu.queue.write_buffer(&cells.buffer, u64::from(*place) * n, bytes);
        }
        gpu.check()
    }

    /// The state, which has all of these pages or slots.
    fn checked(&self, places: StatePlaces<'_>) -> Result<&Cells, BackendError> {
        let (found, n_places) = (places.state.0, self.cells.len());
        let cells = self.cells.get(found as usize);
        let cells = cells.ok_or(BackendError::Place { what: "state", found: Some(found), n_places })?;
        places.idx.iter().try_for_each(|place| self.size.check_copy(cells.spec.kind, [*place, *place]))?;
        Ok(cells)
    }
}
