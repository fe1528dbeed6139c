//! What drivers tell by callbacks, as futures.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

/// What a future gives where it is ready at once, as native devices' error scopes are.
pub(crate) fn ready<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

/// What a driver's callback tells, and who waits for it.
struct Told<T> {
    value: Option<T>,
    waker: Option<Waker>,
}

/// Waits for what a callback is given.
pub(crate) struct Answer<T>(Arc<Mutex<Told<T>>>);

/// A future and the callback that makes it ready; a device that does not run by itself must be polled besides.
pub(crate) fn answer<T>() -> (Answer<T>, impl FnOnce(T) + use<T>) {
    let told = Arc::new(Mutex::new(Told { value: None, waker: None }));
    let seen = Arc::clone(&told);
    let tell = move |value| {
        let mut told = seen.lock().unwrap_or_else(PoisonError::into_inner);
        told.value = Some(value);
        if let Some(waker) = told.waker.take() {
            waker.wake();
        }
    };
    (Answer(told), tell)
}

impl<T> Future for Answer<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match told.value.take() {
            Some(value) => Poll::Ready(value),
            None => {
                told.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}
