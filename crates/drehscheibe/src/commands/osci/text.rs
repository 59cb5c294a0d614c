//! The report for people.

use std::fmt::Write as _;

use dds_osci::{
    feedback::{self, Refused},
    german,
    inspect::{ContentReport, Finding, Item, Layer, Report, SignatureReport},
    intake::TransportEncryption,
    message::MessageKind,
};

use super::{Outcome, keys::Ring};
use crate::output::{Language, Output};

/// Prints the report, unless JSON is wanted.
pub(super) fn print(report: &Report, keys: &Ring, outcome: Outcome, output: Output) {
    let mut page = Page { text: String::new(), output };
    page.head(report, outcome);
    for problem in keys.problems(output) {
        page.line(0, "Schlüssel nicht verwendet", "key not used", &problem);
    }
    page.facts(report);
    page.certificates(report);
    // What cannot be signed is not said to lack a signature.
    if !matches!(report.kind, None | Some(MessageKind::Fault | MessageKind::MessageEncrypted)) {
        page.signature(0, &report.signature);
    }
    page.parts(report);
    report.contents.iter().for_each(|content| page.content(content));
    for finding in &report.findings {
        let finding = page.finding(finding);
        page.line(0, "Befund", "finding", &finding);
    }
    output.line(page.text.trim_end());
}

struct Page {
    text: String,
    output: Output,
}

impl Page {
    fn head(&mut self, report: &Report, outcome: Outcome) {
        let octets = self.output.pick("Oktette", "octets");
        let unknown = self.output.pick("nicht erkannt", "not recognised");
        let kind = report.kind.map_or_else(|| unknown.to_owned(), |kind| kind.to_string());
        self.line(0, "Nachricht", "message", &format!("{kind} ({} {octets})", report.bytes));
        let verdict = match outcome {
            Outcome::Sound => self.output.pick("lesbar, nichts ungültig", "readable, nothing invalid"),
            Outcome::Invalid => {
                self.output.pick("lesbar, aber etwas ist ungültig", "readable, but something is invalid")
            }
            Outcome::Unreadable => self.output.pick("nicht lesbar", "unreadable"),
        };
        self.line(0, "Ergebnis", "result", verdict);
        if let Some(refused) = &report.refused {
            let refused = self.refused(refused);
            self.line(0, "Abgelehnt", "refused", &refused);
        }
        // Of a message that could not be opened nothing is known.
        if report.transport.is_some() || report.refused.is_none() {
            let none = || self.output.pick("keine", "none").to_owned();
            let transport = report.transport.as_ref().map_or_else(none, |used| self.transport(used));
            self.line(0, "Transportverschlüsselung", "transport encryption", &transport);
        }
    }

    fn facts(&mut self, report: &Report) {
        for (name, value) in &report.dialogue {
            self.line(0, "Dialog", "dialogue", &format!("{name} = {value}"));
        }
        for (name, value) in &report.order {
            let value = self.id(value);
            self.line(0, "Auftrag", "order", &format!("{name} = {value}"));
        }
        for (language, code, text) in &report.feedback {
            self.line(0, "Rückmeldung", "feedback", &format!("{code} [{language}] {text}"));
        }
        for (language, code, text) in &report.inside_feedback {
            let entry = format!("{code} [{language}] {text}");
            self.line(0, "Rückmeldung zur Zustellung im Inneren", "feedback on the delivery inside", &entry);
        }
        for (id, facts) in &report.process_cards {
            let id = self.id(id);
            self.line(0, "Laufzettel", "process card", &id);
            for (name, value) in facts {
                self.line(1, name, name, value);
            }
        }
    }

    fn certificates(&mut self, report: &Report) {
        for (role, id, certificate) in &report.certificates {
            self.line(0, "Zertifikat", "certificate", &format!("{role} #{id}"));
            match certificate {
                Ok(certificate) => {
                    self.line(1, "Inhaber", "subject", certificate.subject());
                    self.line(1, "Aussteller", "issuer", certificate.issuer());
                    self.line(1, "Seriennummer", "serial", certificate.serial());
                    let to = self.output.pick("bis", "to");
                    let span = format!("{} {to} {}", certificate.not_before(), certificate.not_after());
                    self.line(1, "gültig", "valid", &span);
                    let key = self.word(&certificate.key().to_string());
                    self.line(1, "Schlüssel", "key", &key);
                    self.line(1, "SHA-256", "SHA-256", certificate.sha256_hex());
                }
                Err(why) => {
                    let why = self.word(why);
                    self.line(1, "Fehler", "error", &why);
                }
            }
        }
    }

    fn parts(&mut self, report: &Report) {
        let octets = self.output.pick("Oktette", "octets");
        for part in &report.parts {
            let facts = format!("{} {}, {} {octets}", part.content_id, part.media_type, part.bytes);
            self.line(0, "Anlage", "attachment", &facts);
            self.line(1, "SHA-256", "SHA-256", &part.sha256);
            match &part.plaintext {
                Some(Ok(bytes)) => self.line(1, "entschlüsselt", "decrypted", &format!("{bytes} {octets}")),
                Some(Err(why)) => {
                    let why = self.refused(why);
                    self.line(1, "nicht entschlüsselt", "not decrypted", &why);
                }
                None => {}
            }
        }
        for encrypted in &report.encrypted {
            let state = self.layer(&encrypted.state);
            self.line(
                0,
                "Verschlüsselter Inhalt",
                "encrypted content",
                &format!("#{} {state}", encrypted.id),
            );
            for reader in &encrypted.readers {
                self.line(1, "Leser", "reader", &format!("#{reader}"));
            }
        }
    }

    fn content(&mut self, content: &ContentReport) {
        self.line(0, "Inhaltscontainer", "content container", &format!("#{}", content.id));
        for (id, what) in &content.items {
            let what = self.item(what);
            self.line(1, "Inhalt", "content", &format!("#{id} {what}"));
        }
        if content.signatures.is_empty() {
            self.signature(1, &SignatureReport::default());
        }
        content.signatures.iter().for_each(|signature| self.signature(1, signature));
    }

    fn signature(&mut self, depth: usize, signature: &SignatureReport) {
        let mut verdict = self.word(signature.verdict);
        if let Some(code) = &signature.code {
            verdict = format!("{verdict} ({} {code})", self.output.pick("Rückmeldung", "feedback"));
        }
        self.line(depth, "Signatur", "signature", &verdict);
        for fault in &signature.faults {
            let fault = self.fault(fault);
            self.line(depth + 1, "Fehler", "fault", &fault);
        }
        if let Some(signer) = &signature.signer {
            self.line(depth + 1, "Unterzeichner", "signer", signer);
        }
        if let Some(algorithm) = signature.algorithm {
            self.line(depth + 1, "Verfahren", "algorithm", algorithm);
        }
        if let Some(time) = &signature.time {
            self.line(depth + 1, "Signaturzeit", "signing time", time);
        }
        for reference in &signature.references {
            let mut verdict = format!("{} {}", reference.uri, self.word(reference.verdict));
            if !reference.remark.is_empty() {
                verdict = format!("{verdict} ({})", self.word(&reference.remark));
            }
            self.line(depth + 1, "Hashwert von", "digest of", &verdict);
        }
    }

    /// `place: what is wrong`, as the protocol crate says it.
    fn fault(&self, fault: &str) -> String {
        match fault.rsplit_once(": ") {
            Some((place, what)) => format!("{place}: {}", self.word(what)),
            None => self.word(fault),
        }
    }

    fn word(&self, english: &str) -> String {
        match self.output.language {
            Language::German => german::of(english).unwrap_or_else(|| english.to_owned()),
            Language::English => english.to_owned(),
        }
    }

    /// The code with our reason. A reason that is only known in English (a library says it) stands behind the official
    /// text.
    fn refused(&self, refused: &Refused) -> String {
        let Refused { code, detail } = refused;
        match (self.output.language, german::of(detail)) {
            (Language::English, _) => refused.to_string(),
            (Language::German, Some(reason)) => format!("OSCI {code}: {reason}"),
            (Language::German, None) => {
                format!("OSCI {code}: {} ({detail})", code.text(feedback::Language::German))
            }
        }
    }

    fn finding(&self, finding: &Finding) -> String {
        match finding {
            Finding::Refused(refused) => self.refused(refused),
            other => self.word(&other.to_string()),
        }
    }

    /// An id as the report shows it. What the sender wrote is never translated.
    fn id(&self, id: &str) -> String {
        match (self.output.language, id.strip_suffix(" (not Base64 of text)")) {
            (Language::German, Some(written)) => format!("{written} (kein Base64 von Text)"),
            _ => id.to_owned(),
        }
    }

    fn layer(&self, layer: &Layer) -> String {
        match layer {
            Layer::Opened => self.output.pick("geöffnet", "opened").to_owned(),
            Layer::Closed => {
                let german = "verschlossen: kein Schlüssel eines der Leser";
                self.output.pick(german, "closed: no key for any of its readers").to_owned()
            }
            Layer::Failed(refused) => self.refused(refused),
        }
    }

    fn item(&self, item: &Item) -> String {
        let Language::German = self.output.language else { return item.to_string() };
        match item {
            Item::Inline(octets) => format!("{octets} Oktette im Container"),
            Item::Attachment(id) => format!("Anlage {id}"),
            Item::EncryptedAttachment(id) => format!("verschlüsselte Anlage {id}"),
            Item::Container(id) => format!("Container {}", id.as_deref().unwrap_or("ohne Id")),
        }
    }

    fn transport(&self, used: &TransportEncryption) -> String {
        let Language::German = self.output.language else { return used.to_string() };
        let digest = used.key.digest().map(|digest| format!(" {digest:?}")).unwrap_or_default();
        let (data, key, subject) = (used.data.uri(), used.key.uri(), used.certificate.subject());
        format!("{data} (IV {} Oktette), {key}{digest}, für {subject}", used.data.iv_len(used.iv))
    }

    /// One line. Control characters of a foreign message could drive the terminal; they are shown as `·`.
    fn line(&mut self, depth: usize, german: &str, english: &str, value: &str) {
        let label = self.output.pick(german, english);
        let line: String = format!("{label}: {value}")
            .chars()
            .map(|char| if char.is_control() { '·' } else { char })
            .collect();
        // Writing into a String cannot fail.
        let _written = writeln!(self.text, "{}{line}", "  ".repeat(depth));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        let mut page = Page { text: String::new(), output: super::super::ENGLISH };
        page.line(1, "", "order", "Subject = a\u{1b}[31mb\nc");
        assert_eq!(page.text, "  order: Subject = a·[31mb·c\n");
    }
}
