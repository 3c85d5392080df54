//! regionsim
pub mod experiment;
pub mod measure;
pub mod model;
pub mod net;
pub mod report;
pub mod sim;
pub mod world;
