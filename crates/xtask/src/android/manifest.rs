//! The library's manifest as it is in the package: with what Gradle would write into it.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::needs::FRAMEWORK;
use crate::process;
use crate::verdict::Verdict;

/// The package of the library's resources, as in its Gradle file.
const PACKAGE: &str = "org.hala";

/// Adds the package and the oldest Android to a manifest.
pub(super) fn packed(manifest: &str, level: u32) -> Result<String> {
    let (before, after) = manifest.split_once("<manifest ").context("a manifest without <manifest>")?;
    let (attributes, after) = after.split_once('>').context("a manifest whose <manifest> has no end")?;
    ensure!(
        !attributes.contains("package="),
        "the manifest has a package, which Gradle takes from its own files"
    );
    Ok(format!(
        "{before}<manifest package=\"{PACKAGE}\" {attributes}>\n\n    <uses-sdk android:minSdkVersion=\"{level}\" />{after}"
    ))
}

/// Has Android's own tool read the manifest, in `folder`, and compares what that says.
pub(super) fn read(manifest: &Path, folder: &Path, level: u32) -> Result<Verdict> {
    let apk = folder.join("manifest.apk");
    let mut link = Command::new("aapt2");
    link.args(["link", "-I", FRAMEWORK, "--manifest"]).arg(manifest).arg("-o").arg(&apk);
    let linked = process::read(&mut link)?;
    if !linked.success {
        return Ok(Verdict::Failed(format!("aapt2 refuses the manifest: {}", linked.output.trim())));
    }
    let told = process::read(Command::new("aapt2").args(["dump", "badging"]).arg(&apk))?;
    Ok(judge(&told.output, level))
}

fn judge(badging: &str, level: u32) -> Verdict {
    let wanted = [format!("package: name='{PACKAGE}'"), format!("sdkVersion:'{level}'")];
    match wanted.iter().find(|line| !badging.lines().any(|told| told.starts_with(line.as_str()))) {
        Some(line) => Verdict::Failed(format!("aapt2 reads no `{line}` in the manifest: {}", badging.trim())),
        None => Verdict::Passed(String::from("aapt2 reads the manifest")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_gets_its_package_and_the_oldest_android() {
        let manifest = "<?xml?>\n<manifest xmlns:android=\"a\"\n    xmlns:tools=\"t\">\n    <application />\n</manifest>\n";
        let packed = packed(manifest, 26).unwrap();
        assert!(
            packed.starts_with("<?xml?>\n<manifest package=\"org.hala\" xmlns:android=\"a\"\n"),
            "{packed}"
        );
        assert!(
            packed.contains("xmlns:tools=\"t\">\n\n    <uses-sdk android:minSdkVersion=\"26\" />\n    <appl"),
            "{packed}"
        );
        assert!(super::packed("<manifest package=\"a\">", 26).is_err() && super::packed("<a>", 26).is_err());
    }

    #[test]
    fn what_aapt_tells_decides() {
        let told = "package: name='org.hala' versionCode=''\nsdkVersion:'26'\ntargetSdkVersion:'26'\n";
        assert!(matches!(judge(told, 26), Verdict::Passed(_)));
        assert!(matches!(judge(told, 21), Verdict::Failed(why) if why.contains("sdkVersion:'21'")));
        assert!(matches!(judge("package: name='org.other'\nsdkVersion:'26'", 26), Verdict::Failed(_)));
    }
}
