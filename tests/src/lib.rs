//! Hala's own tests.
