//! The most memory that this process has held.

/// Peak resident bytes; `None` where the system does not tell.
pub(crate) fn peak_bytes() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    peak_of(&status)
}

/// The line `VmHWM:  123 kB` of Linux's /proc/self/status.
fn peak_of(status: &str) -> Option<usize> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let n_kib: usize = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(n_kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_read_in_bytes() {
        assert_eq!(peak_of("VmPeak:\t 9 kB\nVmHWM:\t    123 kB\nVmRSS:\t 5 kB\n"), Some(125_952));
        assert_eq!(peak_of("VmRSS: 1 kB"), None);
    }
}
