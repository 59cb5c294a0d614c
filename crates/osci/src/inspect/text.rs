//! The report as text for the terminal.

use std::fmt::{self, Display, Formatter};

use super::{ContentReport, Report, SignatureReport};

/// Control characters of a foreign message could drive the terminal; they are shown as `·`.
struct Safe<'a>(&'a str);

impl Display for Safe<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0
            .chars()
            .try_for_each(|char| if char.is_control() { f.write_str("·") } else { write!(f, "{char}") })
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.kind {
            Some(kind) => writeln!(f, "message: {kind} ({} bytes)", self.bytes)?,
            None => writeln!(f, "message: not recognised ({} bytes)", self.bytes)?,
        }
        if let Some(refused) = &self.refused {
            writeln!(f, "refused: {}", Safe(&refused.to_string()))?;
        }
        match &self.transport {
            Some(transport) => writeln!(f, "transport encryption: {}", Safe(&transport.to_string()))?,
            None => writeln!(f, "transport encryption: none")?,
        }
        pairs(f, "dialogue", &self.dialogue)?;
        pairs(f, "order", &self.order)?;
        for (language, code, text) in &self.feedback {
            writeln!(f, "feedback: {} [{}] {}", Safe(code), Safe(language), Safe(text))?;
        }
        for (language, code, text) in &self.inside_feedback {
            writeln!(
                f,
                "feedback on the delivery inside: {} [{}] {}",
                Safe(code),
                Safe(language),
                Safe(text)
            )?;
        }
        for (id, facts) in &self.process_cards {
            writeln!(f, "process card: {}", Safe(id))?;
            facts.iter().try_for_each(|(name, value)| writeln!(f, "  {}: {}", Safe(name), Safe(value)))?;
        }
        if !self.certificates.is_empty() {
            writeln!(f, "certificates:")?;
        }
        for (role, id, certificate) in &self.certificates {
            writeln!(f, "  {} {}", Safe(role), Safe(id))?;
            match certificate {
                Ok(certificate) => {
                    let (subject, issuer) = (certificate.subject(), certificate.issuer());
                    writeln!(
                        f,
                        "    {} (by {}, serial {})",
                        Safe(subject),
                        Safe(issuer),
                        Safe(certificate.serial())
                    )?;
                    writeln!(
                        f,
                        "    {} to {}, {:?}",
                        certificate.not_before(),
                        certificate.not_after(),
                        certificate.key()
                    )?;
                }
                Err(why) => writeln!(f, "    {}", Safe(why))?,
            }
        }
        signature(f, "", &self.signature)?;
        for part in &self.parts {
            writeln!(
                f,
                "attachment: {} {} {} bytes sha256 {}",
                Safe(&part.content_id),
                Safe(&part.media_type),
                part.bytes,
                part.sha256
            )?;
            match &part.plaintext {
                Some(Ok(bytes)) => writeln!(f, "  decrypted: {bytes} bytes")?,
                Some(Err(why)) => writeln!(f, "  not decrypted: {}", Safe(&why.to_string()))?,
                None => {}
            }
        }
        for encrypted in &self.encrypted {
            writeln!(f, "encrypted content: {} {}", Safe(&encrypted.id), Safe(&encrypted.state.to_string()))?;
            encrypted.readers.iter().try_for_each(|reader| writeln!(f, "  reader: {}", Safe(reader)))?;
        }
        self.contents.iter().try_for_each(|content| container(f, content))?;
        self.findings.iter().try_for_each(|finding| writeln!(f, "finding: {}", Safe(&finding.to_string())))
    }
}

fn pairs(f: &mut Formatter<'_>, title: &str, pairs: &[(String, String)]) -> fmt::Result {
    pairs.iter().try_for_each(|(name, value)| writeln!(f, "{title}: {} = {}", Safe(name), Safe(value)))
}

fn signature(f: &mut Formatter<'_>, indent: &str, signature: &SignatureReport) -> fmt::Result {
    write!(f, "{indent}signature: {}", signature.verdict)?;
    match &signature.code {
        Some(code) => writeln!(f, " (feedback {code})")?,
        None => writeln!(f)?,
    }
    signature.faults.iter().try_for_each(|fault| writeln!(f, "{indent}  fault: {}", Safe(fault)))?;
    if let Some(signer) = &signature.signer {
        writeln!(f, "{indent}  signer: {}", Safe(signer))?;
    }
    if let Some(algorithm) = signature.algorithm {
        writeln!(f, "{indent}  algorithm: {algorithm}")?;
    }
    if let Some(time) = &signature.time {
        writeln!(f, "{indent}  signing time: {}", Safe(time))?;
    }
    for reference in &signature.references {
        write!(f, "{indent}  digest of {}: {}", Safe(&reference.uri), reference.verdict)?;
        if reference.remark.is_empty() { writeln!(f)? } else { writeln!(f, " ({})", reference.remark)? }
    }
    Ok(())
}

fn container(f: &mut Formatter<'_>, content: &ContentReport) -> fmt::Result {
    writeln!(f, "content container: {}", Safe(&content.id))?;
    content
        .items
        .iter()
        .try_for_each(|(id, what)| writeln!(f, "  content {}: {}", Safe(id), Safe(&what.to_string())))?;
    if content.signatures.is_empty() {
        writeln!(f, "  signature: absent")?;
    }
    content.signatures.iter().try_for_each(|one| signature(f, "  ", one))
}
