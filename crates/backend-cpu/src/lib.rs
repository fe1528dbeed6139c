//! The CPU backend: every op as a plain loop, and a threaded path for what is hot.
