//! The report as JSON, written by hand: the crate carries no serialiser.

use std::fmt::Write as _;

use super::{Report, SignatureReport};

impl Report {
    /// The report as one JSON object. Member names are those of the struct; `signature` is `valid`, `invalid` or
    /// `absent`, details of the message signature are in `message_signature`, content signatures one by one in
    /// `contents[].signatures[]`.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = Json::default();
        json.open('{');
        json.number("bytes", self.bytes);
        json.optional("type", self.kind.map(|kind| kind.name()));
        json.optional("refused", self.refused.as_ref().map(ToString::to_string).as_deref());
        json.optional("transport", self.transport.as_ref().map(ToString::to_string).as_deref());
        json.object("dialogue", &self.dialogue);
        json.object("order", &self.order);
        json.list("feedback", &self.feedback, entry);
        json.list("inside_feedback", &self.inside_feedback, entry);
        json.list("process_cards", &self.process_cards, |json, (id, facts)| {
            json.string("message_id", id);
            json.object("facts", facts);
        });
        json.list("certificates", &self.certificates, |json, (role, id, certificate)| {
            json.string("role", role);
            json.string("id", id);
            match certificate {
                Ok(certificate) => {
                    json.string("subject", certificate.subject());
                    json.string("issuer", certificate.issuer());
                    json.string("serial", certificate.serial());
                    json.string("not_before", &certificate.not_before().to_string());
                    json.string("not_after", &certificate.not_after().to_string());
                    json.string("sha256", certificate.sha256_hex());
                }
                Err(why) => json.string("error", why),
            }
        });
        json.string("signature", self.signature.verdict);
        json.name("message_signature");
        json.open('{');
        signature(&mut json, &self.signature);
        json.close('}');
        json.list("attachments", &self.parts, |json, part| {
            json.string("content_id", &part.content_id);
            json.string("media_type", &part.media_type);
            json.number("bytes", part.bytes);
            json.string("sha256", &part.sha256);
            match &part.plaintext {
                Some(Ok(bytes)) => json.number("plaintext_bytes", *bytes),
                Some(Err(why)) => json.string("plaintext_error", &why.to_string()),
                None => {}
            }
        });
        json.list("encrypted", &self.encrypted, |json, encrypted| {
            json.string("id", &encrypted.id);
            json.string("state", &encrypted.state.to_string());
            json.strings("readers", &encrypted.readers);
        });
        json.list("contents", &self.contents, |json, content| {
            json.string("id", &content.id);
            json.list("items", &content.items, |json, (id, what)| {
                json.string("id", id);
                json.string("what", &what.to_string());
            });
            json.list("signatures", &content.signatures, signature);
        });
        json.strings("findings", &self.findings.iter().map(ToString::to_string).collect::<Vec<_>>());
        json.close('}');
        json.text
    }
}

fn entry(json: &mut Json, (language, code, text): &(String, String, String)) {
    json.string("language", language);
    json.string("code", code);
    json.string("text", text);
}

fn signature(json: &mut Json, signature: &SignatureReport) {
    json.string("verdict", signature.verdict);
    json.optional("code", signature.code.as_deref());
    json.optional("signer", signature.signer.as_deref());
    json.optional("algorithm", signature.algorithm);
    json.optional("signing_time", signature.time.as_deref());
    json.strings("faults", &signature.faults);
    json.list("references", &signature.references, |json, reference| {
        json.string("uri", &reference.uri);
        json.string("verdict", reference.verdict);
        json.string("digest", &reference.digest);
        json.string("remark", &reference.remark);
    });
}

#[derive(Default)]
struct Json {
    text: String,
    /// A comma is due before the next member.
    comma: bool,
}

impl Json {
    fn open(&mut self, bracket: char) {
        self.text.push(bracket);
        self.comma = false;
    }

    fn close(&mut self, bracket: char) {
        self.text.push(bracket);
        self.comma = true;
    }

    fn next(&mut self) {
        if std::mem::replace(&mut self.comma, true) {
            self.text.push(',');
        }
    }

    fn name(&mut self, name: &str) {
        self.next();
        self.quoted(name);
        self.text.push(':');
    }

    fn string(&mut self, name: &str, value: &str) {
        self.name(name);
        self.quoted(value);
    }

    fn optional(&mut self, name: &str, value: Option<&str>) {
        self.name(name);
        match value {
            Some(value) => self.quoted(value),
            None => self.text.push_str("null"),
        }
    }

    fn number(&mut self, name: &str, value: u64) {
        self.name(name);
        self.text.push_str(&value.to_string());
    }

    fn strings(&mut self, name: &str, values: &[String]) {
        self.name(name);
        self.open('[');
        for value in values {
            self.next();
            self.quoted(value);
        }
        self.close(']');
    }

    fn object(&mut self, name: &str, members: &[(String, String)]) {
        self.list(name, members, |json, (name, value)| {
            json.string("name", name);
            json.string("value", value);
        });
    }

    fn list<T>(&mut self, name: &str, values: &[T], mut write: impl FnMut(&mut Self, &T)) {
        self.name(name);
        self.open('[');
        for value in values {
            self.next();
            self.open('{');
            write(self, value);
            self.close('}');
        }
        self.close(']');
    }

    fn quoted(&mut self, text: &str) {
        self.text.push('"');
        for char in text.chars() {
            match char {
                '"' => self.text.push_str("\\\""),
                '\\' => self.text.push_str("\\\\"),
                '\n' => self.text.push_str("\\n"),
                control if control.is_control() => {
                    // Writing into a String cannot fail; control characters are all below U+10000.
                    let written = write!(self.text, "\\u{:04x}", u32::from(control));
                    debug_assert!(written.is_ok());
                }
                other => self.text.push(other),
            }
        }
        self.text.push('"');
    }
}
