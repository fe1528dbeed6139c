//! Getting bytes back from the device.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use hala_plan::BackendError;
use wgpu::{Buffer, MapMode, SubmissionIndex};

use crate::gpu::Gpu;

/// What a future gives where it is ready at once, as native devices' error scopes are.
pub(crate) fn ready<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

/// The result of a mapping and who waits for it.
#[derive(Default)]
struct Mapping {
    result: Option<Result<(), wgpu::BufferAsyncError>>,
    waker: Option<Waker>,
}

/// Waits for a mapping; where the device does not run by itself, by polling it.
struct Mapped(Arc<Mutex<Mapping>>);

impl Future for Mapped {
    type Output = Result<(), wgpu::BufferAsyncError>;

    fn poll(self: std::pin::Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut mapping = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match mapping.result.take() {
            Some(result) => Poll::Ready(result),
            None => {
                mapping.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

/// Maps the first `n_bytes` of a buffer that the host can read, and gives them to `take`.
///
/// # Errors
/// The device was lost.
pub(crate) async fn map<T>(
    gpu: &Gpu,
    buffer: &Buffer,
    n_bytes: usize,
    take: impl FnOnce(&[u8]) -> T,
) -> Result<T, BackendError> {
    map_after(gpu, buffer, n_bytes, None, take).await
}

/// The same, waiting for the submission that wrote the buffer and for none after it.
///
/// # Errors
/// The device was lost.
pub(crate) async fn map_after<T>(
    gpu: &Gpu,
    buffer: &Buffer,
    n_bytes: usize,
    submission: Option<SubmissionIndex>,
    take: impl FnOnce(&[u8]) -> T,
) -> Result<T, BackendError> {
    let lost = |reason: String| BackendError::DeviceLost { device: gpu.name.clone(), reason };
    let mapping: Arc<Mutex<Mapping>> = Arc::default();
    let seen = Arc::clone(&mapping);
    let slice = buffer.slice(..n_bytes as u64);
    slice.map_async(MapMode::Read, move |result| {
        let mut mapping = seen.lock().unwrap_or_else(PoisonError::into_inner);
        mapping.result = Some(result);
        if let Some(waker) = mapping.waker.take() {
            waker.wake();
        }
    });
    gpu.wait_for(submission)?;
    if let Err(error) = Mapped(mapping).await {
        gpu.check()?;
        return Err(lost(error.to_string()));
    }
    let taken = match slice.get_mapped_range() {
        Ok(view) => take(&view),
        Err(error) => return Err(lost(error.to_string())),
    };
    buffer.unmap();
    Ok(taken)
}
