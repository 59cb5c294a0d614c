//! A process card as a store keeps it: the XML of the wire, by itself.

use super::{ProcessCardBundle, bundle, write_bundle};
use crate::feedback::{FeedbackCode, Refused};
use crate::xml::NS_OSCI;
use crate::xml::{Document, ENVELOPE_NAMESPACES, XmlWriter, child, limits};

impl ProcessCardBundle {
    /// The card as XML of its own.
    #[must_use]
    pub fn to_xml(&self) -> Vec<u8> {
        let mut writer = XmlWriter::new();
        writer.start("stored", &ENVELOPE_NAMESPACES);
        write_bundle(&mut writer, "osci:ProcessCardBundle", self);
        writer.finish()
    }

    /// Reads what [`Self::to_xml`] wrote.
    ///
    /// # Errors
    /// 9811 when it is something else.
    pub fn from_xml(xml: Vec<u8>) -> Result<Self, Refused> {
        let broken = |what: String| Refused::new(FeedbackCode::S9811, what);
        let document = Document::parse(xml, &limits()).map_err(|error| broken(error.to_string()))?;
        let element = child(document.root(), NS_OSCI, "ProcessCardBundle");
        bundle(element.ok_or_else(|| broken("a stored process card without its element".to_owned()))?)
    }
}
