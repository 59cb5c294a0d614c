//! The mail itself (RFC 5322, MIME: RFC 2045–2047, 2231), composed so that attachments are read while it is sent.

use dds_delivery::Consignment;

use super::MailRelay;
use crate::content::{Coding, Content, base64_lines};

/// Longest line of a header field that is worth folding at (RFC 5322 section 2.1.1).
const FIELD: usize = 76;

/// The message with all its parts. The same consignment always gives the same bytes, `Message-ID` included, so that a
/// repetition can be recognised.
pub(super) fn compose(
    relay: &MailRelay,
    to: &str,
    subject: Option<&str>,
    consignment: &Consignment,
) -> Content {
    let boundary = format!("dds-{}", consignment.delivery.0.simple());
    let document = &consignment.document;
    let text = document.media_type.starts_with("text/plain");
    let mut content = Content::default();
    content.push(head(relay, to, subject, consignment, &boundary));

    let body = if text { document.bytes.clone() } else { covering_note(consignment).into() };
    content.push(format!(
        "--{boundary}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    ));
    content.push(base64_lines(&body));
    if !text {
        content.push(part(&boundary, &document.file_name, &document.media_type));
        content.push(base64_lines(&document.bytes));
    }
    for attachment in &consignment.attachments {
        let described = attachment.describe();
        content.push(part(&boundary, &described.name, &described.media_type));
        content.attach(attachment, Coding::Lines);
    }
    content.push(format!("--{boundary}--\r\n"));
    content
}

fn head(
    relay: &MailRelay,
    to: &str,
    subject: Option<&str>,
    consignment: &Consignment,
    boundary: &str,
) -> String {
    let message = consignment.message.to_string();
    let subject = subject.unwrap_or("Neue Nachricht der Datendrehscheibe");
    // Ends in hexadecimal digits of the message id, by which an office and the operator can talk about it.
    let subject = format!("{subject} [{}]", &message[message.len() - 12..]);
    let mut head = String::new();
    let mut field = |name: &str, value: &str| {
        head.push_str(name);
        head.push_str(": ");
        head.push_str(&value.replace(['\r', '\n'], ""));
        head.push_str("\r\n");
    };
    field("Date", &date(consignment));
    field("From", &format!("Datendrehscheibe <{}>", relay.from));
    field("To", &format!("<{to}>"));
    field("Message-ID", &format!("<{}@{}>", consignment.delivery, relay.own_name));
    if let Some((_, application)) = &consignment.answer {
        field("References", &format!("<{application}@{}>", relay.own_name));
    }
    // RFC 3834 section 5: no out-of-office replies
    field("Auto-Submitted", "auto-generated");
    field("X-Zustellung", &consignment.delivery.to_string());
    field("X-Nachricht", &message);
    field("MIME-Version", "1.0");
    field("Content-Type", &format!("multipart/mixed; boundary=\"{boundary}\""));
    head.push_str(&format!("Subject: {}\r\n\r\n", encoded_words(&subject)));
    head
}

/// Acceptance time as RFC 5322 date: known, the same on each attempt, and what the office wants to see.
fn date(consignment: &Consignment) -> String {
    let moment = consignment.accepted.to_jiff();
    jiff::fmt::rfc2822::to_string(&moment.to_zoned(jiff::tz::TimeZone::UTC)).unwrap_or_default()
}

/// Begleittext: German first, then English.
fn covering_note(consignment: &Consignment) -> String {
    let ids = |[procedure, case, message, delivery]: [&str; 4]| {
        let values = [
            (procedure, consignment.procedure.as_ref().map(ToString::to_string)),
            (case, consignment.case.as_ref().map(ToString::to_string)),
            (message, Some(consignment.message.to_string())),
            (delivery, Some(consignment.delivery.to_string())),
        ];
        let line = |(what, value): (&str, Option<String>)| Some(format!("{what}: {}\r\n", value?));
        values.into_iter().filter_map(line).collect::<String>()
    };
    format!(
        "Guten Tag,\r\n\r\ndie Datendrehscheibe stellt Ihnen die angehängte Nachricht zu.\r\n\r\n{}\r\n\
         Bitte antworten Sie nicht auf diese Mail.\r\n\r\n--\r\n\r\n\
         Hello,\r\n\r\nthe Datendrehscheibe delivers the attached message to you.\r\n\r\n{}\r\n\
         Please do not reply to this mail.\r\n",
        ids(["Verfahren", "Vorgang", "Nachricht", "Zustellung"]),
        ids(["Procedure", "Case", "Message", "Delivery"]),
    )
}

/// Header of a part that is a file.
fn part(boundary: &str, name: &str, media_type: &str) -> String {
    let media_type = media_type.replace(['\r', '\n'], "");
    // A mail in the mail, or parts in a part, may not be written in Base64 (RFC 2045 section 6.4). The file stays what
    // it is, under its name.
    let composite = ["message/", "multipart/"].iter().any(|kind| {
        media_type.trim_start().get(..kind.len()).is_some_and(|start| start.eq_ignore_ascii_case(kind))
    });
    let media_type = if composite { "application/octet-stream" } else { &media_type };
    format!(
        "--{boundary}\r\nContent-Type: {media_type}\r\nContent-Transfer-Encoding: base64\r\n\
         Content-Disposition: attachment;\r\n {}\r\n\r\n",
        file_name(name)
    )
}

/// `filename="…"`, or in the form of RFC 2231 section 4 for everything but plain ASCII.
fn file_name(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b" -_.+,()".contains(&byte);
    if name.len() <= 60 && name.bytes().all(plain) {
        return format!("filename=\"{name}\"");
    }
    let mut coded = Vec::new();
    for c in name.chars() {
        let mut bytes = [0; 4];
        let token: String = c
            .encode_utf8(&mut bytes)
            .bytes()
            .map(|byte| match byte {
                b'-' | b'_' | b'.' => char::from(byte).to_string(),
                _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
                _ => format!("%{byte:02X}"),
            })
            .collect();
        coded.push(token);
    }
    // Continuations keep every line short (RFC 2231 section 3).
    let mut lines: Vec<String> = vec![String::from("UTF-8''")];
    for token in coded {
        if lines.last().is_some_and(|line| line.len() + token.len() > FIELD - 20) {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(&token);
        }
    }
    if let [line] = lines.as_slice() {
        return format!("filename*={line}");
    }
    let numbered: Vec<_> =
        lines.iter().enumerate().map(|(number, line)| format!("filename*{number}*={line}")).collect();
    numbered.join(";\r\n ")
}

/// Text of a header field: as it is if short ASCII, otherwise encoded words (RFC 2047), folded.
fn encoded_words(text: &str) -> String {
    if text.len() < FIELD - 10
        && text.bytes().all(|byte| (0x20..0x7f).contains(&byte))
        && !text.contains("=?")
    {
        return text.to_owned();
    }
    use base64::Engine as _;
    let (mut words, mut word) = (Vec::new(), String::new());
    for c in text.chars().filter(|c| !c.is_control()) {
        // 42 bytes become 56 characters; with the frame and the name of the field they fit into a line.
        if word.len() + c.len_utf8() > 42 {
            words.push(std::mem::take(&mut word));
        }
        word.push(c);
    }
    words.push(word);
    let encode =
        |word: &String| format!("=?UTF-8?B?{}?=", base64::engine::general_purpose::STANDARD.encode(word));
    words.iter().map(encode).collect::<Vec<_>>().join("\r\n ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_in_the_mail_is_a_file() {
        for (sent, declared) in [
            ("message/rfc822", "application/octet-stream"),
            ("Multipart/Mixed; boundary=x", "application/octet-stream"),
            ("application/pdf", "application/pdf"),
            ("", ""),
        ] {
            let part = part("b", "anlage", sent);
            assert!(part.contains(&format!("Content-Type: {declared}\r\n")), "{part}");
        }
    }

    #[test]
    fn names_and_subjects_of_any_script_stay_in_short_ascii_lines() {
        let long = "Größenangaben der Fußböden ".repeat(8);
        for text in [encoded_words(&long), file_name(&format!("{long}.pdf")), file_name("a\"\r\nX: y.pdf")] {
            assert!(text.is_ascii(), "{text}");
            assert!(text.split("\r\n").all(|line| line.len() <= 78), "{text}");
            assert!(text.split("\r\n").skip(1).all(|line| line.starts_with(' ')), "{text}");
        }
        assert_eq!(encoded_words("Neue Nachricht [1]"), "Neue Nachricht [1]");
        assert_eq!(encoded_words("Böse"), "=?UTF-8?B?QsO2c2U=?=");
        assert_eq!(file_name("Scan 1.pdf"), "filename=\"Scan 1.pdf\"");
        assert_eq!(file_name("ä.pdf"), "filename*=UTF-8''%C3%A4.pdf");
    }
}
