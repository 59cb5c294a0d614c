//! The report for people.

use std::fmt::Write as _;

use dds_osci::{
    inspect::{ContentReport, Report, SignatureReport},
    message::MessageKind,
};

use super::{Outcome, keys::Ring};
use crate::output::{Language, Output};

/// German, by the English words of the protocol crate.
const GERMAN: &[(&str, &str)] = &[
    ("valid", "gültig"),
    ("invalid", "ungültig"),
    ("absent", "fehlt"),
    ("pending", "offen"),
    ("opened", "geöffnet"),
    ("closed: no key for any of its readers", "verschlossen: kein Schlüssel eines der Leser"),
    ("the algorithm is unknown", "das Verfahren ist unbekannt"),
    ("the algorithm is not allowed", "das Verfahren ist nicht erlaubt"),
    ("the transformation is not allowed", "die Transformation ist nicht erlaubt"),
    ("the digest is wrong, the part was altered", "der Hashwert ist falsch, der Teil wurde verändert"),
    ("the value of the signature is wrong", "der Signaturwert ist falsch"),
    ("the part is missing", "der Teil fehlt"),
    (
        "the reference leads to something that is no signed part",
        "die Referenz führt auf etwas, das kein zu signierender Teil ist",
    ),
    ("the part is referenced more than once", "der Teil ist mehrfach referenziert"),
    ("the part is not signed", "der Teil ist nicht signiert"),
    (
        "the signature does not name the certificate of the role that must sign",
        "die Signatur nennt nicht das Zertifikat der Rolle, die signieren muss",
    ),
    ("the certificate cannot be read", "das Zertifikat ist nicht lesbar"),
    ("the certificate is not meant for signatures", "das Zertifikat ist nicht für Signaturen bestimmt"),
    ("the key is too weak", "der Schlüssel ist zu schwach"),
    ("the plaintext of the attachment is not at hand", "der Klartext der Anlage liegt nicht vor"),
];

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
        page.line(0, "Befund", "finding", finding);
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
            self.line(0, "Abgelehnt", "refused", refused);
        }
        let none = self.output.pick("keine", "none");
        // Of a message that could not be opened nothing is known.
        if report.transport.is_some() || report.refused.is_none() {
            self.line(
                0,
                "Transportverschlüsselung",
                "transport encryption",
                report.transport.as_deref().unwrap_or(none),
            );
        }
    }

    fn facts(&mut self, report: &Report) {
        for (name, value) in &report.dialogue {
            self.line(0, "Dialog", "dialogue", &format!("{name} = {value}"));
        }
        for (name, value) in &report.order {
            self.line(0, "Auftrag", "order", &format!("{name} = {value}"));
        }
        for (language, code, text) in &report.feedback {
            self.line(0, "Rückmeldung", "feedback", &format!("{code} [{language}] {text}"));
        }
        for (id, facts) in &report.process_cards {
            self.line(0, "Laufzettel", "process card", id);
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
                    self.line(1, "Schlüssel", "key", &certificate.key().to_string());
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
                Some(Err(why)) => self.line(1, "nicht entschlüsselt", "not decrypted", why),
                None => {}
            }
        }
        for encrypted in &report.encrypted {
            let state = self.word(&encrypted.state);
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
        let german = GERMAN.iter().find(|(word, _)| *word == english).map(|(_, german)| *german);
        match (self.output.language, german) {
            (Language::German, Some(german)) => german.to_owned(),
            _ => english.to_owned(),
        }
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
    use dds_osci::signature::Reason;

    use super::*;

    #[test]
    fn every_fault_of_a_signature_has_a_german_text() {
        let page = Page { text: String::new(), output: Output { json: false, language: Language::German } };
        for reason in [
            Reason::UnknownAlgorithm,
            Reason::RefusedAlgorithm,
            Reason::Transform,
            Reason::Digest,
            Reason::Value,
            Reason::Missing,
            Reason::Unexpected,
            Reason::Twice,
            Reason::Unsigned,
            Reason::Signer,
            Reason::Certificate,
            Reason::KeyUsage,
            Reason::WeakKey,
        ] {
            assert_ne!(page.word(&reason.to_string()), reason.to_string());
        }
        assert_eq!(page.fault("#body: the part is not signed"), "#body: der Teil ist nicht signiert");
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        let mut page = Page { text: String::new(), output: super::super::ENGLISH };
        page.line(1, "", "order", "Subject = a\u{1b}[31mb\nc");
        assert_eq!(page.text, "  order: Subject = a·[31mb·c\n");
    }
}
