//! Drivers that are left alone unless somebody asks for them: the list, with the reason for each row and where it is reported.
//!
//! A row is for what a first run cannot find out, or finds out too late: drivers that take the phone down with them, or are right most of the
//! time. What only crashes the program is found by the guarded first run of crate `hala`.

use wgpu::AdapterInfo;

/// Why a device is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Avoided {
    /// What its driver does wrong.
    pub reason: &'static str,
    /// Where that is reported.
    pub source: &'static str,
}

/// Which devices a row is for.
#[derive(Debug, Clone, Copy)]
enum Names {
    /// All of the vendor's.
    All,
    /// Those whose names have this text, whatever its case.
    With(&'static str),
    /// Those whose names are this text and a number from the first to the last: `Adreno (TM) 642L` is 642, and `Mali-G715` is not 71.
    Numbered(&'static str, [u32; 2]),
}

/// A row of the list.
struct Row {
    /// The vendor's number in PCI's or Khronos's list; `None` for whoever makes it.
    vendor: Option<u32>,
    names: Names,
    avoided: Avoided,
}

const ARM: u32 = 0x13b5;
const HUAWEI: u32 = 0x19e5;
const IMAGINATION: u32 = 0x1010;
const QUALCOMM: u32 = 0x5143;
const SAMSUNG: u32 = 0x144d;

const fn row(vendor: u32, names: Names, reason: &'static str, source: &'static str) -> Row {
    Row { vendor: Some(vendor), names, avoided: Avoided { reason, source } }
}

/// The list. The first row that fits counts.
const ROWS: [Row; 11] = [
    // The name is Qualcomm's own driver's: Mesa's for the same chips begins with `Turnip`, and laptops' have letters before the number.
    row(
        QUALCOMM,
        Names::Numbered("Adreno (TM) ", [0, 650]),
        "Qualcomm's drivers for chips up to the Adreno 650 fail to compile shaders or compile them wrongly",
        "https://github.com/flutter/flutter/pull/178833",
    ),
    row(
        ARM,
        Names::With("Mali-T"),
        "Arm's last drivers for Midgard chips compile large shaders wrongly, and get no updates",
        "https://github.com/hrydgard/ppsspp/pull/17396",
    ),
    row(
        ARM,
        Names::Numbered("Mali-G", [71, 72]),
        "Arm's drivers for the first Bifrost chips lose the device at small compute shaders",
        "https://github.com/SaschaWillems/Vulkan/issues/445",
    ),
    row(
        IMAGINATION,
        Names::With("Rogue"),
        "the shader compiler of PowerVR Rogue's drivers crashes",
        "https://github.com/godotengine/godot/pull/123614",
    ),
    row(
        IMAGINATION,
        Names::With("B-Series"),
        "the drivers of PowerVR's B-series crash after some minutes, and draw wrongly before",
        "https://github.com/flutter/flutter/pull/191808",
    ),
    row(
        IMAGINATION,
        Names::With("C-Series"),
        "a language model's prompt takes the GPU's firmware down, and mostly the phone with it",
        "https://github.com/ggml-org/llama.cpp/issues/28214",
    ),
    row(
        IMAGINATION,
        Names::With("D-Series"),
        "its drivers compile compute shaders wrongly, and do not zero workgroup memory",
        "https://github.com/playcanvas/engine/issues/8874",
    ),
    row(
        IMAGINATION,
        Names::All,
        "PowerVR's drivers crash or draw wrongly on most phones that have them",
        "https://github.com/flutter/flutter/pull/161841",
    ),
    row(
        HUAWEI,
        Names::All,
        "the Vulkan drivers of Maleoon chips do not work right",
        "https://github.com/flutter-team-archive/engine/pull/56203",
    ),
    row(
        SAMSUNG,
        Names::With("Xclipse 920"),
        "the first Xclipse chip has faults that no version of its driver tells apart",
        "https://github.com/flutter/flutter/pull/161981",
    ),
    // A virtual GPU may be a program in the host, which its kind does not tell.
    Row {
        vendor: None,
        names: Names::With("llvmpipe"),
        avoided: Avoided {
            reason: "it is a program on the CPU, and the CPU backend is faster",
            source: "https://docs.mesa3d.org/drivers/venus.html",
        },
    },
];

impl Row {
    fn fits(&self, info: &AdapterInfo) -> bool {
        let is_vendor = self.vendor.is_none_or(|vendor| vendor == info.vendor);
        is_vendor
            && match self.names {
                Names::All => true,
                Names::With(text) => info.name.to_lowercase().contains(&text.to_lowercase()),
                Names::Numbered(text, [first, last]) => {
                    number_after(&info.name, text).is_some_and(|number| (first..=last).contains(&number))
                }
            }
    }
}

/// The number that follows the text which a name begins with.
fn number_after(name: &str, text: &str) -> Option<u32> {
    let rest = name.strip_prefix(text)?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest[..end].parse().ok()
}

/// Why an adapter is left alone, if it is.
pub(crate) fn avoided(info: &AdapterInfo) -> Option<Avoided> {
    ROWS.iter().find(|row| row.fits(info)).map(|row| row.avoided)
}

#[cfg(test)]
mod tests {
    use wgpu::{Backend, DeviceType};

    use super::*;

    fn info(vendor: u32, name: &str, [driver, driver_info]: [&str; 2]) -> AdapterInfo {
        AdapterInfo {
            name: name.to_owned(),
            vendor,
            driver: driver.to_owned(),
            driver_info: driver_info.to_owned(),
            ..AdapterInfo::new(DeviceType::IntegratedGpu, Backend::Vulkan)
        }
    }

    const ADRENO_VULKAN: &str = "Qualcomm Technologies Inc. Adreno Vulkan Driver";
    const ADRENO_BUILD: &str = "Driver Build: a64c18f716, I644e985f0a, 1671120229\nDate: 12/15/22\nCompiler Version: E031.41.03.21\nDriver Branch: \n";

    /// Devices as phones and machines report them, and whether they are avoided.
    #[test]
    fn devices_that_are_reported_as_faulty_are_avoided_and_their_successors_are_not() {
        let adreno = |name| info(QUALCOMM, name, [ADRENO_VULKAN, ADRENO_BUILD]);
        let mali = |name, version| info(ARM, name, [name, version]);
        let power_vr = |name, driver, version| info(IMAGINATION, name, [driver, version]);
        let rows = [
            (adreno("Adreno (TM) 506"), Some("650")),
            (adreno("Adreno (TM) 642L"), Some("650")),
            (adreno("Adreno (TM) 650"), Some("650")),
            (adreno("Adreno (TM) 660"), None),
            (adreno("Adreno (TM) 740"), None),
            (adreno("Adreno (TM) 830"), None),
            (adreno("Qualcomm(R) Adreno(TM) X1-85 GPU"), None),
            (info(QUALCOMM, "Turnip Adreno (TM) 618", ["turnip Mesa driver", "Mesa 24.1.0"]), None),
            (mali("Mali-T880", "v1.r22p0-01rel0.f294e54ceb2cb2d81039204fa4b0402e"), Some("Midgard")),
            (mali("Mali-G71", "v1.r19p0-01rel0.0cc5a9c5cd3ba6d3c8ba6fcd8f1f5d0a"), Some("lose the device")),
            (mali("Mali-G78", "v1.r32p1-00pxl0.b7e5868a59a273f4a9f58d1657ef99de"), None),
            (mali("Mali-G715", "v1.r54p2-00eac0.7001668a7a05889fc53765c682b36a3f"), None),
            (mali("Mali-G720 MC8", "v1.r49p1"), None),
            (power_vr("PowerVR Rogue GE8320", "PowerVR Rogue Vulkan Driver", "1.13@5776728"), Some("Rogue")),
            (
                power_vr("PowerVR B-Series BXM-8-256", "PowerVR B-Series Vulkan Driver", "1.18"),
                Some("B-series"),
            ),
            (
                power_vr(
                    "PowerVR C-Series CXTP-48-1536 MC1",
                    "PowerVR C-Series Vulkan Driver",
                    "25.3@6908880",
                ),
                Some("firmware"),
            ),
            (
                power_vr("PowerVR D-Series DXT-48-1536 MC1", "PowerVR D-Series Vulkan Driver", "25.1"),
                Some("zero"),
            ),
            (power_vr("PowerVR Series6", "PowerVR", "1.0"), Some("most phones")),
            (info(HUAWEI, "Maleoon 910", ["Maleoon", ""]), Some("Maleoon")),
            (
                info(SAMSUNG, "Samsung Xclipse 920", ["Samsung Proprietary Vulkan Driver", ""]),
                Some("first Xclipse"),
            ),
            (info(SAMSUNG, "Samsung Xclipse 940", ["Samsung Proprietary Vulkan Driver", ""]), None),
            (
                info(0x1af4, "Virtio-GPU Venus (llvmpipe (LLVM 17.0.6, 256 bits))", ["venus", "Mesa 24.0"]),
                Some("program on the CPU"),
            ),
            (info(0x1002, "AMD Custom GPU 0405 (RADV VANGOGH)", ["radv", "Mesa 23.1.1"]), None),
            (info(0x10de, "NVIDIA H200", ["NVIDIA", "580.95.05"]), None),
            (info(0x106b, "Apple M2", ["", ""]), None),
        ];
        for (info, expected) in rows {
            let reason = avoided(&info).map(|avoided| avoided.reason);
            match (reason, expected) {
                (Some(reason), Some(word)) => assert!(reason.contains(word), "{}: {reason}", info.name),
                (found, expected) => assert_eq!(found, expected, "{}", info.name),
            }
        }
    }

    #[test]
    fn each_row_says_where_its_fault_is_reported_and_is_reached() {
        for (i, row) in ROWS.iter().enumerate() {
            assert!(row.avoided.source.starts_with("https://"), "{}", row.avoided.reason);
            let name = match row.names {
                Names::All => "any".to_owned(),
                Names::With(text) => text.to_owned(),
                Names::Numbered(text, [_, last]) => format!("{text}{last}"),
            };
            let device = info(row.vendor.unwrap_or(0), &name, ["", ""]);
            assert_eq!(ROWS.iter().position(|other| other.fits(&device)), Some(i), "{name}");
        }
    }
}
