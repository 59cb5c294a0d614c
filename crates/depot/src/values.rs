//! Values of sources, municipalities and offices that cannot be meant: names that match nothing, addresses that are
//! none, limits of zero. Found when a release is checked, not when the first message fails on them.

use dds_message::{Code, ProcedureId, TargetId, Text};
use url::{Host, Url};

use crate::{
    finding::CheckFinding,
    municipality::Office,
    product::{Policy, ProductPackage},
    release::{Filed, Release},
    source::{Allow, Answers, Source},
    text::nearest,
};

impl Release {
    pub(crate) fn values(&self, findings: &mut Vec<CheckFinding>) {
        let mut values = Values { release: self, findings };
        let contents = self.contents();
        for source in &contents.sources {
            values.source(source);
        }
        for area in &contents.municipalities {
            values.address(&area.file, "", area.value.endpoint.as_deref());
            values.mail(&area.file, "", area.value.mail.as_deref());
            values.offices(&area.file, &area.value.offices);
        }
        for profile in &contents.profiles {
            values.offices(&profile.file, &profile.value.offices);
        }
        for product in &contents.products {
            values.policy(&product.file, "", Code::RULE_SYNTAX, &product.value.policy);
            values.attachments(product);
        }
    }
}

struct Values<'a> {
    release: &'a Release,
    findings: &'a mut Vec<CheckFinding>,
}

impl Values<'_> {
    /// Notes a finding at the place of `needle`.
    fn say(&mut self, code: Code, file: &str, (section, needle): (&str, &str), text: impl Into<Text>) {
        let place = self.release.place(file, section, needle);
        self.findings.push(CheckFinding::error(code, file, text).at(place));
    }

    /// Makes the finding just noted a warning with a remedy of its own.
    fn only_a_warning(&mut self, remedy: (&str, &str)) {
        self.change_last(|last| last.warning().remedy(remedy));
    }

    fn change_last(&mut self, change: impl FnOnce(CheckFinding) -> CheckFinding) {
        if let Some(last) = self.findings.pop() {
            self.findings.push(change(last));
        }
    }

    fn source(&mut self, source: &Filed<Source>) {
        let (file, value) = (source.file.as_str(), &source.value);
        for pattern in &value.procedures.0 {
            self.procedure(file, pattern);
        }
        for pattern in &value.municipalities.0 {
            self.municipality(file, pattern);
        }
        for pattern in &value.mailboxes.0 {
            self.mailbox(file, pattern);
        }
        if let Answers::Callback { url, .. } = &value.answers {
            self.address(file, "answers", Some(url));
        }
        if value.limits.document_bytes == Some(0) {
            self.zero(Code::CONFIG_SYNTAX, file, "[limits]", "document_bytes");
        }
        if value.tokens.is_empty() && value.certificates.is_empty() && value.folder.is_none() {
            let text = (
                format!("die Quelle {} hat weder Token noch Zertifikat noch Transferverzeichnis", value.id),
                format!("source {} has neither token nor certificate nor drop folder", value.id),
            );
            self.say(Code::CONFIG_REFERENCE, file, ("", "id"), text);
            self.only_a_warning((
                "Bis dahin kann sie nichts senden: tokens, certificates oder folder ergänzen.",
                "Until then it can send nothing: add tokens, certificates or folder.",
            ));
        }
    }

    fn procedure(&mut self, file: &str, pattern: &str) {
        let known = || self.release.index().procedures.keys().map(ProcedureId::as_str);
        if !known().any(|name| Allow::matches(pattern, name)) {
            let near = nearest(pattern, known()).map(str::to_owned);
            self.unknown(file, ("procedures", pattern), ("kein Verfahren", "no procedure"), near);
        }
    }

    fn municipality(&mut self, file: &str, pattern: &str) {
        let digits = pattern.strip_suffix('*');
        let possible = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
        let possible = match digits {
            Some(begin) => begin.len() < 12 && possible(begin),
            None => pattern.len() == 12 && possible(pattern),
        };
        if !possible {
            let text = (
                format!("{pattern:?} ist weder ein ARS (12 Ziffern) noch ein Anfang davon mit *"),
                format!("{pattern:?} is neither an ARS (12 digits) nor the beginning of one with *"),
            );
            self.say(Code::CONFIG_SYNTAX, file, ("municipalities", &quoted(pattern)), text);
        } else if !self.release.municipalities().any(|area| Allow::matches(pattern, area.ars.as_str())) {
            let section = ("municipalities", pattern);
            self.unknown(file, section, ("keine angeschlossene Kommune", "no connected municipality"), None);
            self.only_a_warning((
                "Berichtigen, oder die Kommune anschließen.",
                "Correct it, or connect the municipality.",
            ));
        }
    }

    fn mailbox(&mut self, file: &str, pattern: &str) {
        let exact = TargetId::parse(pattern).ok().and_then(|id| self.release.target(&id));
        if pattern == "*" || exact.is_some_and(|target| target.pull) {
            return;
        }
        let mut known =
            self.release.targets().filter(|target| target.pull).map(|target| target.id.to_string());
        if !known.any(|name| Allow::matches(pattern, &name)) {
            self.unknown(file, ("mailboxes", pattern), ("kein Postfach", "no mailbox"), None);
        }
    }

    fn unknown(
        &mut self,
        file: &str,
        (section, pattern): (&str, &str),
        (german, english): (&str, &str),
        near: Option<String>,
    ) {
        let text = (format!("{pattern:?} trifft {german}"), format!("{pattern:?} matches {english}"));
        self.say(Code::CONFIG_REFERENCE, file, (section, &quoted(pattern)), text);
        if let Some(near) = near {
            self.change_last(|last| last.meant(&near));
        }
    }

    fn offices<'a>(&mut self, file: &str, offices: impl IntoIterator<Item = (&'a String, &'a Office)>) {
        for (key, office) in offices {
            let section = format!("[office.{key}");
            self.address(file, &section, office.endpoint.as_deref());
            self.mail(file, &section, office.mail_address.as_deref());
            if let Some(policy) = &office.policy {
                self.policy(file, &section, Code::CONFIG_SYNTAX, policy);
            }
        }
    }

    /// An address we send to, read as the adapters read it.
    fn address(&mut self, file: &str, section: &str, address: Option<&str>) {
        let Some(address) = address else { return };
        let place = quoted(address);
        let url = Url::parse(address).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let Some(url) = url.filter(Url::has_host) else {
            let text = (
                format!("{address:?} ist keine Adresse https://…"),
                format!("{address:?} is no address https://…"),
            );
            self.say(Code::CONFIG_SYNTAX, file, (section, &place), text);
            return;
        };
        let loopback = match url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        if url.scheme() == "http" && !loopback {
            let text = (
                format!(
                    "{address:?} ist unverschlüsselt: Token und Personendaten gehen lesbar über das Netz"
                ),
                format!("{address:?} is not encrypted: token and personal data cross the network readable"),
            );
            self.say(Code::CONFIG_SYNTAX, file, (section, &place), text);
            self.only_a_warning(("https:// verwenden.", "Use https://."));
        }
    }

    fn mail(&mut self, file: &str, section: &str, address: Option<&str>) {
        let Some(address) = address else { return };
        let strange = |text: &str| text.is_empty() || text.contains(|c: char| c.is_whitespace() || c == '@');
        if address.rsplit_once('@').is_none_or(|(name, host)| strange(name) || strange(host)) {
            let text =
                (format!("{address:?} ist keine Mailadresse"), format!("{address:?} is no mail address"));
            self.say(Code::CONFIG_SYNTAX, file, (section, &quoted(address)), text);
        }
    }

    fn policy(&mut self, file: &str, section: &str, code: Code, policy: &Policy) {
        for (key, zero) in [
            ("parallel", policy.parallel == Some(0)),
            ("breaker_faults", policy.breaker_faults == Some(0)),
            ("attempt_timeout", policy.attempt_timeout.is_some_and(|span| span.0.is_zero())),
        ] {
            if zero {
                self.zero(code, file, section, key);
            }
        }
    }

    fn attachments(&mut self, product: &Filed<ProductPackage>) {
        let ProductPackage { adapter, options, .. } = &product.value;
        if options.attachments.is_some_and(|form| !form.fits(*adapter)) {
            let adapter = adapter.as_str();
            let text = (
                format!("so kann adapter = \"{adapter}\" keine Anlagen mitgeben"),
                format!("adapter = \"{adapter}\" cannot send attachments that way"),
            );
            self.say(Code::RULE_SYNTAX, &product.file, ("[options]", "attachments"), text);
        }
    }

    fn zero(&mut self, code: Code, file: &str, section: &str, key: &str) {
        let text = (format!("{key} = 0 ließe nichts zu"), format!("{key} = 0 would allow nothing"));
        self.say(code, file, (section, key), text);
    }
}

/// How TOML writes a text, to find its place.
fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}
