//! What the worker gives: parts of weight files, and pauses.

use std::cell::RefCell;
use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::rc::Rc;

use hala::Reader;
use js_sys::{Promise, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen]
extern "C" {
    /// Reads parts of weight files; implemented in TypeScript.
    #[wasm_bindgen(typescript_type = "WeightReader")]
    #[derive(Debug, Clone)]
    pub type WeightReader;

    #[wasm_bindgen(method, catch)]
    fn size(this: &WeightReader, file: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn read(this: &WeightReader, file: &str, start: f64, end: f64) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method)]
    fn release(this: &WeightReader, bytes: &Uint8Array);
}

#[wasm_bindgen(module = "/src/pause.js")]
extern "C" {
    #[wasm_bindgen(js_name = pause)]
    fn js_pause() -> Promise;
}

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = "
/** Reads parts of weight files. */
export interface WeightReader {
  /** Bytes of a file. */
  size(file: string): number | Promise<number>;
  /** Exactly the bytes from `start` to before `end`. */
  read(file: string, start: number, end: number): Promise<Uint8Array>;
  /** Takes back what `read` gave: it has been copied. */
  release(bytes: Uint8Array): void;
}
";

/// Lets the worker see to its messages.
pub(crate) fn pause() -> Pin<Box<dyn Future<Output = ()>>> {
    Box::pin(async {
        // The promise of a message to oneself is never rejected.
        let _ = JsFuture::from(js_pause()).await;
    })
}

/// The worker's reader, which keeps what it threw last: the error that the page should see.
#[derive(Debug, Clone)]
pub(crate) struct HostReader {
    reader: WeightReader,
    thrown: Rc<RefCell<Option<JsValue>>>,
}

impl HostReader {
    pub(crate) fn new(reader: WeightReader) -> Self {
        Self { reader, thrown: Rc::default() }
    }

    /// What the reader threw last, once.
    pub(crate) fn take_thrown(&self) -> Option<JsValue> {
        self.thrown.borrow_mut().take()
    }

    /// Awaits what a method of the reader gave, a promise or not.
    async fn settle(&self, given: Result<JsValue, JsValue>) -> Result<JsValue, String> {
        let settled = match given {
            Ok(value) => JsFuture::from(Promise::resolve(&value)).await,
            Err(thrown) => Err(thrown),
        };
        settled.map_err(|thrown| {
            let message = js_sys::Reflect::get(&thrown, &"message".into()).ok().and_then(|m| m.as_string());
            *self.thrown.borrow_mut() = Some(thrown);
            message.unwrap_or_else(|| "the reader gave no reason".to_owned())
        })
    }
}

impl Reader for HostReader {
    async fn size(&self, file: &str) -> Result<u64, String> {
        let size = self.settle(self.reader.size(file)).await?;
        size.as_f64().map(|n| n as u64).ok_or_else(|| "the reader's size is no number".to_owned())
    }

    async fn read(&self, file: &str, range: Range<u64>) -> Result<Vec<u8>, String> {
        let bytes = self.settle(self.reader.read(file, range.start as f64, range.end as f64)).await?;
        let bytes = bytes.dyn_into::<Uint8Array>().map_err(|_| "the reader gave no Uint8Array".to_owned())?;
        let copied = bytes.to_vec();
        self.reader.release(&bytes);
        Ok(copied)
    }
}
