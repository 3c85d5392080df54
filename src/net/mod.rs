//! The wires.
pub mod flow;
