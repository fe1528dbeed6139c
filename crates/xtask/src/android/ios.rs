//! The check that the library compiles for iOS, as far as its types go: what links for it is on a Mac.

use anyhow::Result;

use crate::ffi::compile::FEATURES;
use crate::need::Install;
use crate::needs::{self, IOS_TARGET};
use crate::process;
use crate::project::Project;
use crate::verdict::{Verdict, ready};

pub(super) fn verdict(project: &Project, install: Install) -> Result<Verdict> {
    if let Err(skipped) = ready(&needs::IOS, install) {
        return Ok(skipped);
    }
    let mut command = project.cargo();
    command.args(["check", "--package", "hala-ffi", "--lib", "--target", IOS_TARGET]);
    command.args(["--no-default-features", "--features", &FEATURES.join(",")]);
    if !cfg!(target_os = "macos") {
        // What is in C is left out, and nothing is linked here that would miss it.
        for name in ["CC", "AR"] {
            command.env(format!("{name}_{}", IOS_TARGET.replace('-', "_")), "true");
        }
        // Any folder, or a program would be asked for Apple's headers that is on a Mac alone.
        command.env("SDKROOT", &project.root);
    }
    Ok(if process::show(&mut command)? {
        Verdict::Passed(format!("the types of the library for {IOS_TARGET}"))
    } else {
        Verdict::Failed(String::from("the library does not compile for iOS; see above"))
    })
}
