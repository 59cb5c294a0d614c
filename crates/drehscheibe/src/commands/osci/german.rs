//! German for what the protocol crate says in English.

use dds_xml::{LimitKind, Rule};

/// English and German. `{}` stands for the same in both: a name, a number, or another text of this table.
const TEXTS: &[(&str, &str)] = &[
    // Verdicts.
    ("valid", "gültig"),
    ("invalid", "ungültig"),
    ("absent", "fehlt"),
    ("pending", "offen"),
    ("unknown kind of key", "unbekannte Art von Schlüssel"),
    ("RSA, {} bit", "RSA, {} Bit"),
    // Faults of signatures.
    ("not the structure of an OSCI signature ({})", "nicht der Aufbau einer OSCI-Signatur ({})"),
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
    (
        "the attachment cannot be decrypted, it was altered",
        "die Anlage lässt sich nicht entschlüsseln, sie wurde verändert",
    ),
    ("the attachment cannot be told apart", "die Anlage lässt sich nicht abgrenzen"),
    ("the plaintext of the attachment is not at hand", "der Klartext der Anlage liegt nicht vor"),
    (
        "valid only in the form of the Java library (known defect with EncryptedData)",
        "gültig nur in der Form der Java-Bibliothek (bekannter Fehler bei EncryptedData)",
    ),
    // Encryption.
    ("the message cannot be decrypted", "die Nachricht lässt sich nicht entschlüsseln"),
    ("no private key for certificate {}", "kein privater Schlüssel zum Zertifikat {}"),
    (
        "encryption algorithm unknown or not allowed ({})",
        "Verschlüsselungsverfahren unbekannt oder nicht erlaubt ({})",
    ),
    ("EncryptedData has not the structure of OSCI ({})", "EncryptedData hat nicht den Aufbau von OSCI ({})"),
    ("no EncryptedData", "kein EncryptedData"),
    (
        "soapMessageEncrypted holds more than one EncryptedData",
        "soapMessageEncrypted enthält mehr als ein EncryptedData",
    ),
    (
        "transport encryption has exactly one EncryptedKey",
        "die Transportverschlüsselung hat genau einen EncryptedKey",
    ),
    ("no CipherReference", "keine CipherReference"),
    ("EncryptedKey without X509Certificate", "EncryptedKey ohne X509Certificate"),
    (
        "an encrypted message has one part, the one that CipherReference names",
        "eine verschlüsselte Nachricht hat einen einzigen Teil: den, den CipherReference nennt",
    ),
    ("the encrypted part is missing", "der verschlüsselte Teil fehlt"),
    (
        "an encrypted message inside an encrypted message",
        "eine verschlüsselte Nachricht in einer verschlüsselten Nachricht",
    ),
    // Content.
    ("content has not the structure of OSCI ({})", "der Inhalt hat nicht den Aufbau von OSCI ({})"),
    ("nested too deeply", "zu tief geschachtelt"),
    ("too many signatures", "zu viele Signaturen"),
    ("too many encrypted layers", "zu viele verschlüsselte Schichten"),
    ("X509Data in an EncryptedKey of content", "X509Data in einem EncryptedKey des Inhalts"),
    ("RetrievalMethod names no reader", "RetrievalMethod nennt keinen Leser"),
    ("an encrypted container in an attachment", "ein verschlüsselter Container in einer Anlage"),
    ("the plaintext is no ContentContainer", "der Klartext ist kein ContentContainer"),
    ("two keys for one attachment", "zwei Schlüssel für eine Anlage"),
    (
        "the key of an attachment that no Content refers to",
        "der Schlüssel einer Anlage, auf die kein Content verweist",
    ),
    ("an attachment is missing", "eine Anlage fehlt"),
    // Findings.
    ("{}; the envelope was read alone", "{}; der Umschlag wurde für sich gelesen"),
    ("{} is refused by the strict policy", "{} weist die strenge Richtlinie zurück"),
    (
        "{}: the key is too weak for the strict policy",
        "{}: der Schlüssel ist für die strenge Richtlinie zu schwach",
    ),
    // Envelope.
    ("no Body", "kein Body"),
    ("not a SOAP envelope with one Body", "kein SOAP-Umschlag mit einem Body"),
    ("not a SOAP envelope with one Header", "kein SOAP-Umschlag mit einem Header"),
    ("the Envelope holds more than Header and Body", "der Umschlag enthält mehr als Header und Body"),
    ("schemaLocation names no message type", "schemaLocation nennt keinen Nachrichtentyp"),
    ("xsi:schemaLocation is missing", "xsi:schemaLocation fehlt"),
    ("the message is longer than {} octets", "die Nachricht ist länger als {} Oktette"),
    ("the envelope is longer than {} octets", "der Umschlag ist länger als {} Oktette"),
    (
        "the message has no root part, or no encrypted part",
        "die Nachricht hat keinen ersten Teil oder keinen verschlüsselten Teil",
    ),
    ("no root part", "kein erster Teil"),
    ("an attachment has no Content-ID", "eine Anlage hat keine Content-ID"),
    ("two attachments with one Content-ID", "zwei Anlagen mit derselben Content-ID"),
    ("the store cannot take an attachment: {}", "eine Anlage lässt sich nicht ablegen: {}"),
    // MIME.
    ("not a MIME message of OSCI: {}", "keine MIME-Nachricht nach OSCI: {}"),
    ("the MIME message exceeds a limit: {}", "die MIME-Nachricht überschreitet eine Grenze: {}"),
    ("length of a header line", "Länge einer Kopfzeile"),
    ("number of header lines", "Zahl der Kopfzeilen"),
    ("number of parts", "Zahl der Teile"),
    ("a header line does not end with CRLF", "eine Kopfzeile endet nicht mit CRLF"),
    ("a control character in a header line", "ein Steuerzeichen in einer Kopfzeile"),
    ("a continuation line without a header before it", "eine Fortsetzungszeile ohne Kopfzeile davor"),
    ("a header line is not UTF-8", "eine Kopfzeile ist kein UTF-8"),
    ("a header line without a colon", "eine Kopfzeile ohne Doppelpunkt"),
    ("the name of a header is not a token", "der Name eines Kopffelds ist kein Token"),
    ("a header stands twice in one section", "ein Kopffeld steht zweimal in einem Abschnitt"),
    ("the message has no Content-Type", "die Nachricht hat keinen Content-Type"),
    ("the message is not multipart/related", "die Nachricht ist nicht multipart/related"),
    ("no boundary", "keine Grenze (boundary)"),
    ("the boundary is illegal", "die Grenze (boundary) ist unzulässig"),
    (
        "the first part is not the message (text/xml)",
        "der erste Teil ist nicht die Nachricht selbst (text/xml)",
    ),
    ("the root part has no Content-ID", "der erste Teil hat keine Content-ID"),
    ("the message is not UTF-8", "die Nachricht ist kein UTF-8"),
    ("an attachment has no Content-Transfer-Encoding", "eine Anlage hat keine Content-Transfer-Encoding"),
    ("unknown Content-Transfer-Encoding", "unbekannte Content-Transfer-Encoding"),
    ("the parameters of a Content-Type are malformed", "die Parameter eines Content-Type sind fehlerhaft"),
    ("a parameter of a Content-Type stands there twice", "ein Parameter eines Content-Type steht doppelt da"),
    ("a Content-ID is malformed", "eine Content-ID ist fehlerhaft"),
    (
        "the message ends before its closing boundary",
        "die Nachricht endet vor ihrer schließenden Grenze (boundary)",
    ),
    ("text before the first boundary", "Text vor der ersten Grenze (boundary)"),
    ("two parts have the same Content-ID", "zwei Teile haben dieselbe Content-ID"),
    ("read on after an error", "nach einem Fehler weitergelesen"),
    ("a message without parts", "eine Nachricht ohne Teile"),
    ("text behind a boundary in its line", "Text hinter einer Grenze (boundary) in ihrer Zeile"),
    (
        "a part announced as Base64 is not canonical Base64",
        "ein als Base64 angekündigter Teil ist kein kanonisches Base64",
    ),
    // XML.
    ("not acceptable XML: {}", "kein zulässiges XML: {}"),
    ("an Id occurs more than once", "eine Id kommt mehrfach vor"),
    ("line {}, column {}: {}", "Zeile {}, Spalte {}: {}"),
    ("more than {} {}", "mehr als {} {}"),
    // Keys.
    ("the key does not fit: {}", "der Schlüssel passt nicht: {}"),
    ("the operation with the key failed", "die Operation mit dem Schlüssel ist gescheitert"),
    ("the key cannot be read: {}", "der Schlüssel ist nicht lesbar: {}"),
    ("wrong PIN, or the key file is damaged", "falsche PIN, oder die Schlüsseldatei ist beschädigt"),
    (
        "private key and certificate do not belong together",
        "privater Schlüssel und Zertifikat gehören nicht zusammen",
    ),
    ("the token cannot be used: {}", "das Token ist nicht verwendbar: {}"),
    ("the certificate is not Base64", "das Zertifikat ist kein Base64"),
    ("not an X.509 certificate: {}", "kein X.509-Zertifikat: {}"),
];

/// The German text; `None` if there is none.
pub(super) fn german(english: &str) -> Option<String> {
    let told = TEXTS.iter().find_map(|(template, german)| {
        let slots = slots(template, english)?;
        let mut pieces = german.split("{}");
        let mut text = pieces.next().unwrap_or_default().to_owned();
        for (piece, slot) in pieces.zip(slots) {
            text.push_str(&self::german(slot).unwrap_or_else(|| slot.to_owned()));
            text.push_str(piece);
        }
        Some(text)
    });
    told.or_else(|| of_xml(english))
}

/// Rules and limits of XML.
fn of_xml(english: &str) -> Option<String> {
    let rules = Rule::ALL.iter().map(|rule| (rule.to_string(), rule.german()));
    let limits = LimitKind::ALL.iter().map(|limit| (limit.to_string(), limit.german()));
    rules.chain(limits).find(|(told, _)| told == english).map(|(_, german)| german.to_owned())
}

/// What stands for each `{}` of the template; `None` if the text is not made by it.
fn slots<'t>(template: &str, text: &'t str) -> Option<Vec<&'t str>> {
    let mut pieces = template.split("{}");
    let mut rest = text.strip_prefix(pieces.next()?)?;
    let mut slots = Vec::new();
    let mut pieces = pieces.peekable();
    while let Some(piece) = pieces.next() {
        let slot = match pieces.peek() {
            Some(_) => rest.split_once(piece)?.0,
            None => rest.strip_suffix(piece)?,
        };
        slots.push(slot);
        rest = &rest[slot.len() + piece.len()..];
    }
    rest.is_empty().then_some(slots)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use dds_osci::signature::Reason;

    use super::*;

    #[test]
    fn every_fault_of_a_signature_has_a_german_text() {
        for reason in [
            Reason::Structure("SignedInfo"),
            Reason::UnknownAlgorithm,
            Reason::RefusedAlgorithm,
            Reason::Transform,
            Reason::Digest,
            Reason::Undecryptable,
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
            assert!(german(&reason.to_string()).is_some(), "{reason}");
        }
    }

    /// Texts of refusals are written where they arise. Each literal there that is a sentence, and no name of an element, is in the table.
    #[test]
    fn every_refusal_of_the_reading_path_has_a_german_text() {
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut seen = 0;
        for file in [
            "osci/src/mime/headers.rs",
            "osci/src/mime/reading.rs",
            "osci/src/mime/base64.rs",
            "osci/src/intake.rs",
            "osci/src/intake/parts.rs",
            "osci/src/intake/encrypted.rs",
            "osci/src/encryption.rs",
            "osci/src/encryption/reading.rs",
            "osci/src/content/opening.rs",
        ] {
            let source = std::fs::read_to_string(crates.join(file)).unwrap();
            let source = source.split_whitespace().collect::<Vec<_>>().join(" ").replace("( \"", "(\"");
            for marker in ["Malformed(\"", "Limit(\"", "invalid(\"", "structure(\"", "S9100, \"", "S9202, \""]
            {
                for after in source.split(marker).skip(1) {
                    let text = after.split('"').next().unwrap();
                    if text.contains(' ') {
                        seen += 1;
                        assert!(german(text).is_some(), "{file}: {text}");
                    }
                }
            }
        }
        assert!(seen > 50, "only {seen} texts found");
    }

    #[test]
    fn texts_within_texts_are_german_too() {
        assert_eq!(
            german("not acceptable XML: line 3, column 7: more than 64 levels of nesting").unwrap(),
            "kein zulässiges XML: Zeile 3, Spalte 7: mehr als 64 Ebenen der Schachtelung"
        );
        assert_eq!(
            german("content has not the structure of OSCI (Base64Content)").unwrap(),
            "der Inhalt hat nicht den Aufbau von OSCI (Base64Content)"
        );
        assert_eq!(german("{} {}"), None);
    }
}
