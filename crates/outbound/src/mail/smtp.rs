//! The conversation with a mail server (RFC 5321) as far as a sender of one mail needs it.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use dds_message::DeliveryId;
use futures::StreamExt as _;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

use super::{
    MailRelay, MailSecurity,
    reply::{self, Failure, Reply},
};
use crate::content::Content;

/// A connection, plain or encrypted.
trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

/// What the server offers (answer to EHLO).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Offers {
    /// SIZE (RFC 1870): largest message in bytes; 0: no limit named.
    pub(super) size: Option<u64>,
    /// DSN (RFC 3461).
    pub(super) dsn: bool,
    /// 8BITMIME (RFC 6152).
    eight_bit: bool,
    /// STARTTLS (RFC 3207).
    start_tls: bool,
    /// AUTH PLAIN (RFC 4616).
    plain: bool,
    /// AUTH LOGIN, never standardised, spoken by many.
    login: bool,
}

/// A conversation.
pub(super) struct Smtp {
    wire: BufReader<Box<dyn Wire>>,
    offers: Offers,
    silence: Duration,
}

impl Smtp {
    /// Connects, protects the connection as demanded, and greets.
    pub(super) async fn connect(relay: &MailRelay, tls: &Arc<ClientConfig>) -> Result<Self, Failure> {
        let name = ServerName::try_from(relay.host.clone()).map_err(|_| {
            Failure::connection(
                "der Rechnername des Mailservers ist fehlerhaft",
                "host name of the relay is malformed",
            )
        })?;
        let stream = timeout(relay.silence, TcpStream::connect((relay.host.as_str(), relay.port)))
            .await
            .map_err(|_| silent())??;
        stream.set_nodelay(true)?;
        let wire: Box<dyn Wire> = match relay.security {
            MailSecurity::Tls => encrypted(Box::new(stream), tls, name.clone(), relay.silence).await?,
            MailSecurity::StartTls | MailSecurity::Plain => Box::new(stream),
        };
        let mut smtp = Self { wire: BufReader::new(wire), offers: Offers::default(), silence: relay.silence };
        smtp.expect("greeting", 220).await?;
        smtp.greet(&relay.own_name).await?;
        if relay.security != MailSecurity::StartTls {
            return Ok(smtp);
        }
        if !smtp.offers.start_tls {
            return Err(Failure::Unprotected);
        }
        smtp.command("STARTTLS", "STARTTLS", 220).await?;
        // Replies sent before the handshake would be believed after it (RFC 3207 section 6, CVE-2011-0411).
        if !smtp.wire.buffer().is_empty() {
            return Err(Failure::connection(
                "Bytes vor dem TLS-Handschlag",
                "bytes before the TLS handshake",
            ));
        }
        let wire = encrypted(smtp.wire.into_inner(), tls, name, relay.silence).await?;
        let mut smtp = Self { wire: BufReader::new(wire), offers: Offers::default(), silence: relay.silence };
        smtp.greet(&relay.own_name).await?;
        Ok(smtp)
    }

    pub(super) fn offers(&self) -> &Offers {
        &self.offers
    }

    async fn greet(&mut self, own_name: &str) -> Result<(), Failure> {
        let reply = self.command("EHLO", &format!("EHLO {own_name}"), 250).await?;
        self.offers = Offers::read(&reply);
        Ok(())
    }

    /// Authenticates with the first mechanism both know.
    pub(super) async fn authenticate(&mut self, user: &str, password: &str) -> Result<(), Failure> {
        if self.offers.plain {
            // RFC 4616 section 2: no authorization identity
            let token = Zeroizing::new(format!("\0{user}\0{password}"));
            let line = Zeroizing::new(format!("AUTH PLAIN {}", STANDARD.encode(token.as_bytes())));
            self.command("AUTH", &line, 235).await?;
        } else if self.offers.login {
            self.command("AUTH", "AUTH LOGIN", 334).await?;
            self.command("AUTH", &STANDARD.encode(user), 334).await?;
            self.command("AUTH", &Zeroizing::new(STANDARD.encode(password)), 235).await?;
        } else {
            return Err(Failure::NoMechanism);
        }
        Ok(())
    }

    /// MAIL FROM, with what the server offers: SIZE, BODY, and for notifications RET and ENVID (RFC 3461 4.3, 4.4).
    pub(super) async fn mail_from(
        &mut self,
        from: &str,
        size: u64,
        delivery: DeliveryId,
    ) -> Result<(), Failure> {
        let mut line = format!("MAIL FROM:<{}>", address(from)?);
        if self.offers.size.is_some() {
            line.push_str(&format!(" SIZE={size}"));
        }
        if self.offers.eight_bit {
            line.push_str(" BODY=8BITMIME");
        }
        if self.offers.dsn {
            // Only the head comes back: a notification must not carry the application around once more.
            line.push_str(&format!(" RET=HDRS ENVID={delivery}"));
        }
        self.command("MAIL", &line, 250).await.map(drop)
    }

    /// RCPT TO, with NOTIFY and ORCPT (RFC 3461 4.1, 4.2) if offered.
    pub(super) async fn recipient(&mut self, to: &str) -> Result<(), Failure> {
        let to = address(to)?;
        let mut line = format!("RCPT TO:<{to}>");
        if self.offers.dsn {
            line.push_str(&format!(" NOTIFY=FAILURE,DELAY ORCPT=rfc822;{}", xtext(to)));
        }
        match self.command("RCPT", &line, 250).await {
            // 251: the server forwards (RFC 5321 section 3.4)
            Err(Failure::Refused { reply, .. }) if reply.code == 251 => Ok(()),
            other => other.map(drop),
        }
    }

    /// DATA, the message as it is read, and the server's word for it.
    pub(super) async fn data(&mut self, message: Content) -> Result<Reply, Failure> {
        self.command("DATA", "DATA", 354).await?;
        let mut stuffed = Stuffing::default();
        let mut pieces = Box::pin(message.stream());
        while let Some(piece) = pieces.next().await {
            // Dropping the connection without the final dot tells the server that there is no message.
            let piece = piece.map_err(|broken| Failure::Read(broken.code))?;
            let write = async {
                for part in stuffed.cut(&piece) {
                    self.wire.write_all(part).await?;
                }
                Ok::<_, std::io::Error>(())
            };
            timeout(self.silence, write).await.map_err(|_| silent())??;
        }
        let end: &[u8] = if stuffed.at_line_start { b".\r\n" } else { b"\r\n.\r\n" };
        self.wire.write_all(end).await?;
        self.wire.flush().await?;
        // From the final dot on the server may have the message (RFC 5321 section 4.2.5).
        self.expect("DATA", 250).await.map_err(|failure| match failure {
            Failure::Connection(what) => Failure::Doubt(what),
            other => other,
        })
    }

    /// Says good-bye; the mail is delivered whatever comes of it.
    pub(super) async fn quit(&mut self) {
        let bye = async {
            self.wire.write_all(b"QUIT\r\n").await?;
            self.wire.flush().await
        };
        let _gone = bye.await.is_err();
    }

    async fn command(&mut self, step: &'static str, line: &str, expected: u16) -> Result<Reply, Failure> {
        // A line break in an argument would be a second command.
        if line.contains(['\r', '\n']) {
            return Err(Failure::Connection(
                (format!("{step}: Zeilenumbruch im Befehl"), format!("{step}: line break in the command"))
                    .into(),
            ));
        }
        let line = Zeroizing::new(format!("{line}\r\n"));
        self.wire.write_all(line.as_bytes()).await?;
        self.wire.flush().await?;
        self.expect(step, expected).await
    }

    async fn expect(&mut self, step: &'static str, expected: u16) -> Result<Reply, Failure> {
        let reply = timeout(self.silence, reply::read(&mut self.wire)).await.map_err(|_| silent())??;
        if reply.code == expected { Ok(reply) } else { Err(Failure::Refused { step, reply }) }
    }
}

impl Offers {
    fn read(reply: &Reply) -> Self {
        let mut offers = Self::default();
        for line in reply.lines.iter().skip(1) {
            let line = line.to_ascii_uppercase();
            let mut words = line.split_ascii_whitespace();
            match words.next() {
                Some("SIZE") => {
                    offers.size = Some(words.next().and_then(|size| size.parse().ok()).unwrap_or(0))
                }
                Some("DSN") => offers.dsn = true,
                Some("8BITMIME") => offers.eight_bit = true,
                Some("STARTTLS") => offers.start_tls = true,
                Some("AUTH") => words.for_each(|word| match word {
                    "PLAIN" => offers.plain = true,
                    "LOGIN" => offers.login = true,
                    _ => {}
                }),
                _ => {}
            }
        }
        offers
    }
}

/// Doubles a dot at the beginning of a line (RFC 5321 section 4.5.2), over the borders of pieces.
#[derive(Debug)]
struct Stuffing {
    at_line_start: bool,
}

impl Default for Stuffing {
    fn default() -> Self {
        Self { at_line_start: true }
    }
}

impl Stuffing {
    /// The slices to send for `piece`.
    fn cut<'a>(&mut self, piece: &'a [u8]) -> Vec<&'a [u8]> {
        let (mut parts, mut sent): (Vec<&[u8]>, usize) = (Vec::new(), 0);
        // Lines of base64 make up nearly everything and never begin with a dot: only dots are looked at one by one.
        for dot in piece.iter().enumerate().filter(|(_, byte)| **byte == b'.').map(|(at, _)| at) {
            let starts = if dot == 0 { self.at_line_start } else { piece[dot - 1] == b'\n' };
            if starts {
                parts.extend([&piece[sent..dot], b".".as_slice()]);
                sent = dot;
            }
        }
        parts.push(&piece[sent..]);
        if let Some(last) = piece.last() {
            self.at_line_start = *last == b'\n';
        }
        parts
    }
}

async fn encrypted(
    wire: Box<dyn Wire>,
    tls: &Arc<ClientConfig>,
    name: ServerName<'static>,
    silence: Duration,
) -> Result<Box<dyn Wire>, Failure> {
    let connector = TlsConnector::from(Arc::clone(tls));
    let wire = timeout(silence, connector.connect(name, wire)).await.map_err(|_| silent())??;
    Ok(Box::new(wire))
}

fn silent() -> Failure {
    Failure::connection("Zeit abgelaufen", "timed out")
}

/// An address of the configuration that can stand in a command; nothing is quoted or repaired.
fn address(address: &str) -> Result<&str, Failure> {
    let plain = address.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>\"\\(),:;[]".contains(&byte));
    if plain && address.matches('@').count() == 1 {
        return Ok(address);
    }
    Err(Failure::connection(
        "eine Mailadresse der Konfiguration ist fehlerhaft",
        "a mail address of the configuration is malformed",
    ))
}

/// xtext (RFC 3461 section 4): `+`, `=` and what is not printable ASCII as `+` and two hex digits.
fn xtext(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'+' | b'=' => format!("+{byte:02X}"),
            0x21..=0x7e => char::from(byte).to_string(),
            _ => format!("+{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dot_at_the_beginning_of_a_line_is_doubled_wherever_the_pieces_are_cut() {
        let text = b".a\r\nb.c\r\n.\r\n..d\r\n";
        for cut in 0..text.len() {
            let (first, second) = text.split_at(cut);
            let mut stuffing = Stuffing::default();
            let mut sent = stuffing.cut(first).concat();
            sent.extend(stuffing.cut(second).concat());
            assert_eq!(String::from_utf8(sent).unwrap(), "..a\r\nb.c\r\n..\r\n...d\r\n", "{cut}");
            assert!(stuffing.at_line_start);
        }
    }

    #[test]
    fn offers_are_read_whatever_their_case() {
        let lines =
            ["mail.example", "SIZE 1000", "dsn", "AUTH LOGIN XOAUTH2", "8bitmime"].map(str::to_owned).into();
        let offers = Offers::read(&Reply { code: 250, lines });
        let expected =
            Offers { size: Some(1_000), dsn: true, eight_bit: true, login: true, ..Offers::default() };
        assert_eq!(offers, expected);
    }

    #[test]
    fn addresses_cannot_smuggle_commands() {
        assert!(address("poststelle@dresden.example").is_ok());
        for refused in ["a@b>\r\nRCPT TO:<x@y", "a b@c", "a", "a@b@c", "ä@b", ""] {
            assert!(address(refused).is_err(), "{refused:?}");
        }
        assert_eq!(xtext("a+b=c@d"), "a+2Bb+3Dc@d");
    }
}
