//! The engine as a WebAssembly module: what a browser's worker calls.
//!
//! Requests, results and events are JSON texts, so that each has one description, in the npm package's types.

mod choices;
mod error;
mod host;
mod reply;
mod request;
mod running;
mod runtime;
mod stream;
mod work;

use hala_plan::Cancel as Flag;
use wasm_bindgen::prelude::wasm_bindgen;

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
    hala_backend_cpu::lend_thread()
}

/// A flag that stops loading or generating.
#[wasm_bindgen]
#[derive(Debug, Default)]
pub struct Cancel(Flag);

#[wasm_bindgen]
impl Cancel {
    /// A flag that is down.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Raises the flag.
    pub fn cancel(&self) {
        self.0.cancel();
    }
}
