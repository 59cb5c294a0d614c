//! `multipart/form-data` (RFC 7578): the document first, then the attachments.

use dds_delivery::Consignment;

use crate::content::{Coding, Content};

/// Name of the part with the document where the product names none.
const DOCUMENT: &str = "document";

/// Media type with boundary, and the body.
pub(crate) fn build(consignment: &Consignment, document_part: Option<&str>) -> (String, Content) {
    // Derived from the delivery id, which nobody knows who could place it in an attachment.
    let boundary = format!("dds-{}", consignment.delivery.0.simple());
    let document = &consignment.document;
    let mut content = Content::default();
    content.push(head(
        &boundary,
        document_part.unwrap_or(DOCUMENT),
        &document.file_name,
        &document.media_type,
    ));
    content.push(document.bytes.clone());
    for attachment in &consignment.attachments {
        let described = attachment.describe();
        content
            .push(format!("\r\n{}", head(&boundary, "attachment", &described.name, &described.media_type)));
        content.attach(attachment, Coding::Plain);
    }
    content.push(format!("\r\n--{boundary}--\r\n"));
    (format!("multipart/form-data; boundary={boundary}"), content)
}

fn head(boundary: &str, field: &str, file_name: &str, media_type: &str) -> String {
    format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"; filename=\"{}\"\r\nContent-Type: {}\r\n\r\n",
        quoted(field),
        quoted(file_name),
        media_type.replace(['\r', '\n'], ""),
    )
}

/// Names are UTF-8; quote, CR and LF are percent-encoded (RFC 7578 section 4.2, as browsers do).
fn quoted(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}
