//! What happens besides the work that was asked for, as the page is told.

use hala::Listener;
#[cfg(target_family = "wasm")]
use js_sys::Function;
use serde::Serialize;

#[cfg(target_family = "wasm")]
use crate::json::to_json;
use crate::request::BackendName;

/// What happens, in the words of the page.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Told<'a> {
    /// A weight is on the device.
    Load { name: &'a str, loaded: usize, total: usize },
    /// The GPU went away, and is being set up once more.
    DeviceLost { reason: &'a str },
    /// Another backend took over.
    BackendChange { backend: BackendName, reason: &'a str },
}

impl<'a> Told<'a> {
    fn of(event: &'a hala::Event<'a>) -> Option<Self> {
        match event {
            hala::Event::Loading(p) => Some(Self::Load { name: p.name, loaded: p.n_done, total: p.n_total }),
            hala::Event::DeviceLost { reason } => Some(Self::DeviceLost { reason }),
            hala::Event::DeviceChanged { device, reason } => {
                Some(Self::BackendChange { backend: BackendName::of(device.backend), reason })
            }
            // A page has asked for its backend by name, and its files are its own.
            _ => None,
        }
    }
}

/// Tells the page.
#[cfg(target_family = "wasm")]
pub(crate) fn listener(on_event: Function) -> impl Listener {
    move |event: hala::Event<'_>| {
        if let Some(told) = Told::of(&event) {
            // What the page does with an event is its own affair.
            let _ = on_event.call1(&wasm_bindgen::JsValue::NULL, &to_json(&told).into());
        }
    }
}

/// Tells nobody: where this is compiled for its types alone, a page's functions are nothing that threads could share.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn listener(_: js_sys::Function) -> impl Listener {
    |event: hala::Event<'_>| {
        let _ = Told::of(&event);
    }
}

#[cfg(test)]
mod tests {
    use hala_tests::typescript::{Types, unlike_replies};

    use super::*;

    #[test]
    fn events_are_told_apart_by_their_type() {
        let event = hala::Event::DeviceLost { reason: "r" };
        let told = serde_json::to_string(&Told::of(&event).unwrap()).unwrap();
        assert_eq!(told, r#"{"type":"devicelost","reason":"r"}"#);
    }
    #[test]
    fn events_are_those_of_the_package() {
        let (name, reason) = ("n", "r");
        let mut told = vec![Told::Load { name, loaded: 1, total: 2 }, Told::DeviceLost { reason }];
        let backends = [BackendName::WebGpu, BackendName::Wasm];
        told.extend(backends.map(|backend| Told::BackendChange { backend, reason }));
        let told: Vec<_> = told.iter().map(|told| serde_json::to_value(told).unwrap()).collect();
        let files = "crates/wasm/src/event.rs and web/package/src/wire.ts";
        let differences = unlike_replies(&Types::of_package().shape("Told"), &told, ("Told", files));
        assert!(differences.is_empty(), "\n{}", differences.join("\n"));
    }
}
