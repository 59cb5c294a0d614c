//! The world around the Datendrehscheibe, simulated: portals that send, Fachverfahren, DMS and mail servers that
//! receive, fetch and answer. Used by tests, by `drehscheibe demo` and by `drehscheibe bench`.
//!
//! Every simulator runs in this process on a loopback port of its own and writes down what it got by delivery id in an
//! [`Inbox`], so that a [`Ledger`] can say what was lost and what came twice. [`Faults`] make a simulator refuse, hang,
//! break off or disappear. No simulator knows the router: they speak its interfaces only.

mod answering;
mod clock;
mod error;
mod fault;
mod fetch;
mod fixture;
mod folder;
mod histogram;
mod http;
mod inbox;
mod ledger;
mod load;
mod mail;
mod osci;
mod pki;
mod portal;
mod ports;
mod push;
mod server;
mod smtp;

pub use answering::{About, AnsweringFachverfahren};
pub use clock::ManualClock;
pub use error::Error;
pub use fault::{Fault, Faults};
pub use fetch::{Fetched, FetchingFachverfahren};
pub use fixture::{Fixture, Template, fixtures};
pub use folder::FolderSim;
pub use histogram::Histogram;
pub use http::{Answered, Client, Outgoing, pieces, whole};
pub use inbox::{Inbox, Part, Received};
pub use ledger::{Ledger, Tally};
pub use load::{Load, LoadReport, Pace};
pub use mail::{Envelope, MailOptions, MailServerSim};
pub use osci::{
    OsciFetched, OsciIdentity, OsciIntermediarySim, OsciPeer, OsciPki, OsciPrepared, OsciRecipientSim,
    osci_post,
};
pub use pki::{Identity, TestPki};
pub use portal::{CallbackSim, PortalSim};
pub use ports::free_port;
pub use push::{FachverfahrenSim, Interface, PushOptions};
