//! Mail: integration level 1, an office that reads its mailbox.
//!
//! A small SMTP client of our own, because none of the well-kept ones streams a message and asks for delivery status
//! notifications (`docs/decisions/0008-smtp-and-http-client.md`).

mod message;
pub(crate) mod reply;
mod smtp;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use dds_delivery::{Adapter, Consignment, Verdict};
use dds_depot::SecretRef;
use dds_message::Code;
use rustls::ClientConfig;

use crate::{credential::Credential, fault::delivered};
use reply::Failure;
use smtp::Smtp;

/// Mailrelais: the one server that takes all mail.
#[derive(Debug, Clone)]
pub struct MailRelay {
    /// Host name, also the one its certificate must bear.
    pub host: String,
    /// Port: usually 465 for [`MailSecurity::Tls`], 587 or 25 otherwise.
    pub port: u16,
    /// How the connection is protected.
    pub security: MailSecurity,
    /// User and reference to the password, if the server asks for them.
    pub account: Option<(String, SecretRef)>,
    /// Sender address; notifications of failure go there.
    pub from: String,
    /// Our own host name: for EHLO, and behind the `@` of message ids.
    pub own_name: String,
    /// Longest silence of the server.
    pub silence: Duration,
    /// Bytes of one mail, whatever the server would take; a larger delivery becomes a dead letter (`DDS-D006`).
    pub max_bytes: u64,
}

/// Protection of the connection to the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailSecurity {
    /// TLS from the first byte (RFC 8314 section 3.3).
    Tls,
    /// STARTTLS (RFC 3207); a server that does not offer it gets nothing.
    StartTls,
    /// None. For a relay on the same machine only.
    Plain,
}

/// `mail`.
pub(crate) struct Mail {
    pub(crate) relay: Arc<MailRelay>,
    pub(crate) tls: Arc<ClientConfig>,
    pub(crate) to: String,
    pub(crate) subject: Option<String>,
}

#[async_trait]
impl Adapter for Mail {
    async fn deliver(&self, consignment: &Consignment) -> Verdict {
        match self.send(consignment).await {
            Ok(reference) => delivered(reference.as_deref()),
            Err(failure) => failure.verdict(),
        }
    }
}

impl Mail {
    async fn send(&self, consignment: &Consignment) -> Result<Option<String>, Failure> {
        let password = match &self.relay.account {
            Some((user, secret)) => {
                Some((user, Credential(secret.clone()).read().map_err(Failure::Credential)?))
            }
            None => None,
        };
        let message = message::compose(&self.relay, &self.to, self.subject.as_deref(), consignment);
        let size = message.len();
        if size > self.relay.max_bytes {
            return Err(Failure::TooLarge(self.relay.max_bytes));
        }
        let mut smtp = Smtp::connect(&self.relay, &self.tls).await?;
        if let Some((user, password)) = password {
            smtp.authenticate(user, &password).await?;
        }
        // RFC 1870 section 6.1: the server need not even be asked.
        if let Some(limit) = smtp.offers().size.filter(|limit| *limit > 0 && size > *limit) {
            return Err(Failure::TooLarge(limit));
        }
        smtp.mail_from(&self.relay.from, size, consignment.delivery).await?;
        smtp.recipient(&self.to).await?;
        let answer = smtp.data(message).await?;
        smtp.quit().await;
        Ok(answer.queue_id())
    }
}

impl Failure {
    fn verdict(self) -> Verdict {
        use crate::fault::{joined, permanent, temporary, unreadable_attachment};
        match self {
            Self::Connection(what) => temporary(Code::TARGET_UNREACHABLE, what),
            Self::Doubt(what) => {
                let why = ("SMTP: keine Antwort auf die Nachricht", "SMTP: no reply to the message");
                temporary(Code::IN_DOUBT, joined(why, &what))
            }
            Self::Unprotected => {
                let text =
                    ("SMTP: der Mailserver bietet kein STARTTLS", "SMTP: the relay offers no STARTTLS");
                temporary(Code::TARGET_BUSY, text)
            }
            Self::NoMechanism => {
                let text = (
                    "SMTP: der Mailserver bietet weder AUTH PLAIN noch LOGIN",
                    "SMTP: the relay offers neither AUTH PLAIN nor LOGIN",
                );
                temporary(Code::TARGET_BUSY, text)
            }
            Self::Credential(fault) => Verdict::Temporary { fault, retry_after: None },
            Self::Read(code) => unreadable_attachment(code),
            Self::TooLarge(limit) => {
                let text = (
                    format!("SMTP: der Mailserver nimmt höchstens {limit} Bytes"),
                    format!("SMTP: the relay takes at most {limit} bytes"),
                );
                permanent(Code::TARGET_TOO_LARGE, text)
            }
            Self::Refused { step, reply } => {
                let detail = (format!("SMTP {reply} auf {step}"), format!("SMTP {reply} on {step}"));
                match reply.code {
                    // RFC 1870 section 6.3; RFC 3463 section 3.4
                    552 => permanent(Code::TARGET_TOO_LARGE, detail),
                    // A wrong password is the operator's to mend, and no reason to give up a citizen's message.
                    500..=599 if step == "AUTH" => temporary(Code::CREDENTIAL_REFUSED, detail),
                    500..=599 => permanent(Code::TARGET_REFUSED, detail),
                    _ => temporary(Code::TARGET_BUSY, detail),
                }
            }
        }
    }
}
