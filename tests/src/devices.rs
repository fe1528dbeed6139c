//! The GPUs of this machine, and the programs that play one: each kind is tested once.
//!
//! `HALA_TEST_ADAPTERS` narrows them: only those whose name contains its text are used, and with `none` no one is.

use std::io::Write;
use std::sync::{Mutex, OnceLock, PoisonError};

use hala_backend_wgpu::{AdapterChoice, AdapterReport, Preset, WgpuBackend};
use hala_plan::BackendError;
use pollster::block_on;

use crate::shared::Shared;

/// The variable that narrows the choice.
const NARROWED_BY: &str = "HALA_TEST_ADAPTERS";

/// Names of the adapters that tests of ops run on, told once; without any, the tests on wgpu are skipped, and that is told.
///
/// # Panics
/// A driver fails where a missing or a small device would be skipped.
pub fn names() -> Vec<&'static str> {
    reports().iter().map(|report| report.name.as_str()).collect()
}

/// Those of [`names`] that tests of whole models run on: of devices that are programs, only the one that runs most lanes
/// together, since another one takes minutes.
///
/// # Panics
/// As for [`names`].
pub fn for_models() -> Vec<&'static str> {
    let is_software = |report: &&AdapterReport| report.kind == "software";
    let fastest = reports().iter().filter(is_software).max_by_key(|report| report.subgroup_sizes);
    let real = reports().iter().filter(|report| !is_software(report));
    real.chain(fastest).map(|report| report.name.as_str()).collect()
}

fn reports() -> &'static [AdapterReport] {
    static REPORTS: OnceLock<Vec<AdapterReport>> = OnceLock::new();
    REPORTS.get_or_init(|| {
        let wanted = std::env::var(NARROWED_BY).unwrap_or_default();
        let found = block_on(hala_backend_wgpu::adapters());
        let mut taken: Vec<AdapterReport> = Vec::new();
        for report in found.iter().filter(|report| is_wanted(report, &wanted)) {
            // Cards of one name are one kind, and so is a card that is reached through two interfaces.
            if taken.iter().all(|other| other.name != report.name) && opens(report) {
                taken.push(report.clone());
            }
        }
        if taken.is_empty() {
            tell(&format!("skipped on wgpu: {}", why_none(&found, &wanted)));
        }
        taken
    })
}

/// A device of its own on an adapter of [`names`].
///
/// # Panics
/// The driver fails.
pub fn open(name: &str) -> WgpuBackend {
    block_on(WgpuBackend::new(&AdapterChoice::Named(name.to_owned()))).expect("an adapter that opened before")
}

/// The same with the kernels of a preset, whichever suits the device.
///
/// `None` where the device lacks what those need.
///
/// # Panics
/// The driver fails.
pub fn open_with(name: &str, preset: Preset) -> Option<WgpuBackend> {
    match block_on(WgpuBackend::with_preset(&AdapterChoice::Named(name.to_owned()), preset)) {
        Ok(backend) => Some(backend),
        Err(BackendError::Unavailable { .. }) => None,
        Err(error) => panic!("{name} cannot be opened: {error}"),
    }
}

/// The device on an adapter of [`names`] that tests share, with its own kernels.
///
/// # Panics
/// The driver fails.
pub fn shared(name: &str) -> Shared {
    sharing((name, None), || Some(open(name))).expect("a device with its own kernels")
}

/// The same with the kernels of a preset; `None` where the device lacks what those need.
///
/// # Panics
/// The driver fails.
pub fn shared_with(name: &str, preset: Preset) -> Option<Shared> {
    sharing((name, Some(preset)), || open_with(name, preset))
}

fn sharing(
    (name, preset): (&str, Option<Preset>),
    open: impl FnOnce() -> Option<WgpuBackend>,
) -> Option<Shared> {
    /// Adapter, preset where it is not the device's own, device.
    type Opened = (String, Option<Preset>, Option<&'static WgpuBackend>);
    static OPENED: Mutex<Vec<Opened>> = Mutex::new(Vec::new());
    let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    let is_it = |other: &&Opened| other.0 == name && other.1 == preset;
    if let Some((_, _, device)) = opened.iter().find(is_it) {
        return device.map(Shared);
    }
    // It lives as long as the tests.
    let device: Option<&'static WgpuBackend> = open().map(|device| &*Box::leak(Box::new(device)));
    opened.push((name.to_owned(), preset, device));
    device.map(Shared)
}

fn is_wanted(report: &AdapterReport, wanted: &str) -> bool {
    report.name.to_lowercase().contains(&wanted.to_lowercase())
}

fn opens(report: &AdapterReport) -> bool {
    let AdapterReport { name, kind, interface, driver, subgroup_sizes: [least, most], .. } = report;
    match block_on(WgpuBackend::new(&AdapterChoice::Named(name.clone()))) {
        Ok(_) => {
            tell(&format!("tested on {name}: {kind}, {interface}, {driver}, subgroups of {least} to {most}"));
            true
        }
        Err(error @ BackendError::Unavailable { .. }) => {
            tell(&format!("skipped on {name}: {error}"));
            false
        }
        Err(error) => panic!("{name} cannot be opened: {error}"),
    }
}

fn why_none(found: &[AdapterReport], wanted: &str) -> String {
    if found.is_empty() {
        return "this machine has no adapter; `cargo xtask setup` installs one where it can".to_owned();
    }
    let names: Vec<&str> = found.iter().map(|report| report.name.as_str()).collect();
    format!("{NARROWED_BY} is {wanted:?}, and there are {}", names.join(", "))
}

/// Says a line that the test runner does not hold back: what is skipped must be seen where all tests pass.
fn tell(line: &str) {
    // A screen that went away is no reason to fail.
    let _ = writeln!(std::io::stderr(), "{line}");
}
