//! OCSP (RFC 6960): the question as bytes, the answer checked. Fetching is the caller's.

use aws_lc_rs::digest;
use jiff::{SignedDuration, Timestamp};
use x509_parser::asn1_rs::{Any, Class, FromDer as _, GeneralizedTime};
use x509_parser::prelude::X509Certificate;
use x509_parser::x509::AlgorithmIdentifier;

use super::x509::{Verified, verify};
use crate::certificate::Certificate;
use crate::random::Random;

/// Clocks of responders may be ahead by this much.
const SKEW: SignedDuration = SignedDuration::from_mins(5);
/// An answer without `nextUpdate` is good for this long.
const MAX_AGE: SignedDuration = SignedDuration::from_hours(24);

const SHA1_OID: &[u8] = &[0x2b, 0x0e, 0x03, 0x02, 0x1a];
const NONCE_OID: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 2];
const BASIC_OID: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1];

/// A question to a responder about one certificate.
#[derive(Debug, Clone)]
pub struct OcspRequest {
    certificate: Certificate,
    issuer: Certificate,
    certificate_id: Vec<u8>,
    nonce: Vec<u8>,
    bytes: Vec<u8>,
}

/// A verified answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OcspAnswer {
    pub(super) certificate: Certificate,
    pub(super) revoked: bool,
    /// `thisUpdate`: when this was known to be right.
    pub(super) this_update: Timestamp,
    /// `nextUpdate`, or what stands for it.
    pub(super) until: Timestamp,
    pub(super) bytes: Vec<u8>,
}

impl OcspAnswer {
    /// Whether the responder promised that the answer counts at this time.
    pub(super) fn is_fresh(&self, at: Timestamp) -> bool {
        at <= self.until
    }

    /// Whether the certificate is revoked.
    #[must_use]
    pub fn is_revoked(&self) -> bool {
        self.revoked
    }

    /// The response as it came (RFC 6960).
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Why an answer says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OcspError {
    /// Not an OCSP response.
    #[error("not an OCSP response")]
    Malformed,
    /// The responder refuses (`responseStatus` other than successful).
    #[error("the OCSP responder refused with status {0}")]
    Refused(u8),
    /// Not signed by the issuer or a responder he has named.
    #[error("the OCSP response is not signed by the issuer or his responder")]
    Signature,
    /// The answer is to another question: other nonce.
    #[error("the OCSP response has another nonce")]
    Nonce,
    /// The response says nothing about the certificate.
    #[error("the OCSP response is about other certificates")]
    OtherCertificate,
    /// Too old, or from the future.
    #[error("the OCSP response is not of this time")]
    Time,
    /// The responder does not know the certificate.
    #[error("the OCSP responder does not know the certificate")]
    Unknown,
}

impl OcspRequest {
    /// A question about `certificate`, issued by `issuer`.
    ///
    /// # Errors
    /// [`OcspError::OtherCertificate`] if `issuer` has not the name of its issuer.
    pub fn new(
        certificate: &Certificate,
        issuer: &Certificate,
        random: &mut dyn Random,
    ) -> Result<Self, OcspError> {
        let x509 = X509Certificate::from_der(certificate.der()).map_err(|_| OcspError::Malformed)?.1;
        let issuer_x509 = X509Certificate::from_der(issuer.der()).map_err(|_| OcspError::Malformed)?.1;
        if x509.issuer().as_raw() != issuer_x509.subject().as_raw() {
            return Err(OcspError::OtherCertificate);
        }
        // SHA-1 names the issuer here, it protects nothing; RFC 5019 2.1.1 makes it the one every responder knows.
        let certificate_id = tlv(
            0x30,
            &[
                &tlv(0x30, &[&tlv(0x06, &[SHA1_OID]), &tlv(0x05, &[])]),
                &tlv(0x04, &[&sha1(x509.issuer().as_raw())]),
                &tlv(0x04, &[&sha1(issuer.key_bytes())]),
                &tlv(0x02, &[x509.raw_serial()]),
            ],
        );
        let mut nonce = vec![0; 16];
        random.fill(&mut nonce);
        let nonce_extension = tlv(0x30, &[&tlv(0x06, &[NONCE_OID]), &tlv(0x04, &[&tlv(0x04, &[&nonce])])]);
        let bytes = tlv(
            0x30,
            &[&tlv(
                0x30,
                &[
                    &tlv(0x30, &[&tlv(0x30, &[&certificate_id])]),
                    &tlv(0xa2, &[&tlv(0x30, &[&nonce_extension])]),
                ],
            )],
        );
        Ok(Self { certificate: certificate.clone(), issuer: issuer.clone(), certificate_id, nonce, bytes })
    }

    /// The request, for `POST` with `application/ocsp-request`.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    #[cfg(test)]
    pub(super) fn certificate_id(&self) -> &[u8] {
        &self.certificate_id
    }

    /// Checks the body of the responder's answer: signature by the issuer or a responder he delegated to, our nonce if
    /// it carries one (many responders prepare their answers and cannot), our certificate, the time.
    ///
    /// # Errors
    /// [`OcspError`]; then the answer says nothing, neither good nor revoked.
    pub fn read(&self, response: &[u8], at: Timestamp) -> Result<OcspAnswer, OcspError> {
        let basic = basic_response(response)?;
        let mut outer = Tlvs(basic);
        let (data, algorithm, signature) = (outer.next()?, outer.next()?, outer.next()?);
        let certificates = outer.optional(Class::ContextSpecific, 0)?;
        let ResponseData { responder, mut singles, extensions } = ResponseData::read(&data)?;
        self.verify(&data, &algorithm, &signature, &responder, certificates.as_ref(), at)?;
        if let Some(extensions) = extensions {
            self.check_nonce(Tlvs(extensions.content).next()?.content)?;
        }
        while !singles.0.is_empty() {
            let mut single = Tlvs(singles.next()?.content);
            if self.is_ours(single.next()?.content) {
                return self.status(single, response, at);
            }
        }
        Err(OcspError::OtherCertificate)
    }

    fn status(&self, mut single: Tlvs<'_>, response: &[u8], at: Timestamp) -> Result<OcspAnswer, OcspError> {
        let status = single.next()?;
        let this_update = time(single.next()?.whole)?;
        let next_update =
            single.optional(Class::ContextSpecific, 0)?.map(|next| time(next.content)).transpose()?;
        let until = next_update.unwrap_or(this_update + MAX_AGE);
        if this_update > at + SKEW || until < at {
            return Err(OcspError::Time);
        }
        let revoked = match (status.class, status.tag) {
            (Class::ContextSpecific, 0) => false,
            (Class::ContextSpecific, 1) => true,
            (Class::ContextSpecific, 2) => return Err(OcspError::Unknown),
            _ => return Err(OcspError::Malformed),
        };
        let (certificate, bytes) = (self.certificate.clone(), response.to_vec());
        Ok(OcspAnswer { certificate, revoked, this_update, until, bytes })
    }

    fn verify(
        &self,
        data: &Tlv<'_>,
        algorithm: &Tlv<'_>,
        signature: &Tlv<'_>,
        responder: &Tlv<'_>,
        certificates: Option<&Tlv<'_>>,
        at: Timestamp,
    ) -> Result<(), OcspError> {
        let (_, algorithm) =
            <AlgorithmIdentifier as x509_parser::prelude::FromDer<_>>::from_der(algorithm.whole)
                .map_err(|_| OcspError::Malformed)?;
        // The first octet of a BIT STRING counts unused bits: none in a signature.
        let signature = signature.content.strip_prefix(&[0]).ok_or(OcspError::Malformed)?;
        let mut candidates = vec![self.issuer.clone()];
        if let Some(certificates) = certificates {
            let mut list = Tlvs(Tlvs(certificates.content).next()?.content);
            while !list.0.is_empty() && candidates.len() < 5 {
                candidates.extend(Certificate::from_der(list.next()?.whole.to_vec()).ok());
            }
        }
        let accepted = candidates.iter().any(|candidate| {
            is_responder(candidate, responder)
                && (*candidate == self.issuer || self.has_delegated(candidate, at))
                && verify(&algorithm, data.whole, signature, candidate) == Verified::Right
        });
        if accepted { Ok(()) } else { Err(OcspError::Signature) }
    }

    /// RFC 6960 4.2.2.2: issued by the very issuer, for OCSP signing, and valid.
    fn has_delegated(&self, responder: &Certificate, at: Timestamp) -> bool {
        let Ok((_, x509)) = X509Certificate::from_der(responder.der()) else { return false };
        let Ok((_, issuer)) = X509Certificate::from_der(self.issuer.der()) else { return false };
        let for_ocsp = x509.extended_key_usage().ok().flatten().is_some_and(|usage| usage.value.ocsp_signing);
        let valid = responder.not_before() <= at && at <= responder.not_after();
        let signed = verify(
            &x509.signature_algorithm,
            x509.tbs_certificate.as_ref(),
            &x509.signature_value.data,
            &self.issuer,
        );
        for_ocsp && valid && x509.issuer().as_raw() == issuer.subject().as_raw() && signed == Verified::Right
    }

    fn check_nonce(&self, extensions: &[u8]) -> Result<(), OcspError> {
        let mut extensions = Tlvs(extensions);
        while !extensions.0.is_empty() {
            let mut extension = Tlvs(extensions.next()?.content);
            if extension.next()?.content != NONCE_OID {
                continue;
            }
            let mut value = extension.next()?;
            if value.tag == 1 {
                value = extension.next()?;
            }
            if Tlvs(value.content).next()?.content != self.nonce {
                return Err(OcspError::Nonce);
            }
        }
        Ok(())
    }

    /// Whether a CertID is ours: hash algorithm (its parameters may be NULL or absent), names and serial.
    fn is_ours(&self, certificate_id: &[u8]) -> bool {
        let parts = |content| -> Result<_, OcspError> {
            let mut parts = Tlvs(content);
            let oid = Tlvs(parts.next()?.content).next()?.content;
            Ok((oid, parts.next()?.content, parts.next()?.content, parts.next()?.content))
        };
        let ours = Tlvs(&self.certificate_id).next().and_then(|id| parts(id.content));
        ours.is_ok() && ours == parts(certificate_id)
    }
}

/// The latest `thisUpdate` in a response that was verified when it came.
pub(super) fn latest_update(response: &[u8]) -> Result<Timestamp, OcspError> {
    let mut singles = ResponseData::read(&Tlvs(basic_response(response)?).next()?)?.singles;
    let mut latest = Timestamp::MIN;
    while !singles.0.is_empty() {
        let mut single = Tlvs(singles.next()?.content);
        let (_certificate_id, _status) = (single.next()?, single.next()?);
        latest = latest.max(time(single.next()?.whole)?);
    }
    Ok(latest)
}

/// What a responder signs (RFC 6960 4.2.1).
struct ResponseData<'a> {
    responder: Tlv<'a>,
    singles: Tlvs<'a>,
    extensions: Option<Tlv<'a>>,
}

impl<'a> ResponseData<'a> {
    fn read(data: &Tlv<'a>) -> Result<Self, OcspError> {
        let mut fields = Tlvs(data.content);
        let _version = fields.optional(Class::ContextSpecific, 0)?;
        let responder = fields.next()?;
        let _produced_at = fields.next()?;
        let singles = Tlvs(fields.next()?.content);
        let extensions = fields.optional(Class::ContextSpecific, 1)?;
        Ok(Self { responder, singles, extensions })
    }
}

/// `BasicOCSPResponse` content of an `OCSPResponse`.
fn basic_response(response: &[u8]) -> Result<&[u8], OcspError> {
    let mut outer = Tlvs(response);
    let mut fields = Tlvs(outer.next()?.content);
    match fields.next()?.content {
        [0] => {}
        [status] => return Err(OcspError::Refused(*status)),
        _ => return Err(OcspError::Malformed),
    }
    let bytes = fields.optional(Class::ContextSpecific, 0)?.ok_or(OcspError::Malformed)?;
    let mut bytes = Tlvs(Tlvs(bytes.content).next()?.content);
    if bytes.next()?.content != BASIC_OID || !outer.0.is_empty() {
        return Err(OcspError::Malformed);
    }
    Ok(Tlvs(bytes.next()?.content).next()?.content)
}

/// ResponderID: by name or by SHA-1 of the key.
fn is_responder(candidate: &Certificate, responder: &Tlv<'_>) -> bool {
    let Ok((_, x509)) = X509Certificate::from_der(candidate.der()) else { return false };
    match responder.tag {
        1 => responder.content == x509.subject().as_raw(),
        2 => Tlvs(responder.content).next().is_ok_and(|key| key.content == sha1(candidate.key_bytes())),
        _ => false,
    }
}

fn sha1(bytes: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref().to_vec()
}

fn time(der: &[u8]) -> Result<Timestamp, OcspError> {
    let (_, time) = GeneralizedTime::from_der(der).map_err(|_| OcspError::Malformed)?;
    let seconds = time.utc_datetime().map_err(|_| OcspError::Malformed)?.unix_timestamp();
    Timestamp::from_second(seconds).map_err(|_| OcspError::Malformed)
}

/// One value in DER.
#[derive(Debug, Clone, Copy)]
struct Tlv<'a> {
    class: Class,
    tag: u32,
    content: &'a [u8],
    whole: &'a [u8],
}

/// Values in DER one behind the other.
struct Tlvs<'a>(&'a [u8]);

impl<'a> Tlvs<'a> {
    fn next(&mut self) -> Result<Tlv<'a>, OcspError> {
        let (rest, any) = Any::from_der(self.0).map_err(|_| OcspError::Malformed)?;
        let whole = &self.0[..self.0.len() - rest.len()];
        self.0 = rest;
        Ok(Tlv { class: any.class(), tag: any.tag().0, content: any.data, whole })
    }

    /// The next value if it has this tag.
    fn optional(&mut self, class: Class, tag: u32) -> Result<Option<Tlv<'a>>, OcspError> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let before = self.0;
        let next = self.next()?;
        if next.class == class && next.tag == tag {
            return Ok(Some(next));
        }
        self.0 = before;
        Ok(None)
    }
}

/// Writes a value in DER.
pub(super) fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let len: usize = parts.iter().map(|part| part.len()).sum();
    let mut out = vec![tag];
    let digits = len.to_be_bytes();
    match u8::try_from(len) {
        Ok(short @ 0..0x80) => out.push(short),
        _ => {
            let significant = &digits[digits.iter().take_while(|byte| **byte == 0).count()..];
            out.push(0x80 | u8::try_from(significant.len()).unwrap_or(8));
            out.extend_from_slice(significant);
        }
    }
    parts.iter().for_each(|part| out.extend_from_slice(part));
    out
}
