//! A cipher key was renewed: what is under way to the former one arrives, and what nobody can read any more is named.

use std::sync::Arc;

use dds_courier::Identity;
use dds_inbound::osci::{Collector, CollectorOptions, OsciContext, OwnMailbox, RecipientEndpoint, routes};
use dds_osci::{intermediary::Rules, keys::Decrypter, recipient::Recipient};
use dds_testbench::{ManualClock, OsciIdentity};

use crate::{
    wire::Wire,
    world::{Machine, Place, application, identity, intermediary, keys, log, serve, town},
};

/// The town after its renewal: it signs as before, and perhaps keeps the former key.
fn renewed(keeps: bool) -> Identity {
    let keys = keys();
    let identity = Identity::new(keys.other.cipher.clone(), keys.town.signature.clone());
    Identity { former: kept(keeps, &keys.town), ..identity }
}

fn kept(keeps: bool, former: &OsciIdentity) -> Vec<Arc<dyn Decrypter>> {
    if keeps { vec![former.cipher.clone()] } else { Vec::new() }
}

fn collector(context: &OsciContext, identity: &Identity) -> Collector {
    Collector::new(context, OwnMailbox::all_of(identity).collect(), CollectorOptions::default())
}

#[tokio::test]
async fn a_mailbox_without_its_key_is_named_and_collected_when_the_key_is_back() {
    let place = Place::start(&ManualClock::default(), &[]).await;
    let machine = &place.machine;
    let before = collector(&machine.boot(), &identity(&keys().town));
    assert_eq!(before.collect().await.unwrap(), 0);
    place.portal.store(town(), application(0).as_bytes()).await.unwrap();
    let log = log();

    let without = collector(&machine.boot(), &renewed(false));
    assert_eq!(without.collect().await.unwrap(), 1);
    assert_eq!(machine.set_aside()[0].0, "DDS-O013");
    let (event, code, _) = machine.router.noted.lock()[0].clone();
    assert_eq!((event.as_str(), code.as_str()), ("osci.set_aside", "DDS-O013"));
    let log = std::fs::read_to_string(log).unwrap();
    let named = |line: &&str| line.contains("osci.mailbox_without_identity") && line.contains("deliveries=1");
    let line = log.lines().find(named).unwrap();
    assert!(line.contains("ERROR") && line.contains(town().sha256_hex()), "{line}");

    // A person has it tried again: in vain, and that is said.
    let postbox = machine.boot().postbox;
    postbox.run(|boxes| boxes.retry_set_aside(None)).await.unwrap();
    assert_eq!(without.collect().await.unwrap(), 1);
    assert_eq!(machine.set_aside()[0].0, "DDS-O013");

    postbox.run(|boxes| boxes.retry_set_aside(None)).await.unwrap();
    assert_eq!(collector(&machine.boot(), &renewed(true)).collect().await.unwrap(), 1);
    assert_eq!(machine.applications(), [0]);
    assert!(machine.set_aside().is_empty());
}

/// Who fetches for himself now has a mailbox like any other.
#[tokio::test]
async fn a_mailbox_that_a_party_has_now_is_left_to_it() {
    let place = Place::start(&ManualClock::default(), &[]).await;
    let machine = &place.machine;
    assert_eq!(collector(&machine.boot(), &identity(&keys().town)).collect().await.unwrap(), 0);
    place.portal.store(town(), application(0).as_bytes()).await.unwrap();
    let context = machine.boot();
    context.postbox.register([town().clone()]);
    assert_eq!(collector(&context, &renewed(false)).collect().await.unwrap(), 0);
    assert!(machine.set_aside().is_empty());
}

/// The portal and its intermediary have not heard of the new certificate yet.
#[tokio::test]
async fn a_push_for_a_former_key_is_taken_while_it_is_kept() {
    for keeps in [true, false] {
        let clock = ManualClock::default();
        let machine = Machine::new(&clock);
        let keys = keys();
        let mut recipient = Recipient::new(
            keys.other.cipher_certificate().clone(),
            keys.town.signature_certificate().clone(),
            vec![keys.intermediary.signature_certificate().clone()],
        );
        let identity = renewed(keeps);
        recipient.former = identity.former_certificates().cloned().collect();
        let receiving = RecipientEndpoint { context: machine.boot(), recipient, identity };
        let host = serve(routes(None, Some(Arc::new(receiving)))).await;
        let url = format!("http://{host}/osci/empfang");
        let place = Place::start(&clock, &[&url]).await;
        let sent = place.portal.forward(&url, town(), application(0).as_bytes()).await;
        assert_eq!(sent.is_ok(), keeps, "{sent:?}");
        assert_eq!(machine.applications(), if keeps { vec![0] } else { Vec::new() });
    }
}

#[tokio::test]
async fn an_order_for_a_former_key_of_the_intermediary_is_executed_while_it_is_kept() {
    let keys = keys();
    for keeps in [true, false] {
        let machine = Machine::new(&ManualClock::default());
        let identity = Identity::new(keys.other.cipher.clone(), keys.intermediary.signature.clone());
        let identity = Identity { former: kept(keeps, &keys.intermediary), ..identity };
        let host = serve(intermediary(machine.boot(), identity, Rules::default())).await;
        let place = Place::at(machine, Wire::default(), &host);
        let stored = place.portal.store(town(), application(0).as_bytes()).await;
        assert_eq!(stored.is_ok(), keeps, "{stored:?}");
    }
}
