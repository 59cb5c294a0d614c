//! Trust and its responders: an invented authority, and a responder of it on a real socket that answers as the test
//! wants.
#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may end by panic, also in its helpers"
)]

#[path = "support/responder.rs"]
mod responder;

use std::{sync::Arc, time::Duration};

use dds_courier::{Patience, Responder, Trust};
use dds_message::Clock;
use dds_osci::{
    certificate::Certificate,
    feedback::FeedbackCode as F,
    trust::{CertificateUse, RevocationDemand, TrustPolicy},
};
use dds_postbox::{Options, Postbox};
use dds_store::{MasterKey, Vault};
use jiff::{SignedDuration, Timestamp};
use responder::{Authority, Says, asking, at, ca, issued, remembering};

/// Trust in this authority, with its responder.
fn trust(authority: &Authority, revocation: RevocationDemand) -> Trust {
    trust_at(authority, &authority.url, revocation)
}

fn trust_at(authority: &Authority, url: &str, revocation: RevocationDemand) -> Trust {
    let anchor = authority.anchor();
    let policy = TrustPolicy { anchors: vec![anchor.clone()], revocation, ..TrustPolicy::default() };
    asking(policy, vec![Responder { url: url.to_owned(), issuer: Some(anchor) }])
}

fn findings(trust: &Trust, certificate: &Certificate, at: Timestamp) -> Vec<F> {
    trust.policy().check(certificate, CertificateUse::ClientSignature, at).findings
}

#[tokio::test]
async fn a_good_certificate_is_asked_about_once_until_next_update() {
    let world = Authority::new("Erfundene Stelle").await;
    let trust = trust(&world, RevocationDemand::Require);
    let leaf = issued("Amt", &world.ca);
    assert_eq!(findings(&trust, &leaf, at()), [F::S3707, F::S9700], "before anybody was asked");
    for _ in 0..2 {
        trust.ask([&leaf], at()).await;
        assert_eq!(findings(&trust, &leaf, at()), []);
    }
    assert_eq!(world.asked(), 1);
    // Newer lists change nothing about what responders have said.
    trust.replace(TrustPolicy { answers: Default::default(), ..(*trust.policy()).clone() });
    assert_eq!(findings(&trust, &leaf, at()), []);
    let later = at() + SignedDuration::from_hours(7);
    assert_eq!(findings(&trust, &leaf, later), [F::S3707, F::S9700], "past nextUpdate");
    trust.ask([&leaf], later).await;
    assert_eq!(world.asked(), 2);
}

#[tokio::test]
async fn a_revoked_certificate_stays_revoked_while_the_responder_is_silent() {
    let world = Authority::new("Erfundene Stelle").await;
    let trust = trust(&world, RevocationDemand::IfAvailable);
    let leaf = issued("Amt", &world.ca);
    world.say(Says::Revoked);
    trust.ask([&leaf], at()).await;
    assert_eq!(findings(&trust, &leaf, at()), [F::S9701]);
    world.say(Says::Trouble);
    let later = at() + SignedDuration::from_hours(7);
    trust.ask([&leaf], later).await;
    assert_eq!(world.asked(), 2);
    assert_eq!(findings(&trust, &leaf, later), [F::S9701]);
}

#[tokio::test]
async fn an_answer_older_than_the_one_that_revokes_is_as_none() {
    let world = Authority::new("Erfundene Stelle").await;
    let (before, after) =
        (trust(&world, RevocationDemand::IfAvailable), trust(&world, RevocationDemand::IfAvailable));
    let leaf = issued("Amt", &world.ca);
    world.say(Says::Revoked);
    assert!(before.ask([&leaf], at()).await);
    let revoking = before.policy().answers.about(&leaf, at()).unwrap();
    after.policy().answers.recall([(leaf.sha256_hex().to_owned(), revoking.bytes().to_vec())]);
    world.say(Says::GoodBefore);
    for _ in 0..2 {
        assert!(!after.ask([&leaf], at()).await, "nothing was learnt");
        assert_eq!(findings(&after, &leaf, at()), [F::S9701]);
    }
    assert_eq!(world.asked(), 2, "and nobody asks again at once");
}

struct Morning;

impl Clock for Morning {
    fn now(&self) -> dds_message::Timestamp {
        dds_message::Timestamp(at().as_millisecond())
    }
}

#[tokio::test]
async fn a_revoked_certificate_stays_revoked_when_the_process_begins_anew() {
    let folder = tempfile::tempdir().unwrap();
    let world = Authority::new("Erfundene Stelle").await;
    let leaf = issued("Amt", &world.ca);
    // What another process finds, after the responder was asked in it.
    let found = async |says: Says| {
        world.say(says);
        let policy = TrustPolicy { anchors: vec![world.anchor()], ..TrustPolicy::default() };
        let vault = Vault::apart(&MasterKey::from_hex(&"ab".repeat(32)).unwrap());
        let options = Options { folder: folder.path().to_owned(), vault, clock: Arc::new(Morning) };
        let postbox = Postbox::open(options).unwrap();
        let responders = vec![Responder { url: world.url.clone(), issuer: None }];
        let trust = remembering(policy, responders, Some(postbox));
        trust.ask([&leaf], at()).await;
        findings(&trust, &leaf, at())
    };
    assert_eq!(found(Says::Trouble).await, []);
    assert_eq!(found(Says::Revoked).await, [F::S9701]);
    assert_eq!(found(Says::Trouble).await, [F::S9701]);
    for older in [Says::GoodBefore, Says::Trouble, Says::Good, Says::Trouble] {
        assert_eq!(found(older).await, [F::S9701], "{older:?}");
    }
    assert_eq!(found(Says::GoodAgain).await, []);
    assert_eq!(found(Says::Trouble).await, [], "the newer answer counts");
}

#[tokio::test]
async fn what_says_nothing_is_a_warning_or_a_refusal_as_the_policy_wants() {
    let world = Authority::new("Erfundene Stelle").await;
    let nothing = [Says::Unknown, Says::Stale, Says::Forged, Says::Replayed, Says::Oversized, Says::Trouble];
    for says in nothing {
        world.say(says);
        for (demand, expected) in [
            (RevocationDemand::IfAvailable, vec![]),
            (RevocationDemand::Warn, vec![F::S3707]),
            (RevocationDemand::Require, vec![F::S3707, F::S9700]),
        ] {
            let (trust, leaf) = (trust(&world, demand), issued("Amt", &world.ca));
            let before = world.asked();
            trust.ask([&leaf], at()).await;
            assert_eq!(findings(&trust, &leaf, at()), expected, "{} {demand:?}", says as u8);
            // It is left alone for a minute, and asked again afterwards.
            trust.ask([&leaf], at() + SignedDuration::from_secs(59)).await;
            assert_eq!(world.asked(), before + 1, "{}", says as u8);
            trust.ask([&leaf], at() + SignedDuration::from_secs(60)).await;
            assert_eq!(world.asked(), before + 2, "{}", says as u8);
        }
    }
    let (nowhere, leaf) =
        (trust_at(&world, "http://127.0.0.1:9/ocsp", RevocationDemand::Require), issued("Amt", &world.ca));
    nowhere.ask([&leaf], at()).await;
    assert_eq!(findings(&nowhere, &leaf, at()), [F::S3707, F::S9700]);
}

#[tokio::test(start_paused = true)]
async fn a_responder_that_never_answers_holds_an_order_up_once_and_for_a_bounded_time() {
    let world = Authority::new("Erfundene Stelle").await;
    world.say(Says::Nothing);
    let trust = trust(&world, RevocationDemand::Warn);
    let all: Vec<_> = (0..40).map(|_| issued("Amt", &world.ca)).collect();
    let begin = tokio::time::Instant::now();
    trust.ask(&all, at()).await;
    let waited = begin.elapsed();
    assert!(waited < Patience::default().answer + Duration::from_secs(1), "{waited:?}");
    let asked = world.asked();
    trust.ask(&all, at()).await;
    assert_eq!(world.asked(), asked);
    assert_eq!(findings(&trust, &all[0], at()), [F::S3707]);
}

#[tokio::test]
async fn each_authority_has_its_responder_and_strangers_have_none() {
    let (one, two) = (Authority::new("Stelle Eins").await, Authority::new("Stelle Zwei").await);
    let policy = TrustPolicy {
        anchors: vec![one.anchor(), two.anchor()],
        revocation: RevocationDemand::Require,
        ..TrustPolicy::default()
    };
    let responders = vec![
        Responder { url: one.url.clone(), issuer: None },
        Responder { url: two.url.clone(), issuer: Some(two.anchor()) },
    ];
    let trust = asking(policy, responders);
    let (first, second) = (issued("Amt", &one.ca), issued("Amt", &two.ca));
    let stranger = issued("Fremd", &ca("Unbekannte Stelle"));
    trust.ask([&first, &second, &stranger, &first], at()).await;
    assert_eq!((one.asked(), two.asked()), (1, 1));
    assert_eq!((findings(&trust, &first, at()), findings(&trust, &second, at())), (vec![], vec![]));
    assert_eq!(findings(&trust, &stranger, at()), [F::S9700]);
}
