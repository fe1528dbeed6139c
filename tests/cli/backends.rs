//! What runs a model: the GPU that is named, the CPU where there is none, and the same text from both.

use hala_tests::devices;

use crate::{Hala, demo_folder, golden, hala};

/// A run that finds no driver for Vulkan, which is all that Linux has.
#[cfg(target_os = "linux")]
fn without_drivers(arguments: &[&str]) -> Hala {
    let nowhere = "/nonexistent";
    let mut run = hala(arguments).env("VK_DRIVER_FILES", nowhere).env("VK_ICD_FILENAMES", nowhere);
    run.command.env_remove("VK_ADD_DRIVER_FILES");
    run
}

/// The first sentences of the golden texts, one a line.
fn sentences() -> String {
    golden()[..5].iter().map(|text| format!("{}\n", text["source"].as_str().unwrap())).collect()
}

fn lines(backend: &[&str]) -> Hala {
    hala(&["translate", "--lines"]).args(backend).input(sentences())
}

#[test]
fn an_adapter_that_is_not_there_is_refused_with_those_that_are() {
    for backend in ["wgpu", "auto"] {
        let done = hala(&["translate", "x", "--adapter", "no such", "--backend", backend]).run();
        done.refused(&["wgpu is not available"]);
        for report in pollster::block_on(hala_backend_wgpu::adapters()) {
            done.refused(&["\"no such\"", &report.name]);
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_machine_without_a_gpu_is_told_what_to_do() {
    for arguments in [&["translate", "x", "--backend", "wgpu"][..], &["tune"]] {
        without_drivers(arguments).run().refused(&["no GPU was found", "install a driver", "--backend cpu"]);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_model_runs_on_the_cpu_where_there_is_no_gpu_and_that_is_said_once() {
    let expected = hala(&["translate", "Good morning."]).run().text();
    let run = || without_drivers(&["translate", "Good morning."]).model(demo_folder());
    let done = run().run();
    assert_eq!((done.n_on_cpu, done.stderr.as_str()), (1, ""), "{done:?}");
    assert_eq!(done.text(), expected);
    let quiet = run().arg("--quiet").run();
    assert_eq!((quiet.n_on_cpu, quiet.stderr.as_str(), quiet.code), (0, "", Some(0)));
}

#[test]
fn drivers_say_nothing_on_a_machine_without_a_display() {
    for arguments in [&["translate", "Good morning.", "--backend", "wgpu"][..], &["profile", "--tokens", "1"]]
    {
        let mut run = hala(arguments);
        for name in ["DISPLAY", "WAYLAND_DISPLAY", "VK_LOADER_DEBUG", "MESA_LOG"] {
            run.command.env_remove(name);
        }
        let done = run.run();
        let own = |line: &str| line.starts_with("error: wgpu is not available");
        assert!(done.stderr.lines().all(own), "{done:?}");
    }
}

#[test]
fn the_built_in_model_needs_no_gpu_and_says_nothing_of_one() {
    let done = hala(&["translate", "Good morning."]).run();
    assert_eq!((done.n_on_cpu, done.stderr.as_str(), done.code), (0, "", Some(0)));
}

#[test]
fn a_gpu_writes_the_text_of_the_cpu() {
    let expected = lines(&["--backend", "cpu"]).run().text();
    assert_eq!(expected.lines().count(), 5);
    for name in devices::for_models() {
        assert_eq!(lines(&["--backend", "wgpu", "--adapter", name]).run().text(), expected, "{name}");
    }
}
