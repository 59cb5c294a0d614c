//! The talk of the simulated mail server (RFC 5321), one connection at a time.

use std::sync::Arc;

use base64::Engine as _;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio_rustls::TlsAcceptor;

use crate::mail::{Envelope, Post};

pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Longest line taken; longer ones end the connection.
const LINE: usize = 8 * 1024;

pub(crate) struct Session {
    post: Arc<Post>,
    peer: BufReader<Box<dyn Stream>>,
    encrypted: bool,
    authenticated: bool,
    envelope: Envelope,
}

/// The connection ended.
pub(crate) struct Over;

impl From<std::io::Error> for Over {
    fn from(_: std::io::Error) -> Self {
        Self
    }
}

impl Session {
    pub(crate) fn new(post: Arc<Post>, peer: Box<dyn Stream>, encrypted: bool) -> Self {
        let peer = BufReader::new(peer);
        Self { post, peer, encrypted, authenticated: false, envelope: Envelope::default() }
    }

    /// Talks until the peer quits or goes away.
    pub(crate) async fn run(mut self) -> Result<(), Over> {
        self.say("220 mail.example ESMTP Testserver").await?;
        loop {
            let line = self.line().await?;
            let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
            match verb.to_ascii_uppercase().as_str() {
                "EHLO" | "HELO" => self.hello().await?,
                "STARTTLS" => self.start_tls().await?,
                "AUTH" => self.authenticate(rest.to_owned()).await?,
                "MAIL" => self.sender(rest.to_owned()).await?,
                "RCPT" => self.recipient(rest.to_owned()).await?,
                "DATA" => self.data().await?,
                "RSET" | "NOOP" => {
                    self.envelope = Envelope::default();
                    self.say("250 OK").await?;
                }
                "QUIT" => return self.say("221 Auf Wiedersehen").await,
                _ => self.say("500 unbekannt").await?,
            }
        }
    }

    async fn hello(&mut self) -> Result<(), Over> {
        let options = self.post.options.clone();
        let mut lines = vec!["mail.example".to_owned(), "8BITMIME".to_owned(), "PIPELINING".to_owned()];
        lines.extend(options.size.map(|size| format!("SIZE {size}")));
        lines.extend(options.dsn.then(|| "DSN".to_owned()));
        lines.extend(
            (options.tls.is_some() && !options.implicit_tls && !self.encrypted)
                .then(|| "STARTTLS".to_owned()),
        );
        if options.account.is_some() && (self.encrypted || options.tls.is_none()) {
            lines.push(format!("AUTH {}", options.mechanisms));
        }
        let last = lines.len() - 1;
        for (place, line) in lines.iter().enumerate() {
            self.say(&format!("250{}{line}", if place == last { ' ' } else { '-' })).await?;
        }
        Ok(())
    }

    async fn start_tls(&mut self) -> Result<(), Over> {
        let Some(tls) = self.post.options.tls.clone().filter(|_| !self.encrypted) else {
            return self.say("502 nicht hier").await;
        };
        self.say("220 bereit").await?;
        // What was sent before the handshake must not be believed (RFC 3207 section 4.2).
        if !self.peer.buffer().is_empty() {
            return Err(Over);
        }
        let empty: Box<dyn Stream> = Box::new(tokio::io::join(tokio::io::empty(), tokio::io::sink()));
        let plain = std::mem::replace(&mut self.peer, BufReader::new(empty)).into_inner();
        let encrypted: Box<dyn Stream> = Box::new(TlsAcceptor::from(tls).accept(plain).await?);
        self.peer = BufReader::new(encrypted);
        self.encrypted = true;
        Ok(())
    }

    async fn authenticate(&mut self, rest: String) -> Result<(), Over> {
        let Some((user, password)) = self.post.options.account.clone() else {
            return self.say("502 nicht hier").await;
        };
        let (mechanism, initial) = rest.split_once(' ').unwrap_or((&rest, ""));
        let known = match mechanism.to_ascii_uppercase().as_str() {
            "PLAIN" => {
                let sent = if initial.is_empty() { self.ask("334 ").await? } else { decode(initial) };
                sent == format!("\0{user}\0{password}").into_bytes()
            }
            "LOGIN" => {
                let name = self.ask("334 VXNlcm5hbWU6").await?;
                let word = self.ask("334 UGFzc3dvcmQ6").await?;
                name == user.as_bytes() && word == password.as_bytes()
            }
            _ => return self.say("504 unbekannt").await,
        };
        self.authenticated = known;
        self.say(if known { "235 willkommen" } else { "535 falsch" }).await
    }

    async fn ask(&mut self, challenge: &str) -> Result<Vec<u8>, Over> {
        self.say(challenge).await?;
        Ok(decode(&self.line().await?))
    }

    async fn sender(&mut self, rest: String) -> Result<(), Over> {
        if self.post.options.account.is_some() && !self.authenticated {
            return self.say("530 Anmeldung nötig").await;
        }
        if let Some(reply) = self.post.reply("MAIL") {
            return self.say(&reply).await;
        }
        let (address, parameters) = path(&rest);
        let size = parameters.iter().find_map(|word| word.strip_prefix("SIZE=")?.parse::<u64>().ok());
        if let (Some(size), Some(limit)) = (size, self.post.options.size)
            && size > limit
        {
            return self.say("552 zu groß").await;
        }
        self.envelope = Envelope { from: address, parameters, ..Envelope::default() };
        self.say("250 OK").await
    }

    async fn recipient(&mut self, rest: String) -> Result<(), Over> {
        let reply = self.post.reply("RCPT").unwrap_or_else(|| "250 OK".to_owned());
        if reply.starts_with('2') {
            let (address, parameters) = path(&rest);
            self.envelope.to.push(address);
            self.envelope.to_parameters.extend(parameters);
        }
        self.say(&reply).await
    }

    async fn data(&mut self) -> Result<(), Over> {
        if self.envelope.to.is_empty() {
            return self.say("503 erst RCPT").await;
        }
        self.say("354 los").await?;
        let (mut hash, mut size, mut head, mut in_head, mut text) =
            (Sha256::new(), 0, String::new(), true, Vec::new());
        loop {
            let mut line = Vec::new();
            self.peer.read_until(b'\n', &mut line).await?;
            if line.is_empty() {
                return Err(Over);
            }
            if line == b".\r\n" {
                break;
            }
            let line = line.strip_prefix(b".").unwrap_or(&line);
            size += line.len() as u64;
            hash.update(line);
            if in_head {
                in_head = line != b"\r\n";
                head.push_str(&String::from_utf8_lossy(line));
            }
            if self.post.options.keep_messages {
                text.extend_from_slice(line);
            }
        }
        let mut envelope = std::mem::take(&mut self.envelope);
        (envelope.size, envelope.head, envelope.text) = (size, head, text);
        if let Some(reply) = self.post.reply("DATA") {
            return self.say(&reply).await;
        }
        self.post.file(envelope, dds_message::Digest(hash.finalize().into()));
        match self.post.reply("AFTER") {
            Some(_) => Err(Over),
            None => self.say("250 2.0.0 OK: angenommen").await,
        }
    }

    async fn line(&mut self) -> Result<String, Over> {
        let mut line = Vec::new();
        self.peer.read_until(b'\n', &mut line).await?;
        if line.is_empty() || line.len() > LINE {
            return Err(Over);
        }
        Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
    }

    async fn say(&mut self, line: &str) -> Result<(), Over> {
        self.peer.write_all(format!("{line}\r\n").as_bytes()).await?;
        Ok(self.peer.flush().await?)
    }
}

/// Address and parameters of `FROM:<a@b> SIZE=1`.
fn path(rest: &str) -> (String, Vec<String>) {
    let address = rest.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    let (address, parameters) = address.unwrap_or((rest, ""));
    (address.to_owned(), parameters.split_whitespace().map(str::to_owned).collect())
}

fn decode(text: &str) -> Vec<u8> {
    base64::engine::general_purpose::STANDARD.decode(text.trim()).unwrap_or_default()
}
