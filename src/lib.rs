//! regionsim
pub mod experiment;
pub mod measure;
pub mod model;
pub mod net;
pub mod report;
pub mod scenario;
pub mod sim;
pub mod world;
