//! A flag that the worker raises.

use wasm_bindgen::prelude::wasm_bindgen;

/// A flag that stops loading or generating.
#[wasm_bindgen]
#[derive(Debug, Default)]
pub struct Cancel(pub(crate) hala::Cancel);

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
