//! The `sendung` element that the router adds to the canonical form for each target.

use std::fmt::Write as _;

use bytes::Bytes;
use dds_message::{Ars, Attachment, AuthorityId, DeliveryId, MessageId, ReleaseId, SourceId, Timestamp};
use dds_xml::escape;

/// What a target learns beside the application itself. Written in the namespace of the canonical form.
pub(crate) struct Sendung<'a> {
    pub(crate) message: MessageId,
    pub(crate) delivery: DeliveryId,
    pub(crate) accepted: Timestamp,
    pub(crate) source: &'a SourceId,
    pub(crate) release: ReleaseId,
    pub(crate) rule: &'a str,
    pub(crate) authority: (&'a AuthorityId, &'a str),
    pub(crate) municipality: Option<(Ars, &'a str)>,
    pub(crate) attachments: &'a [Attachment],
}

impl Sendung<'_> {
    /// The element as XML.
    pub(crate) fn to_xml(&self) -> Bytes {
        let mut xml = String::with_capacity(512 + 160 * self.attachments.len());
        // Writing to a string cannot fail.
        let _infallible = self.write(&mut xml);
        Bytes::from(xml)
    }

    fn write(&self, xml: &mut String) -> std::fmt::Result {
        write!(
            xml,
            r#"<sendung xmlns="urn:datendrehscheibe:vorgang:1" nachricht="{}" zustellung="{}" angenommen="{}" quelle="{}" release="{}" regel="{}">"#,
            self.message,
            self.delivery,
            self.accepted,
            escape::attribute(self.source.as_str()),
            self.release,
            escape::attribute(self.rule),
        )?;
        let (authority, name) = self.authority;
        let authority = escape::attribute(authority.as_str());
        write!(xml, r#"<behoerde kennung="{authority}" name="{}"/>"#, escape::attribute(name))?;
        if let Some((ars, name)) = self.municipality {
            write!(xml, r#"<kommune ars="{ars}" name="{}"/>"#, escape::attribute(name))?;
        }
        for attachment in self.attachments {
            write!(
                xml,
                r#"<anlage name="{}" medientyp="{}" bytes="{}" sha256="{}"/>"#,
                escape::attribute(&attachment.name),
                escape::attribute(&attachment.media_type),
                attachment.size,
                attachment.digest,
            )?;
        }
        xml.push_str("</sendung>");
        Ok(())
    }
}
