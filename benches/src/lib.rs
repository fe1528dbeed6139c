//! Hala's own benches.
