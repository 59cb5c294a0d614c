//! Where two documents of a target first differ: in canonical form, by JSON path, or by line.

use bytes::Bytes;
use dds_message::{Digest, Text};
use dds_xml::canonical;
use serde_json::Value;

/// The first difference of two outputs, in words; `None` if they mean the same.
pub(crate) fn first(old: &Bytes, new: &Bytes) -> Option<Text> {
    if old == new {
        return None;
    }
    if let Ok(difference) = canonical::diff(old, new, canonical::Whitespace::DropBetweenElements) {
        return difference.map(|first| Text::verbatim(first.to_string()));
    }
    if let (Ok(old), Ok(new)) = (serde_json::from_slice(old), serde_json::from_slice(new)) {
        return json(&old, &new, "$").map(Text::verbatim);
    }
    match (std::str::from_utf8(old), std::str::from_utf8(new)) {
        (Ok(old), Ok(new)) => text(old, new),
        _ => Some(Text::verbatim(format!("{} → {}", Digest::of(old).short(), Digest::of(new).short()))),
    }
}

/// Members in the order of their names, elements of arrays by their place. The path is that of JSONPath.
fn json(old: &Value, new: &Value, path: &str) -> Option<String> {
    let step = |old: Option<&Value>, new: Option<&Value>, path: String| match (old, new) {
        (Some(old), Some(new)) => json(old, new, &path),
        (Some(old), None) => Some(format!("{path}: {old} → –")),
        (None, Some(new)) => Some(format!("{path}: – → {new}")),
        (None, None) => None,
    };
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
            names.sort();
            names.dedup();
            names.into_iter().find_map(|name| step(old.get(name), new.get(name), format!("{path}.{name}")))
        }
        (Value::Array(old), Value::Array(new)) => (0..old.len().max(new.len()))
            .find_map(|place| step(old.get(place), new.get(place), format!("{path}[{place}]"))),
        _ if old == new => None,
        _ => Some(format!("{path}: {old} → {new}")),
    }
}

fn text(old: &str, new: &str) -> Option<Text> {
    let (mut left, mut right) = (old.split('\n'), new.split('\n'));
    let shown = |line: Option<&str>| line.map_or_else(|| "–".to_owned(), |line| format!("{line:?}"));
    (1..).map(|line| (line, left.next(), right.next())).find_map(|(line, old, new)| match (old, new) {
        (None, None) => Some(None),
        (old, new) if old == new => None,
        (old, new) => {
            let both = format!("{} → {}", shown(old), shown(new));
            Some(Some((format!("Zeile {line}: {both}"), format!("line {line}: {both}")).into()))
        }
    })?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first_of(old: &str, new: &str) -> Option<String> {
        first(&Bytes::from(old.to_owned()), &Bytes::from(new.to_owned())).map(|text| text.english)
    }

    #[test]
    fn each_form_tells_the_place_of_the_first_difference() {
        assert_eq!(first_of("{\"a\": [1, {\"b\": 2}]}", "{\"a\":[1,{\"b\":2}]}"), None, "the same JSON");
        let deep = first_of("{\"a\": [1, {\"b\": 2}]}", "{\"a\": [1, {\"b\": \"x\"}]}");
        assert_eq!(deep.as_deref(), Some("$.a[1].b: 2 → \"x\""));
        assert_eq!(first_of("{\"a\": 1}", "{\"b\": 1}").as_deref(), Some("$.a: 1 → –"));
        assert_eq!(first_of("[1]", "[1, 2]").as_deref(), Some("$[1]: – → 2"));
        assert_eq!(first_of("a;b\n1;2\n", "a;b\n1;3\n").as_deref(), Some("line 2: \"1;2\" → \"1;3\""));
        assert_eq!(first_of("a\n", "a").as_deref(), Some("line 2: \"\" → –"));
        assert_eq!(first_of("<a><b/></a>", "<a> <b></b> </a>"), None, "the same XML");
        assert!(first_of("<a/>", "<b/>").is_some());
        assert!(
            first(&Bytes::from_static(b"\xff"), &Bytes::from_static(b"\xfe"))
                .unwrap()
                .english
                .contains(" → ")
        );
        let german = first(&Bytes::from_static(b"a"), &Bytes::from_static(b"b")).unwrap().german;
        assert_eq!(german, "Zeile 1: \"a\" → \"b\"");
    }
}
