// swift-tools-version: 6.0

import PackageDescription

#if canImport(Darwin)
    // `cargo xtask swift --xcframework` writes it beside this file; a release names an address and a checksum instead.
    let native: Target = .binaryTarget(name: "CHala", path: "CHala.xcframework")
#else
    // `cargo xtask ffi` packs it; PKG_CONFIG_PATH says where.
    let native: Target = .systemLibrary(name: "CHala", pkgConfig: "hala")
#endif

let package = Package(
    name: "Hala",
    platforms: [.iOS(.v16), .macOS(.v13)],
    products: [.library(name: "Hala", targets: ["Hala"])],
    targets: [
        native,
        .target(
            name: "Hala",
            dependencies: ["CHala"],
            // What a static library of Rust and wgpu needs of Apple's systems.
            linkerSettings: ["Foundation", "Metal", "QuartzCore", "Security"].map {
                .linkedFramework($0, .when(platforms: [.iOS, .macOS]))
            }
        ),
        .testTarget(name: "HalaTests", dependencies: ["Hala"]),
    ],
    swiftLanguageModes: [.v6]
)
