use std::collections::HashSet;

use super::fields::invalid;
use crate::feedback::Refused;
use crate::xml::{Document, NS_XENC, NS_XML};

/// Every `cid:` of the readable content must be there (facts 16, step 5). What lies inside encrypted containers only
/// the reader can tell.
///
/// # Errors
/// 9100 if an attachment is missing.
pub fn check_references<'a>(
    document: &Document,
    attachments: impl Iterator<Item = &'a str>,
) -> Result<(), Refused> {
    let present: HashSet<&str> = attachments.collect();
    let Some(body) = document.body() else { return Ok(()) };
    let named = body.descendants().filter_map(|node| match node.tag_name().name() {
        "Content" => node.attribute("href"),
        "CipherReference" if node.tag_name().namespace() == Some(NS_XENC) => node.attribute("URI"),
        _ => None,
    });
    for reference in named {
        if !reference.strip_prefix("cid:").is_some_and(|id| present.contains(id)) {
            return Err(invalid("the content names an attachment that is not there"));
        }
    }
    Ok(())
}

/// Content that is handed on must not lie below `xml:lang` or the like on Envelope or Body: inclusive
/// canonicalisation makes them part of what the author signed (facts 9), and they stay behind when it moves.
///
/// # Errors
/// 9100 if there is one.
pub(crate) fn check_surroundings(document: &Document) -> Result<(), Refused> {
    let mut around = document.envelope().into_iter().chain(document.body());
    if around.any(|node| node.attributes().any(|attribute| attribute.namespace() == Some(NS_XML))) {
        return Err(invalid(
            "an attribute xml:* of Envelope or Body would not be handed on with the content",
        ));
    }
    Ok(())
}
