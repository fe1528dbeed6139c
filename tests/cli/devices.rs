//! `hala devices`, and that nobody looks for GPUs who needs none.

use hala_tests::devices;
use tempfile::tempdir;

use crate::hala;

#[test]
fn each_device_is_listed_with_what_auto_makes_of_it() {
    let cache = tempdir().unwrap();
    let run = |arguments: &[&str]| hala(arguments).env("XDG_CACHE_HOME", cache.path()).run();
    let (text, json) = (run(&["devices"]).text(), run(&["devices", "--json"]).json());
    assert!(text.starts_with("cpu  "), "{text}");
    assert_eq!(text.matches("◂ auto").count(), 1, "{text}");
    for name in devices::names() {
        assert!(text.contains(name), "{text}");
    }
    for gpu in json["gpus"].as_array().unwrap() {
        let is_software = gpu["kind"] == "software";
        assert!(!is_software || gpu["unfit"]["code"] == "software-adapter", "{gpu}");
        assert!(!is_software || text.contains("left alone: it is a program on the CPU"), "{text}");
    }
}

#[test]
fn what_was_found_out_is_forgotten_on_demand() {
    let cache = tempdir().unwrap();
    let folder = cache.path().join("hala").join("devices");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("a-gpu.json"), "{}").unwrap();
    let done = hala(&["devices", "--reset"]).env("XDG_CACHE_HOME", cache.path()).run();
    assert!(done.stderr.contains("1 file forgotten"), "{done:?}");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
}

/// Vulkan's loader says on demand what it does.
#[test]
#[cfg(target_os = "linux")]
fn no_driver_is_looked_for_where_no_gpu_is_wanted() {
    let looks = |arguments: &[&str]| {
        let done = hala(arguments).env("VK_LOADER_DEBUG", "all").run();
        done.stderr.contains("libVulkan") || done.stderr.contains("LAYER") || done.stderr.contains("DRIVER")
    };
    if !devices::names().is_empty() {
        assert!(looks(&["translate", "Good morning.", "--backend", "wgpu"]));
    }
    assert!(!looks(&["translate", "Good morning."]));
    assert!(!looks(&["translate", "Good morning.", "--backend", "cpu"]));
    // Nor before a model is there.
    assert!(!looks(&["generate", "--model", "/nonexistent/model", "--prompt", "x"]));
}
