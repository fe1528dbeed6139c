//! Errors on their way to JavaScript: a code for programs, a message for people.

use hala::Error;
use js_sys::{Object, Reflect};
use wasm_bindgen::JsValue;

use crate::host::HostReader;

/// What went wrong, as an object with `code`, `message` and perhaps `bytes`.
pub(crate) fn to_js(error: &Error) -> JsValue {
    let object = Object::new();
    let set = |name: &str, value: JsValue| {
        // A plain object takes any property.
        let _ = Reflect::set(&object, &name.into(), &value);
    };
    set("code", error.code().into());
    set("message", error.to_string().into());
    if let Some(bytes) = error.bytes() {
        set("bytes", (bytes as f64).into());
    }
    object.into()
}

/// The error that the reader threw where it was its, else the error.
pub(crate) fn thrown(reader: &HostReader, error: &Error) -> JsValue {
    let is_reader = error.code() == "reader";
    is_reader.then(|| reader.take_thrown()).flatten().unwrap_or_else(|| to_js(error))
}
