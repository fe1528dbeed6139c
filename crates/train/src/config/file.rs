//! YAML as settings, with the line of a fault.

use hala_weights::nearest;
use serde::de::DeserializeOwned;

use crate::run_fault::RunFault;

/// Reads the text of a YAML file, which `file` names in messages; `names` are the settings that there are.
pub(super) fn read_yaml<T: DeserializeOwned>(
    file: &str,
    text: &str,
    names: &'static [&'static str],
) -> Result<T, RunFault> {
    serde_saphyr::from_str(text).map_err(|error| {
        let detail = error.to_string();
        // The reader begins with a word that the command has said already.
        let detail = detail.strip_prefix("error: ").unwrap_or(&detail).to_owned();
        RunFault::Settings { file: file.to_owned(), detail: detail + &hint(&error.to_string(), names) }
    })
}

/// What an unknown name may have meant.
fn hint(detail: &str, names: &'static [&'static str]) -> String {
    let unknown = detail.split_once("unknown field `").and_then(|(_, rest)| rest.split_once('`'));
    let Some((unknown, _)) = unknown else { return String::new() };
    match nearest(unknown, names.iter().copied()).first() {
        Some(name) => format!("\n`{name}` is the nearest setting"),
        None => String::new(),
    }
}
