//! The engine as a WebAssembly module: what a browser's worker calls.
//!
//! Requests, results and events are JSON texts, so that each has one description, in the npm package's types.

mod error;
mod host;
mod reply;
mod request;
mod running;
mod runtime;
mod stream;

use hala_plan::Cancel as Flag;
use sha2::Digest;
use wasm_bindgen::prelude::wasm_bindgen;

pub use runtime::Runtime;

/// Shows a panic's message and place in the browser's console.
#[wasm_bindgen(start)]
pub fn start() {
    console_error_panic_hook::set_once();
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

/// SHA-256 of bytes that come in pieces, which the browser's own interface cannot take.
#[wasm_bindgen]
#[derive(Debug, Default)]
pub struct Sha256(sha2::Sha256);

#[wasm_bindgen]
impl Sha256 {
    /// Of no bytes yet.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The hash in hexadecimal.
    pub fn finish(self) -> String {
        format!("{:x}", self.0.finalize())
    }
}

/// The language of a text by its letters, `ar` or `en`; nothing where it has none of either.
#[wasm_bindgen(js_name = detectLanguage)]
pub fn detect_language(text: &str) -> Option<String> {
    hala_text::language::detect(text).map(|language| language.code().to_owned())
}
