//! The intermediary (*Intermediär*): takes orders, keeps mailboxes, pushes to passive recipients, and writes process
//! cards.
//!
//! An order passes two stages. [`Intermediary::examine`] works on the message alone — type, structure, signature,
//! certificates — and may run for many orders at the same time. [`Examined::execute`] then works on the state behind
//! [`Mailboxes`], in the order of facts 16: dialogue, signature, certificates, order. The driver runs it **inside one
//! transaction and commits before the answer leaves**, so that nothing is acknowledged that could be lost.
//!
//! ```text
//! Received ── examine ──► Examined ── execute(mailboxes) ──► Step::Answer(Reply)
//!                                                        ├─► Step::Push(request, Forwarding)  ── answered ──► Reply
//!                                                        ├─► Step::Reassemble(chunks, Reassembly) ── done ──► Reply
//!                                                        └─► Step::Render(response, Rendering) ── done ──► Reply
//! ```
//!
//! The process that runs the intermediary sends itself no order: it puts its own deliveries into mailboxes by a
//! [`Deposit`], under the same rules.
//!
//! What is our own conclusion (\[ours\] in `docs/osci/`) is decided for the protection of data:
//! - Who fetches must have encrypted his orders: the answer, encrypted for the certificate that names the mailbox, is
//!   worthless to anybody else, and only its holder can return the challenge in it.
//! - A MessageId belongs to the certificate it was issued to. A dialogue belongs to the certificate that opened it.
//! - A MessageId that was used for a mediation answers the same client once more, until he has received the reply.
//! - Deliveries go only to registered mailboxes, pushes only to allowed addresses.

mod cards;
mod chunks;
mod deposit;
mod dialogue;
mod examine;
mod execute;
mod fetch;
mod fetchable;
mod mailboxes;
mod mediated;
mod memory;
mod push;
mod reply;
mod store;

pub use chunks::{Reassembly, Rendering};
pub use deposit::{Deposit, Deposited};
pub use examine::Examined;
pub use mailboxes::{
    Attachment, Card, ChunkUpload, Client, Delivery, Dialogue, Fingerprint, Found, IdState, Mailboxes,
    RenderedFetch, StoreFailed,
};
pub use memory::MemoryMailboxes;
pub use push::{Forwarding, PushFailure};
pub use reply::{Reply, ReplyMessage};

use jiff::SignedDuration;

use crate::algorithm::CryptoPolicy;
use crate::certificate::Certificate;
use crate::message::FeatureDescription;
use crate::trust::TrustPolicy;

/// Octets of a KB.
const KB: u64 = 1024;

/// An intermediary without its state: keys by their certificates, trust, limits. Shared by all orders.
#[derive(Debug, Clone)]
pub struct Intermediary {
    /// Cipher certificate: orders are encrypted for it; recipients encrypt their responses for it.
    pub cipher: Certificate,
    /// Signature certificate: it signs responses and pushes.
    pub signature: Certificate,
    /// Whose certificates count.
    pub trust: TrustPolicy,
    /// Which algorithms count.
    pub policy: CryptoPolicy,
    /// Rules and limits.
    pub rules: Rules,
}

/// Rules and limits of an intermediary.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Unsigned orders get 9600.
    pub signature_required: bool,
    /// Unencrypted orders get 9300. Fetching is never possible unencrypted.
    pub encryption_required: bool,
    /// A dialogue ends after so long without an order.
    pub dialogue_idle: SignedDuration,
    /// Dialogues open at the same time; more get 9811, unless one gives way that nobody went on with.
    pub dialogues: usize,
    /// Dialogues that one client may have open; more get 9811, unless one of its own gives way.
    pub client_dialogues: usize,
    /// MessageIds a client may hold unused; more get 9811.
    pub unused_ids: usize,
    /// How many of the largest deliveries ([`Self::max_message_kb`]) one client may have under way in chunks, counted
    /// in octets; what would be more gets 9811.
    pub uploads: u64,
    /// Deliveries that may wait in one mailbox for their reception; more get 9811. So do more of one client when a
    /// tenth of this, or of [`Self::mailbox_bytes`], is what he stored and the recipient could not take over.
    pub mailbox_deliveries: u64,
    /// Octets of the deliveries that wait in one mailbox, envelopes and attachments; what would be more gets 9811.
    pub mailbox_bytes: u64,
    /// Process cards in one response; more get 3801. So do cards of more than 4 MiB together.
    pub cards: u64,
    /// Largest delivery in KB (9904).
    pub max_message_kb: u64,
    /// Smallest chunk in KB, the last one excepted (9903).
    pub min_chunk_kb: u64,
    /// Largest chunk in KB (9902).
    pub max_chunk_kb: u64,
    /// Beginnings of addresses that forwardDelivery and mediateDelivery may lead to. Without any, none (9809): an
    /// intermediary that posts anywhere is a way into its own network. `http://host:*` allows every port of a host.
    /// What follows the beginning must be plain: no escapes (`%`), no segment that starts with a dot.
    pub receivers: Vec<String>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            signature_required: true,
            encryption_required: true,
            dialogue_idle: SignedDuration::from_mins(15),
            dialogues: 10_000,
            client_dialogues: 1_000,
            unused_ids: 1_000,
            uploads: 4,
            mailbox_deliveries: 100_000,
            mailbox_bytes: 50 << 30,
            cards: 100,
            max_message_kb: 2 << 20,
            min_chunk_kb: 64,
            max_chunk_kb: 50 << 10,
            receivers: Vec::new(),
        }
    }
}

impl Rules {
    /// What the intermediary announces with every response.
    pub(crate) fn features(&self) -> FeatureDescription {
        FeatureDescription {
            max_message_size: Some(self.max_message_kb),
            min_chunk_size: Some(self.min_chunk_kb),
            max_chunk_size: Some(self.max_chunk_kb),
            ..FeatureDescription::ours()
        }
    }

    /// Whether a push may go to this address: it begins with an allowed one, and what follows is a plain path below it.
    /// The character after the allowed beginning must end the host part, so that `http://amt.example` does not allow
    /// `http://amt.example.attacker.example`.
    pub(crate) fn may_push_to(&self, uri: &str) -> bool {
        self.receivers.iter().any(|allowed| {
            let (start, any_port) =
                allowed.strip_suffix('*').map_or((allowed.as_str(), false), |start| (start, true));
            let Some(rest) = uri.strip_prefix(start) else { return false };
            let rest =
                if any_port { rest.trim_start_matches(|letter: char| letter.is_ascii_digit()) } else { rest };
            let below = rest.is_empty() || start.ends_with('/') || rest.starts_with(['/', '?']);
            below && is_plain(rest)
        })
    }
}

/// Whether everybody reads the rest of an address as it is written: `..`, escapes, `\` and white space are what
/// clients, proxies and servers resolve each in their own way, perhaps out of the allowed beginning.
fn is_plain(rest: &str) -> bool {
    let path = rest.split('?').next().unwrap_or_default();
    rest.bytes().all(|octet| octet.is_ascii_graphic() && octet != b'\\' && octet != b'#')
        && !path.contains('%')
        && !path.split('/').any(|segment| segment.starts_with('.'))
}

/// What the driver does next.
#[derive(Debug)]
pub enum Step<H> {
    /// Commit, sign and encrypt the reply, send it.
    Answer(Reply<H>),
    /// Commit, then POST the request to `receiver` and give what comes back to the [`Forwarding`], in a transaction of
    /// its own.
    Push {
        /// Address of the passive recipient.
        receiver: String,
        /// acceptDelivery or processDelivery.
        request: Box<Reply<H>>,
        /// Goes on with the answer.
        then: Box<Forwarding>,
    },
    /// Read these attachments one after the other as one MIME message (unencrypted), then go on with what came out.
    Reassemble {
        /// The chunks in their order.
        chunks: Vec<Attachment<H>>,
        /// Goes on with the delivery inside.
        then: Box<Reassembly>,
    },
    /// Write this response once, signed and unencrypted, into the part store, then go on with its handle: a delivery
    /// that is fetched in chunks must stay the same octet for octet.
    Render {
        /// The whole response.
        response: Box<Reply<H>>,
        /// Goes on with the stored octets.
        then: Box<Rendering>,
    },
}

#[cfg(test)]
mod tests {
    use super::Rules;

    #[test]
    fn a_push_goes_only_to_addresses_that_are_allowed() {
        let rules = Rules {
            receivers: vec![
                "http://amt.example".to_owned(),
                "http://a.example/osci/".to_owned(),
                "http://127.0.0.1:*".to_owned(),
            ],
            ..Rules::default()
        };
        for fine in [
            "http://amt.example",
            "http://amt.example/x",
            "http://a.example/osci/empfang",
            "http://127.0.0.1:80/x",
            "http://127.0.0.1:8080",
            "http://a.example/osci/amt.1/empfang?amt=%C3%A4..",
        ] {
            assert!(rules.may_push_to(fine), "{fine}");
        }
        for wrong in [
            "http://amt.example.attacker.example",
            "http://amt.example:8080/",
            "http://amt.example@attacker.example/",
            "http://a.example/other",
            "http://127.0.0.1:80@attacker.example/",
            "http://127.0.0.1:x@attacker.example/",
            "https://amt.example",
            "http://a.example/osci/../admin",
            "http://a.example/osci/x/../../admin",
            "http://a.example/osci/%2e%2e/admin",
            "http://a.example/osci/..%2Fadmin",
            "http://a.example/osci/..;/admin",
            "http://a.example/osci/.",
            "http://a.example/osci/..\\admin",
            "http://a.example/osci/.\t./admin",
            "http://a.example/osci/..?x",
            "http://127.0.0.1:80/..",
        ] {
            assert!(!rules.may_push_to(wrong), "{wrong}");
        }
        assert!(!Rules::default().may_push_to("http://amt.example"));
    }
}
