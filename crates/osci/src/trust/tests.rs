//! Paths, validity, usage, strength and revocation, with certificates made here.

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, CustomExtension,
    DnType, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose as Ku, RevokedCertParams, RsaKeySize, SerialNumber,
    SigningKey as _,
};

use super::*;
use crate::feedback::FeedbackCode as F;

type Ca = CertifiedIssuer<'static, KeyPair>;

fn at() -> Timestamp {
    "2026-06-01T12:00:00Z".parse().unwrap()
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = rcgen::date_time_ymd(2026, 1, 1);
    params.not_after = rcgen::date_time_ymd(2027, 1, 1);
    params.serial_number = Some(SerialNumber::from(vec![1, name.len().try_into().unwrap()]));
    params
}

fn ca_params(name: &str) -> CertificateParams {
    let mut params = params(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![Ku::KeyCertSign, Ku::CrlSign];
    params
}

fn signing(name: &str) -> CertificateParams {
    let mut params = params(name);
    params.key_usages = vec![Ku::DigitalSignature];
    params
}

fn ec() -> KeyPair {
    KeyPair::generate().unwrap()
}

fn root() -> Ca {
    Ca::self_signed(ca_params("Wurzel"), ec()).unwrap()
}

fn certificate(der: &[u8]) -> Certificate {
    Certificate::from_der(der.to_vec()).unwrap()
}

fn anchor(ca: &Ca) -> Certificate {
    certificate(ca.der())
}

fn issued(params: &CertificateParams, key: &KeyPair, ca: &Ca) -> Certificate {
    certificate(params.signed_by(key, ca).unwrap().der())
}

fn policy(anchors: &[&Ca]) -> TrustPolicy {
    TrustPolicy { anchors: anchors.iter().map(|ca| anchor(ca)).collect(), ..TrustPolicy::default() }
}

fn check(policy: &TrustPolicy, certificate: &Certificate) -> CertificateReport {
    policy.check(certificate, CertificateUse::ClientSignature, at())
}

fn refused_for(policy: &TrustPolicy, certificate: &Certificate, why: &str) -> CertificateReport {
    let report = check(policy, certificate);
    assert_eq!(report.findings, [F::S9700], "{}", report.detail);
    assert!(report.is_refused());
    assert!(report.detail.contains(why), "{}", report.detail);
    assert_ne!(report.offline, OfflineResult::Valid);
    report
}

#[test]
fn a_good_certificate() {
    let ca = root();
    let report = check(&policy(&[&ca]), &issued(&signing("Amt"), &ec(), &ca));
    assert_eq!((report.math, report.offline, report.online), (MathResult::Ok, OfflineResult::Valid, None));
    assert_eq!((report.findings, report.detail), (vec![], String::new()));
}

#[test]
fn a_path_over_intermediates() {
    let ca = root();
    let sub = Ca::signed_by(ca_params("Zwischenstelle"), ec(), &ca).unwrap();
    let leaf = issued(&signing("Amt"), &ec(), &sub);
    let mut policy = policy(&[&ca]);
    refused_for(&policy, &leaf, "no issuer \"CN=Zwischenstelle\"");
    policy.intermediates = vec![anchor(&sub)];
    assert_eq!(check(&policy, &leaf).findings, []);
    let expected = [(leaf.clone(), anchor(&sub)), (anchor(&sub), anchor(&ca))];
    assert_eq!(policy.unanswered(&leaf, at()), expected);
    policy.anchors = Vec::new();
    let report = refused_for(&policy, &leaf, "no issuer");
    assert_eq!(report.math, MathResult::Indeterminate, "an intermediate is no anchor");
}

/// An authority renewed with its key, and both certificates still configured.
#[test]
fn an_authority_that_has_ended_hides_no_renewed_one() {
    let (ca, key) = (root(), ec());
    let again = || KeyPair::try_from(key.serialize_der().as_slice()).unwrap();
    let sub = |change: fn(&mut CertificateParams)| {
        let mut params = ca_params("Zwischenstelle");
        change(&mut params);
        Ca::signed_by(params, again(), &ca).unwrap()
    };
    let renewed = sub(|_| {});
    let ended = sub(|params| params.not_after = rcgen::date_time_ymd(2026, 5, 1));
    let early = sub(|params| params.not_before = rcgen::date_time_ymd(2026, 7, 1));
    let revoked = sub(|params| params.serial_number = Some(SerialNumber::from(vec![7])));
    let leaf = issued(&signing("Amt"), &ec(), &renewed);
    let crls = vec![list(&ca, &[vec![7]], (2026, 7, 1))];
    let base = TrustPolicy { crls, ..policy(&[&ca]) };
    let through = |path: &[&Ca]| {
        let intermediates: Vec<_> = path.iter().map(|ca| anchor(ca)).collect();
        TrustPolicy { intermediates, ..base.clone() }
    };
    for twin in [&ended, &early, &revoked] {
        for both in [[twin, &renewed], [&renewed, twin]] {
            let policy = through(&both);
            assert_eq!(check(&policy, &leaf).findings, []);
            let authority = (anchor(&renewed), anchor(&ca));
            assert!(
                policy.unanswered(&leaf, at()).contains(&authority),
                "the one that counts is asked about"
            );
        }
    }
    // What holds nowhere is told of the first.
    assert_eq!(check(&through(&[&revoked, &ended]), &leaf).findings, [F::S9701]);
    assert_eq!(check(&through(&[&ended, &revoked]), &leaf).findings, [F::S3700, F::S9700]);

    // Anchors likewise, and what is wrong with the certificate itself is told of the path that holds.
    let anchors = [anchor(&ended), anchor(&renewed)];
    let pinned = TrustPolicy { anchors: anchors.to_vec(), ..base.clone() };
    assert_eq!(check(&pinned, &leaf).findings, []);
    let pinned = TrustPolicy { crls: vec![list(&renewed, &[vec![1, 3]], (2026, 7, 1))], ..pinned };
    assert_eq!(check(&pinned, &leaf).findings, [F::S9701]);
}

#[test]
fn strangers_and_forgeries() {
    let (ca, namesake) = (root(), root());
    let leaf = issued(&signing("Amt"), &ec(), &namesake);
    let report = refused_for(&policy(&[&ca]), &leaf, "is wrong");
    assert_eq!(report.math, MathResult::Corrupted);
    // Two authorities of one name, as after a change of keys: one of them is right.
    assert_eq!(check(&policy(&[&ca, &namesake]), &leaf).findings, []);

    let mut der = leaf.der().to_vec();
    let last = der.len() - 1;
    der[last] ^= 1;
    assert_eq!(
        refused_for(&policy(&[&namesake]), &certificate(&der), "is wrong").math,
        MathResult::Corrupted
    );
    assert!(check(&TrustPolicy::default(), &leaf).is_refused(), "without anchors nobody is trusted");
}

/// N25.
#[test]
fn self_signed_certificates() {
    let key = ec();
    let leaf = certificate(signing("Selbst").self_signed(&key).unwrap().der());
    let mut policy = policy(&[&root()]);
    refused_for(&policy, &leaf, "self-signed");
    policy.self_signed_ok = true;
    assert_eq!(check(&policy, &leaf).findings, []);
    let mut der = leaf.der().to_vec();
    let last = der.len() - 1;
    der[last] ^= 1;
    refused_for(&policy, &certificate(&der), "self-signed, and wrongly");
    policy.self_signed_ok = false;
    policy.anchors.push(leaf.clone());
    assert_eq!(check(&policy, &leaf).findings, [], "pinned");
}

#[test]
fn who_may_issue() {
    let ca = root();
    // A certificate of a role, even one pinned as an anchor, issues nothing.
    let amt = Ca::signed_by(signing("Amt"), ec(), &ca).unwrap();
    let forged = issued(&signing("Falsch"), &ec(), &amt);
    let mut with_amt = policy(&[&ca]);
    with_amt.intermediates = vec![anchor(&amt)];
    refused_for(&with_amt, &forged, "no certificate authority");
    refused_for(&policy(&[&amt]), &forged, "no certificate authority");

    // Whatever its keyUsage says.
    let mut explicit = ca_params("Keine Stelle");
    explicit.is_ca = IsCa::ExplicitNoCa;
    let explicit = Ca::self_signed(explicit, ec()).unwrap();
    let below = issued(&signing("Amt"), &ec(), &explicit);
    refused_for(&policy(&[&explicit]), &below, "no certificate authority");

    let mut no_sign = ca_params("Ohne Recht");
    no_sign.key_usages = vec![Ku::CrlSign];
    let no_sign = Ca::self_signed(no_sign, ec()).unwrap();
    refused_for(&policy(&[&no_sign]), &issued(&signing("Amt"), &ec(), &no_sign), "keyUsage");

    let mut short = ca_params("Kurz");
    short.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let short = Ca::self_signed(short, ec()).unwrap();
    assert_eq!(check(&policy(&[&short]), &issued(&signing("Amt"), &ec(), &short)).findings, []);
    let sub = Ca::signed_by(ca_params("Zu tief"), ec(), &short).unwrap();
    let mut policy = policy(&[&short]);
    policy.intermediates = vec![anchor(&sub)];
    refused_for(&policy, &issued(&signing("Amt"), &ec(), &sub), "longer than it allows");
}

#[test]
fn long_and_circular_paths_end() {
    let ca = root();
    let mut chain = vec![Ca::signed_by(ca_params("s0"), ec(), &ca).unwrap()];
    for index in 1..10 {
        let next = Ca::signed_by(ca_params(&format!("s{index}")), ec(), chain.last().unwrap()).unwrap();
        chain.push(next);
    }
    let mut policy = policy(&[&ca]);
    policy.intermediates = chain.iter().map(anchor).collect();
    assert_eq!(check(&policy, &issued(&signing("Amt"), &ec(), &chain[5])).findings, [], "eight certificates");
    refused_for(&policy, &issued(&signing("Amt"), &ec(), &chain[6]), "too long");

    // Two authorities that certify each other.
    let (key_a, key_b) = (ec(), ec());
    let (a, b) =
        (Ca::self_signed(ca_params("A"), ec()).unwrap(), Ca::self_signed(ca_params("B"), ec()).unwrap());
    let a_by_b = Ca::signed_by(ca_params("A"), key_a, &b).unwrap();
    let b_by_a = Ca::signed_by(ca_params("B"), key_b, &a).unwrap();
    policy.intermediates = vec![anchor(&a_by_b), anchor(&b_by_a), anchor(&a), anchor(&b)];
    assert!(check(&policy, &issued(&signing("Amt"), &ec(), &a_by_b)).is_refused());

    // A heap of authorities of one name costs no more than the limit.
    policy.intermediates =
        (0..40).map(|_| anchor(&Ca::self_signed(ca_params("Haufen"), ec()).unwrap())).collect();
    let heap = Ca::self_signed(ca_params("Haufen"), ec()).unwrap();
    let report = check(&policy, &issued(&signing("Amt"), &ec(), &heap));
    assert!(report.is_refused());
}

#[test]
fn unknown_critical_extensions() {
    let ca = root();
    for (critical, refused) in [(true, true), (false, false)] {
        let mut params = signing("Amt");
        let mut extension = CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 99999, 1], vec![5, 0]);
        extension.set_criticality(critical);
        params.custom_extensions = vec![extension];
        let report = check(&policy(&[&ca]), &issued(&params, &ec(), &ca));
        assert_eq!(report.is_refused(), refused, "{}", report.detail);
    }
    let mut constrained = ca_params("Eingeschränkt");
    constrained.name_constraints = Some(rcgen::NameConstraints {
        permitted_subtrees: vec![rcgen::GeneralSubtree::DnsName("example.invalid".to_owned())],
        excluded_subtrees: vec![],
    });
    let constrained = Ca::self_signed(constrained, ec()).unwrap();
    refused_for(&policy(&[&constrained]), &issued(&signing("Amt"), &ec(), &constrained), "2.5.29.30");
}

/// A key of a TLS server or of a responder, issued by the same authority, signs no order. Not critical, the purposes
/// are a recommendation.
#[test]
fn a_critical_extended_key_usage_counts() {
    let ca = root();
    // id-kp: serverAuth, clientAuth, emailProtection, OCSPSigning; anyExtendedKeyUsage.
    let purpose = |last| super::ocsp::tlv(6, &[&[0x2b, 6, 1, 5, 5, 7, 3, last]]);
    let (server, client, mail, ocsp) = (purpose(1), purpose(2), purpose(4), purpose(9));
    let any = super::ocsp::tlv(6, &[&[0x55, 0x1d, 0x25, 0]]);
    for (purposes, right) in [
        (vec![&server], false),
        (vec![&ocsp], false),
        (vec![&server, &ocsp], false),
        (vec![&client], true),
        (vec![&mail], true),
        (vec![&any], true),
        (vec![&server, &client], true),
    ] {
        let purposes = super::ocsp::tlv(0x30, &purposes.iter().map(|one| one.as_slice()).collect::<Vec<_>>());
        for critical in [true, false] {
            let mut extension = CustomExtension::from_oid_content(&[2, 5, 29, 37], purposes.clone());
            extension.set_criticality(critical);
            let with = |mut params: CertificateParams| {
                params.custom_extensions = vec![extension.clone()];
                params
            };
            let leaf = issued(&with(signing("Amt")), &ec(), &ca);
            let limited = Ca::self_signed(with(ca_params("Begrenzt")), ec()).unwrap();
            let below = issued(&signing("Amt"), &ec(), &limited);
            for (policy, certificate) in [(policy(&[&ca]), leaf), (policy(&[&limited]), below)] {
                if right || !critical {
                    assert_eq!(check(&policy, &certificate).findings, []);
                } else {
                    refused_for(&policy, &certificate, "extendedKeyUsage");
                }
            }
        }
    }
}

/// N22, N23: a warning, or a refusal by policy.
#[test]
fn validity() {
    let ca = root();
    let mut params = signing("Amt");
    params.not_after = rcgen::date_time_ymd(2026, 5, 1);
    let leaf = issued(&params, &ec(), &ca);
    let mut policy = policy(&[&ca]);
    assert_eq!(
        check(&policy, &leaf).findings,
        [F::S3700, F::S9700],
        "strict by default; the error stands last"
    );
    policy.validity = Severity::Warn;
    let report = check(&policy, &leaf);
    assert_eq!((report.findings.as_slice(), report.is_refused()), ([F::S3700].as_slice(), false));
    assert_eq!((report.math, report.offline), (MathResult::Ok, OfflineResult::Invalid));
    assert!(report.detail.contains("2026-05-01"), "{}", report.detail);
    let before =
        policy.check(&leaf, CertificateUse::ClientSignature, "2025-12-31T23:59:59Z".parse().unwrap());
    assert_eq!(before.findings, [F::S3700]);
    let first = policy.check(&leaf, CertificateUse::ClientSignature, "2026-01-01T00:00:00Z".parse().unwrap());
    assert_eq!(first.findings, []);

    // The authority counts too.
    let mut expired = ca_params("Abgelaufen");
    expired.not_after = rcgen::date_time_ymd(2026, 5, 1);
    let expired = Ca::self_signed(expired, ec()).unwrap();
    policy.anchors = vec![anchor(&expired)];
    let report = check(&policy, &issued(&signing("Amt"), &ec(), &expired));
    assert_eq!(report.findings, [F::S3700]);
    assert!(report.detail.contains("Abgelaufen"));
}

/// N26, N27, and the codes of every use.
#[test]
fn usage_and_strength_by_use() {
    use CertificateUse as U;
    let ca = root();
    let key = |size| KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, size).unwrap();
    let (weak, strong) = (key(RsaKeySize::_2048), key(RsaKeySize::_3072));
    let mut cipher = params("Chiffre");
    cipher.key_usages = vec![Ku::KeyEncipherment];
    let policy = policy(&[&ca]);

    let weak = issued(&cipher, &weak, &ca);
    let cipher = issued(&cipher, &strong, &ca);
    let signature = issued(&signing("Unterschrift"), &ec(), &ca);
    for (used_as, signs, code) in [
        (U::ClientCipher, false, F::S9501),
        (U::ClientSignature, true, F::S9700),
        (U::AuthorCipher, false, F::S9704),
        (U::AuthorSignature, true, F::S3702),
        (U::AddresseeCipher, false, F::S9706),
        (U::AddresseeSignature, true, F::S9711),
        (U::ReaderCipher, false, F::S9708),
        (U::RecipientResponseSignature, true, F::S9711),
    ] {
        let (right, wrong) = if signs { (&signature, &cipher) } else { (&cipher, &signature) };
        assert_eq!(policy.check(right, used_as, at()).findings, [], "{used_as:?}");
        let report = policy.check(wrong, used_as, at());
        assert_eq!(report.findings, [code], "{used_as:?}");
        assert!(report.detail.contains("keyUsage"));
        assert_eq!(report.is_refused(), used_as != U::AuthorSignature);
    }
    let report = policy.check(&weak, U::ClientCipher, at());
    assert_eq!(report.findings, [F::S9501]);
    assert_eq!(report.detail, "the RSA key has 2048 bit, 3072 are demanded");
    let lax = TrustPolicy { min_rsa_bits: 2048, ..policy.clone() };
    assert_eq!(lax.check(&weak, U::ClientCipher, at()).findings, []);
    let no_curves = TrustPolicy { curves: vec![Curve::P384], ..policy };
    refused_for(&no_curves, &signature, "P-256");
}

/// The code table row by row (facts 15): use, outside validity, without an answer, unacceptable, revoked.
#[test]
fn each_use_has_its_codes() {
    use CertificateUse as U;
    let ca = root();
    let key = KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, RsaKeySize::_3072).unwrap();
    let made = |change: fn(&mut CertificateParams)| {
        let mut params = params("Amt");
        params.key_usages = vec![Ku::DigitalSignature, Ku::KeyEncipherment];
        change(&mut params);
        params
    };
    let good = issued(&made(|_| {}), &key, &ca);
    let ended = issued(&made(|params| params.not_after = rcgen::date_time_ymd(2026, 3, 1)), &key, &ca);
    let foreign = issued(&made(|_| {}), &key, &Ca::self_signed(ca_params("Andere"), ec()).unwrap());
    let strict = policy(&[&ca]);
    let warning = TrustPolicy { validity: Severity::Warn, ..strict.clone() };
    let asking = TrustPolicy { revocation: RevocationDemand::Warn, ..strict.clone() };
    let demanding = TrustPolicy { revocation: RevocationDemand::Require, ..strict.clone() };
    let revoking = TrustPolicy { crls: vec![list(&ca, &[vec![1, 3]], (2026, 12, 1))], ..strict.clone() };
    for (used_as, validity, incomplete, untrusted, revoked) in [
        (U::ClientCipher, F::S3500, F::S3501, F::S9501, F::S9502),
        (U::ClientSignature, F::S3700, F::S3707, F::S9700, F::S9701),
        (U::AuthorSignature, F::S3701, F::S3707, F::S3702, F::S3703),
        (U::AuthorCipher, F::S3704, F::S3707, F::S9704, F::S9705),
        (U::AddresseeCipher, F::S3705, F::S3707, F::S9706, F::S9707),
        (U::ReaderCipher, F::S3706, F::S3707, F::S9708, F::S9709),
        (U::AddresseeSignature, F::S3708, F::S3707, F::S9711, F::S9712),
        (U::RecipientResponseSignature, F::S3708, F::S3707, F::S9711, F::S9712),
    ] {
        let found = |policy: &TrustPolicy, certificate| policy.check(certificate, used_as, at()).findings;
        assert_eq!(found(&strict, &good), [], "{used_as:?}");
        assert_eq!(found(&warning, &ended), [validity], "{used_as:?}");
        assert_eq!(found(&strict, &ended), [validity, untrusted], "{used_as:?}");
        assert_eq!(found(&asking, &good), [incomplete], "{used_as:?}");
        assert_eq!(found(&demanding, &good), [incomplete, untrusted], "{used_as:?}");
        assert_eq!(found(&strict, &foreign), [untrusted], "{used_as:?}");
        assert_eq!(found(&revoking, &good), [revoked], "{used_as:?}");
    }
}

fn list(ca: &Ca, serials: &[Vec<u8>], next: (i32, u8, u8)) -> RevocationList {
    signed_list(&list_of((2026, 5, 1), serials, next), ca)
}

fn signed_list(params: &CertificateRevocationListParams, ca: &Ca) -> RevocationList {
    RevocationList::from_der(params.signed_by(ca).unwrap().der().to_vec()).unwrap()
}

fn list_of(this: (i32, u8, u8), serials: &[Vec<u8>], next: (i32, u8, u8)) -> CertificateRevocationListParams {
    CertificateRevocationListParams {
        this_update: rcgen::date_time_ymd(this.0, this.1, this.2),
        next_update: rcgen::date_time_ymd(next.0, next.1, next.2),
        crl_number: SerialNumber::from(vec![1]),
        issuing_distribution_point: None,
        revoked_certs: serials
            .iter()
            .map(|serial| RevokedCertParams {
                serial_number: SerialNumber::from(serial.clone()),
                revocation_time: rcgen::date_time_ymd(2026, 4, 1),
                reason_code: None,
                invalidity_date: None,
            })
            .collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    }
}

/// N24.
#[test]
fn revocation_lists() {
    let ca = root();
    let leaf = issued(&signing("Amt"), &ec(), &ca);
    let serial = vec![1, 3];
    let mut policy = policy(&[&ca]);

    policy.revocation = RevocationDemand::Warn;
    assert_eq!(check(&policy, &leaf).findings, [F::S3707]);
    policy.revocation = RevocationDemand::Require;
    assert_eq!(check(&policy, &leaf).findings, [F::S3707, F::S9700]);

    policy.crls = vec![list(&ca, &[vec![9]], (2026, 7, 1))];
    let report = check(&policy, &leaf);
    assert_eq!((report.findings.as_slice(), report.offline), ([].as_slice(), OfflineResult::Valid));
    let this_update = "2026-05-01T00:00:00Z".parse().unwrap();
    assert_eq!(report.online, Some(OnlineResult::Ok(RevocationSource::Crl(this_update))));

    policy.crls.push(list(&ca, std::slice::from_ref(&serial), (2026, 7, 1)));
    for _ in 0..2 {
        let report = check(&policy, &leaf);
        assert_eq!(report.findings, [F::S9701], "one list that revokes outweighs another");
        assert_eq!(report.online, Some(OnlineResult::Revoked(RevocationSource::Crl(this_update))));
    }

    // Past its nextUpdate a list clears nobody, but whom it revoked stays revoked.
    policy.crls = vec![list(&ca, &[vec![9]], (2026, 5, 2))];
    assert_eq!(check(&policy, &leaf).findings, [F::S3707, F::S9700]);
    policy.crls = vec![list(&ca, std::slice::from_ref(&serial), (2026, 5, 2))];
    assert_eq!(check(&policy, &leaf).findings, [F::S9701]);
    // Before its time it says nothing.
    let early = policy.check(&leaf, CertificateUse::ClientSignature, "2026-02-01T00:00:00Z".parse().unwrap());
    assert_eq!(early.findings, [F::S3707, F::S9700]);
    // Signed by somebody of the same name: nothing, in both directions.
    policy.crls = vec![list(&root(), std::slice::from_ref(&serial), (2026, 7, 1))];
    assert_eq!(check(&policy, &leaf).findings, [F::S3707, F::S9700]);

    assert_eq!(RevocationList::from_der(vec![0x30, 0]).err(), Some(TrustError::MalformedCrl));
}

/// A copy of an older list, put where the newer one was, makes good nobody whom the newer one revokes.
#[test]
fn an_older_list_takes_no_newer_ones_place() {
    let (ca, namesake) = (root(), root());
    let leaf = issued(&signing("Amt"), &ec(), &ca);
    let with = |crls| TrustPolicy { crls, ..policy(&[&ca]) };
    let list = |day, serials: &[Vec<u8>]| list_of((2026, 5, day), serials, (2026, 7, 1));
    let revokes = || signed_list(&list(20, &[vec![1, 3]]), &ca);
    for (new, expected) in [
        (signed_list(&list(10, &[]), &ca), vec![F::S9701]),
        (signed_list(&list(20, &[]), &ca), vec![]),
        (signed_list(&list(30, &[]), &ca), vec![]),
        // By another key of that name: another list, and the file is the operator's to choose.
        (signed_list(&list(10, &[]), &namesake), vec![]),
    ] {
        let new = with(vec![new]);
        let text = format!("{:?}", new.crls);
        assert_eq!(check(&new.in_place_of(&with(vec![revokes()])), &leaf).findings, expected, "{text}");
    }
    assert_eq!(check(&with(vec![]).in_place_of(&with(vec![revokes()])), &leaf).findings, []);
    // A forged one of tomorrow neither takes its place nor bars the next right one.
    let key_identifier_method = KeyIdMethod::PreSpecified(subject_key(&anchor(&ca)));
    let forged = CertificateRevocationListParams { key_identifier_method, ..list(30, &[]) };
    let forged = signed_list(&forged, &namesake);
    assert!(forged.continues(&revokes()));
    for (new, before) in [(forged.clone(), revokes()), (revokes(), forged)] {
        assert_eq!(check(&with(vec![new]).in_place_of(&with(vec![before])), &leaf).findings, [F::S9701]);
    }
}

fn subject_key(certificate: &Certificate) -> Vec<u8> {
    use x509_parser::prelude::{FromDer as _, ParsedExtension, X509Certificate};
    let (_, x509) = X509Certificate::from_der(certificate.der()).unwrap();
    let parsed = x509.extensions().iter().map(|extension| extension.parsed_extension());
    let mut keys = parsed.filter_map(|extension| match extension {
        ParsedExtension::SubjectKeyIdentifier(key) => Some(key.0.to_vec()),
        _ => None,
    });
    keys.next_back().unwrap()
}

/// A revoked authority revokes what it issued.
#[test]
fn a_revoked_intermediate() {
    let ca = root();
    let sub = Ca::signed_by(ca_params("Zwischenstelle"), ec(), &ca).unwrap();
    let leaf = issued(&signing("Amt"), &ec(), &sub);
    let mut policy = policy(&[&ca]);
    policy.intermediates = vec![anchor(&sub)];
    policy.crls = vec![list(&ca, &[vec![1, 14]], (2026, 7, 1))];
    assert_eq!(check(&policy, &leaf).findings, [F::S9701]);
}

/// An authority in between about which nobody says anything leaves the check of the whole path incomplete.
#[test]
fn an_intermediate_that_nobody_speaks_about() {
    let ca = root();
    let sub = Ca::signed_by(ca_params("Zwischenstelle"), ec(), &ca).unwrap();
    let leaf = issued(&signing("Amt"), &ec(), &sub);
    let mut policy = policy(&[&ca]);
    policy.intermediates = vec![anchor(&sub)];
    policy.crls = vec![list(&sub, &[vec![9]], (2026, 7, 1))];
    policy.revocation = RevocationDemand::Require;
    let report = check(&policy, &leaf);
    assert_eq!(report.findings, [F::S3707, F::S9700]);
    assert!(report.detail.contains("about 1 of 2"), "{}", report.detail);
    assert!(matches!(report.online, Some(OnlineResult::Ok(_))), "the leaf itself is not revoked");
    policy.revocation = RevocationDemand::Warn;
    assert_eq!(check(&policy, &leaf).findings, [F::S3707]);
    policy.crls.push(list(&ca, &[vec![9]], (2026, 7, 1)));
    assert_eq!(check(&policy, &leaf).findings, []);
    policy.revocation = RevocationDemand::Require;
    assert_eq!(check(&policy, &leaf).findings, []);
}

struct Fixed;
impl crate::random::Random for Fixed {
    fn fill(&mut self, bytes: &mut [u8]) {
        bytes.fill(0x42);
    }
}

/// What an OCSP response of a test says.
struct Response<'a> {
    request: &'a OcspRequest,
    status: Vec<u8>,
    this_update: &'a str,
    nonce: Option<u8>,
    signer: &'a KeyPair,
    responder: Vec<u8>,
    certificates: Vec<u8>,
}

impl Response<'_> {
    fn bytes(&self) -> Vec<u8> {
        use super::ocsp::tlv;
        let sequence = |parts: &[&[u8]]| tlv(0x30, parts);
        let nonce = self.nonce.map_or_else(Vec::new, |nonce| {
            let oid = tlv(6, &[&[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 2]]);
            let value = tlv(4, &[&tlv(4, &[&[nonce; 16]])]);
            tlv(0xa1, &[&sequence(&[&sequence(&[&oid, &value])])])
        });
        let time = tlv(0x18, &[self.this_update.as_bytes()]);
        let single = sequence(&[self.request.certificate_id(), &self.status, &time]);
        let data =
            sequence(&[&self.responder, &tlv(0x18, &[b"20260601115900Z"]), &sequence(&[&single]), &nonce]);
        let signature = self.signer.sign(&data).unwrap();
        let algorithm = sequence(&[&tlv(6, &[&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]])]);
        let certificates = if self.certificates.is_empty() {
            vec![]
        } else {
            tlv(0xa0, &[&sequence(&[&self.certificates])])
        };
        let basic = sequence(&[&data, &algorithm, &tlv(3, &[&[0], &signature]), &certificates]);
        let kind = tlv(6, &[&[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1]]);
        sequence(&[&tlv(10, &[&[0]]), &tlv(0xa0, &[&sequence(&[&kind, &tlv(4, &[&basic])])])])
    }
}

fn by_name(certificate: &Certificate) -> Vec<u8> {
    use x509_parser::prelude::FromDer as _;
    let (_, x509) = x509_parser::prelude::X509Certificate::from_der(certificate.der()).unwrap();
    super::ocsp::tlv(0xa1, &[x509.subject().as_raw()])
}

#[test]
fn ocsp() {
    let ca = root();
    let leaf = issued(&signing("Amt"), &ec(), &ca);
    let issuer = anchor(&ca);
    let request = OcspRequest::new(&leaf, &issuer, &mut Fixed).unwrap();
    let good = vec![0x80, 0];
    let revoked = super::ocsp::tlv(0xa1, &[&super::ocsp::tlv(0x18, &[b"20260401000000Z"])]);
    let stranger = ec();
    let base = || Response {
        request: &request,
        status: good.clone(),
        this_update: "20260601115900Z",
        nonce: Some(0x42),
        signer: ca.key(),
        responder: by_name(&issuer),
        certificates: vec![],
    };
    let read = |response: Response<'_>| request.read(&response.bytes(), at());

    let answer = read(base()).unwrap();
    assert!(!answer.is_revoked());
    assert!(
        !read(Response { nonce: None, ..base() }).unwrap().is_revoked(),
        "prepared answers have no nonce"
    );
    let revoked = read(Response { status: revoked, ..base() }).unwrap();
    assert!(revoked.is_revoked());
    assert_eq!(read(Response { status: vec![0x82, 0], ..base() }), Err(OcspError::Unknown));
    assert_eq!(read(Response { nonce: Some(0x41), ..base() }), Err(OcspError::Nonce));
    assert_eq!(read(Response { this_update: "20260530115900Z", ..base() }), Err(OcspError::Time), "old");
    assert_eq!(
        read(Response { this_update: "20260601121000Z", ..base() }),
        Err(OcspError::Time),
        "of the future"
    );
    assert_eq!(read(Response { signer: &stranger, ..base() }), Err(OcspError::Signature));
    let other = OcspRequest::new(&issued(&signing("Anderes"), &ec(), &ca), &issuer, &mut Fixed).unwrap();
    assert_eq!(read(Response { request: &other, ..base() }), Err(OcspError::OtherCertificate));
    assert_eq!(request.read(&[0x30, 3, 10, 1, 6], at()), Err(OcspError::Refused(6)));
    assert!(OcspRequest::new(&leaf, &leaf, &mut Fixed).is_err());

    // A delegated responder: by the issuer, for OCSP, valid.
    let delegate = |usage, ca: &Ca| {
        let mut params = params("Auskunft");
        params.extended_key_usages = usage;
        issued(&params, &stranger, ca)
    };
    let by = |responder: &Certificate| {
        let certificates = responder.der().to_vec();
        read(Response { signer: &stranger, responder: by_name(responder), certificates, ..base() })
    };
    let ocsp_signing = || vec![rcgen::ExtendedKeyUsagePurpose::OcspSigning];
    assert!(by(&delegate(ocsp_signing(), &ca)).is_ok());
    assert_eq!(by(&delegate(vec![], &ca)), Err(OcspError::Signature), "not for OCSP");
    assert_eq!(by(&delegate(ocsp_signing(), &root())), Err(OcspError::Signature), "of another authority");

    let whole = base().bytes();
    for len in 0..whole.len() {
        assert!(request.read(&whole[..len], at()).is_err());
    }
    for index in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[index] ^= 0x10;
        if let Ok(answer) = request.read(&damaged, at()) {
            assert!(!answer.is_revoked(), "byte {index} is not covered by the signature and changes nothing");
        }
    }

    let policy = TrustPolicy { revocation: RevocationDemand::Require, ..policy(&[&ca]) };
    assert_eq!(check(&policy, &leaf).findings, [F::S3707, F::S9700], "nobody has said anything");
    policy.answers.keep(answer.clone());
    let report = check(&policy, &leaf);
    assert_eq!(report.findings, []);
    assert!(matches!(report.online, Some(OnlineResult::Ok(RevocationSource::Ocsp(_)))));
    assert_eq!(policy.unanswered(&leaf, at()), []);
    let neighbour = issued(&signing("Nachbar"), &ec(), &ca);
    assert_eq!(
        check(&policy, &neighbour).findings,
        [F::S3707, F::S9700],
        "an answer about another certificate says nothing"
    );
    // Without nextUpdate an answer is good for a day: afterwards it clears nobody.
    let later = at() + jiff::SignedDuration::from_hours(25);
    let used_as = CertificateUse::ClientSignature;
    assert_eq!(policy.check(&leaf, used_as, later).findings, [F::S3707, F::S9700]);
    assert_eq!(policy.unanswered(&leaf, later), [(leaf.clone(), issuer.clone())]);
    // One that revokes goes on revoking until the responder says otherwise.
    policy.answers.keep(revoked);
    assert_eq!(check(&policy, &leaf).findings, [F::S9701]);
    assert_eq!(policy.check(&leaf, used_as, later).findings, [F::S9701]);
    assert_eq!(policy.unanswered(&leaf, later), [(leaf.clone(), issuer.clone())]);
    policy.answers.keep(read(Response { this_update: "20260601115901Z", ..base() }).unwrap());
    assert_eq!(check(&policy, &leaf).findings, []);
}

/// Somebody on the way to the responder sends what it said yesterday, while that still counts.
#[test]
fn an_older_answer_clears_no_revocation() {
    let ca = root();
    let leaf = issued(&signing("Amt"), &ec(), &ca);
    let issuer = anchor(&ca);
    let request = OcspRequest::new(&leaf, &issuer, &mut Fixed).unwrap();
    let revoked = super::ocsp::tlv(0xa1, &[&super::ocsp::tlv(0x18, &[b"20260401000000Z"])]);
    let answer = |status: &[u8], this_update| {
        let (status, responder) = (status.to_vec(), by_name(&issuer));
        let (request, signer, certificates) = (&request, ca.key(), vec![]);
        let response =
            Response { request, status, this_update, nonce: None, signer, responder, certificates };
        request.read(&response.bytes(), at()).unwrap()
    };
    let good = |this_update| answer(&[0x80, 0], this_update);
    let evening = "20260531200000Z";
    let (suspended, morning) = (answer(&revoked, evening), answer(&revoked, "20260601080000Z"));
    let known = policy(&[&ca]);
    known.answers.keep(morning.clone());
    // After a restart the question is due at once.
    let recalled = policy(&[&ca]);
    recalled.answers.recall([(leaf.sha256_hex().to_owned(), morning.bytes().to_vec())]);
    assert_eq!(recalled.unanswered(&leaf, at()).len(), 1);
    for policy in [known, recalled] {
        for older in [good(evening), good("20260601080000Z"), suspended.clone(), good("20260601075959Z")] {
            assert!(!policy.answers.counts(&older));
            policy.answers.keep(older);
            assert_eq!(check(&policy, &leaf).findings, [F::S9701]);
        }
        policy.answers.keep(morning.clone());
        assert_eq!(policy.unanswered(&leaf, at()), [], "the same once more is an answer");
        policy.answers.keep(good("20260601080001Z"));
        assert_eq!(check(&policy, &leaf).findings, []);
    }
}

#[test]
fn a_named_certificate_needs_no_path_but_may_not_be_revoked() {
    let (ca, stranger) = (root(), root());
    let foreign = issued(&signing("Amt"), &ec(), &Ca::self_signed(ca_params("Fremde"), ec()).unwrap());
    let mut policy = policy(&[&ca]);
    let named = |policy: &TrustPolicy, certificate: &Certificate, at| {
        policy.check_named(certificate, CertificateUse::ClientSignature, at).findings
    };
    refused_for(&policy, &foreign, "no issuer");
    assert_eq!(named(&policy, &foreign, at()), []);
    let after = "2028-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(named(&policy, &foreign, after), [F::S3700, F::S9700]);
    // Who borrows the name of a known authority is no better for being named.
    assert_eq!(named(&policy, &issued(&signing("Amt"), &ec(), &stranger), at()), [F::S9700]);
    let leaf = issued(&signing("Amt"), &ec(), &ca);
    assert_eq!(named(&policy, &leaf, at()), []);
    policy.crls = vec![list(&ca, &[vec![1, 3]], (2026, 7, 1))];
    assert_eq!(named(&policy, &leaf, at()), [F::S9701]);
}

#[test]
fn foreign_certificates() {
    use CertificateUse as U;
    let root = std::env::var_os("DDS_SHARED").map_or_else(
        || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        std::path::PathBuf::from,
    );
    let read = |name: &str| {
        let pem = std::fs::read_to_string(root.join("osci/captures/certs").join(name)).ok()?;
        Some(Certificate::from_pem(&pem).unwrap())
    };
    let Some(ca) = read("ca.pem") else {
        #[allow(clippy::print_stderr, reason = "says that a test is reduced")]
        {
            eprintln!("NOT TESTED: no captures; set DDS_SHARED");
        }
        return;
    };
    let policy = TrustPolicy { anchors: vec![ca], validity: Severity::Warn, ..TrustPolicy::default() };
    for (name, used_as, findings) in [
        ("originator_signature.pem", U::ClientSignature, vec![]),
        ("originator_ec_signature.pem", U::ClientSignature, vec![]),
        ("originator_cipher.pem", U::ClientCipher, vec![]),
        ("reader_cipher.pem", U::ReaderCipher, vec![]),
        ("expired_signature.pem", U::ClientSignature, vec![F::S3700]),
        ("expired_cipher.pem", U::ClientCipher, vec![F::S3500]),
        ("wrongusage_signature.pem", U::ClientSignature, vec![F::S9700]),
        ("weak_signature.pem", U::ClientSignature, vec![F::S9700]),
    ] {
        // Their authority was made later than the certificates say.
        let report = policy.check(&read(name).unwrap(), used_as, "2026-12-01T00:00:00Z".parse().unwrap());
        assert_eq!(report.findings, findings, "{name}: {}", report.detail);
        assert_eq!(report.math, MathResult::Ok, "{name}");
        assert_eq!(name.starts_with("weak"), report.detail.contains("1024 bit"), "{name}: {}", report.detail);
    }
}

#[test]
fn a_right_signature_is_verified_once_and_a_wrong_one_each_time() {
    use super::x509::Verified;
    let ca = root();
    let (one, other) = (issued(&signing("Eine"), &ec(), &ca), issued(&signing("Andere"), &ec(), &ca));
    let (known, asked) = (KnownSignatures::default(), std::cell::Cell::new(0));
    let look = |issuer: &Certificate, certificate: &Certificate, verdict: Verified| {
        known.look(issuer, certificate, || {
            asked.set(asked.get() + 1);
            verdict
        })
    };
    let ca = anchor(&ca);
    for expected in [1, 2] {
        assert_eq!(look(&ca, &one, Verified::Wrong), Verified::Wrong);
        assert_eq!(asked.get(), expected);
    }
    assert_eq!(look(&ca, &one, Verified::Right), Verified::Right);
    assert_eq!(look(&ca, &one, Verified::Wrong), Verified::Right);
    assert_eq!(asked.get(), 3);
    assert_eq!(look(&one, &ca, Verified::Wrong), Verified::Wrong);
    assert_eq!(look(&ca, &other, Verified::Wrong), Verified::Wrong);
    assert_eq!(asked.get(), 5);
}

/// Who is trusted, until when and whether revoked is asked each time.
#[test]
fn a_known_signature_makes_no_certificate_good() {
    let ca = root();
    let leaf = issued(&signing("Stadt Dresden"), &ec(), &ca);
    let trusting = policy(&[&ca]);
    let check = |policy: &TrustPolicy, at: Timestamp| {
        policy.check(&leaf, CertificateUse::ClientSignature, at).is_refused()
    };
    assert!(!check(&trusting, at()));
    assert!(check(&trusting, "2027-06-01T12:00:00Z".parse().unwrap()), "outside its validity");
    let elsewhere = TrustPolicy { anchors: vec![anchor(&root())], ..trusting.clone() };
    assert!(check(&elsewhere, at()), "another authority of the same name");
    assert!(check(&TrustPolicy { anchors: Vec::new(), ..trusting }, at()), "no anchor any more");
}
