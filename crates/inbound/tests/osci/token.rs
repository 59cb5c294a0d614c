//! The token with a key of ours is away: whoever wrote to us did nothing wrong, and nothing is lost.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use dds_courier::Identity;
use dds_inbound::osci::{Collector, CollectorOptions, OwnMailbox};
use dds_osci::{
    algorithm::KeyTransport,
    certificate::Certificate,
    intermediary::Rules,
    keys::{Decrypter, KeyError},
};
use dds_testbench::{ManualClock, OsciIdentity};
use zeroize::Zeroizing;

use crate::{
    wire::Wire,
    world::{Machine, Place, application, intermediary, keys, log, serve, town},
};

/// A key on a token that somebody may pull out.
struct Token {
    key: Arc<dyn Decrypter>,
    away: AtomicBool,
}

impl Token {
    fn with(keys: &OsciIdentity) -> Arc<Self> {
        Arc::new(Self { key: keys.cipher.clone(), away: AtomicBool::new(true) })
    }

    fn put_back(&self) {
        self.away.store(false, Ordering::Relaxed);
    }
}

impl Decrypter for Token {
    fn certificate(&self) -> &Certificate {
        self.key.certificate()
    }

    fn unwrap_key(&self, transport: KeyTransport, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        if self.away.load(Ordering::Relaxed) {
            return Err(KeyError::Token("the slot is empty".to_owned()));
        }
        self.key.unwrap_key(transport, wrapped)
    }
}

#[tokio::test]
async fn an_order_for_a_key_on_a_lost_token_may_come_again_and_the_operator_learns_why() {
    let log = log();
    let token = Token::with(&keys().intermediary);
    let machine = Machine::new(&ManualClock::default());
    let identity = Identity::new(token.clone(), keys().intermediary.signature.clone());
    let host = serve(intermediary(machine.boot(), identity, Rules::default())).await;
    let place = Place::at(machine, Wire::default(), &host);

    let refused = place.portal.store(town(), application(0).as_bytes()).await.unwrap_err();
    assert!(refused.to_string().contains("9000"), "{refused}");
    let log = std::fs::read_to_string(log).unwrap();
    let line = log.lines().find(|line| line.contains("the slot is empty")).unwrap();
    assert!(line.contains("ERROR") && line.contains("the token cannot be used"), "{line}");

    token.put_back();
    place.portal.store(town(), application(0).as_bytes()).await.unwrap();
}

#[tokio::test]
async fn content_for_a_key_on_a_lost_token_waits_until_it_is_back() {
    let clock = ManualClock::default();
    let token = Token::with(&keys().town);
    let place = Place::start(&clock, &[]).await;
    let machine = &place.machine;
    let identity = Identity::new(token.clone(), keys().town.signature.clone());
    let own = OwnMailbox::all_of(&identity).collect();
    let options = CollectorOptions::default();
    let collector = Collector::new(&machine.boot(), own, options);
    place.portal.store(town(), application(0).as_bytes()).await.unwrap();

    assert_eq!(collector.collect().await.unwrap(), 1);
    assert_eq!(machine.set_aside()[0].0, "DDS-O013");
    assert!(machine.router.noted.lock().is_empty(), "nobody is refused for good");
    clock.advance(Duration::try_from(options.soon).unwrap());
    assert_eq!(collector.collect().await.unwrap(), 1);
    assert_eq!(machine.set_aside().len(), 1);

    token.put_back();
    clock.advance(Duration::try_from(options.soon).unwrap());
    assert_eq!(collector.collect().await.unwrap(), 1);
    assert_eq!(machine.applications(), [0]);
    assert!(machine.set_aside().is_empty());
}
