//! How the router is configured for the OSCI act.

use std::{collections::BTreeMap, net::SocketAddr, path::Path, time::Duration};

use dds_config::{
    OsciConfig, OsciFetch, OsciIdentity as Keys, OsciIntermediary, OsciKey, OsciRecipient, OsciTrust,
};
use dds_depot::{Allow, Answers, Contents, Filed, Office, OsciWay, Source, SourceLimits, Span};
use dds_message::{Digest, SourceId};
use dds_testbench::OsciIdentity;

use crate::{Failure, demo::token_of};

/// The procedure of the act.
const PROCEDURE: &str = "sondernutzung";

/// A municipality whose office is behind OSCI.
pub(super) struct Area {
    /// Its ARS.
    pub(super) key: String,
    /// Products of the office; each gets a delivery of its own.
    pub(super) products: u64,
}

/// `[osci]` with all four roles. `elsewhere` is the intermediary of somebody else, `passive` the office that is pushed
/// to.
pub(super) fn section(keys: &Path, listen: SocketAddr, elsewhere: &str, passive: SocketAddr) -> OsciConfig {
    let key = |name: &str, kind: &str| OsciKey::Pem {
        key: keys.join(format!("{name}-{kind}.key")),
        certificate: keys.join(format!("{name}-{kind}.pem")),
    };
    let identity = |name: &str| {
        let (cipher, signature) = (key(name, "cipher"), key(name, "signature"));
        (name.to_owned(), Keys { cipher, signature, signature_algorithm: None, former: Vec::new() })
    };
    let fetch = |intermediary: &str, at: &str| OsciFetch {
        identity: "zweigstelle".to_owned(),
        intermediary: intermediary.to_owned(),
        intermediary_cipher: keys.join(format!("{at}-cipher.pem")),
        intermediary_signature: keys.join(format!("{at}-signature.pem")),
        every: Span(Duration::from_secs(1)),
        chunk_kb: None,
    };
    let here = fetch(&format!("http://{listen}/osci"), "vermittler");
    OsciConfig {
        listen,
        identities: [identity("vermittler"), identity("stadt"), identity("zweigstelle")].into(),
        fetch: [("hier".to_owned(), here), ("anderswo".to_owned(), fetch(elsewhere, "fremd"))].into(),
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
            receivers: vec![format!("http://{listen}/"), format!("http://{passive}/")],
        }),
        trust: OsciTrust { anchors: vec![keys.join("wurzel.pem")], ..OsciTrust::default() },
        ..OsciConfig::default()
    }
}

/// Finds a municipality that no fixture names and whose own office does the procedure, and puts that office behind
/// OSCI.
pub(super) fn put_behind_osci(
    contents: &mut Contents,
    fixtures: &str,
    way: OsciWay,
) -> Result<Area, Failure> {
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
    area.offices.insert(office, Office { osci: Some(way), ..Office::default() });
    Ok(Area { key: area.ars.as_str().to_owned(), products: products as u64 })
}

/// Who signs with this identity: a sender of applications, or of answers.
pub(super) fn source(
    name: &str,
    identity: &OsciIdentity,
    may_answer: bool,
) -> Result<Filed<Source>, Failure> {
    let everything = || Allow(vec!["*".to_owned()]);
    let value = Source {
        author: dds_depot::AuthorRule::default(),
        id: SourceId::parse(name).map_err(Failure::unexpected)?,
        name: format!("{name} (simuliert)"),
        tokens: vec![Digest::of(token_of(name).as_bytes())],
        certificates: vec![Digest::of(identity.signature_certificate().der())],
        procedures: everything(),
        municipalities: everything(),
        may_answer,
        mailboxes: Allow::default(),
        answers: Answers::Fetch,
        folder: None,
        limits: SourceLimits::default(),
    };
    Ok(Filed { file: format!("config/sources/{name}.toml"), value })
}
