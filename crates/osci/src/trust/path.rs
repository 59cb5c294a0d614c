//! The path (Zertifikatskette) from a certificate to an anchor.

use jiff::Timestamp;
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::TrustPolicy;
use super::x509::{Verified, verify};
use crate::certificate::Certificate;

/// Longest path including both ends.
const MAX_LENGTH: usize = 8;
/// Most signatures verified for one certificate: a heap of intermediates with one name must not cost more.
const MAX_SIGNATURES: usize = 32;

/// How the search ended.
#[derive(Debug)]
pub(super) enum Path {
    /// From the certificate to the anchor. Signatures, names and the rules for authorities are right. Of several paths,
    /// as after the renewal of an authority, the first one whose authorities are valid and not revoked; the first one
    /// if there is none.
    Found(Vec<Certificate>),
    /// The certificate signs itself and is no anchor.
    SelfSigned { signature_right: bool },
    /// There is an issuer of the right name, but the signature is not his.
    Corrupted(String),
    /// An issuer may not issue this certificate, or a certificate demands what we do not know.
    Refused(String),
    /// No issuer of this name is known, or his signature cannot be verified.
    Unknown(String),
}

pub(super) fn find(certificate: &Certificate, policy: &TrustPolicy, at: Timestamp) -> Path {
    let mut search = Search { policy, at, signatures: 0, first: None, worst: None };
    if policy.anchors.contains(certificate) {
        // Pinned: the operator has named this very certificate.
        return Path::Found(vec![certificate.clone()]);
    }
    let Ok((_, leaf)) = X509Certificate::from_der(certificate.der()) else {
        return Path::Refused("the certificate cannot be read".to_owned());
    };
    if let Err(reason) = critical_extensions(&leaf, certificate) {
        return Path::Refused(reason);
    }
    let mut path = vec![certificate.clone()];
    if search.extend(&mut path) {
        return Path::Found(path);
    }
    if let Some(path) = search.first {
        return Path::Found(path);
    }
    if leaf.subject().as_raw() == leaf.issuer().as_raw() {
        let signature_right = signed_by(&leaf, certificate) == Verified::Right;
        return Path::SelfSigned { signature_right };
    }
    search
        .worst
        .unwrap_or_else(|| Path::Unknown(format!("no issuer \"{}\" among the anchors", certificate.issuer())))
}

struct Search<'a> {
    policy: &'a TrustPolicy,
    at: Timestamp,
    signatures: usize,
    /// The first path to an anchor, of which an authority does not hold.
    first: Option<Vec<Certificate>>,
    /// What to tell if no path is found: the finding that says most.
    worst: Option<Path>,
}

impl Search<'_> {
    /// Depth first, anchors before intermediates, until the authorities of a path hold.
    fn extend(&mut self, path: &mut Vec<Certificate>) -> bool {
        let Some(last) = path.last().cloned() else { return false };
        let Ok((_, x509)) = X509Certificate::from_der(last.der()) else { return false };
        let TrustPolicy { anchors, intermediates, signatures, .. } = self.policy;
        let candidates = anchors.iter().map(|c| (c, true)).chain(intermediates.iter().map(|c| (c, false)));
        for (issuer, is_anchor) in candidates {
            // By what is known of them already: a policy may name hundreds.
            if issuer.subject_der() != last.issuer_der() || path.contains(issuer) {
                continue;
            }
            let Ok((_, issuer_x509)) = X509Certificate::from_der(issuer.der()) else { continue };
            if path.len() >= MAX_LENGTH || self.signatures >= MAX_SIGNATURES {
                self.note(Path::Unknown("the search for a path was given up: too long".to_owned()));
                return false;
            }
            self.signatures += 1;
            match signatures.look(issuer, &last, || signed_by(&x509, issuer)) {
                Verified::Right => {}
                Verified::Wrong => {
                    let text = format!(
                        "the signature of \"{}\" over \"{}\" is wrong",
                        issuer.subject(),
                        last.subject()
                    );
                    self.note(Path::Corrupted(text));
                    continue;
                }
                Verified::Unsupported => {
                    let text = format!(
                        "the signature over \"{}\" uses an algorithm that is not accepted",
                        last.subject()
                    );
                    self.note(Path::Unknown(text));
                    continue;
                }
            }
            // Authorities between this issuer and the end: everything on the path but the first certificate.
            if let Err(reason) = may_issue(&issuer_x509, issuer, path.len() - 1) {
                self.note(Path::Refused(reason));
                continue;
            }
            path.push(issuer.clone());
            if is_anchor {
                if self.policy.authorities_hold(path, self.at) {
                    return true;
                }
                self.first.get_or_insert_with(|| path.clone());
            } else if self.extend(path) {
                return true;
            }
            path.pop();
        }
        false
    }

    /// A wrong issuer says more than a wrong signature (names may repeat after a change of keys), and both more than
    /// an unknown one.
    fn note(&mut self, finding: Path) {
        let rank = |path: &Path| match path {
            Path::Refused(_) => 3,
            Path::Corrupted(_) => 2,
            _ => 1,
        };
        if self.worst.as_ref().is_none_or(|worst| rank(worst) < rank(&finding)) {
            self.worst = Some(finding);
        }
    }
}

fn signed_by(x509: &X509Certificate<'_>, issuer: &Certificate) -> Verified {
    if x509.signature_algorithm != x509.tbs_certificate.signature {
        return Verified::Wrong;
    }
    verify(&x509.signature_algorithm, x509.tbs_certificate.as_ref(), &x509.signature_value.data, issuer)
}

/// RFC 5280 6.1.4: basicConstraints with CA and path length, keyCertSign, no unknown critical extension. Anchors are
/// held to it too: a certificate that was pinned for one partner must not become an authority.
fn may_issue(
    x509: &X509Certificate<'_>,
    issuer: &Certificate,
    authorities_below: usize,
) -> Result<(), String> {
    critical_extensions(x509, issuer)?;
    let name = issuer.subject();
    let constraints = x509
        .basic_constraints()
        .ok()
        .flatten()
        .filter(|constraints| constraints.value.ca)
        .ok_or_else(|| format!("\"{name}\" is no certificate authority"))?;
    if let Some(limit) = constraints.value.path_len_constraint
        && authorities_below > usize::try_from(limit).unwrap_or(usize::MAX)
    {
        return Err(format!("the path below \"{name}\" is longer than it allows"));
    }
    match x509.key_usage() {
        Ok(None) => Ok(()),
        Ok(Some(usage)) if usage.value.key_cert_sign() => Ok(()),
        _ => Err(format!("\"{name}\" may not sign certificates (keyUsage)")),
    }
}

/// RFC 5280 4.2: a critical extension that is not processed refuses the certificate. Policies are not processed but
/// harmless (no policy is demanded); name constraints and policy constraints would have to be. A critical
/// extendedKeyUsage names all that the key is for (4.2.1.12): an order is a message of a client, neither the answer of
/// a TLS server nor one of a responder.
fn critical_extensions(x509: &X509Certificate<'_>, certificate: &Certificate) -> Result<(), String> {
    for extension in x509.extensions().iter().filter(|extension| extension.critical) {
        let name = certificate.subject();
        match extension.parsed_extension() {
            ParsedExtension::BasicConstraints(_)
            | ParsedExtension::KeyUsage(_)
            | ParsedExtension::SubjectAlternativeName(_)
            | ParsedExtension::CertificatePolicies(_) => {}
            ParsedExtension::ExtendedKeyUsage(usage)
                if usage.any || usage.client_auth || usage.email_protection => {}
            ParsedExtension::ExtendedKeyUsage(_) => {
                return Err(format!("\"{name}\" is for other purposes only (extendedKeyUsage)"));
            }
            _ => {
                let oid = extension.oid.to_id_string();
                return Err(format!("\"{name}\" has the critical extension {oid}, which is not known"));
            }
        }
    }
    Ok(())
}
