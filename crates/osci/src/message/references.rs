use std::collections::HashSet;

use super::fields::invalid;
use crate::feedback::Refused;
use crate::xml::{Document, NS_XENC};

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
