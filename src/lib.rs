//! regionsim
pub mod model;
pub mod net;
pub mod sim;
