//! A delivery that our own mailbox has acknowledged and the main path refuses: the gauge shows it, and `osci aside`
//! lists it, has it tried again, and gives it up.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::{fs, net::SocketAddr, time::Duration};

use dds_message::Digest;
use dds_testbench::{OsciPeer, OsciPki, free_port};
use jiff::Timestamp;
use serde_json::Value;
use support::stage::{PATIENCE, Router, Stage};

/// An intermediary whose own mailbox belongs to the town, and a portal that may send over it.
struct World {
    stage: Stage,
    listen: SocketAddr,
    portal: OsciPeer,
    town: dds_osci::certificate::Certificate,
}

impl World {
    async fn new() -> Self {
        let stage = Stage::new().await;
        let (pki, listen) = (OsciPki::new().unwrap(), free_port().unwrap());
        let [office, town, renewed, portal] =
            ["vermittler", "stadt", "stadt-neu", "portal"].map(|name| pki.identity(name).unwrap());
        let keys = stage.path("keys");
        fs::create_dir_all(keys.join("parties")).unwrap();
        fs::write(keys.join("ca.pem"), pki.root_pem()).unwrap();
        office.write(&keys, "vermittler").unwrap();
        town.write(&keys, "stadt").unwrap();
        renewed.write(&keys, "stadt-neu").unwrap();
        let identity = |name: &str| {
            let key = |kind: &str| {
                let file = keys.join(format!("{name}-{kind}")).display().to_string();
                format!("{kind} = {{ key = \"{file}.key\", certificate = \"{file}.pem\" }}\n")
            };
            format!("[osci.identities.{name}]\n{}{}", key("cipher"), key("signature"))
        };
        let section = format!(
            "[osci]\nlisten = \"{listen}\"\n{}{}[osci.trust]\nanchors = [\"{}\"]\n\
             [osci.intermediary]\nidentity = \"vermittler\"\nown = \"stadt\"\nparties = \"{}\"\n",
            identity("vermittler"),
            identity("stadt"),
            keys.join("ca.pem").display(),
            keys.join("parties").display(),
        );
        let config = fs::read_to_string(stage.config()).unwrap();
        fs::write(stage.config(), format!("{config}{section}")).unwrap();
        let source = format!(
            "id = \"osci-portal\"\nname = \"OSCI-Portal\"\ncertificates = [\"{}\"]\nprocedures = [\"*\"]\n\
             municipalities = [\"*\"]\n",
            Digest::of(portal.signature_certificate().der()),
        );
        fs::write(stage.path("config/sources/osci-portal.toml"), source).unwrap();
        let (cipher, signature) =
            (office.cipher_certificate().clone(), office.signature_certificate().clone());
        let portal = OsciPeer::new(portal, listen, cipher, signature);
        Self { stage, listen, portal, town: town.cipher_certificate().clone() }
    }

    fn listed(&self) -> Vec<Value> {
        let said = self.stage.ask(&["osci", "aside", "list", "--json"]).good().json();
        said.as_array().unwrap().clone()
    }

    /// The list, once it is as wanted.
    async fn until(&self, wanted: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let look = async {
            let mut tick = tokio::time::interval(Duration::from_millis(100));
            loop {
                tick.tick().await;
                let listed = self.listed();
                if wanted(&listed) {
                    return listed;
                }
            }
        };
        tokio::time::timeout(PATIENCE, look).await.unwrap_or_else(|_| panic!("{:?}", self.listed()))
    }

    async fn metrics(&self) -> String {
        String::from_utf8(self.stage.operations("/metrics").await.unwrap().body.to_vec()).unwrap()
    }
}

#[tokio::test]
async fn what_is_set_aside_is_listed_tried_again_and_given_up() {
    let world = World::new().await;
    let stage = &world.stage;
    let _router = Router::start(stage).await;
    assert_eq!(world.listed(), Vec::<Value>::new());
    assert!(world.metrics().await.contains("dds_osci_set_aside 0\n"), "{}", world.listen);

    let mut ids = Vec::new();
    for _ in 0..2 {
        let id = world.portal.store(&world.town, b"<anmeldung>Geheimnis").await.unwrap();
        ids.push(id.as_str().to_owned());
    }
    let listed = world.until(|listed| listed.len() == 2).await;
    for (row, id) in listed.iter().zip(&ids) {
        assert_eq!(
            (&row["message_id"], &row["code"], &row["tries"]),
            (&id.as_str().into(), &"DDS-I005".into(), &1.into())
        );
    }
    assert!(world.metrics().await.contains("dds_osci_set_aside 2\n"));
    let people = stage.ask(&["osci", "aside", "list"]).good().out;
    assert!(
        people.contains(&ids[0]) && people.contains("DDS-I005") && people.contains("tries 1"),
        "{people}"
    );

    // One by its name, then all: each is looked at again, and set aside anew.
    let again = |listed: &[Value]| -> Vec<Timestamp> {
        listed.iter().map(|row| row["again"].as_str().unwrap().parse().unwrap()).collect()
    };
    let first = again(&listed);
    stage.ask(&["osci", "aside", "retry", &ids[1]]).good();
    let second = again(&world.until(|listed| again(listed)[1] > first[1]).await);
    assert_eq!(second[0], first[0]);
    stage.ask(&["osci", "aside", "retry"]).good();
    world.until(|listed| again(listed).iter().zip(&second).all(|(now, before)| now > before)).await;

    stage.ask(&["osci", "aside", "drop", &ids[0]]).good();
    let left = world.listed();
    assert_eq!((left.len(), &left[0]["message_id"]), (1, &ids[1].as_str().into()));
    assert!(world.metrics().await.contains("dds_osci_set_aside 1\n"));
    for unknown in [["drop", &ids[0]], ["retry", &ids[0]]] {
        let said = stage.ask(&["osci", "aside", unknown[0], unknown[1]]).bad();
        assert!(said.err.contains("DDS-C016"), "{unknown:?}: {}", said.err);
    }

    // Who answers for it: refused once each, however often it was tried, and dropped by somebody.
    let journal = |event: &str| {
        let found = stage.ask(&["journal", "search", "--json", "--event", event]).good().json();
        found["rows"].as_array().unwrap().clone()
    };
    assert_eq!(journal("osci.set_aside").len(), 2);
    let dropped = journal("osci.dropped");
    assert_eq!(dropped.len(), 1, "{dropped:?}");
    assert_eq!(dropped[0]["data"]["message_id"], ids[0], "{dropped:?}");
    assert!(!stage.ask(&["journal", "export"]).good().out.contains("Geheimnis"));
}

/// The cipher key of our own mailbox was renewed, and the old one not kept: what was acknowledged is named until it is.
#[tokio::test]
async fn what_lies_under_a_renewed_key_is_listed_until_the_former_one_is_kept() {
    let world = World::new().await;
    let stage = &world.stage;
    let router = Router::start(stage).await;
    world.portal.store(&world.town, b"<anmeldung>Geheimnis").await.unwrap();
    world.until(|listed| listed.len() == 1).await;
    router.terminate().await;

    let config = fs::read_to_string(stage.config()).unwrap();
    let line = config.lines().find(|line| line.contains("stadt-cipher.key")).unwrap();
    let renewed = line.replace("stadt-cipher", "stadt-neu-cipher");
    let former = line.replace("cipher = {", "former = [{").replace('}', "}]");
    let coded = |wanted: &'static str| move |listed: &[Value]| listed[0]["code"] == wanted;
    fs::write(stage.config(), config.replace(line, &renewed)).unwrap();
    let router = Router::start(stage).await;
    world.until(coded("DDS-O013")).await;
    assert!(world.metrics().await.contains("dds_osci_set_aside 1\n"));
    router.terminate().await;

    fs::write(stage.config(), config.replace(line, &format!("{renewed}\n{former}"))).unwrap();
    let _router = Router::start(stage).await;
    world.until(coded("DDS-I005")).await;
    world.portal.store(&world.town, b"<anmeldung>").await.unwrap();
    world.until(|listed| listed.len() == 2 && coded("DDS-I005")(&listed[1..])).await;
}
