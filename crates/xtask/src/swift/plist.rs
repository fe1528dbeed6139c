//! The Info.plist of an XCFramework, in the form that Apple's tools write and read.

use super::slice::{HEADERS, LIBRARY, Slice};

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">
<plist version=\"1.0\">
";

/// A value of a property list.
enum Value {
    Text(String),
    List(Vec<Value>),
    /// In this order.
    Dict(Vec<(&'static str, Value)>),
}

/// What tells Xcode and SwiftPM which library is for which system.
pub(super) fn of(slices: &[Slice]) -> String {
    let libraries = slices.iter().map(library).collect();
    let all = Value::Dict(vec![
        ("AvailableLibraries", Value::List(libraries)),
        ("CFBundlePackageType", text("XFWK")),
        ("XCFrameworkFormatVersion", text("1.0")),
    ]);
    let mut written = HEAD.to_owned();
    all.write(0, &mut written);
    written.push_str("</plist>\n");
    written
}

fn library(slice: &Slice) -> Value {
    let architectures = slice.architectures.iter().map(|name| text(name)).collect();
    let mut fields = vec![
        ("BinaryPath", text(LIBRARY)),
        ("HeadersPath", text(HEADERS)),
        ("LibraryIdentifier", Value::Text(slice.identifier())),
        ("LibraryPath", text(LIBRARY)),
        ("SupportedArchitectures", Value::List(architectures)),
        ("SupportedPlatform", text(slice.platform.name)),
    ];
    fields.extend(slice.platform.variant.map(|variant| ("SupportedPlatformVariant", text(variant))));
    Value::Dict(fields)
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

impl Value {
    /// Texts here are names of ours, which need no escapes.
    fn write(&self, depth: usize, to: &mut String) {
        let tabs = "\t".repeat(depth);
        match self {
            Value::Text(text) => to.push_str(&format!("{tabs}<string>{text}</string>\n")),
            Value::List(values) => {
                to.push_str(&format!("{tabs}<array>\n"));
                values.iter().for_each(|value| value.write(depth + 1, to));
                to.push_str(&format!("{tabs}</array>\n"));
            }
            Value::Dict(fields) => {
                to.push_str(&format!("{tabs}<dict>\n"));
                for (key, value) in fields {
                    to.push_str(&format!("{tabs}\t<key>{key}</key>\n"));
                    value.write(depth + 1, to);
                }
                to.push_str(&format!("{tabs}</dict>\n"));
            }
        }
    }
}
