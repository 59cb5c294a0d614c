//! Small steps of reading that name what is missing. Everything they refuse is 9100: not a valid OSCI message.

use crate::feedback::{FeedbackCode, Refused};
use crate::xml::{Node, children, text_of};

/// Not a valid OSCI message.
pub(crate) fn invalid(detail: impl Into<String>) -> Refused {
    Refused::new(FeedbackCode::S9100, detail)
}

/// The only child element of that name; none or several are refused.
pub(crate) fn one<'a>(node: Node<'a>, namespace: &str, name: &str) -> Result<Node<'a>, Refused> {
    optional(node, namespace, name)?
        .ok_or_else(|| invalid(format!("{} has no {name}", node.tag_name().name())))
}

/// The child element of that name, if there is one; several are refused.
pub(crate) fn optional<'a>(node: Node<'a>, namespace: &str, name: &str) -> Result<Option<Node<'a>>, Refused> {
    let mut found = node.children().filter(|child| {
        child.is_element()
            && child.tag_name().name() == name
            && child.tag_name().namespace() == Some(namespace)
    });
    let first = found.next();
    if found.next().is_some() {
        return Err(invalid(format!("{} has more than one {name}", node.tag_name().name())));
    }
    Ok(first)
}

/// Refuses child elements other than these.
pub(crate) fn only(node: Node<'_>, allowed: &[(&str, &str)]) -> Result<(), Refused> {
    let stranger = node.children().filter(Node::is_element).find(|child| {
        !allowed.iter().any(|(namespace, name)| {
            child.tag_name().name() == *name && child.tag_name().namespace() == Some(*namespace)
        })
    });
    match stranger {
        Some(child) => {
            Err(invalid(format!("unexpected {} in {}", child.tag_name().name(), node.tag_name().name())))
        }
        None => Ok(()),
    }
}

/// The text of an element without markup inside.
pub(crate) fn text(node: Node<'_>) -> Result<String, Refused> {
    text_of(node)
        .map(std::borrow::Cow::into_owned)
        .ok_or_else(|| invalid(format!("{} must hold text only", node.tag_name().name())))
}

/// An attribute that must be there.
pub(crate) fn attribute<'a>(node: Node<'a>, name: &str) -> Result<&'a str, Refused> {
    node.attribute(name).ok_or_else(|| invalid(format!("{} has no attribute {name}", node.tag_name().name())))
}

/// An attribute that, if there, is a number.
pub(crate) fn number(node: Node<'_>, name: &str) -> Result<Option<u64>, Refused> {
    node.attribute(name)
        .map(|value| value.trim().parse::<u64>())
        .transpose()
        .map_err(|_| invalid(format!("{name} of {} is not a number", node.tag_name().name())))
}

/// Whether an element of that name is among the children.
pub(crate) fn has(node: Node<'_>, namespace: &str, name: &str) -> bool {
    children(node, namespace, name).next().is_some()
}
