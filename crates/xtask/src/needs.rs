//! What the tests need beyond cargo: a test that needs a program gets a row here.

use crate::need::{Fix, Need, Probe, Way};

pub(crate) const WASM_TARGET: &str = "wasm32-unknown-unknown";
/// Debian's compiler lies beside a rustup one, so it is called by its full path.
pub(crate) const DEBIAN_RUSTC: &str = "/usr/bin/rustc";

pub(crate) const WASI_TARGET: &str = "wasm32-wasip1";
pub(crate) const AARCH64_TARGET: &str = "aarch64-unknown-linux-gnu";
pub(crate) const ANDROID_ARM_TARGET: &str = "aarch64-linux-android";
pub(crate) const ANDROID_X86_TARGET: &str = "x86_64-linux-android";
pub(crate) const IOS_TARGET: &str = "aarch64-apple-ios";

/// Chromium's driver that plays a GPU, with lanes in fours where Mesa's has eights: a second opinion on every kernel.
pub(crate) const SWIFTSHADER: &str = "/usr/lib/chromium/vk_swiftshader_icd.json";

/// What `cargo test` needs; a test that needs a program gets a row here.
pub(crate) const TESTS: &[Need] = &[
    Need {
        name: "a Vulkan driver",
        why: "to run the WebGPU kernels; Mesa's plays a GPU where there is none",
        skipped: "the tests on WebGPU devices",
        ways: &[
            Way {
                probes: &[Probe::AnyFile("/usr/share/vulkan/icd.d", ".json")],
                fix: Fix::Debian(&["mesa-vulkan-drivers"]),
            },
            Way {
                probes: &[Probe::AnyFile("/etc/vulkan/icd.d", ".json")],
                fix: Fix::ByHand("the installer of your GPU's maker"),
            },
            Way { probes: &[Probe::NotLinux], fix: Fix::ByHand("the installer of your GPU's maker") },
        ],
    },
    Need {
        name: "Chromium's SwiftShader",
        why: "as a second device to run the WebGPU kernels on",
        skipped: "the tests on a second WebGPU device",
        ways: &[
            Way { probes: &[Probe::File(SWIFTSHADER)], fix: Fix::Debian(&["chromium-common"]) },
            Way { probes: &[Probe::NotLinux], fix: Fix::ByHand("nothing: real GPUs are tested here") },
        ],
    },
    Need {
        name: "compilers for C and C++",
        why: "to make programs that use the native library",
        skipped: "the tests of the native library from C and C++",
        ways: &[
            Way { probes: &[Probe::Program("cc"), Probe::Program("c++")], fix: Fix::Debian(&["gcc", "g++"]) },
            Way { probes: &[Probe::Program("cl.exe")], fix: Fix::ByHand("Visual Studio's tools for C++") },
        ],
    },
    Need {
        name: "valgrind",
        why: "to watch each access of the native library to memory",
        skipped: "the tests of the native library under valgrind",
        ways: &[
            Way { probes: &[Probe::Program("valgrind")], fix: Fix::Debian(&["valgrind", "libc6-dbg"]) },
            Way { probes: &[Probe::NotLinux], fix: Fix::ByHand("nothing: it is for Linux") },
        ],
    },
    Need {
        name: "Python 3.9 or later, with venv",
        why: "to test the native library's Python package",
        skipped: "the tests of the Python package",
        ways: &[Way { probes: &[Probe::Python], fix: Fix::Debian(&["python3", "python3-venv"]) }],
    },
];

/// What the other steps of `cargo xtask test` need every day.
pub(crate) const OTHERS: &[&Need] = &[&WASM, &WASM_SOURCE, &WASI, &NODE, &JAVA, &BROWSER, &FIREFOX, &CMAKE];

/// What the packed native library is found by, beside compilers.
pub(crate) const CMAKE: Need = Need {
    name: "CMake and pkg-config",
    why: "to build C and C++ programs against the packed native library",
    skipped: "the tests of the packed native library",
    ways: &[Way {
        probes: &[
            Probe::Program("cmake"),
            Probe::Program("make"),
            Probe::Program("pkg-config"),
            Probe::Program("c++"),
        ],
        fix: Fix::Debian(&["cmake", "make", "pkgconf", "g++"]),
    }],
};

/// Names the folder of `swift`, where that is not on PATH.
pub(crate) const SWIFT_FOLDER: &str = "HALA_SWIFT";

/// What the Swift package is built and tested with.
pub(crate) const SWIFT: Need = Need {
    name: "Swift 6",
    why: "to build and test the Swift package",
    skipped: "the tests of the Swift package",
    ways: &[Way {
        probes: &[Probe::ProgramOf("swift", SWIFT_FOLDER)],
        fix: Fix::ByHand(
            "the installer of https://swift.org, or `apt-get install swiftlang libstdc++-14-dev git` on Debian 13; where it is not on PATH \
             HALA_SWIFT=FOLDER names the folder of `swift`",
        ),
    }],
};

/// What the check of the browser crates needs.
pub(crate) const WASM: Need = Need {
    name: "a standard library for wasm32-unknown-unknown",
    why: "to compile the crates that run in a browser",
    skipped: "the check that the browser crates compile for wasm32",
    ways: &[
        Way { probes: &[Probe::RustTarget(WASM_TARGET)], fix: Fix::RustupTarget(WASM_TARGET) },
        DEBIAN_WASM,
    ],
};

/// Debian's compiler for wasm32, with its standard library as source.
const DEBIAN_WASM: Way = Way {
    probes: &[Probe::Program(DEBIAN_RUSTC), Probe::File("/usr/lib/rustlib/src/rust/library/Cargo.lock")],
    fix: Fix::Debian(&["rustc-web", "rust-web-src"]),
};

/// What the modules for browsers need: the standard library that is shipped for wasm32 knows no threads, and is large.
pub(crate) const WASM_SOURCE: Need = Need {
    name: "the source of the standard library",
    why: "to compile the modules for browsers",
    skipped: "the tests of the package in a browser",
    ways: &[Way { probes: &[Probe::RustSource], fix: Fix::RustupComponent("rust-src") }, DEBIAN_WASM],
};

/// What the npm packages are built with.
pub(crate) const NODE: Need = Need {
    name: "Node.js with npm",
    why: "to build and test the package for browsers, and to get Kotlin's compiler",
    skipped: "the tests of the package in a browser, and of the Kotlin façade",
    ways: &[
        Way {
            probes: &[Probe::Program("node"), Probe::Program("npm")],
            fix: Fix::Debian(&["nodejs", "npm"]),
        },
        Way { probes: &[Probe::Program("node.exe")], fix: Fix::ByHand("the installer of Node.js") },
    ],
};

/// What the Kotlin façade is compiled and tested by.
pub(crate) const JAVA: Need = Need {
    name: "Java",
    why: "to compile and test the Kotlin façade",
    skipped: "the tests of the Kotlin façade",
    ways: &[Way { probes: &[Probe::Program("java")], fix: Fix::Debian(&["default-jre-headless"]) }],
};

pub(crate) const JDK: Need = Need {
    name: "a JDK",
    why: "to compile stubs of Android",
    skipped: "the Android sources against stubs",
    ways: &[Way {
        probes: &[Probe::Program("java"), Probe::Program("javac"), Probe::Program("jar")],
        fix: Fix::Debian(&["default-jdk-headless"]),
    }],
};

/// The resources of Android itself, as Debian has them: those of Android 10.
pub(crate) const FRAMEWORK: &str = "/usr/share/android-framework-res/framework-res.apk";

/// Android's tool for resources, and the resources of Android that it looks names up in.
pub(crate) const AAPT: Need = Need {
    name: "aapt2",
    why: "to read Android's resources and manifests",
    skipped: "the Android sources against stubs",
    ways: &[Way {
        probes: &[Probe::Program("aapt2"), Probe::File(FRAMEWORK)],
        fix: Fix::Debian(&["aapt", "android-framework-res"]),
    }],
};

/// What compiles C for the processors of phones, and tells what a library is.
pub(crate) const ANDROID_COMPILERS: Need = Need {
    name: "C compilers for aarch64 and x86-64",
    why: "to build the library for Android without an NDK",
    skipped: "the library for Android",
    ways: &[Way {
        probes: &[
            Probe::Program("aarch64-linux-gnu-gcc"),
            Probe::Program("x86_64-linux-gnu-gcc"),
            Probe::Program("readelf"),
        ],
        fix: Fix::Debian(&["gcc", "gcc-aarch64-linux-gnu"]),
    }],
};

/// What the library is compiled with for phones and for the emulator.
pub(crate) const ANDROID_ARM: Need = Need {
    name: "a standard library for Android on aarch64",
    why: "to compile the library for it",
    skipped: "the library for Android",
    ways: &[Way {
        probes: &[Probe::RustTarget(ANDROID_ARM_TARGET)],
        fix: Fix::RustupTarget(ANDROID_ARM_TARGET),
    }],
};

pub(crate) const ANDROID_X86: Need = Need {
    name: "a standard library for Android on x86-64",
    why: "to compile the library for it",
    skipped: "the library for Android",
    ways: &[Way {
        probes: &[Probe::RustTarget(ANDROID_X86_TARGET)],
        fix: Fix::RustupTarget(ANDROID_X86_TARGET),
    }],
};

pub(crate) const IOS: Need = Need {
    name: "a standard library for iOS",
    why: "to compile the library for it",
    skipped: "the check that the library compiles for iOS",
    ways: &[Way { probes: &[Probe::RustTarget(IOS_TARGET)], fix: Fix::RustupTarget(IOS_TARGET) }],
};

/// The browser that the package is tested in.
const CHROMIUM: &str = "/usr/bin/chromium";

/// What the tests in a browser need.
pub(crate) const BROWSER: Need = Need {
    name: "Chromium",
    why: "to test the package in a browser",
    skipped: "the tests of the package in a browser",
    ways: &[Way { probes: &[Probe::File(CHROMIUM)], fix: Fix::Debian(&["chromium"]) }],
};

/// The other browser that the package is tested in.
pub(crate) const FIREFOX: Need = Need {
    name: "Firefox",
    why: "to test the package in a second browser",
    skipped: "the test of the package in Firefox",
    ways: &[Way { probes: &[Probe::File("/usr/bin/firefox-esr")], fix: Fix::Debian(&["firefox-esr"]) }],
};

/// What the tests of WebAssembly's kernels are compiled with.
pub(crate) const WASI: Need = Need {
    name: "a standard library for wasm32-wasip1",
    why: "to compile the tests of the CPU kernels in WebAssembly",
    skipped: "the tests of the CPU kernels in WebAssembly",
    ways: &[Way { probes: &[Probe::RustTarget(WASI_TARGET)], fix: Fix::RustupTarget(WASI_TARGET) }],
};

/// What the tests of aarch64's kernels are compiled with.
pub(crate) const AARCH64_LIBRARY: Need = Need {
    name: "a standard library for aarch64-unknown-linux-gnu",
    why: "to compile the tests of the CPU kernels for aarch64",
    skipped: "the tests of the CPU kernels for aarch64",
    ways: &[Way { probes: &[Probe::RustTarget(AARCH64_TARGET)], fix: Fix::RustupTarget(AARCH64_TARGET) }],
};

/// What they are linked with, and what plays the machine.
pub(crate) const QEMU: Need = Need {
    name: "a linker for aarch64 and QEMU",
    why: "to run the tests of the CPU kernels for aarch64",
    skipped: "the tests of the CPU kernels for aarch64",
    ways: &[Way {
        probes: &[Probe::Program("aarch64-linux-gnu-gcc"), Probe::Program("qemu-aarch64")],
        fix: Fix::Debian(&["gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross", "qemu-user"]),
    }],
};
