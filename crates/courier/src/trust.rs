//! Trust in certificates of partners, with what OCSP responders (Auskunftsdienste) say about them.
//!
//! Only responders of the configuration are asked, never an address that stands in a certificate: nobody sends us
//! anywhere. What they say is verified by `dds-osci` and kept until its `nextUpdate`; what they revoke is kept in the
//! postbox, so that it stays revoked while a responder is silent after a restart. A responder that fails is left alone
//! for a while, so that an order waits at most once, and for at most [`Patience::answer`]; what a missing answer means
//! is the policy's affair ([`RevocationDemand`](dds_osci::trust::RevocationDemand)).

use std::{collections::HashMap, sync::Arc, time::Duration};

use dds_osci::{
    certificate::Certificate,
    random::SystemRandom,
    trust::{
        CertificateReport, CertificateUse, OcspAnswer, OcspError, OcspRequest, RevocationList, TrustPolicy,
    },
};
use dds_postbox::Postbox;
use futures::future::join_all;
use http::{StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use parking_lot::{Mutex, RwLock};
use reqwest::Client;
use rustls::ClientConfig;
use tokio::sync::Semaphore;

use crate::exchange::http_client;

/// Largest answer. One with the chain of its responder has some 5 KB.
const LARGEST: usize = 64 * 1024;
/// Questions under way at the same time.
const QUESTIONS: usize = 16;

/// Auskunftsdienst.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Responder {
    /// Address; asked by POST.
    pub url: String,
    /// Whose certificates it knows; `None`: those of everybody without a responder of his own.
    pub issuer: Option<Certificate>,
}

/// How long to wait for responders.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For one answer, connection included.
    pub answer: Duration,
    /// After a failure, before the next question.
    pub pause: SignedDuration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { answer: Duration::from_secs(5), pause: SignedDuration::from_secs(60) }
    }
}

/// Vertrauen: policy and responders. Cheap to clone.
#[derive(Clone)]
pub struct Trust(Arc<Inner>);

struct Inner {
    policy: RwLock<Arc<TrustPolicy>>,
    responders: Vec<Responder>,
    client: Option<Client>,
    patience: Patience,
    postbox: Option<Postbox>,
    places: Semaphore,
    /// Not before this time: by address of a responder that failed, and by fingerprint of a certificate it could not
    /// vouch for.
    pauses: Mutex<HashMap<String, Timestamp>>,
    /// Held while an answer is taken: what is known here and what the postbox keeps change together.
    taking: tokio::sync::Mutex<()>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
enum Silent {
    /// The responder itself is in trouble.
    #[error("{0}")]
    Responder(&'static str),
    /// What it says of this certificate is worth nothing.
    #[error(transparent)]
    Answer(#[from] OcspError),
    /// A newer answer has revoked the certificate.
    #[error("the OCSP response is older than the one that revokes")]
    Older,
}

/// The pinned certificates of the intermediary that `client` talks to, each with what it is used for.
pub fn intermediary_of(
    client: &dds_osci::client::Client,
) -> impl Iterator<Item = (&Certificate, CertificateUse)> {
    let cipher = client.intermediary_cipher.iter().map(|found| (found, CertificateUse::ReaderCipher));
    let signature = client.intermediary_signature.iter();
    cipher.chain(signature.map(|found| (found, CertificateUse::AddresseeSignature)))
}

impl Trust {
    /// Trust without anybody to ask.
    #[must_use]
    pub fn new(policy: TrustPolicy) -> Self {
        Self::build(policy, Vec::new(), None, Patience::default(), None)
    }

    /// Trust with responders; what they revoke is remembered in the postbox, if there is one.
    ///
    /// # Errors
    /// Text of the HTTP client when its configuration cannot be used.
    pub fn asking(
        policy: TrustPolicy,
        responders: Vec<Responder>,
        tls: ClientConfig,
        patience: Patience,
        postbox: Option<Postbox>,
    ) -> Result<Self, String> {
        let client = http_client(tls, patience.answer)?;
        let revoked = postbox.iter().flat_map(Postbox::revoked_before);
        policy.answers.recall(revoked.cloned());
        Ok(Self::build(policy, responders, Some(client), patience, postbox))
    }

    fn build(
        policy: TrustPolicy,
        responders: Vec<Responder>,
        client: Option<Client>,
        patience: Patience,
        postbox: Option<Postbox>,
    ) -> Self {
        Self(Arc::new(Inner {
            policy: RwLock::new(Arc::new(policy)),
            responders,
            client,
            patience,
            postbox,
            places: Semaphore::new(QUESTIONS),
            pauses: Mutex::default(),
            taking: tokio::sync::Mutex::default(),
        }))
    }

    /// The policy in force.
    #[must_use]
    pub fn policy(&self) -> Arc<TrustPolicy> {
        Arc::clone(&self.0.policy.read())
    }

    /// Puts another policy into force, for example with newer revocation lists; what responders have said goes on
    /// counting, and older lists do not ([`TrustPolicy::in_place_of`]).
    pub fn replace(&self, policy: TrustPolicy) {
        let mut current = self.0.policy.write();
        let read: Vec<_> = policy.crls.iter().map(RevocationList::this_update).collect();
        let policy = policy.in_place_of(&current);
        for (read, kept) in read.iter().zip(&policy.crls).filter(|(read, kept)| **read != kept.this_update())
        {
            tracing::warn!(this_update = %read, in_force = %kept.this_update(), "osci.older_list_ignored");
        }
        *current = Arc::new(policy);
    }

    /// Asks the responders about these certificates and the authorities between them and an anchor, as far as no answer
    /// counts at `now`. Afterwards the checks of the policy know what could be learnt; says whether that is more than
    /// before.
    pub async fn ask<'a>(
        &self,
        certificates: impl IntoIterator<Item = &'a Certificate>,
        now: Timestamp,
    ) -> bool {
        let Some(client) = &self.0.client else { return false };
        if self.0.responders.is_empty() {
            return false;
        }
        let policy = self.policy();
        let mut due: Vec<(Certificate, Certificate)> = Vec::new();
        for pair in certificates.into_iter().flat_map(|certificate| policy.unanswered(certificate, now)) {
            if !due.contains(&pair) {
                due.push(pair);
            }
        }
        let questions =
            due.iter().map(|(certificate, issuer)| self.question(client, &policy, certificate, issuer, now));
        join_all(questions).await.contains(&true)
    }

    /// Asks about certificates that the operator himself has named, and checks them: they need no path to an anchor;
    /// where there is one, revocation counts. A report for each, in the same order.
    pub async fn named(
        &self,
        named: &[(&Certificate, CertificateUse)],
        now: Timestamp,
    ) -> Vec<CertificateReport> {
        self.ask(named.iter().map(|(certificate, _)| *certificate), now).await;
        let policy = self.policy();
        named.iter().map(|(certificate, used_as)| policy.check_named(certificate, *used_as, now)).collect()
    }

    async fn question(
        &self,
        client: &Client,
        policy: &TrustPolicy,
        certificate: &Certificate,
        issuer: &Certificate,
        now: Timestamp,
    ) -> bool {
        let Some(responder) = self.responder(issuer) else { return false };
        if self.rests(&responder.url, now) || self.rests(certificate.sha256_hex(), now) {
            return false;
        }
        let asking = async {
            let _place = self.0.places.acquire().await.map_err(|_| Silent::Responder("closed"))?;
            // Somebody else may have asked meanwhile.
            if !policy.answers.is_due(certificate, now) {
                return Ok(None);
            }
            fetch(client, &responder.url, certificate, issuer, now).await.map(Some)
        };
        let asked = tokio::time::timeout(self.0.patience.answer, asking).await;
        let taken = match asked.unwrap_or(Err(Silent::Responder("time-out"))) {
            Ok(Some(answer)) => self.take(policy, certificate, answer, now).await,
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        let Err(error) = taken else { return true };
        tracing::warn!(url = responder.url, certificate = certificate.sha256_hex(), %error, "osci.responder_silent");
        let who = match error {
            Silent::Responder(_) => &responder.url,
            Silent::Answer(_) | Silent::Older => certificate.sha256_hex(),
        };
        let mut pauses = self.0.pauses.lock();
        pauses.retain(|_, until| *until > now);
        pauses.insert(who.to_owned(), now.checked_add(self.0.patience.pause).unwrap_or(Timestamp::MAX));
        false
    }

    /// Keeps an answer, after what it changes about a revocation is durable. If that fails the answer counts all the
    /// same until the process ends.
    async fn take(
        &self,
        policy: &TrustPolicy,
        certificate: &Certificate,
        answer: OcspAnswer,
        now: Timestamp,
    ) -> Result<(), Silent> {
        let _one_by_one = self.0.taking.lock().await;
        if !policy.answers.counts(&answer) {
            return Err(Silent::Older);
        }
        let was_revoked = policy.answers.about(certificate, now).is_some_and(|known| known.is_revoked());
        if let Some(postbox) = &self.0.postbox {
            let (name, octets) = (certificate.sha256_hex().to_owned(), answer.bytes().to_vec());
            let noted = match (answer.is_revoked(), was_revoked) {
                // Also after another that revokes: the newest one is what an answer has to be newer than.
                (true, _) => postbox.run(move |boxes| boxes.note_revoked(&(name, octets))).await,
                (false, true) => postbox.run(move |boxes| boxes.forget_revoked(&name)).await,
                (false, false) => Ok(()),
            };
            if let Err(error) = noted {
                tracing::error!(certificate = certificate.sha256_hex(), %error, "osci.revocation_not_kept");
            }
        }
        policy.answers.keep(answer);
        Ok(())
    }

    fn responder(&self, issuer: &Certificate) -> Option<&Responder> {
        let responders = &self.0.responders;
        let own = responders.iter().find(|responder| responder.issuer.as_ref() == Some(issuer));
        own.or_else(|| responders.iter().find(|responder| responder.issuer.is_none()))
    }

    fn rests(&self, who: &str, now: Timestamp) -> bool {
        self.0.pauses.lock().get(who).is_some_and(|until| now < *until)
    }
}

impl std::fmt::Debug for Trust {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Trust({} responders)", self.0.responders.len())
    }
}

/// One question (RFC 6960 appendix A.1).
async fn fetch(
    client: &Client,
    url: &str,
    certificate: &Certificate,
    issuer: &Certificate,
    now: Timestamp,
) -> Result<OcspAnswer, Silent> {
    let request = OcspRequest::new(certificate, issuer, &mut SystemRandom)?;
    let sending = client.post(url).header(header::CONTENT_TYPE, "application/ocsp-request");
    let broken = |error: reqwest::Error| {
        Silent::Responder(if error.is_connect() { "no connection" } else { "connection broken" })
    };
    let mut response = sending.body(request.bytes().to_vec()).send().await.map_err(broken)?;
    if response.status() != StatusCode::OK {
        return Err(Silent::Responder("it answers with another HTTP status than 200"));
    }
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(broken)? {
        if body.len() + piece.len() > LARGEST {
            return Err(Silent::Responder("its answer is longer than 64 KB"));
        }
        body.extend_from_slice(&piece);
    }
    Ok(request.read(&body, now)?)
}
