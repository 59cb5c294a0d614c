//! The OSCI act: a portal stores applications at the built-in intermediary, in our own mailbox and in one that we fetch
//! as anybody would, and has others pushed to the passive recipient; they go the main path; the office responsible is
//! reached by OSCI and fetches its mailbox.

use std::{collections::BTreeMap, fs, net::SocketAddr, ops::Range, path::Path, time::Duration};

use dds_config::{
    OsciConfig, OsciFetch, OsciIdentity as Keys, OsciIntermediary, OsciKey, OsciRecipient, OsciTrust,
    ProcessConfig,
};
use dds_depot::{Allow, Answers, Contents, Filed, Office, OsciMode, OsciWay, Source, SourceLimits, Span};
use dds_message::{Digest, SourceId};
use dds_testbench::{OsciIdentity, OsciPeer, OsciPki, OsciPrepared, Template};
use serde::Serialize;

use super::stage::failed;
use crate::Failure;

/// Source of the act.
const PORTAL: &str = "demo-osci-portal";
/// One message in so many of the demo goes by OSCI as well.
const SHARE: u64 = 20;
/// The procedure of the act.
const PROCEDURE: &str = "sondernutzung";

/// How OSCI takes part.
#[derive(Debug, Clone)]
pub(crate) struct OsciOptions {
    /// Texts of all fixtures: the office behind OSCI must be one that none of them concerns.
    pub(crate) fixtures: String,
    /// All roles sign with RSA 3072, not with P-256.
    pub(crate) rsa: bool,
}

/// Everything OSCI on stage.
pub(crate) struct OsciStage {
    portal: OsciPeer,
    office: OsciPeer,
    town: dds_osci::certificate::Certificate,
    branch: dds_osci::certificate::Certificate,
    receiver: String,
    area: String,
    /// Products of the office; each gets a delivery of its own.
    products: usize,
}

/// What came of the act.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct OsciReport {
    /// Applications stored at the intermediary or pushed to the recipient.
    pub(crate) sent: u64,
    /// Deliveries the office fetched, content decrypted and the author's signature valid.
    pub(crate) received: u64,
    /// Deliveries it should have fetched.
    pub(crate) expected: u64,
    /// MessageIds that came twice.
    pub(crate) duplicates: u64,
}

impl OsciReport {
    /// Everything arrived once.
    pub(crate) const fn is_good(&self) -> bool {
        self.received == self.expected && self.duplicates == 0
    }
}

impl OsciStage {
    /// Makes keys, gives the router its `[osci]`, and puts an office that no fixture concerns behind OSCI.
    pub(crate) fn set(
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
        fs::write(mailboxes.join("zweigstelle.pem"), &branch.cipher_pem).map_err(failed)?;
        fs::write(keys.join("wurzel.pem"), pki.root_pem()).map_err(failed)?;
        fs::write(mailboxes.join("amt.pem"), &office.cipher_pem).map_err(failed)?;

        let listen = dds_testbench::free_port().map_err(failed)?;
        config.osci = Some(section(&keys, listen));
        let address = format!("http://{listen}/osci");
        let way = OsciWay {
            intermediary: address,
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
        let (area, products) = put_behind_osci(contents, &options.fixtures, &way)?;
        contents.sources.push(source(&portal)?);
        let town = town.cipher_certificate().clone();
        let branch = branch.cipher_certificate().clone();
        let peer = |identity| {
            let (cipher, signature) =
                (intermediary.cipher_certificate(), intermediary.signature_certificate());
            OsciPeer::new(identity, listen, cipher.clone(), signature.clone())
        };
        let receiver = format!("http://{listen}/osci/empfang");
        Ok(Self { portal: peer(portal), office: peer(office), town, branch, receiver, area, products })
    }

    /// Sends a share of `messages`, at least three, and waits until the office has everything.
    pub(crate) async fn play(&self, template: &Template, messages: u64) -> Result<OsciReport, Failure> {
        let count = (messages / SHARE).max(3);
        for number in 0..count {
            let document = self.document(template, number);
            match number % 3 {
                0 => self.portal.store(&self.town, &document).await,
                1 => self.portal.forward(&self.receiver, &self.town, &document).await,
                _ => self.portal.store(&self.branch, &document).await,
            }
            .map_err(failed)?;
        }
        let expected = count * self.products as u64;
        let mut report = OsciReport { sent: count, expected, ..OsciReport::default() };
        let mut seen: BTreeMap<String, u64> = BTreeMap::new();
        // Up to a minute for what is waited for, then one look more: nothing may come that was not waited for.
        let mut complete = false;
        for _ in 0..120 {
            for id in self.fetch().await? {
                *seen.entry(id).or_default() += 1;
            }
            report.received = seen.len() as u64;
            report.duplicates = seen.values().map(|times| times - 1).sum();
            if complete {
                break;
            }
            complete = report.received >= expected;
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
            let document = self.document(template, number);
            prepared.push(self.portal.prepare(&self.town, &document).await.map_err(failed)?);
        }
        Ok(prepared)
    }

    /// Whether the answer to a prepared order was positive.
    pub(crate) fn conclude(&self, prepared: OsciPrepared, answer: &[u8]) -> Result<(), Failure> {
        self.portal.conclude(prepared, answer).map_err(failed)
    }

    /// What waits for the office: MessageIds of deliveries that it could decrypt, with the author's valid signature.
    pub(crate) async fn fetch(&self) -> Result<Vec<String>, Failure> {
        let fetched = self.office.fetch_all().await.map_err(failed)?;
        let bad = fetched.iter().find(|one| !one.signed || one.document.is_empty());
        if let Some(bad) = bad {
            let text = (
                format!("die OSCI-Zustellung {} ist nicht signiert oder leer", bad.id),
                format!("OSCI delivery {} is not signed or empty", bad.id),
            );
            return Err(Failure::internal(text));
        }
        Ok(fetched.into_iter().map(|one| one.id).collect())
    }

    /// A variant of the template for the office behind OSCI.
    fn document(&self, template: &Template, number: u64) -> Vec<u8> {
        let text = String::from_utf8_lossy(&template.variant(9, number)).into_owned();
        text.replace(&area_of(&text), &self.area).into_bytes()
    }
}

/// The first Amtlicher Regionalschlüssel in a document.
fn area_of(text: &str) -> String {
    let digits = text.split(|letter: char| !letter.is_ascii_digit());
    digits.into_iter().find(|run| run.len() == 12 && run.starts_with("14")).unwrap_or_default().to_owned()
}

fn section(keys: &Path, listen: SocketAddr) -> OsciConfig {
    let key = |name: &str, kind: &str| OsciKey::Pem {
        key: keys.join(format!("{name}-{kind}.key")),
        certificate: keys.join(format!("{name}-{kind}.pem")),
    };
    let identity = |name: &str| {
        let (cipher, signature) = (key(name, "cipher"), key(name, "signature"));
        (name.to_owned(), Keys { cipher, signature, signature_algorithm: None })
    };
    let fetch = OsciFetch {
        identity: "zweigstelle".to_owned(),
        intermediary: format!("http://{listen}/osci"),
        intermediary_cipher: keys.join("vermittler-cipher.pem"),
        intermediary_signature: keys.join("vermittler-signature.pem"),
        every: Span(Duration::from_secs(1)),
        chunk_kb: None,
    };
    OsciConfig {
        listen,
        identities: [identity("vermittler"), identity("stadt"), identity("zweigstelle")].into(),
        fetch: [("zweigstelle".to_owned(), fetch)].into(),
        sender: Some("stadt".to_owned()),
        recipient: Some(OsciRecipient {
            identity: "stadt".to_owned(),
            intermediaries: vec![keys.join("vermittler-signature.pem")],
        }),
        intermediary: Some(OsciIntermediary {
            identity: "vermittler".to_owned(),
            own: Some("stadt".to_owned()),
            parties: keys.join("teilnehmer"),
            signature_required: true,
            encryption_required: true,
            validity_required: true,
            min_chunk_kb: 64,
            max_chunk_kb: 50 << 10,
            dialogue: Span(Duration::from_secs(900)),
            forward: Span(Duration::from_secs(60)),
            keep: Span(Duration::from_secs(86_400)),
            mailbox_deliveries: 100_000,
            mailbox_bytes: 50 << 30,
            receivers: vec![format!("http://{listen}/")],
        }),
        trust: OsciTrust { anchors: vec![keys.join("wurzel.pem")], ..OsciTrust::default() },
        ..OsciConfig::default()
    }
}

/// Finds a municipality that no fixture names and whose own office does the procedure, and puts that office behind
/// OSCI.
fn put_behind_osci(
    contents: &mut Contents,
    fixtures: &str,
    way: &OsciWay,
) -> Result<(String, usize), Failure> {
    let does = |office: &Office| {
        office
            .procedures
            .as_ref()
            .is_some_and(|list| list.iter().any(|procedure| procedure.as_str() == PROCEDURE))
    };
    let profiles: BTreeMap<&str, (String, usize)> = contents
        .profiles
        .iter()
        .filter_map(|profile| {
            let (name, office) = profile.value.offices.iter().find(|(_, office)| does(office))?;
            let stem = profile.file.rsplit('/').next()?.strip_suffix(".toml")?;
            Some((stem, (name.clone(), office.products().count())))
        })
        .collect();
    let found = contents.municipalities.iter().position(|area| {
        let area = &area.value;
        profiles.contains_key(area.profile.as_str())
            && area.offices.is_empty()
            && !area.delegate.keys().any(|procedure| procedure.as_str() == PROCEDURE)
            && !fixtures.contains(area.ars.as_str())
    });
    let place = found.ok_or_else(|| {
        Failure::internal(("keine Kommune für den OSCI-Teil", "no municipality for the OSCI act"))
    })?;
    let (office, products) = contents
        .municipalities
        .get(place)
        .and_then(|area| profiles.get(area.value.profile.as_str()))
        .cloned()
        .ok_or_else(|| Failure::internal(("kein Amt für den OSCI-Teil", "no office for the OSCI act")))?;
    let area = &mut contents.municipalities[place].value;
    area.offices.insert(office, Office { osci: Some(way.clone()), ..Office::default() });
    Ok((area.ars.as_str().to_owned(), products))
}

fn source(portal: &OsciIdentity) -> Result<Filed<Source>, Failure> {
    let id = SourceId::parse(PORTAL).map_err(Failure::unexpected)?;
    let everything = || Allow(vec!["*".to_owned()]);
    let value = Source {
        author: dds_depot::AuthorRule::default(),
        id,
        name: format!("{PORTAL} (simuliert)"),
        tokens: Vec::new(),
        certificates: vec![Digest::of(portal.signature_certificate().der())],
        procedures: everything(),
        municipalities: everything(),
        may_answer: false,
        mailboxes: Allow::default(),
        answers: Answers::Fetch,
        folder: None,
        limits: SourceLimits::default(),
    };
    Ok(Filed { file: format!("config/sources/{PORTAL}.toml"), value })
}
