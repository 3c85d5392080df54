//! regionsim
fn main() {}
