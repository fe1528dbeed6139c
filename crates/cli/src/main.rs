//! The hala command.
fn main() {}
