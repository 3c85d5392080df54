//! regionsim
pub mod measure;
pub mod model;
pub mod net;
pub mod sim;
pub mod world;
