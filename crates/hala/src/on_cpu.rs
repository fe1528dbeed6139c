//! The CPU as the device.

use hala_backend_cpu::CpuBackend;
use hala_plan::BackendError;

use crate::device::{Chosen, DeviceOptions};
use crate::event::Notice;
use crate::why::Why;

impl DeviceOptions {
    /// The CPU with the threads that are wanted.
    ///
    /// # Errors
    /// The system has no room for the threads.
    pub(crate) fn cpu(&self, why: Why) -> Result<Chosen, BackendError> {
        let cpu = CpuBackend::threaded(self.n_threads)?;
        let cpu = match self.pause {
            Some(pause) => cpu.pausing(pause),
            None => cpu,
        };
        Ok(Chosen::new(cpu.into(), why))
    }

    /// The same, where a GPU would have been better, which is told.
    ///
    /// # Errors
    /// As for [`DeviceOptions::cpu`].
    pub(crate) fn cpu_instead(&self, why: Why) -> Result<Chosen, BackendError> {
        let notices = vec![Notice::OnCpu { why: why.clone() }];
        Ok(Chosen { notices, ..self.cpu(why)? })
    }
}
