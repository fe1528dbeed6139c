//! The processor's name.

/// The maker's name of this machine's processor where the system tells it, else the architecture's.
pub(crate) fn name() -> String {
    from_system().unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}

#[cfg(target_os = "linux")]
fn from_system() -> Option<String> {
    model_name(&std::fs::read_to_string("/proc/cpuinfo").ok()?)
}

#[cfg(not(target_os = "linux"))]
fn from_system() -> Option<String> {
    None
}

/// The first `model name` of Linux's list of processors.
#[cfg(any(target_os = "linux", test))]
fn model_name(list: &str) -> Option<String> {
    let line = list.lines().find(|line| line.starts_with("model name"))?;
    let name = line.split_once(':')?.1.split_whitespace().collect::<Vec<_>>().join(" ");
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_model_name_is_found() {
        let list = "processor\t: 0\nmodel name\t: Fast  CPU @ 3 GHz\nmodel name\t: Other\n";
        assert_eq!(model_name(list).as_deref(), Some("Fast CPU @ 3 GHz"));
        assert_eq!(model_name("Hardware\t: Board\n"), None);
        assert!(!name().is_empty());
    }
}
