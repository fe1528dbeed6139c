//! Drivers of GPUs say what they like on standard error; here they are asked not to.

/// Asks the libraries that look for GPUs to be silent, where the user has asked them for nothing. What they find wrong is no more
/// than that there is no display, or no such device: that there is no GPU is told in this program's own words.
///
/// To be called before there is a second thread.
pub(crate) fn silence() {
    #[cfg(target_os = "linux")]
    for (name, value) in missing(|name| std::env::var_os(name)) {
        // SAFETY: this process has one thread, so that nobody reads the environment while it changes.
        unsafe { std::env::set_var(name, value) };
    }
}

/// Variables of the environment that are missing, with the values that they get.
#[cfg(any(target_os = "linux", test))]
fn missing(lookup: impl Fn(&str) -> Option<std::ffi::OsString>) -> Vec<(&'static str, &'static str)> {
    let mut missing = Vec::new();
    // Mesa's choice of a device asks the display for its own. libwayland complains about a name that is no absolute path, and not
    // about a folder where there is no display.
    if !lookup("XDG_RUNTIME_DIR").is_some_and(|folder| std::path::Path::new(&folder).is_absolute()) {
        missing.push(("XDG_RUNTIME_DIR", "/nonexistent"));
    }
    for (name, value) in [("VK_LOADER_DEBUG", "none"), ("MESA_LOG", "null")] {
        if lookup(name).is_none() {
            missing.push((name, value));
        }
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_user_has_set_stays() {
        let names = |set: &[(&str, &str)]| {
            let found =
                missing(|name| set.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).into()));
            found.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
        };
        assert_eq!(names(&[]), ["XDG_RUNTIME_DIR", "VK_LOADER_DEBUG", "MESA_LOG"]);
        assert_eq!(
            names(&[("XDG_RUNTIME_DIR", "run"), ("MESA_LOG", "file")]),
            ["XDG_RUNTIME_DIR", "VK_LOADER_DEBUG"]
        );
        let all = [("XDG_RUNTIME_DIR", "/run/user/1"), ("VK_LOADER_DEBUG", "all"), ("MESA_LOG", "")];
        assert!(names(&all).is_empty());
    }
}
