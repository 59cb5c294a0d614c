//! Where a key of `drehscheibe.toml` stands, and whether its value is one the process can work with.
//!
//! The bounds stand at the fields and come out in the JSON schema: `minimum` and `maximum`, and for spans of time, for
//! which JSON Schema has no words, `least` and `most`.

use dds_depot::{CheckFinding, Span, position};
use dds_message::Code;
use serde_json::Value;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// The place of a dotted key, elements of lists by their number from 0; of what is not there, the section it belongs
/// to.
pub(crate) fn place(text: &str, key: &str) -> (usize, usize) {
    let Ok(root) = DeTable::parse(text) else { return (1, 1) };
    let mut found: Option<&Spanned<DeValue<'_>>> = None;
    for part in key.split('.') {
        let next = match found.map(Spanned::get_ref) {
            None => root.get_ref().get(part),
            Some(value) => match part.parse::<usize>() {
                Ok(number) => value.as_array().and_then(|list| list.get(number)),
                Err(_) => value.as_table().and_then(|table| table.get(part)),
            },
        };
        match next {
            Some(value) => found = Some(value),
            None => break,
        }
    }
    position(text, found.map_or(0, |value| value.span().start))
}

/// Compares every value of a file that was read already with the bounds its schema has.
///
/// # Errors
/// DDS-C001 for the first value that is too small or too large.
pub(crate) fn check(file: &str, text: &str, schema: &Value) -> Result<(), CheckFinding> {
    let Ok(root) = DeTable::parse(text) else { return Ok(()) };
    Bounds { file, text, schema }.table(schema, root.get_ref(), "")
}

struct Bounds<'a> {
    file: &'a str,
    text: &'a str,
    schema: &'a Value,
}

impl Bounds<'_> {
    fn table(&self, schema: &Value, table: &DeTable<'_>, section: &str) -> Result<(), CheckFinding> {
        for (key, value) in table {
            let key = key.get_ref();
            let schema = match &schema["properties"][key.as_ref()] {
                Value::Null => self.definition(&schema["additionalProperties"]),
                property => self.definition(property),
            };
            let path = if section.is_empty() { key.to_string() } else { format!("{section}.{key}") };
            match value.get_ref() {
                DeValue::Table(inner) => self.table(schema, inner, &path)?,
                _ => self.value(schema, value, &path)?,
            }
        }
        Ok(())
    }

    /// A schema, or the one it refers to; of a section that may be absent, that of the section.
    fn definition<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let referred = |schema: &Value| self.schema.pointer(schema["$ref"].as_str()?.strip_prefix('#')?);
        let choices = schema["anyOf"].as_array().into_iter().flatten();
        std::iter::once(schema).chain(choices).find_map(referred).unwrap_or(schema)
    }

    fn value(&self, schema: &Value, value: &Spanned<DeValue<'_>>, key: &str) -> Result<(), CheckFinding> {
        let (found, least, most) = match value.get_ref() {
            DeValue::Integer(number) => {
                let found = i128::from_str_radix(number.as_str(), number.radix()).ok();
                let bound = |name: &str| schema[name].as_i64().map(i128::from);
                (found, bound("minimum"), bound("maximum"))
            }
            DeValue::String(text) => {
                let length = |text: &str| Some(Span::try_from(text.to_owned()).ok()?.0.as_millis() as i128);
                let bound = |name: &str| schema[name].as_str().and_then(length);
                (length(text), bound("least"), bound("most"))
            }
            _ => return Ok(()),
        };
        let Some(found) = found else { return Ok(()) };
        let (german, english, side) = if least.is_some_and(|least| found < least) {
            ("klein", "small", ("Mindestens", "At least", ["least", "minimum"]))
        } else if most.is_some_and(|most| found > most) {
            ("groß", "large", ("Höchstens", "At most", ["most", "maximum"]))
        } else {
            return Ok(());
        };
        let written = self.text.get(value.span()).unwrap_or_default();
        let text =
            (format!("{key} = {written} ist zu {german}"), format!("{key} = {written} is too {english}"));
        let (german, english, names) = side;
        let bound = names.iter().map(|name| &schema[*name]).find(|bound| !bound.is_null());
        let bound = bound.unwrap_or(&Value::Null);
        let usual = &schema["default"];
        let remedy = if usual.is_null() {
            (format!("{german} {bound} schreiben."), format!("{english} {bound}."))
        } else {
            (
                format!("{german} {bound} schreiben; Vorgabe ist {usual}."),
                format!("{english} {bound}; the default is {usual}."),
            )
        };
        let place = position(self.text, value.span().start);
        Err(CheckFinding::error(Code::CONFIG_SYNTAX, self.file, text).at(place).remedy(remedy))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ProcessConfig;

    #[track_caller]
    fn refused(text: &str) -> CheckFinding {
        match ProcessConfig::parse("drehscheibe.toml", text.as_bytes()) {
            Ok(_) => panic!("taken: {text}"),
            Err(finding) => finding,
        }
    }

    #[test]
    fn a_value_nobody_can_work_with_is_named_with_key_place_and_remedy() {
        let finding = refused("node = \"a\"\n[limits]\nrequests = 0\n");
        assert_eq!((finding.line, finding.column, finding.code), (3, 12, Code::CONFIG_SYNTAX));
        assert_eq!(finding.text.english, "limits.requests = 0 is too small");
        assert_eq!(finding.text.german, "limits.requests = 0 ist zu klein");
        assert_eq!(finding.remedy.english, "At least 1; the default is 1024.");
        assert_eq!(finding.remedy.german, "Mindestens 1 schreiben; Vorgabe ist 1024.");
        let finding = refused("delivery = { fetch_lease = \"0s\" }\n");
        assert_eq!((finding.line, finding.column), (1, 28));
        assert_eq!(finding.remedy.english, "At least \"10s\"; the default is \"5m\".");
    }

    /// What let `serve` say ready while nothing could be accepted, routed or delivered.
    #[test]
    fn what_would_stop_the_router_is_refused() {
        let smtp = "smtp = { host = \"relay.example\", from = \"a@b.example\", port = 0 }";
        let fetch = "osci.fetch.sid = { identity = \"x\", intermediary = \"http://x/\", intermediary_cipher = \"x\", \
                     intermediary_signature = \"x\", every = \"0s\" }";
        for (text, key) in [
            ("delivery.parallel = 0", "delivery.parallel"),
            ("delivery.per_target = 0", "delivery.per_target"),
            ("delivery.fetch_lease = \"0s\"", "delivery.fetch_lease"),
            ("delivery.drain = \"400d\"", "delivery.drain"),
            ("limits.document_bytes = 0", "limits.document_bytes"),
            ("limits.document_bytes = 9_223_372_036_854_775_807", "limits.document_bytes"),
            ("limits.headers = 0", "limits.headers"),
            ("limits.depth = 1", "limits.depth"),
            ("limits.depth = 100_000", "limits.depth"),
            ("limits.idle = \"0s\"", "limits.idle"),
            ("worker.timeout = \"0s\"", "worker.timeout"),
            ("worker.memory_bytes = 1", "worker.memory_bytes"),
            ("worker.processes = 100_000", "worker.processes"),
            ("worker.recycle_after = 0", "worker.recycle_after"),
            ("folders.interval = \"0s\"", "folders.interval"),
            ("folders.delete_after = \"0s\"", "folders.delete_after"),
            ("retention.orphan = \"0s\"", "retention.orphan"),
            ("osci.trust.min_rsa_bits = 0x10", "osci.trust.min_rsa_bits"),
            (smtp, "smtp.port"),
            (fetch, "osci.fetch.sid.every"),
        ] {
            let finding = refused(text);
            assert!(finding.text.english.starts_with(&format!("{key} = ")), "{finding}");
            assert!(finding.remedy.german.contains("schreiben"), "{finding}");
        }
        // Here nothing at all means something.
        let zeros = "worker.processes = 0\nlimits.attachments = 0\ndelivery.drain = \"0s\"\nretention.payload = \"0s\"\nfolders.delete_after = \"never\"\n";
        ProcessConfig::parse("drehscheibe.toml", zeros.as_bytes()).unwrap();
    }

    /// A new number or span says at its field what is too small, or is listed here because zero means something.
    #[test]
    fn every_number_and_every_span_has_a_least_value() {
        const ZERO_MEANS_SOMETHING: [&str; 5] = ["attachments", "drain", "keep", "payload", "processes"];
        fn walk(value: &Value, found: &mut Vec<String>) {
            for (key, property) in value["properties"].as_object().into_iter().flatten() {
                let number = property["type"] == "integer" && property["minimum"].as_i64() < Some(1);
                let usual = property["default"].as_str().map(str::to_owned);
                let span = usual.is_some_and(|usual| Span::try_from(usual).is_ok());
                if number || (span && property["least"].is_null()) {
                    found.push(key.clone());
                }
            }
            value.as_object().into_iter().flatten().for_each(|(_, inner)| walk(inner, found));
        }
        let mut found = Vec::new();
        walk(&ProcessConfig::schema(), &mut found);
        found.sort();
        assert_eq!(found, ZERO_MEANS_SOMETHING);
    }

    #[test]
    fn a_key_is_found_where_it_stands_and_otherwise_its_section() {
        let text = "# listen.rest\n[listen]\nrest = \"x\"\n[[osci.trust.ocsp]]\nurl = \"y\"\n";
        assert_eq!(place(text, "listen.rest"), (3, 8));
        assert_eq!(place(text, "listen.admin").0, 2);
        assert_eq!(place(text, "osci.trust.ocsp.0.url"), (5, 7));
        assert_eq!(place(text, "node"), (1, 1));
    }
}
