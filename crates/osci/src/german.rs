//! German for what this crate says in English.
//!
//! Details of refusals, faults of signatures, reports on certificates and what an inspection tells are written where
//! they arise, in English, with names of elements, numbers and algorithms in them. What operators and partners are
//! likely to meet stands here once more in German. What concerns the structure of single header blocks, the state of a
//! dialogue, or chunks is for those who write OSCI software, and stays English.

use dds_xml::{LimitKind, Rule};

/// English and German. `{}` stands for the same in both: a name, a number, or another text of this table. The first row
/// that fits counts.
const TEXTS: &[(&str, &str)] = &[
    // Verdicts.
    ("valid", "gültig"),
    ("invalid", "ungültig"),
    ("absent", "fehlt"),
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
    ("more keys than attachments", "mehr Schlüssel als Anlagen"),
    (
        "the key of an attachment that no Content refers to",
        "der Schlüssel einer Anlage, auf die kein Content verweist",
    ),
    ("an attachment is missing", "eine Anlage fehlt"),
    // Findings.
    ("{}; the envelope was read alone", "{}; der Umschlag wurde für sich gelesen"),
    ("the Id {} occurs more than once", "die Id {} kommt mehrfach vor"),
    ("an Id occurs more than once", "eine Id kommt mehrfach vor"),
    ("the XML is broken", "das XML ist fehlerhaft"),
    ("the type of the message is not recognised", "die Art der Nachricht ist nicht erkannt"),
    (
        "the attachments cannot be compared, the packaging is broken",
        "die Anlagen lassen sich nicht vergleichen, die Verpackung ist fehlerhaft",
    ),
    (
        "a signature inside cannot be seen, the message is not decrypted",
        "eine Signatur im Inneren ist nicht zu sehen, die Nachricht ist nicht entschlüsselt",
    ),
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
    ("length of a media type", "Länge eines Medientyps"),
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
        "the Content-ID of an attachment cannot be handed on",
        "die Content-ID einer Anlage lässt sich nicht weitergeben",
    ),
    (
        "the message ends before its closing boundary",
        "die Nachricht endet vor ihrer schließenden Grenze (boundary)",
    ),
    (
        "octets behind the closing boundary",
        "hinter der schließenden Grenze (boundary) stehen weitere Oktette",
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
    (
        "an RSA key in software signs with SHA-256 or SHA-512",
        "ein RSA-Schlüssel in Software signiert mit SHA-256 oder SHA-512",
    ),
    ("the EC key does not sign with this digest", "der EC-Schlüssel signiert nicht mit diesem Hashverfahren"),
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
    // Judgement of certificates.
    (
        "the certificate is self-signed and no anchor",
        "das Zertifikat ist selbst signiert und kein Vertrauensanker",
    ),
    (
        "the certificate is self-signed, and wrongly",
        "das Zertifikat ist selbst signiert, und die Signatur ist falsch",
    ),
    ("no issuer \"{}\" among the anchors", "der Aussteller „{}“ führt zu keinem Vertrauensanker"),
    ("the signature of \"{}\" over \"{}\" is wrong", "die Signatur von „{}“ über „{}“ ist falsch"),
    (
        "the signature over \"{}\" uses an algorithm that is not accepted",
        "die Signatur über „{}“ hat ein Verfahren, das nicht zugelassen ist",
    ),
    ("\"{}\" is no certificate authority", "„{}“ ist keine Zertifizierungsstelle"),
    ("\"{}\" may not sign certificates (keyUsage)", "„{}“ darf keine Zertifikate signieren (keyUsage)"),
    (
        "\"{}\" is for other purposes only (extendedKeyUsage)",
        "„{}“ ist nur für andere Zwecke bestimmt (extendedKeyUsage)",
    ),
    (
        "the path below \"{}\" is longer than it allows",
        "der Pfad unter „{}“ ist länger, als das Zertifikat zulässt",
    ),
    (
        "\"{}\" has the critical extension {}, which is not known",
        "„{}“ hat die kritische Erweiterung {}, die nicht bekannt ist",
    ),
    (
        "keyUsage has neither digitalSignature nor nonRepudiation",
        "das Zertifikat ist nicht zum Signieren bestimmt (keyUsage ohne digitalSignature und nonRepudiation)",
    ),
    (
        "keyUsage has neither keyEncipherment nor dataEncipherment",
        "das Zertifikat ist nicht zum Verschlüsseln bestimmt (keyUsage ohne keyEncipherment und dataEncipherment)",
    ),
    ("keys are wrapped with RSA, this is {}", "verschlüsselt wird mit RSA, der Schlüssel ist {}"),
    ("the RSA key has {} bit, {} are demanded", "der RSA-Schlüssel hat {} Bit, verlangt sind {}"),
    (
        "the key is on {}, which is not accepted",
        "der Schlüssel liegt auf der Kurve {}, die nicht zugelassen ist",
    ),
    ("the key is neither RSA nor EC", "der Schlüssel ist weder RSA noch EC"),
    ("\"{}\" is valid from {} to {}", "„{}“ gilt von {} bis {}"),
    ("\"{}\" is on the revocation list", "„{}“ steht auf der Sperrliste"),
    ("\"{}\" is revoked, says its responder", "„{}“ ist gesperrt, sagt der OCSP-Dienst"),
    ("revoked", "gesperrt"),
    ("{}, and it is demanded", "{}, und sie ist verlangt"),
    (
        "no revocation information about {} of {} certificates of the path",
        "keine Sperrauskunft zu {} von {} Zertifikaten des Pfads",
    ),
    // Who has signed.
    ("an attachment: {}", "eine Anlage: {}"),
    ("an element: {}", "ein Element: {}"),
    ("the message is not signed", "die Nachricht ist nicht signiert"),
    ("the order is not signed", "der Auftrag ist nicht signiert"),
    (
        "signed by another than the one who opened the dialogue",
        "signiert von einem anderen als dem, der den Dialog eröffnet hat",
    ),
    (
        "signed by another than the addressee of the order",
        "signiert von einem anderen als dem Empfänger des Auftrags",
    ),
    (
        "signed by {}, which is none of our intermediaries",
        "signiert mit dem Zertifikat {}, das keinem unserer Intermediäre gehört",
    ),
    ("the signature of the response is wrong", "die Signatur der Antwort ist falsch"),
    ("an unsigned response to a signed order", "eine unsignierte Antwort auf einen signierten Auftrag"),
    (
        "the response is signed by {}, not by the intermediary",
        "die Antwort ist mit dem Zertifikat {} signiert, nicht mit dem des Intermediärs",
    ),
    // Who can read.
    ("the data cannot be decrypted", "die Daten lassen sich nicht entschlüsseln"),
    ("the order is not encrypted", "der Auftrag ist nicht verschlüsselt"),
    ("the delivery is addressed to {}, not to us", "die Zustellung ist an {} gerichtet, nicht an uns"),
    ("{} must be encrypted", "{} muss verschlüsselt sein"),
    (
        "an order in the clear within an encrypted dialogue",
        "ein unverschlüsselter Auftrag in einem verschlüsselten Dialog",
    ),
    (
        "an unencrypted response to an encrypted order",
        "eine unverschlüsselte Antwort auf einen verschlüsselten Auftrag",
    ),
    (
        "there is no certificate to encrypt the response for",
        "es gibt kein Zertifikat, für das die Antwort zu verschlüsseln wäre",
    ),
    ("no cipher certificate of the addressee", "das Verschlüsselungszertifikat des Empfängers fehlt"),
    (
        "an encrypted order without the intermediary's cipher certificate",
        "ein verschlüsselter Auftrag ohne das Verschlüsselungszertifikat des Intermediärs",
    ),
    // Attachments and room.
    (
        "the content names an attachment that is not there",
        "der Inhalt nennt eine Anlage, die nicht mitgekommen ist",
    ),
    (
        "the envelopes being received fill their memory",
        "die gerade eingehenden Nachrichten füllen den Speicher, der für sie vorgesehen ist",
    ),
    // Roles, mailboxes and addresses.
    ("the order names no addressee", "der Auftrag nennt keinen Empfänger"),
    ("the addressee has no mailbox here", "der Empfänger hat hier kein Postfach"),
    ("the receiver's address is not allowed", "die Adresse des Empfängers ist nicht zugelassen"),
    ("the recipient refused with {}", "der Empfänger hat mit {} abgelehnt"),
    ("the recipient answered with fault {}", "der Empfänger hat mit dem Fault {} geantwortet"),
    ("the recipient returned no content", "der Empfänger hat keinen Inhalt zurückgegeben"),
    (
        "the mailbox {} is full: {} deliveries of {} bytes wait",
        "das Postfach {} ist voll: {} Zustellungen mit {} Bytes warten",
    ),
    (
        "{} deliveries of {} bytes from {} lie in the mailbox {} and cannot be taken over",
        "{} Zustellungen mit {} Bytes von {} liegen im Postfach {} und lassen sich nicht übernehmen",
    ),
    ("the delivery is larger than any may be", "die Zustellung ist größer als zugelassen"),
    ("nothing in the mailbox that matches", "im Postfach liegt nichts, was der Auswahl entspricht"),
    ("the MessageId was not issued here", "die MessageId wurde hier nicht ausgegeben"),
    (
        "the MessageId was issued to another client",
        "die MessageId wurde an einen anderen Benutzer ausgegeben",
    ),
    ("the MessageId was used before", "die MessageId wurde schon benutzt"),
    ("too many unused MessageIds", "zu viele ungenutzte MessageIds"),
    ("too many dialogues are open", "zu viele Dialoge sind offen"),
    ("the intermediary answered with fault {}", "der Intermediär hat mit dem Fault {} geantwortet"),
    ("the dialogue was not opened: {}", "der Dialog wurde nicht eröffnet: {}"),
    ("the response is unreadable: {}", "die Antwort ist nicht lesbar: {}"),
    ("the response is not protected: {}", "die Antwort ist nicht geschützt: {}"),
    ("the response is not to our order: {}", "die Antwort gehört nicht zu unserem Auftrag: {}"),
    // Whatever holds one of these; general, so last.
    ("OSCI {}: {}", "OSCI {}: {}"),
    ("{} is missing", "{} fehlt"),
    ("{} is out of place", "{} steht an der falschen Stelle"),
];

/// The German text; `None` if there is none.
#[must_use]
pub fn of(english: &str) -> Option<String> {
    let told = TEXTS.iter().find_map(|(template, german)| {
        let slots = slots(template, english)?;
        let mut pieces = german.split("{}");
        let mut text = pieces.next().unwrap_or_default().to_owned();
        for (piece, slot) in pieces.zip(slots) {
            text.push_str(&of(slot).unwrap_or_else(|| slot.to_owned()));
            text.push_str(piece);
        }
        Some(text)
    });
    told.or_else(|| of_xml(english))
}

/// A reason in German, for a text in parentheses or behind a colon: several of them stand between semicolons, as in the
/// report on a certificate, and one that has no German text is quoted: `Meldung: „…“`.
#[must_use]
pub fn reason(english: &str) -> String {
    match of(english) {
        Some(german) => german,
        None if english.contains("; ") => english.split("; ").map(reason).collect::<Vec<_>>().join("; "),
        None => format!("Meldung: „{english}“"),
    }
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

    use super::*;
    use crate::signature::Reason;

    #[test]
    fn every_fault_of_a_signature_has_a_german_text() {
        for fault in [
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
            assert!(of(&fault.to_string()).is_some(), "{fault}");
        }
    }

    /// Texts of refusals are written where they arise. Each literal there that is a sentence, and no name of an
    /// element, is in the table.
    #[test]
    fn every_refusal_of_the_reading_path_has_a_german_text() {
        let crates = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut seen = 0;
        for file in [
            "src/mime/headers.rs",
            "src/mime/reading.rs",
            "src/mime/base64.rs",
            "src/intake.rs",
            "src/intake/parts.rs",
            "src/intake/encrypted.rs",
            "src/encryption.rs",
            "src/encryption/reading.rs",
            "src/content/opening.rs",
        ] {
            let source = std::fs::read_to_string(crates.join(file)).unwrap();
            let source = source.split_whitespace().collect::<Vec<_>>().join(" ").replace("( \"", "(\"");
            for marker in ["Malformed(\"", "Limit(\"", "invalid(\"", "structure(\"", "S9100, \"", "S9202, \""]
            {
                for after in source.split(marker).skip(1) {
                    let text = after.split('"').next().unwrap();
                    if text.contains(' ') {
                        seen += 1;
                        assert!(of(text).is_some(), "{file}: {text}");
                    }
                }
            }
        }
        assert!(seen > 50, "only {seen} texts found");
    }

    #[test]
    fn texts_within_texts_are_german_too() {
        assert_eq!(
            of("not acceptable XML: line 3, column 7: more than 64 levels of nesting").unwrap(),
            "kein zulässiges XML: Zeile 3, Spalte 7: mehr als 64 Ebenen der Schachtelung"
        );
        assert_eq!(
            of("content has not the structure of OSCI (Base64Content)").unwrap(),
            "der Inhalt hat nicht den Aufbau von OSCI (Base64Content)"
        );
        assert_eq!(of("{} {}"), None);
    }
    /// The sources, those of `dds-xml` too, without this file; what a format string fills in is `{}`.
    fn sources() -> String {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut open = vec![here.join("src"), here.join("../xml/src")];
        let mut text = String::new();
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path);
                } else if path.file_name().is_some_and(|name| name != "german.rs") {
                    text.push_str(&std::fs::read_to_string(path).unwrap());
                }
            }
        }
        let mut plain = String::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            let end = after.find(|char: char| !(char.is_ascii_alphanumeric() || "_:?.".contains(char)));
            let (name, after) = after.split_at(end.unwrap_or(after.len()));
            let after = if let Some(after) = after.strip_prefix('}') {
                plain.extend([before, "{}"]);
                after
            } else {
                plain.extend([before, "{", name]);
                after
            };
            rest = after;
        }
        plain.push_str(rest);
        plain
    }

    /// A wording that is changed must be changed here too.
    #[test]
    fn each_row_is_said_somewhere() {
        let sources = sources();
        for (english, german) in TEXTS {
            let literal = english.replace('"', "\\\"");
            assert!(sources.contains(&literal), "nobody says: {english}");
            assert_eq!(english.matches("{}").count(), german.matches("{}").count(), "{english}");
        }
    }

    /// No row stands behind a more general one that takes its texts.
    #[test]
    fn each_row_is_found() {
        for (english, german) in TEXTS {
            assert_eq!(of(&english.replace("{}", "X1")), Some(german.replace("{}", "X1")), "{english}");
        }
    }

    #[test]
    fn a_reason_is_german_as_far_as_it_is_known() {
        for (english, expected) in [
            ("an element: the part is not signed", "ein Element: der Teil ist nicht signiert"),
            (
                "the response is not protected: OSCI 9600: the message is not signed",
                "die Antwort ist nicht geschützt: OSCI 9600: die Nachricht ist nicht signiert",
            ),
            (
                "the RSA key has 2048 bit, 3072 are demanded; \"ab\" is valid from 2020 to 2021; tomorrow",
                "der RSA-Schlüssel hat 2048 Bit, verlangt sind 3072; „ab“ gilt von 2020 bis 2021; Meldung: „tomorrow“",
            ),
            (
                "no revocation information about 1 of 2 certificates of the path, and it is demanded",
                "keine Sperrauskunft zu 1 von 2 Zertifikaten des Pfads, und sie ist verlangt",
            ),
            ("chunk 3 was asked for, 4 came", "Meldung: „chunk 3 was asked for, 4 came“"),
            ("", "Meldung: „“"),
        ] {
            assert_eq!(reason(english), expected);
        }
    }
}
