//! The interpreter of effects: what actually happened?
//!
//! Builds the nodes of a [`plan::Plan`], runs them, and writes the facts. May use `model`, `net`
//! and `sim`. Will never know TOML or metrics.

pub mod fault;
pub mod plan;
