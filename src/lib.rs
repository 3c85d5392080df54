//! regionsim
pub mod model;
pub mod sim;
