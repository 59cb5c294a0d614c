//! Certificates that must not expire unnoticed.

use std::path::Path;

use dds_depot::CheckFinding;
use dds_message::{Code, Text, Timestamp};
use rustls_pki_types::{CertificateDer, pem::PemObject};

use crate::{ProcessConfig, read::unreadable};

const DAY: i64 = 86_400_000;

/// Looks at every certificate the process is configured with. An expired one is an error; 7 and 30 days before it is a
/// warning, 90 days before a note (DDS-C007).
#[must_use]
pub fn check_certificates(config: &ProcessConfig, now: Timestamp) -> Vec<CheckFinding> {
    let mut files: Vec<&Path> = Vec::new();
    if let Some(tls) = &config.listen.tls {
        files.push(&tls.certificate);
        files.extend(tls.client_ca.as_deref());
    }
    files.extend(config.delivery.target_ca.as_deref());
    files.extend(config.osci.iter().flat_map(crate::OsciConfig::certificate_files));
    files.extend(config.smtp.as_ref().and_then(|smtp| smtp.ca.as_deref()));
    files.into_iter().flat_map(|file| check_file(file, now)).collect()
}

/// Looks at the certificates in one PEM file.
#[must_use]
pub fn check_file(file: &Path, now: Timestamp) -> Vec<CheckFinding> {
    let name = file.display().to_string();
    let unusable = |why: Text| vec![CheckFinding::error(Code::CONFIG_REFERENCE, &name, why)];
    let bytes = match std::fs::read(file) {
        Ok(bytes) => bytes,
        Err(error) => return unusable(unreadable(&error)),
    };
    let mut findings = Vec::new();
    let mut found = false;
    for certificate in CertificateDer::pem_slice_iter(&bytes) {
        found = true;
        let read = certificate.ok().and_then(|der| {
            let (_, parsed) = x509_parser::parse_x509_certificate(&der).ok()?;
            Some((parsed.subject().to_string(), parsed.validity().not_after.timestamp()))
        });
        match read {
            Some((subject, until)) => {
                findings.extend(check_end(&name, Some(&subject), Timestamp(until.saturating_mul(1_000)), now))
            }
            None => {
                let why = ("ein Zertifikat darin ist fehlerhaft", "a certificate in it is malformed");
                findings.extend(unusable(why.into()));
            }
        }
    }
    if found {
        return findings;
    }
    unusable(("enthält kein Zertifikat in PEM-Form", "it holds no certificate in PEM form").into())
}

/// End of the validity of the first certificate in a PEM file, as a server shows it. `None` if there is none that can
/// be read.
#[must_use]
pub fn certificate_end(pem: &[u8]) -> Option<Timestamp> {
    let der = CertificateDer::pem_slice_iter(pem).next()?.ok()?;
    let (_, certificate) = x509_parser::parse_x509_certificate(&der).ok()?;
    Some(Timestamp(certificate.validity().not_after.timestamp().saturating_mul(1_000)))
}

/// Looks at the end of one certificate, as [`check_certificates`] does. The holder (subject) is not named where it may
/// be a person.
#[must_use]
pub fn check_end(
    place: &str,
    holder: Option<&str>,
    until: Timestamp,
    now: Timestamp,
) -> Option<CheckFinding> {
    let left = until.0 - now.0;
    let day = until.day();
    let finding = |german: String, english: String| {
        let text = match holder {
            Some(holder) => (
                format!("das Zertifikat von {holder} {german}"),
                format!("the certificate of {holder} {english}"),
            ),
            None => (format!("das Zertifikat {german}"), format!("the certificate {english}")),
        };
        CheckFinding::error(Code::CERTIFICATE_EXPIRES, place, text)
    };
    match left {
        ..0 => Some(finding(format!("ist am {day} abgelaufen"), format!("expired on {day}"))),
        _ if left < 30 * DAY => {
            let days = left / DAY;
            let (now_german, now) = if left < 7 * DAY { (", sofort handeln", ", act now") } else { ("", "") };
            let german = format!("läuft am {day} ab, in {days} Tagen{now_german}");
            Some(finding(german, format!("expires on {day}, in {days} days{now}")).warning())
        }
        _ if left < 90 * DAY => {
            Some(finding(format!("läuft am {day} ab"), format!("expires on {day}")).info())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dds_message::Severity;

    #[test]
    fn the_warning_grows_as_the_day_comes_near() {
        let until = Timestamp(1_000 * DAY);
        let severity = |days: i64| {
            check_end("x.pem", None, until, Timestamp((1_000 - days) * DAY)).map(|it| it.severity)
        };
        assert_eq!(severity(91), None);
        assert_eq!(severity(89), Some(Severity::Info));
        assert_eq!(severity(29), Some(Severity::Warning));
        assert_eq!(severity(6), Some(Severity::Warning));
        assert_eq!(severity(-1), Some(Severity::Error));
        let text = check_end("x.pem", Some("CN=x"), until, Timestamp(994 * DAY)).unwrap().to_string();
        assert!(text.contains("of CN=x") && text.contains("in 6 days, act now"), "{text}");
        assert!(text.contains("DDS-C007"), "{text}");
    }

    #[test]
    fn a_file_without_certificate_is_an_error() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "no certificate").unwrap();
        assert_eq!(check_file(file.path(), Timestamp(0))[0].severity, Severity::Error);
        assert_eq!(check_file(Path::new("missing.pem"), Timestamp(0)).len(), 1);
    }

    #[test]
    fn the_day_of_a_real_certificate_is_read() {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut parameters = rcgen::CertificateParams::new(vec!["drehscheibe.example".to_owned()]).unwrap();
        parameters.not_after = rcgen::date_time_ymd(2027, 1, 10);
        let pem = parameters.self_signed(&key).unwrap().pem();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), pem).unwrap();
        let at = |text| Timestamp::parse(text).unwrap();
        assert!(check_file(file.path(), at("2026-10-01T00:00:00Z")).is_empty());
        let soon = check_file(file.path(), at("2027-01-08T00:00:00Z"));
        assert!(
            soon[0].text.english.contains("2027-01-10")
                && soon[0].text.german.contains("2027-01-10")
                && soon[0].severity == Severity::Warning,
            "{soon:?}"
        );
        assert_eq!(check_file(file.path(), at("2027-02-01T00:00:00Z"))[0].severity, Severity::Error);
    }
}
