//! The map vocabulary of XPath 3.1 as JSON: how a stylesheet writes JSON (`output = "json"` of a product).

use roxmltree::Node;

use super::to_xml::is_number;
use crate::canonical::parse;
use crate::names::FUNCTIONS;
use crate::{Rule, XmlError, XmlErrorKind};

/// Turns `map`, `array`, `string`, `number`, `boolean` and `null` of the namespace
/// `http://www.w3.org/2005/xpath-functions` into JSON, as `fn:xml-to-json` does (XPath and XQuery Functions 3.1,
/// 17.4.2): members in order, keys unique, numbers as written if JSON knows the form. White space between the elements
/// is ignored; `escaped` and `escaped-key` are not offered.
///
/// # Errors
/// [`XmlError`] with the place in the XML document; the rule author acts (`DDS-T004`).
pub fn from_map(xml: &[u8]) -> Result<Vec<u8>, XmlError> {
    parse(xml, |document| {
        let mut out = String::with_capacity(xml.len());
        value(document.root_element(), false, &mut out).map_err(|fault| {
            let at = document.text_pos_at(fault.node.range().start);
            XmlError { line: at.row, column: at.col, kind: XmlErrorKind::Rule(fault.rule) }
        })?;
        Ok(out.into_bytes())
    })?
}

struct Fault<'a> {
    node: Node<'a, 'a>,
    rule: Rule,
}

fn value<'a>(element: Node<'a, 'a>, member: bool, out: &mut String) -> Result<(), Fault<'a>> {
    let wrong = |rule| Err(Fault { node: element, rule });
    let name = element.tag_name();
    // Attributes of foreign namespaces are allowed (17.4.2), `key` only in a map, others never.
    let known = |attribute: roxmltree::Attribute<'_, '_>| {
        attribute.namespace().is_some() || attribute.name() == "key" && member
    };
    if name.namespace() != Some(FUNCTIONS) || !element.attributes().all(known) {
        return wrong(Rule::MapVocabulary);
    }
    match name.name() {
        "map" => {
            let mut keys = std::collections::HashSet::new();
            list(element, ('{', '}'), out, |child, out| {
                let Some(key) = child.attribute("key") else {
                    return Err(Fault { node: child, rule: Rule::MapVocabulary });
                };
                if !keys.insert(key) {
                    return Err(Fault { node: child, rule: Rule::MapValue });
                }
                quote(key, out);
                out.push(':');
                value(child, true, out)
            })
        }
        "array" => list(element, ('[', ']'), out, |child, out| value(child, false, out)),
        simple => {
            if element.children().any(|child| child.is_element()) {
                return wrong(Rule::MapVocabulary);
            }
            let text: String =
                element.children().filter(Node::is_text).filter_map(|child| child.text()).collect();
            let trimmed = text.trim_matches(crate::chars::is_space_char);
            match simple {
                "string" => quote(&text, out),
                "number" if is_number(trimmed) => out.push_str(trimmed),
                "boolean" if matches!(trimmed, "true" | "1") => out.push_str("true"),
                "boolean" if matches!(trimmed, "false" | "0") => out.push_str("false"),
                "null" if trimmed.is_empty() => out.push_str("null"),
                "number" | "boolean" | "null" => return wrong(Rule::MapValue),
                _ => return wrong(Rule::MapVocabulary),
            }
            Ok(())
        }
    }
}

/// The children of a map or array between brackets.
fn list<'a>(
    element: Node<'a, 'a>,
    (open, close): (char, char),
    out: &mut String,
    mut write: impl FnMut(Node<'a, 'a>, &mut String) -> Result<(), Fault<'a>>,
) -> Result<(), Fault<'a>> {
    out.push(open);
    let mut first = true;
    for child in element.children() {
        if child.is_element() {
            if !std::mem::take(&mut first) {
                out.push(',');
            }
            write(child, out)?;
        } else if child.is_text()
            && !child.text().unwrap_or_default().chars().all(crate::chars::is_space_char)
        {
            return Err(Fault { node: element, rule: Rule::MapVocabulary });
        }
    }
    out.push(close);
    Ok(())
}

fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // Not needed by JSON, but by browsers that read it as script.
            '\u{2028}' | '\u{2029}' | '\u{7f}'..='\u{9f}' | '\0'..='\u{1f}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(inner: &str) -> Result<String, XmlError> {
        let document = format!("<map xmlns='{FUNCTIONS}'>{inner}</map>");
        from_map(document.as_bytes()).map(|json| String::from_utf8(json).unwrap())
    }

    #[test]
    fn the_vocabulary_becomes_json() {
        let inner = "<string key='b'>\u{e4} \"\\\n&#x2028;</string>\n <number key='a'> -1.50e3 </number><boolean key='c'>1</boolean>
            <array key='d'><null/><map/><array/><string/></array>";
        let text = "{\"b\":\"\u{e4} \\\"\\\\\\n\\u2028\",\"a\":-1.50e3,\"c\":true,\"d\":[null,{},[],\"\"]}";
        assert_eq!(json(inner).unwrap(), text);
        assert_eq!(
            from_map(format!("<n:number xmlns:n='{FUNCTIONS}'>1</n:number>").as_bytes()).unwrap(),
            b"1"
        );
    }

    #[test]
    fn anything_else_is_refused() {
        for inner in [
            "text",
            "<string>no key</string>",
            "<number key='a'>01</number>",
            "<number key='a'>NaN</number>",
            "<boolean key='a'>yes</boolean>",
            "<null key='a'>x</null>",
            "<text key='a'/>",
            "<string key='a'><b/></string>",
            "<string key='a' escaped='true'/>",
            "<string key='a'/><string key='a'/>",
            "<array key='a'><string key='b'/></array>",
            "<string xmlns='' key='a'/>",
        ] {
            assert!(json(inner).is_err(), "{inner}");
        }
    }
}
