//! Facts of an order beside its main data: chunks, selections, qualities of time stamps, features, further headers,
//! inspections.

use crate::xml::{NS_DS, NS_OSCI, NS_OSCI2017, NS_XENC, Node, children, elements, is, text_of};

/// A name and its value.
type Fact = (String, String);

/// Attributes as `Name=value`, then the text; `Id` and what SOAP adds say nothing.
fn described(node: Node<'_>) -> String {
    let attributes =
        node.attributes().filter(|attribute| attribute.namespace().is_none() && attribute.name() != "Id");
    let attributes = attributes.map(|attribute| format!("{}={}", attribute.name(), attribute.value()));
    let text = text_of(node).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    attributes.chain(text).collect::<Vec<_>>().join(" ")
}

/// The blocks of a header that hold no certificates and no dialogue data. Of custom headers the name alone: they are
/// content.
pub(super) fn of_header(header: Node<'_>) -> Vec<Fact> {
    let mut facts = Vec::new();
    for block in elements(header) {
        let name = block.tag_name().name();
        match block.tag_name().namespace() {
            Some(NS_OSCI) if name == "QualityOfTimestamp" => facts.push((name.to_owned(), described(block))),
            Some(NS_OSCI2017) if name == "FeatureDescription" => {
                let features = block.descendants().filter(|node| is(*node, NS_OSCI2017, "Feature"));
                let features = features.map(|feature| {
                    let value = |name| feature.attribute(name).unwrap_or_default();
                    format!("{} {}", value("Key"), value("Version"))
                });
                let own = Some(described(block)).filter(|own| !own.is_empty());
                facts.push((name.to_owned(), own.into_iter().chain(features).collect::<Vec<_>>().join(", ")));
            }
            Some(NS_OSCI | NS_OSCI2017 | NS_DS | NS_XENC) => {}
            namespace => {
                let id = block.attribute("Id").unwrap_or_default();
                facts.push((
                    "CustomHeader".to_owned(),
                    format!("{{{}}}{name} #{id}", namespace.unwrap_or_default()),
                ));
            }
        }
    }
    facts
}

/// What one element of the order says; a selection by MessageId is reported as the MessageId it names.
pub(super) fn of(node: Node<'_>) -> Vec<Fact> {
    let name = node.tag_name().name();
    match name {
        "SelectionRule" => elements(node)
            .filter(|rule| !is(*rule, NS_OSCI, "MessageId"))
            .map(|rule| (name.to_owned(), format!("{} {}", rule.tag_name().name(), described(rule))))
            .collect(),
        "Quantity" | "ChunkInformation" => vec![(name.to_owned(), described(node))],
        _ => Vec::new(),
    }
}

/// One inspection of a process card: whose certificate, and what was found.
pub(super) fn inspection(node: Node<'_>) -> String {
    let text = |name| children(node, NS_OSCI, name).next().and_then(text_of).unwrap_or_default().into_owned();
    let result = |name: &str| {
        let found = children(node, NS_OSCI, name).next()?;
        let value = found
            .attribute("Result")
            .map(str::to_owned)
            .or_else(|| text_of(found).map(|text| text.into_owned()))?;
        Some(format!("{name} {}", value.trim()))
    };
    let results = ["MathResult", "OfflineResult", "OnlineResult"].into_iter().filter_map(result);
    let results = results.collect::<Vec<_>>().join(", ");
    format!("{} (serial {}): {results}", text("X509SubjectName"), text("X509SerialNumber"))
}
