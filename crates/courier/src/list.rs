//! Anlagenverzeichnis: how the files behind the attachments of a delivery are called.
//!
//! A Content-ID stands outside the encrypted content, where the intermediary reads it; names of files often hold names
//! of persons. So what we send has neutral Content-IDs, and a content of its own inside the signed and encrypted
//! container says how the files are called:
//!
//! ```xml
//! <anlagen xmlns="urn:datendrehscheibe:osci:anlagen:1"><anlage cid="anlage-1.pdf" name="Ausweis Müller.pdf" medientyp="application/pdf"></anlage></anlagen>
//! ```
//!
//! A recipient that does not know it sees one more content, and numbers for names. Messages without it are read by
//! their Content-IDs.

use dds_osci::xml::{Document, XmlWriter, children, is, limits};

/// Namespace of the list.
const NAMESPACE: &str = "urn:datendrehscheibe:osci:anlagen:1";

/// An attachment with the name and type of its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedAttachment {
    /// Content-ID, without angle brackets.
    pub content_id: String,
    /// Name of the file.
    pub name: String,
    /// Media type of the file.
    pub media_type: String,
}

/// Anlagenverzeichnis.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AttachmentList(pub Vec<ListedAttachment>);

impl AttachmentList {
    /// As the octets of a content.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut writer = XmlWriter::new();
        writer.start("anlagen", &[("xmlns", NAMESPACE)]);
        for ListedAttachment { content_id, name, media_type } in &self.0 {
            let (name, media_type) = (printable(name), printable(media_type));
            let attributes =
                [("cid", content_id.as_str()), ("medientyp", media_type.as_str()), ("name", name.as_str())];
            writer.empty("anlage", &attributes);
        }
        writer.finish()
    }

    /// Reads the octets of a content; `None` if it is something else.
    #[must_use]
    pub fn read(octets: &[u8]) -> Option<Self> {
        // Contents may be long; the list says at once what it is.
        let head = octets.get(..200.min(octets.len()))?;
        if !head.windows(NAMESPACE.len()).any(|window| window == NAMESPACE.as_bytes()) {
            return None;
        }
        let document = Document::parse(octets.to_vec(), &limits()).ok()?;
        let root = document.root();
        if !is(root, NAMESPACE, "anlagen") {
            return None;
        }
        let listed = children(root, NAMESPACE, "anlage").map(|node| {
            let text = |name| Some(node.attribute(name)?.to_owned());
            Some(ListedAttachment {
                content_id: text("cid")?,
                name: text("name")?,
                media_type: text("medientyp")?,
            })
        });
        listed.collect::<Option<_>>().map(Self)
    }

    /// What is known of the file behind a Content-ID.
    #[must_use]
    pub fn find(&self, content_id: &str) -> Option<&ListedAttachment> {
        self.0.iter().find(|listed| listed.content_id == content_id)
    }
}

/// XML has no form for control characters.
fn printable(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '_' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list() -> AttachmentList {
        let listed = |content_id: &str, name: &str| ListedAttachment {
            content_id: content_id.to_owned(),
            name: name.to_owned(),
            media_type: "application/pdf".to_owned(),
        };
        AttachmentList(vec![listed("anlage-1.pdf", "Größe & \"Maß\" <1>.pdf"), listed("anlage-2", "b")])
    }

    #[test]
    fn a_list_reads_back() {
        assert_eq!(AttachmentList::read(&list().write()), Some(list()));
        assert_eq!(list().find("anlage-2").unwrap().name, "b");
        assert_eq!(list().find("anlage-3"), None);
    }

    #[test]
    fn other_contents_are_no_list() {
        let other: [&[u8]; 4] = [
            b"",
            b"<antrag/>",
            b"<a xmlns=\"urn:datendrehscheibe:osci:anlagen:1\"/>",
            b"<anlagen xmlns=\"urn:datendrehscheibe:osci:anlagen:1\"><anlage/></anlagen>",
        ];
        assert!(other.iter().all(|octets| AttachmentList::read(octets).is_none()));
    }

    #[test]
    fn a_name_with_control_characters_is_still_a_list() {
        let mut list = list();
        list.0[0].name = "a\u{1}\r\nb".to_owned();
        assert_eq!(AttachmentList::read(&list.write()).unwrap().0[0].name, "a___b");
    }
}
