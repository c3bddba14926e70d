//! Daily work.
fn main() {}
