//! JSON documents as XML, and the map vocabulary of XPath 3.1 as JSON.

mod from_map;
mod to_xml;

pub use from_map::from_map;
pub use to_xml::to_xml;
