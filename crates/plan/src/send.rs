//! Futures and handles that threads may pass on, where there are threads.

/// [`Send`], but in WebAssembly, where a page's objects belong to one thread: there it is everything.
#[cfg(not(target_family = "wasm"))]
pub trait MaybeSend: Send {}

#[cfg(not(target_family = "wasm"))]
impl<T: Send + ?Sized> MaybeSend for T {}

/// [`Send`], but in WebAssembly, where a page's objects belong to one thread: there it is everything.
#[cfg(target_family = "wasm")]
pub trait MaybeSend {}

#[cfg(target_family = "wasm")]
impl<T: ?Sized> MaybeSend for T {}
