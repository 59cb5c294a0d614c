//! An HTTP body into envelope and parts.

use std::{fmt::Display, sync::Arc};

use bytes::Bytes;
use dds_osci::{
    feedback::{FeedbackCode, Refused},
    intake::{Intake, Received},
    keys::Decrypter,
    random::SystemRandom,
};
use dds_postbox::Parts;
use futures::{Stream, StreamExt as _};
use tokio::{sync::mpsc, task::spawn_blocking};

use crate::Desk;

/// Pieces under way.
const WAITING: usize = 8;

/// Why nothing was received.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReceiveError {
    /// The body broke off.
    #[error("the body broke off: {0}")]
    BrokenOff(String),
    /// It is no message, or not for us, or cannot be decrypted.
    #[error(transparent)]
    Refused(#[from] Refused),
}

/// Receives one message. Its parts vanish with the returned value unless they are kept.
///
/// # Errors
/// [`ReceiveError`]; nothing stays behind.
pub async fn receive<E: Display>(
    desk: &Desk,
    decrypters: Vec<Arc<dyn Decrypter>>,
    body: impl Stream<Item = Result<Bytes, E>> + Send,
) -> Result<Received<Parts>, ReceiveError> {
    let (send, mut pieces) = mpsc::channel::<Bytes>(WAITING);
    let desk = desk.clone();
    let reading = spawn_blocking(move || {
        let keys: Vec<&dyn Decrypter> = decrypters.iter().map(AsRef::as_ref).collect();
        let store = desk.postbox.parts()?;
        let mut intake = Intake::new(&desk.intake, &keys, &mut SystemRandom, store);
        while let Some(piece) = pieces.blocking_recv() {
            intake.push(&piece)?;
        }
        intake.finish()
    });
    let mut body = std::pin::pin!(body);
    let mut broken = None;
    while let Some(piece) = body.next().await {
        match piece {
            Ok(piece) => {
                // The reader has refused: what still comes is of no interest.
                if send.send(piece).await.is_err() {
                    break;
                }
            }
            Err(error) => {
                broken = Some(error.to_string());
                break;
            }
        }
    }
    drop(send);
    let read =
        reading.await.map_err(|_| Refused::new(FeedbackCode::S9000, "the reader ended unexpectedly"))?;
    match broken {
        Some(broken) => Err(ReceiveError::BrokenOff(broken)),
        None => Ok(read?),
    }
}
