//! regionsim
pub mod measure;
pub mod model;
pub mod net;
pub mod scenario;
pub mod sim;
pub mod world;
