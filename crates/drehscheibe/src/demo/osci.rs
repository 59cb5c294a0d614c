//! The OSCI act. A portal stores applications at the built-in intermediary, in our own mailbox and in one that we fetch
//! as anybody would, has others pushed to the passive recipient, and leaves others at an intermediary of somebody else,
//! where we fetch them. They go the main path. Of the offices responsible one fetches its mailbox at ours, one fetches
//! at the other intermediary, and one is pushed to: its reply goes back to the portal.

mod setting;

use std::{collections::BTreeMap, fs, ops::Range, path::Path, sync::Arc, time::Duration};

use dds_config::ProcessConfig;
use dds_depot::{Contents, OsciMode, OsciWay};
use dds_message::{AnswerKind, SourceId, TargetId};
use dds_osci::certificate::Certificate;
use dds_telemetry::SystemClock;
use dds_testbench::{
    FetchingFachverfahren, OsciFetched, OsciIdentity, OsciIntermediarySim, OsciPeer, OsciPki, OsciPrepared,
    OsciRecipientSim, Template,
};
use serde::Serialize;

use super::stage::{Stage, failed, token_of};
use crate::Failure;
use setting::Area;

/// Source of the act.
const PORTAL: &str = "demo-osci-portal";
/// Source of the replies.
const OFFICE: &str = "demo-osci-amt";
/// One message in so many of the demo goes by OSCI as well.
const SHARE: u64 = 20;
/// Ways in; so many messages at least.
const WAYS_IN: u64 = 4;

/// How OSCI takes part.
#[derive(Debug, Clone)]
pub(crate) struct OsciOptions {
    /// Texts of all fixtures: the offices behind OSCI must be such that none of them concerns.
    pub(crate) fixtures: String,
    /// All roles sign with RSA 3072, not with P-256.
    pub(crate) rsa: bool,
}

/// Everything OSCI on stage.
pub(crate) struct OsciStage {
    /// At our intermediary.
    portal: OsciPeer,
    office: OsciPeer,
    /// The same at the intermediary of somebody else.
    portal_elsewhere: OsciPeer,
    office_elsewhere: OsciPeer,
    /// The office again, as one that is pushed to.
    passive: OsciRecipientSim,
    /// Answers as long as it is there.
    _elsewhere: OsciIntermediarySim,
    town: Certificate,
    branch: Certificate,
    receiver: String,
    /// Fetches here, is pushed to, fetches elsewhere.
    areas: [Area; 3],
}

/// What came of the act.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct OsciReport {
    /// Applications stored at an intermediary or pushed to the recipient.
    pub(crate) sent: u64,
    /// Of these, left at an intermediary of somebody else, where the router fetched them.
    pub(crate) sent_elsewhere: u64,
    /// Deliveries the offices got, content decrypted and the author's signature valid.
    pub(crate) received: u64,
    /// Of these, mediated to a passive recipient, which replied.
    pub(crate) mediated: u64,
    /// Of these, stored at an intermediary of somebody else and fetched there.
    pub(crate) received_elsewhere: u64,
    /// Deliveries they should have got.
    pub(crate) expected: u64,
    /// Replies to mediated deliveries that came back to the portal as decisions.
    pub(crate) answers: u64,
    /// Deliveries and replies that came twice.
    pub(crate) duplicates: u64,
}

impl OsciReport {
    /// Everything arrived once, and each mediated delivery brought its reply.
    pub(crate) const fn is_good(&self) -> bool {
        self.received == self.expected && self.answers == self.mediated && self.duplicates == 0
    }

    /// Deliveries and replies that did not come.
    pub(crate) const fn lost(&self) -> u64 {
        self.expected.saturating_sub(self.received) + self.mediated.saturating_sub(self.answers)
    }
}

impl OsciStage {
    /// Makes keys, starts the partners, gives the router its `[osci]`, and puts offices that no fixture concerns behind
    /// OSCI.
    pub(crate) async fn set(
        folder: &Path,
        config: &mut ProcessConfig,
        contents: &mut Contents,
        options: &OsciOptions,
    ) -> Result<Self, Failure> {
        let keys = folder.join("osci");
        let mailboxes = keys.join("teilnehmer");
        fs::create_dir_all(&mailboxes).map_err(failed)?;
        let pki = OsciPki::new().map_err(failed)?;
        let pki = if options.rsa { pki.with_rsa_signatures() } else { pki };
        let identity = |name: &str| -> Result<OsciIdentity, Failure> {
            let identity = pki.identity(name).map_err(failed)?;
            identity.write(&keys, name).map_err(failed)?;
            Ok(identity)
        };
        let (intermediary, town) = (identity("vermittler")?, identity("stadt")?);
        let (portal, office, branch) = (identity("portal")?, identity("amt")?, identity("zweigstelle")?);
        let foreign = identity("fremd")?;
        fs::write(keys.join("wurzel.pem"), pki.root_pem()).map_err(failed)?;
        for (name, party) in [("zweigstelle", &branch), ("amt", &office)] {
            fs::write(mailboxes.join(format!("{name}.pem")), &party.cipher_pem).map_err(failed)?;
        }

        let passive =
            OsciRecipientSim::start(office.clone(), intermediary.signature_certificate().clone()).await;
        let passive = passive.map_err(failed)?;
        let parties = [branch.cipher_certificate(), office.cipher_certificate()];
        let elsewhere = OsciIntermediarySim::start(
            foreign.clone(),
            pki.root_pem(),
            &parties,
            Vec::new(),
            Arc::new(SystemClock),
        );
        let elsewhere = elsewhere.await.map_err(failed)?;

        let listen = dds_testbench::free_port().map_err(failed)?;
        config.osci = Some(setting::section(&keys, listen, &elsewhere.url(), passive.address()));
        let fetched_here = OsciWay {
            intermediary: format!("http://{listen}/osci"),
            intermediary_cipher: intermediary.cipher_pem.clone(),
            intermediary_signature: intermediary.signature_pem.clone(),
            addressee: office.cipher_pem.clone(),
            readers: Vec::new(),
            mode: OsciMode::Store,
            receiver: None,
            chunk_kb: None,
            reply: None,
            subject: None,
        };
        let mediated = OsciWay {
            mode: OsciMode::Mediate,
            receiver: Some(passive.url()),
            reply: Some(AnswerKind::Decision),
            ..fetched_here.clone()
        };
        let fetched_elsewhere = OsciWay {
            intermediary: elsewhere.url(),
            intermediary_cipher: foreign.cipher_pem.clone(),
            intermediary_signature: foreign.signature_pem.clone(),
            ..fetched_here.clone()
        };
        let mut behind = |way| setting::put_behind_osci(contents, &options.fixtures, way);
        let areas = [behind(fetched_here)?, behind(mediated)?, behind(fetched_elsewhere)?];
        contents.sources.push(setting::source(PORTAL, &portal, false)?);
        contents.sources.push(setting::source(OFFICE, &office, true)?);
        let peer = |identity: &OsciIdentity, at: &OsciIdentity, address| {
            let (cipher, signature) = (at.cipher_certificate(), at.signature_certificate());
            OsciPeer::new(identity.clone(), address, cipher.clone(), signature.clone())
        };
        Ok(Self {
            portal: peer(&portal, &intermediary, listen),
            office: peer(&office, &intermediary, listen),
            portal_elsewhere: peer(&portal, &foreign, elsewhere.address()),
            office_elsewhere: peer(&office, &foreign, elsewhere.address()),
            passive,
            _elsewhere: elsewhere,
            town: town.cipher_certificate().clone(),
            branch: branch.cipher_certificate().clone(),
            receiver: format!("http://{listen}/osci/empfang"),
            areas,
        })
    }

    /// Sends a share of `messages`, at least one each way, and waits until the offices and the portal have everything.
    pub(crate) async fn play(
        &self,
        stage: &Stage,
        template: &Template,
        messages: u64,
    ) -> Result<OsciReport, Failure> {
        let mut report = OsciReport { sent: (messages / SHARE).max(WAYS_IN), ..OsciReport::default() };
        let mut replies = 0;
        for (number, place) in (0..report.sent).zip((0..self.areas.len()).cycle()) {
            let area = &self.areas[place];
            let document = document(template, number, area);
            match number % WAYS_IN {
                0 => self.portal.store(&self.town, &document).await,
                1 => self.portal.forward(&self.receiver, &self.town, &document).await,
                2 => self.portal.store(&self.branch, &document).await,
                _ => {
                    report.sent_elsewhere += 1;
                    self.portal_elsewhere.store(&self.branch, &document).await
                }
            }
            .map_err(failed)?;
            report.expected += area.products;
            // Only the second is mediated to.
            replies += if place == 1 { area.products } else { 0 };
        }

        let source = SourceId::parse(PORTAL).map_err(Failure::unexpected)?;
        let mut answers =
            FetchingFachverfahren::new(stage.rest(), TargetId::of_source(&source), token_of(PORTAL));
        let (mut here, mut elsewhere) = (Seen::default(), Seen::default());
        // Up to a minute for what is waited for, then one look more: nothing may come that was not waited for.
        let mut complete = false;
        for _ in 0..120 {
            here.add(&checked(self.office.fetch_all().await.map_err(failed)?)?);
            elsewhere.add(&checked(self.office_elsewhere.fetch_all().await.map_err(failed)?)?);
            let mut pushed = Seen::default();
            pushed.add(&checked(self.passive.taken())?);
            answers.take_all(0).await.map_err(failed)?;
            let came = answers.inbox().all();
            let decisions =
                came.iter().filter(|one| one.answer.is_some_and(|(kind, _)| kind == AnswerKind::Decision));
            report.answers = decisions.count() as u64;
            report.mediated = pushed.count();
            report.received_elsewhere = elsewhere.count();
            report.received = here.count() + report.mediated + report.received_elsewhere;
            report.duplicates =
                here.repeats() + pushed.repeats() + elsewhere.repeats() + answers.inbox().repeats();
            if complete {
                break;
            }
            complete = report.received >= report.expected && report.answers >= replies;
            tokio::time::sleep(Duration::from_millis(if complete { 2_000 } else { 500 })).await;
        }
        Ok(report)
    }

    /// Seals the storeDelivery orders of the portal for our own mailbox, so that only their posting is left.
    pub(crate) async fn prepare(
        &self,
        template: &Template,
        numbers: Range<u64>,
    ) -> Result<Vec<OsciPrepared>, Failure> {
        let mut prepared = Vec::new();
        for number in numbers {
            let document = document(template, number, &self.areas[0]);
            prepared.push(self.portal.prepare(&self.town, &document).await.map_err(failed)?);
        }
        Ok(prepared)
    }

    /// Whether the answer to a prepared order was positive.
    pub(crate) fn conclude(&self, prepared: OsciPrepared, answer: &[u8]) -> Result<(), Failure> {
        self.portal.conclude(prepared, answer).map_err(failed)
    }

    /// What waits for the office at our intermediary: MessageIds of deliveries that it could decrypt, with the author's
    /// valid signature.
    pub(crate) async fn fetch(&self) -> Result<Vec<String>, Failure> {
        checked(self.office.fetch_all().await.map_err(failed)?)
    }
}

/// MessageIds that came by one way, and how often.
#[derive(Default)]
struct Seen(BTreeMap<String, u64>);

impl Seen {
    fn add(&mut self, ids: &[String]) {
        for id in ids {
            *self.0.entry(id.clone()).or_default() += 1;
        }
    }

    fn count(&self) -> u64 {
        self.0.len() as u64
    }

    fn repeats(&self) -> u64 {
        self.0.values().map(|times| times - 1).sum()
    }
}

/// The MessageIds, if every delivery is signed by its author and has a content.
fn checked(deliveries: Vec<OsciFetched>) -> Result<Vec<String>, Failure> {
    let bad = deliveries.iter().find(|one| !one.signed || one.document.is_empty());
    if let Some(bad) = bad {
        let text = (
            format!("die OSCI-Zustellung {} ist nicht signiert oder leer", bad.id),
            format!("OSCI delivery {} is not signed or empty", bad.id),
        );
        return Err(Failure::internal(text));
    }
    Ok(deliveries.into_iter().map(|one| one.id).collect())
}

/// A variant of the template for the office of this area.
fn document(template: &Template, number: u64, area: &Area) -> Vec<u8> {
    let text = String::from_utf8_lossy(&template.variant(9, number)).into_owned();
    text.replace(&area_of(&text), &area.key).into_bytes()
}

/// The first Amtlicher Regionalschlüssel in a document.
fn area_of(text: &str) -> String {
    let digits = text.split(|letter: char| !letter.is_ascii_digit());
    digits.into_iter().find(|run| run.len() == 12 && run.starts_with("14")).unwrap_or_default().to_owned()
}
