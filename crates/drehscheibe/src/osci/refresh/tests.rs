use std::{fs, path::Path};

use async_trait::async_trait;
use dds_config::ProcessConfig;
use dds_inbound::{Limits, SourceTable, osci::IntermediaryEndpoint};
use dds_message::{Channel, Clock as _, Code, EntryFacts, JournalEvent, MessageId, Problem, SourceId};
use dds_osci::{certificate::Certificate, intermediary::Mailboxes as _, trust::CertificateUse};
use dds_outbound::{OsciSender, TlsOptions};
use dds_router::{Answer, Begin, Handle, OpenAttachment, Status};
use dds_store::{MasterKey, Vault};
use dds_telemetry::Telemetry;
use dds_testbench::{ManualClock, OsciIdentity, OsciPki};
use tempfile::TempDir;

use super::*;
use crate::osci::{Around, Keys};

/// No test here brings a message as far as the main path.
struct Nobody;

#[async_trait]
impl Handle for Nobody {
    async fn begin(&self, _: &SourceId, _: Channel, _: Option<&str>) -> Result<Begin, Problem> {
        Err(Problem::new(Code::DRAINING, ("niemand da", "nobody is here")))
    }

    async fn begin_answer(
        &self,
        _: &SourceId,
        _: Channel,
        _: Option<&str>,
        _: Answer,
    ) -> Result<Begin, Problem> {
        Err(Problem::new(Code::DRAINING, ("niemand da", "nobody is here")))
    }

    async fn status(&self, _: &SourceId, _: MessageId) -> Result<Option<Status>, Problem> {
        Ok(None)
    }

    async fn answer_document(
        &self,
        _: &SourceId,
        _: MessageId,
    ) -> Result<Option<(bytes::Bytes, dds_message::Format)>, Problem> {
        Ok(None)
    }

    async fn answer_attachments(
        &self,
        _: &SourceId,
        _: MessageId,
    ) -> Result<Option<Vec<dds_message::Attachment>>, Problem> {
        Ok(None)
    }

    async fn answer_attachment(
        &self,
        _: &SourceId,
        _: MessageId,
        _: usize,
    ) -> Result<Option<OpenAttachment>, Problem> {
        Ok(None)
    }

    async fn answer_received(&self, _: &SourceId, _: MessageId) -> Result<Option<bool>, Problem> {
        Ok(None)
    }

    async fn note(&self, _: JournalEvent, _: Code, _: EntryFacts) -> Result<(), Problem> {
        Ok(())
    }
}

/// A running intermediary with an empty revocation list and no party yet.
struct World {
    folder: TempDir,
    pki: OsciPki,
    party: OsciIdentity,
    clock: ManualClock,
    osci: Arc<Osci>,
    intermediary: Arc<IntermediaryEndpoint>,
    sender: OsciSender,
    refresher: Refresher,
}

impl World {
    fn new() -> Self {
        let folder = TempDir::with_prefix("osci-refresh-").unwrap();
        let path = folder.path();
        let pki = OsciPki::new().unwrap();
        let party = pki.identity("amt").unwrap();
        pki.identity("vermittler").unwrap().write(path, "vermittler").unwrap();
        fs::create_dir(path.join("teilnehmer")).unwrap();
        fs::write(path.join("wurzel.pem"), pki.root_pem()).unwrap();
        fs::write(path.join("sperrliste.crl"), pki.revoke(&[]).unwrap()).unwrap();
        let text = r#"
            store = "store"
            [osci]
            sender = "vermittler"
            [osci.identities.vermittler]
            cipher = { key = "vermittler-cipher.key", certificate = "vermittler-cipher.pem" }
            signature = { key = "vermittler-signature.key", certificate = "vermittler-signature.pem" }
            [osci.intermediary]
            identity = "vermittler"
            parties = "teilnehmer"
            [osci.trust]
            anchors = ["wurzel.pem"]
            crls = ["sperrliste.crl"]
        "#;
        let file = path.join("drehscheibe.toml");
        fs::write(&file, text).unwrap();
        let config = ProcessConfig::load(&file).unwrap();
        let clock = ManualClock::default();
        let shared: Arc<dyn dds_message::Clock> = Arc::new(clock.clone());
        let vault = Vault::apart(&MasterKey::generate().unwrap());
        let postbox =
            dds_postbox::Options { folder: dds_postbox::folder(&config.store), vault, clock: shared.clone() };
        let client = dds_outbound::client_config(&TlsOptions::default()).unwrap();
        let osci = Osci::open(Keys::read(&config).unwrap().unwrap(), postbox, client).unwrap();
        // Before anything stands, as the process does.
        let sender = osci.sender(&shared).unwrap();
        let parts = osci
            .stand_up(Around {
                handle: Arc::new(Nobody),
                sources: Arc::new(SourceTable::default()),
                limits: Limits::default(),
                clock: shared,
                telemetry: Telemetry::default(),
            })
            .unwrap();
        let (osci, intermediary) = (Arc::new(osci), parts.intermediary.unwrap());
        let refresher = Refresher::new(Arc::clone(&osci), clock.now().to_jiff());
        Self { folder, pki, party, clock, osci, intermediary, sender, refresher }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A look that finds something and can read it all.
    fn reads(&mut self) {
        let (changed, failures) = self.refresher.look();
        assert!(changed && failures.is_empty(), "{failures:?}");
        assert!(!self.refresher.look().0, "read once");
    }

    async fn has_mailbox(&self) -> bool {
        let owner: Certificate = self.party.cipher_certificate().clone();
        self.osci.postbox().run(move |boxes| boxes.has_mailbox(&owner)).await.unwrap()
    }

    fn is_trusted(&self) -> bool {
        let now = jiff::Timestamp::from_millisecond(self.clock.now().0).unwrap();
        let certificate = self.party.signature_certificate();
        // Orders from outside and our own deliveries go by the same rules.
        let [one, other] = [&self.intermediary.own, self.sender.own.as_ref().unwrap()].map(|own| {
            !own.rules().trust.check(certificate, CertificateUse::ClientSignature, now).is_refused()
        });
        assert_eq!(one, other);
        one
    }

    /// Moves a list that revokes the party into place. It was downloaded long ago: its time of modification is old.
    fn revoke(&self) {
        let (new, place) = (self.file("neu.crl"), self.file("sperrliste.crl"));
        fs::write(&new, self.pki.revoke(&[self.party.signature_certificate()]).unwrap()).unwrap();
        let past = fs::metadata(Path::new("/")).unwrap().modified().unwrap()
            - std::time::Duration::from_secs(86_400);
        fs::File::options().write(true).open(&new).unwrap().set_modified(past).unwrap();
        fs::rename(new, place).unwrap();
    }
}

#[tokio::test]
async fn a_party_has_its_mailbox_as_long_as_its_certificate_lies_there() {
    let mut world = World::new();
    assert!(!world.refresher.look().0, "what was read at the start is not read again");
    assert!(!world.has_mailbox().await);
    let file = world.file("teilnehmer/amt.pem");
    fs::write(&file, &world.party.cipher_pem).unwrap();
    world.reads();
    assert!(world.has_mailbox().await);
    fs::remove_file(file).unwrap();
    world.reads();
    assert!(!world.has_mailbox().await);
}

#[tokio::test]
async fn a_revoked_certificate_is_refused_from_the_next_look_on() {
    let mut world = World::new();
    assert!(world.is_trusted());
    world.revoke();
    world.reads();
    assert!(!world.is_trusted());
    // The list is gone: the old one stays in force, and the operator hears of it.
    fs::remove_file(world.file("sperrliste.crl")).unwrap();
    let (changed, failures) = world.refresher.look();
    assert!(changed && failures.len() == 1, "{failures:?}");
    assert!(failures[0].problem.detail.english.contains("sperrliste.crl"), "{failures:?}");
    assert!(!world.is_trusted());
    fs::write(world.file("sperrliste.crl"), world.pki.revoke(&[]).unwrap()).unwrap();
    world.reads();
    assert!(world.is_trusted());
}

#[tokio::test]
async fn a_broken_file_hinders_nothing_else() {
    let mut world = World::new();
    fs::write(world.file("teilnehmer/amt.pem"), &world.party.cipher_pem).unwrap();
    world.reads();
    // A party's file that is no certificate: the mailboxes stay, and the new list counts all the same.
    fs::write(world.file("teilnehmer/kaputt.pem"), "kein Zertifikat").unwrap();
    world.revoke();
    let (changed, failures) = world.refresher.look();
    assert!(changed && failures.len() == 1, "{failures:?}");
    assert!(failures[0].problem.detail.english.contains("kaputt.pem"), "{failures:?}");
    assert!(world.has_mailbox().await);
    assert!(!world.is_trusted());
    fs::remove_file(world.file("teilnehmer/kaputt.pem")).unwrap();
    world.reads();

    // A list that is no list: the old one stays, and new parties come in.
    fs::write(world.file("sperrliste.crl"), "keine Liste").unwrap();
    fs::remove_file(world.file("teilnehmer/amt.pem")).unwrap();
    let (_, failures) = world.refresher.look();
    assert_eq!(failures.len(), 1, "{failures:?}");
    assert!(!world.is_trusted());
    assert!(!world.has_mailbox().await);
}

/// A list ends some day, and one that is replaced may be somebody else's: each is told once, when it comes to be so.
#[tokio::test]
async fn a_list_that_comes_to_be_without_effect_is_told_once() {
    let mut world = World::new();
    let now = world.clock.now().to_jiff();
    assert_eq!(world.refresher.unsound(now), []);
    let later: jiff::Timestamp = "2120-01-02T00:00:00Z".parse().unwrap();
    let told = world.refresher.unsound(later);
    assert!(told.len() == 1 && told[0].to_string().contains("sperrliste.crl"), "{told:?}");
    assert_eq!(world.refresher.unsound(later), []);

    fs::write(world.file("sperrliste.crl"), OsciPki::new().unwrap().revoke(&[]).unwrap()).unwrap();
    world.reads();
    let told = world.refresher.unsound(now);
    assert!(told.len() == 1 && told[0].to_string().contains("no effect"), "{told:?}");
}
