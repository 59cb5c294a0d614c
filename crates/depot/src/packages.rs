//! What is doubtful about a rule or product package for itself: cases that prove nothing, values nobody can mean, keys
//! that contradict each other, schemas that are not there.

use std::{collections::HashSet, time::Duration};

use dds_message::{Code, Text};
use url::Url;

use crate::{
    finding::CheckFinding,
    index::Recognised,
    product::ProductPackage,
    release::{Filed, Release},
    rule::{MessageRule, Order, RulePackage},
};

/// An undelivered delivery may wait so long.
const DEADLINES: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(60)..=Duration::from_secs(366 * 86_400);

impl Release {
    pub(crate) fn packages(&self, findings: &mut Vec<CheckFinding>) {
        let contents = self.contents();
        let rules = contents.rules.iter().map(|rule| (rule.folder(), rule.file.as_str()));
        let products = contents.products.iter().map(|product| (product.folder(), product.file.as_str()));
        for (folder, file) in rules.chain(products) {
            self.idle_cases(folder, file, findings);
        }
        for (place, rule) in contents.rules.iter().enumerate() {
            self.rule_values(rule, findings);
            self.missing_schemas(place, rule, findings);
        }
        for product in &contents.products {
            self.product_values(product, findings);
        }
        self.unused_products(findings);
        findings.dedup();
    }

    /// Cases that prove nothing.
    fn idle_cases(&self, folder: &str, file: &str, findings: &mut Vec<CheckFinding>) {
        let mut say = |file: &str, text: Text, remedy: (&str, &str)| {
            findings.push(CheckFinding::error(Code::CASE_FAILED, file, text).remedy(remedy));
        };
        let cases = self.case_folders(folder);
        if cases.is_empty() {
            let remedy = (
                "Mindestens einen Ordner mit input und expected unter cases/ anlegen.",
                "Add at least one folder below cases/ with input and expected.",
            );
            say(file, ("das Paket hat keinen Fall", "the package has no case").into(), remedy);
        }
        for (name, files) in cases {
            let path = format!("{folder}/cases/{name}");
            for unknown in &files.unknown {
                let text = (
                    format!("im Fall {name} liest nichts die Datei {unknown}"),
                    format!("nothing reads the file {unknown} of case {name}"),
                );
                let remedy = (
                    "Eingabe: input.xml oder input.json; Erwartung: expected.xml, .json, .txt oder .findings.",
                    "Input: input.xml or input.json; expectation: expected.xml, .json, .txt or .findings.",
                );
                say(&path, text.into(), remedy);
            }
            let (german, english, remedy) = match (files.inputs.len(), files.expected.len()) {
                (1, 1) => continue,
                (1, 0) => (
                    "keine Erwartung",
                    "no expectation",
                    (
                        "Mit drehscheibe check --cases --update schreiben lassen und lesen, was geschrieben wurde.",
                        "Write it with drehscheibe check --cases --update and read what it wrote.",
                    ),
                ),
                (0, _) => (
                    "keine Eingabe",
                    "no input",
                    ("input.xml oder input.json anlegen.", "Add input.xml or input.json."),
                ),
                (1, _) => (
                    "mehr als eine Erwartung",
                    "more than one expectation",
                    ("Eine behalten.", "Keep one of them."),
                ),
                _ => {
                    ("mehr als eine Eingabe", "more than one input", ("Eine behalten.", "Keep one of them."))
                }
            };
            let text = (format!("der Fall {name} hat {german}"), format!("case {name} has {english}"));
            say(&path, text.into(), remedy);
        }
    }

    fn rule_values(&self, rule: &Filed<RulePackage>, findings: &mut Vec<CheckFinding>) {
        let value = &rule.value;
        let mut values = Values { release: self, file: &rule.file, findings };
        values.folder(&format!("rules/{}/{}", value.procedure, value.version), rule.folder());
        values.name("version", &value.version);
        for message in &value.messages {
            values.name("name", &message.name);
            values.name("version", &message.version);
        }
        if !DEADLINES.contains(&value.deadline.0) {
            let text = ("deadline liegt nicht zwischen 1m und 366d", "deadline is not between 1m and 366d");
            values.say("deadline", text);
        }
        let has = |key: fn(&crate::rule::Keys) -> bool| value.messages.iter().any(|it| key(&it.keys));
        if value.order == Order::Case && !has(|keys| keys.case.is_some()) {
            let text = (
                "order = \"case\" ordnet nichts: keine Nachricht nennt unter [message.keys] case",
                "order = \"case\" orders nothing: no message names case in [message.keys]",
            );
            values.say("order", text);
        }
        let always = || self.municipalities().any(|area| area.participants.contains_key(&value.procedure));
        if value.fan_out && !has(|keys| keys.participants.is_some()) && !always() {
            let text = (
                "fan_out = true verteilt nichts: weder eine Nachricht noch eine Kommune nennt participants",
                "fan_out = true distributes nothing: neither a message nor a municipality names participants",
            );
            values.say("fan_out", text);
        }
    }

    fn product_values(&self, product: &Filed<ProductPackage>, findings: &mut Vec<CheckFinding>) {
        let value = &product.value;
        let mut values = Values { release: self, file: &product.file, findings };
        let group = if product.file.starts_with("rules/dms/") { "dms" } else { "products" };
        values.folder(&format!("rules/{group}/{}/{}", value.product, value.version), product.folder());
        values.name("version", &value.version);
        if !is_file_name(&value.file_name) {
            let name = &value.file_name;
            let text = (format!("{name:?} ist kein Dateiname"), format!("{name:?} is no file name"));
            values.say("file_name", text);
        }
        if !is_media_type(&value.media_type) {
            let kind = &value.media_type;
            let text = (format!("{kind:?} ist kein Medientyp"), format!("{kind:?} is no media type"));
            values.say("media_type", text);
        }
        if let Some(path) = value.options.path.as_deref().filter(|path| !stays_below(path)) {
            let text = (
                format!("der Pfad {path:?} verlässt die Adresse, an die er angehängt wird"),
                format!("path {path:?} leaves the address it is appended to"),
            );
            values.say("path", text);
        }
    }

    fn missing_schemas(&self, place: usize, rule: &Filed<RulePackage>, findings: &mut Vec<CheckFinding>) {
        for (message, MessageRule { name, .. }) in rule.value.messages.iter().enumerate() {
            for missing in &self.compiled(Recognised { rule: place, message }).missing {
                let text = (
                    format!("{missing} liegt nicht im Schemaordner"),
                    format!("{missing} is not in the schema folder"),
                );
                let (german, english) = if rule.value.schema_optional {
                    ("laufen Nachrichten dieser Regel ungeprüft durch", "pass unchecked")
                } else {
                    ("werden Nachrichten dieser Regel zum Klärfall", "are parked")
                };
                let remedy = (
                    format!("Im Schemaordner ablegen; bis dahin {german}."),
                    format!("Put it into the schema folder; until then messages of this rule {english}."),
                );
                let place = self.place(&rule.file, &format!("\"{name}\""), missing);
                let finding = CheckFinding::error(Code::SCHEMA_MISSING, &rule.file, text).at(place);
                findings.push(finding.warning().remedy(remedy));
            }
        }
    }

    fn unused_products(&self, findings: &mut Vec<CheckFinding>) {
        let mut used: HashSet<&str> = HashSet::new();
        let profiles = self.contents().profiles.iter().flat_map(|profile| profile.value.offices.values());
        let exceptions = self.municipalities().flat_map(|area| area.offices.values());
        for office in profiles.chain(exceptions) {
            used.extend(office.products());
        }
        let mail = self.mail_product().map(|product| product.value.name());
        for product in &self.contents().products {
            let name = product.value.name();
            if !used.contains(name.as_str()) && mail.as_ref() != Some(&name) {
                let text = (format!("kein Amt verwendet {name}"), format!("no office uses {name}"));
                let place = self.place(&product.file, "", "product = ");
                let finding = CheckFinding::error(Code::CONFIG_REFERENCE, &product.file, text).at(place);
                findings.push(finding.info().remedy((
                    "Einem Amt zuordnen oder das Paket entfernen.",
                    "Assign it to an office, or remove the package.",
                )));
            }
        }
    }
}

/// Values of one package under check.
struct Values<'a> {
    release: &'a Release,
    file: &'a str,
    findings: &'a mut Vec<CheckFinding>,
}

impl Values<'_> {
    fn say(&mut self, key: &str, text: impl Into<Text>) {
        let place = self.release.place(self.file, "", &format!("{key} = "));
        self.findings.push(CheckFinding::error(Code::RULE_SYNTAX, self.file, text).at(place));
    }

    /// Names and versions stand in ids, paths and journal.
    fn name(&mut self, key: &str, name: &str) {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if name.is_empty() || name.len() > 100 || !name.bytes().all(plain) {
            let text = (
                format!("{key} = {name:?} besteht nicht aus 1 bis 100 Zeichen a-z A-Z 0-9 . _ -"),
                format!("{key} = {name:?} is not 1 to 100 of a-z A-Z 0-9 . _ -"),
            );
            let place = self.release.place(self.file, "", &format!("{key} = \"{name}\""));
            self.findings.push(CheckFinding::error(Code::RULE_SYNTAX, self.file, text).at(place));
        }
    }

    fn folder(&mut self, wanted: &str, folder: &str) {
        if wanted != folder {
            let text =
                (format!("das Paket gehört nach {wanted}"), format!("the package belongs into {wanted}"));
            let remedy = (
                "Den Ordner so benennen, oder Name und Version berichtigen.",
                "Name the folder so, or correct name and version.",
            );
            self.findings.push(CheckFinding::error(Code::RULE_SYNTAX, self.file, text).remedy(remedy));
        }
    }
}

/// A name that is the same in every folder, header and container, and that leads out of none.
fn is_file_name(name: &str) -> bool {
    let harmful = |letter: char| letter.is_control() || "/\\:*?\"<>|".contains(letter);
    !name.is_empty() && name.len() <= 200 && !name.starts_with('.') && !name.contains(harmful)
}

/// `type/subtype` with parameters (RFC 9110, 8.3.1).
fn is_media_type(text: &str) -> bool {
    // A token of RFC 9110, 5.6.2.
    let token = |text: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        !text.is_empty() && text.bytes().all(allowed)
    };
    let quoted = |text: &str| {
        let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        inner.is_some_and(|text| !text.contains(|letter: char| letter.is_control() || letter == '"'))
    };
    let mut parts = text.split(';');
    let kind = parts.next().and_then(|kind| kind.split_once('/'));
    kind.is_some_and(|(kind, subtype)| token(kind) && token(subtype))
        && parts.all(|part| {
            let parameter = part.trim_matches([' ', '\t']).split_once('=');
            parameter.is_some_and(|(name, value)| token(name) && (token(value) || quoted(value)))
        })
}

/// Whether the path, appended to an address, names something below it: read as those read it who send there.
fn stays_below(path: &str) -> bool {
    let sent = Url::parse(&format!("https://host.example/base/{}", path.trim_start_matches('/')));
    !path.contains(|letter: char| letter.is_control() || letter == '\\')
        && sent.is_ok_and(|sent| {
            sent.path().starts_with("/base/") && sent.query().is_none() && sent.fragment().is_none()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_and_media_types_are_told_from_what_is_none() {
        for name in ["akte.xml", "Vorgang 1.json"] {
            assert!(is_file_name(name), "{name}");
        }
        for name in ["", "../../evil.xml", ".", "a\\b", "x\r\ny", "a\"b", ".profile"] {
            assert!(!is_file_name(name), "{name}");
        }
        for kind in ["application/xml", "text/csv; charset=utf-8;header=present", "a/b; c=\"d e\""] {
            assert!(is_media_type(kind), "{kind}");
        }
        for kind in ["", "quatsch", "quatsch\r\nX-Evil: y", "text/", "text/xml; charset", "a/b\r\nX: y"] {
            assert!(!is_media_type(kind), "{kind}");
        }
    }

    #[test]
    fn a_path_stays_below_the_address_or_is_refused() {
        for path in ["/api/v3/vorgaenge", "rest", "", "/a/b/../c", "/ü"] {
            assert!(stays_below(path), "{path}");
        }
        for path in ["api/../../x", "/../x", "%2e%2e/x", "x?y=1", "x#z", "..\\x", "a\nb"] {
            assert!(!stays_below(path), "{path}");
        }
    }
}
