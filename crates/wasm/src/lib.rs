//! The engine as a WebAssembly module: what a browser's worker calls.
//!
//! Requests, results and events are JSON texts, so that each has one description, in the npm package's types.

mod cancel;
mod error;
mod event;
mod host;
mod json;
mod request;
mod runtime;
mod work;

use wasm_bindgen::prelude::wasm_bindgen;

pub use cancel::Cancel;
pub use runtime::Runtime;

/// Shows a panic's message and place in the browser's console.
#[wasm_bindgen(start)]
pub fn start() {
    console_error_panic_hook::set_once();
}

/// Lends the calling worker's thread to the CPU's work, for as long as the worker lives: it never returns.
#[cfg(target_feature = "atomics")]
#[wasm_bindgen(js_name = lendThread)]
pub fn lend_thread() {
    hala::lend_thread()
}
