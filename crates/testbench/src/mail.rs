//! A mail server.

use std::{collections::VecDeque, net::SocketAddr, sync::Arc};

use dds_message::{DeliveryId, Digest};
use parking_lot::Mutex;
use rustls::ServerConfig;
use tokio_rustls::TlsAcceptor;

use crate::{
    Error, Inbox, Part,
    server::{Connection, Server},
    smtp::Session,
};

/// How the mail server behaves.
#[derive(Debug, Clone)]
pub struct MailOptions {
    /// Largest message announced (`SIZE`, RFC 1870), in bytes.
    pub size: Option<u64>,
    /// Offers delivery status notifications (RFC 3461).
    pub dsn: bool,
    /// Offers STARTTLS, or speaks TLS from the first byte with `implicit_tls`.
    pub tls: Option<Arc<ServerConfig>>,
    /// TLS from the first byte.
    pub implicit_tls: bool,
    /// Demands this user and password.
    pub account: Option<(String, String)>,
    /// Mechanisms offered for that: `PLAIN LOGIN` or one of them.
    pub mechanisms: &'static str,
    /// Keeps whole messages, for tests that look into them.
    pub keep_messages: bool,
}

impl Default for MailOptions {
    fn default() -> Self {
        Self {
            size: Some(50 << 20),
            dsn: true,
            tls: None,
            implicit_tls: false,
            account: None,
            mechanisms: "PLAIN LOGIN",
            keep_messages: false,
        }
    }
}

/// A mail as received.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Envelope {
    /// Envelope sender.
    pub from: String,
    /// Parameters of MAIL, such as `SIZE=123`.
    pub parameters: Vec<String>,
    /// Envelope recipients.
    pub to: Vec<String>,
    /// Parameters of RCPT, such as `NOTIFY=FAILURE`.
    pub to_parameters: Vec<String>,
    /// Header fields as sent.
    pub head: String,
    /// Bytes of the message.
    pub size: u64,
    /// The message, if kept.
    pub text: Vec<u8>,
}

impl Envelope {
    /// Value of a header field, unfolded.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        let unfolded = self.head.replace("\r\n ", " ").replace("\r\n\t", " ");
        unfolded.lines().find_map(|line| {
            let (field, value) = line.split_once(':')?;
            field.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    }
}

/// Simulierter Mailserver. Recognises a repeated mail by its `Message-ID`, whose left part is the delivery id.
#[derive(Debug)]
pub struct MailServerSim {
    server: Server,
    post: Arc<Post>,
}

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Post {
    pub(crate) options: MailOptions,
    inbox: Inbox,
    mails: Mutex<Vec<Envelope>>,
    replies: Mutex<VecDeque<(&'static str, String)>>,
}

impl MailServerSim {
    /// Listens on a free loopback port.
    ///
    /// # Errors
    /// [`Error::Io`] if none is free.
    pub async fn start(options: MailOptions) -> Result<Self, Error> {
        let post =
            Post { options, inbox: Inbox::new(true), mails: Mutex::default(), replies: Mutex::default() };
        let post = Arc::new(post);
        let server = Server::start(connection(Arc::clone(&post))).await?;
        Ok(Self { server, post })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// What it received, by delivery id.
    #[must_use]
    pub fn inbox(&self) -> &Inbox {
        &self.post.inbox
    }

    /// Every mail taken, in order, repeats included.
    #[must_use]
    pub fn mails(&self) -> Vec<Envelope> {
        self.post.mails.lock().clone()
    }

    /// The next command `verb` (`MAIL`, `RCPT`, or `DATA` for the reply behind the message) gets `reply`, such as
    /// `450 4.2.1 später`. With `AFTER` the mail is kept and the connection closed instead of replying.
    pub fn reply_once(&self, verb: &'static str, reply: &str) {
        self.post.replies.lock().push_back((verb, reply.to_owned()));
    }

    /// Goes away: connections end, new ones are refused.
    pub async fn down(&self) {
        self.server.down().await;
    }

    /// Comes back on the same port.
    pub async fn up(&self) {
        self.server.up().await;
    }
}

impl Post {
    pub(crate) fn reply(&self, verb: &str) -> Option<String> {
        let mut replies = self.replies.lock();
        let place = replies.iter().position(|(planned, _)| *planned == verb)?;
        replies.remove(place).map(|(_, reply)| reply)
    }

    pub(crate) fn file(&self, mail: Envelope, digest: Digest) {
        let id = mail.header("Message-ID").unwrap_or_default();
        let id = id.trim_start_matches('<').split('@').next().unwrap_or_default();
        if let Ok(delivery) = DeliveryId::parse(id) {
            let part =
                Part { name: String::new(), media_type: "message/rfc822".into(), size: mail.size, digest };
            let place = mail.to.first().cloned().unwrap_or_default();
            self.inbox.record(delivery, &place, None, (part, None), Vec::new());
        }
        self.mails.lock().push(mail);
    }
}

fn connection(post: Arc<Post>) -> Connection {
    Arc::new(move |stream| {
        let post = Arc::clone(&post);
        Box::pin(async move {
            let tls = post.options.tls.clone().filter(|_| post.options.implicit_tls);
            let session = match tls {
                None => Session::new(post, Box::new(stream), false),
                Some(tls) => match TlsAcceptor::from(tls).accept(stream).await {
                    Ok(stream) => Session::new(post, Box::new(stream), true),
                    Err(_) => return,
                },
            };
            // How a conversation ended shows in what it left behind.
            let _ended = session.run().await.is_err();
        })
    })
}
