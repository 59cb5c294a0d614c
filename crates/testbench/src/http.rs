//! A client that costs little: one keep-alive connection, HTTP/1.1, nothing in between.

use std::net::SocketAddr;

use bytes::Bytes;
use futures::{Stream, TryStreamExt as _, stream};
use http_body_util::{BodyExt as _, Full, StreamBody, combinators::BoxBody};
use hyper::{
    Request, StatusCode,
    body::Frame,
    client::conn::http1::{self, SendRequest},
    header,
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::Error;

/// Body of a request: whole, or as a stream.
pub type Outgoing = BoxBody<Bytes, std::io::Error>;

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Answered {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: header::HeaderMap,
    /// Body.
    pub body: Bytes,
}

impl Answered {
    /// The body as JSON; `Null` if it is none.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The body if the status is 2xx.
    ///
    /// # Errors
    /// [`Error::Unexpected`] with status and the beginning of the body.
    pub fn success(self) -> Result<Self, Error> {
        if self.status.is_success() {
            return Ok(self);
        }
        let body: String = String::from_utf8_lossy(&self.body).chars().take(300).collect();
        Err(Error::Unexpected(format!("HTTP {}: {body}", self.status.as_u16())))
    }
}

/// One connection, opened when needed and again when the server closed it. Not for several requests at a time.
#[derive(Debug)]
pub struct Client {
    address: SocketAddr,
    connection: Option<SendRequest<Outgoing>>,
}

impl Client {
    /// A client of the server at `address`; connects with the first request.
    #[must_use]
    pub fn new(address: SocketAddr) -> Self {
        Self { address, connection: None }
    }

    /// Sends `request` (its URI is a path) and reads the whole answer.
    ///
    /// # Errors
    /// [`Error::Io`] if there is no connection, [`Error::Http`] if it breaks.
    pub async fn send(&mut self, mut request: Request<Outgoing>) -> Result<Answered, Error> {
        if !request.headers().contains_key(header::HOST)
            && let Ok(host) = header::HeaderValue::from_str(&self.address.to_string())
        {
            request.headers_mut().insert(header::HOST, host);
        }
        let mut connection = match self.connection.take() {
            Some(connection) if !connection.is_closed() => connection,
            _ => self.connect().await?,
        };
        connection.ready().await?;
        let (parts, body) = connection.send_request(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        self.connection = Some(connection);
        Ok(Answered { status: parts.status, headers: parts.headers, body })
    }

    /// Opens the connection now, so that the first request does not pay for it.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub async fn warm(&mut self) -> Result<(), Error> {
        self.connection = Some(self.connect().await?);
        Ok(())
    }

    async fn connect(&self) -> Result<SendRequest<Outgoing>, Error> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(async move {
            // The sender sees the same error with its next request.
            let _broken = connection.await.is_err();
        });
        Ok(sender)
    }
}

/// A body that is there as a whole.
pub fn whole(bytes: impl Into<Bytes>) -> Outgoing {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed()
}

/// A body that comes in pieces.
pub fn pieces(stream: impl Stream<Item = Result<Bytes, std::io::Error>> + Send + Sync + 'static) -> Outgoing {
    StreamBody::new(stream.map_ok(Frame::data)).boxed()
}

/// A part of a multipart form.
#[derive(Debug, Clone)]
pub(crate) struct FormPart {
    pub(crate) field: &'static str,
    pub(crate) name: String,
    pub(crate) media_type: String,
    pub(crate) bytes: Bytes,
}

/// Media type and body of `multipart/form-data` (RFC 7578) with these parts; bytes are shared, not copied.
pub(crate) fn form(parts: Vec<FormPart>) -> (String, Outgoing) {
    let boundary = format!("dds-{}", uuid::Uuid::now_v7().simple());
    let mut pieces_of_body = Vec::with_capacity(parts.len() * 3 + 1);
    for part in parts {
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"; filename=\"{}\"\r\nContent-Type: {}\r\n\r\n",
            part.field,
            part.name.replace(['"', '\r', '\n'], "_"),
            part.media_type
        );
        pieces_of_body.extend([Bytes::from(head), part.bytes, Bytes::from_static(b"\r\n")]);
    }
    pieces_of_body.push(Bytes::from(format!("--{boundary}--\r\n")));
    let body = pieces(stream::iter(pieces_of_body.into_iter().map(Ok)));
    (format!("multipart/form-data; boundary={boundary}"), body)
}
