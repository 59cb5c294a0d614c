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
    /// Its certificates are good as well, and it is no source.
    stranger: OsciPeer,
    town: dds_osci::certificate::Certificate,
}

impl World {
    async fn new() -> Self {
        let stage = Stage::new().await;
        let (pki, listen) = (OsciPki::new().unwrap(), free_port().unwrap());
        let [office, town, renewed, portal, stranger] =
            ["vermittler", "stadt", "stadt-neu", "portal", "fremd"].map(|name| pki.identity(name).unwrap());
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
        let peer = |keys| {
            let (cipher, signature) = (office.cipher_certificate(), office.signature_certificate());
            OsciPeer::new(keys, listen, cipher.clone(), signature.clone())
        };
        let (portal, stranger) = (peer(portal), peer(stranger));
        Self { stage, listen, portal, stranger, town: town.cipher_certificate().clone() }
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

/// A tenth of the mailbox is full of somebody who is no source: he is heard again when a person has acted.
#[tokio::test]
async fn all_of_one_originator_are_tried_again_or_given_up() {
    let world = World::new().await;
    let stage = &world.stage;
    let config = fs::read_to_string(stage.config()).unwrap();
    let bounded = config.replace("[osci.intermediary]\n", "[osci.intermediary]\nmailbox_deliveries = 20\n");
    fs::write(stage.config(), bounded).unwrap();
    let _router = Router::start(stage).await;
    assert_eq!(stage.ask(&["osci", "aside", "list"]).good().out, "nothing is set aside\n");
    let portal = world.portal.store(&world.town, b"<anmeldung>Geheimnis").await.unwrap();
    let listed = world.until(|listed| listed.len() == 1).await;
    let source = listed[0]["originator"].as_str().unwrap().to_owned();
    for number in 0..2 {
        world.stranger.store(&world.town, b"<anmeldung/>").await.unwrap();
        world.until(|listed| listed.len() == number + 2).await;
    }
    let refused = world.stranger.store(&world.town, b"<anmeldung/>").await.unwrap_err().to_string();
    assert!(refused.contains("9811"), "{refused}");
    let listed = world.listed();
    let stranger = listed[1]["originator"].as_str().unwrap();
    assert_eq!(
        (listed[2]["originator"].as_str(), listed[2]["code"].as_str()),
        (Some(stranger), Some("DDS-I001"))
    );
    assert_ne!(stranger, source);
    let people = stage.ask(&["osci", "aside", "list"]).good().out;
    assert!(people.contains(&format!("originator {stranger}")), "{people}");

    let again = |row: &Value| row["again"].as_str().unwrap().parse::<Timestamp>().unwrap();
    // As `openssl x509 -fingerprint` writes it.
    let pairs: Vec<&str> = (0..stranger.len()).step_by(2).map(|at| &stranger[at..at + 2]).collect();
    stage.ask(&["osci", "aside", "retry", "--originator", &pairs.join(":").to_uppercase()]).good();
    let tried = world.until(|now| (1..3).all(|at| again(&now[at]) > again(&listed[at]))).await;
    assert_eq!(tried[0], listed[0], "the other one rests");

    for nonsense in [&["drop"][..], &["drop", "x", "--originator", stranger]] {
        assert_eq!(stage.ask(&[&["osci", "aside"], nonsense].concat()).code, Some(2), "{nonsense:?}");
    }
    let misread = stage.ask(&["osci", "aside", "drop", "--originator", "fremd"]).bad();
    assert!(misread.err.contains("DDS-C013"), "{misread:?}");
    let nobody = "0".repeat(64);
    for deed in ["drop", "retry"] {
        let said = stage.ask(&["osci", "aside", deed, "--originator", &nobody]).bad();
        assert!(said.err.contains("DDS-C016"), "{said:?}");
    }
    assert_eq!(world.listed().len(), 3);
    stage.ask(&["osci", "aside", "drop", "--originator", stranger]).good();
    let left = world.listed();
    assert_eq!((left.len(), &left[0]["message_id"]), (1, &portal.as_str().into()));
    let found = stage.ask(&["journal", "search", "--json", "--event", "osci.dropped"]).good().json();
    let noted = |row: &Value| row["data"]["message_id"].as_str().map(str::to_owned);
    let mut dropped: Vec<_> = found["rows"].as_array().unwrap().iter().map(noted).collect();
    dropped.reverse();
    let theirs: Vec<_> =
        listed[1..].iter().map(|row| row["message_id"].as_str().map(str::to_owned)).collect();
    assert_eq!(dropped, theirs);
    world.stranger.store(&world.town, b"<anmeldung/>").await.unwrap();
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
