//! How slow the other side may be, when it sends and when it reads.

use std::{
    future::Future as _,
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};

use crate::Options;

/// Tempo: how slow the other side may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Who stands still for so long is given up …
    pub idle: Duration,
    /// … and so is who falls behind by so much …
    pub grace: Duration,
    /// … at so many bytes per second.
    pub bytes_per_second: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Options::default().pace()
    }
}

/// What is left of the patience with somebody: spent by waiting for him, earned by the bytes that he moves, and never
/// more than the grace. A burst at the beginning buys no silence afterwards.
#[derive(Debug, Clone)]
pub(crate) struct Patience {
    pace: Pace,
    left: Duration,
}

impl Patience {
    pub(crate) fn new(pace: Pace) -> Self {
        Self { pace, left: pace.grace }
    }

    /// How long to wait now.
    pub(crate) fn now(&self) -> Duration {
        self.pace.idle.min(self.left)
    }

    /// Whether the least rate, and not silence, ends the waiting.
    pub(crate) fn is_behind(&self) -> bool {
        self.left < self.pace.idle
    }

    pub(crate) fn spend(&mut self, waited: Duration) {
        self.left = self.left.saturating_sub(waited);
    }

    pub(crate) fn earn(&mut self, bytes: usize) {
        let nanos = (bytes as u64).saturating_mul(1_000_000_000) / self.pace.bytes_per_second.max(1);
        self.left = self.left.saturating_add(Duration::from_nanos(nanos)).min(self.pace.grace);
    }
}

/// A connection that is given up when the other side does not read what is written.
pub(crate) struct Paced<S> {
    stream: S,
    patience: Patience,
    /// Since when a write waits, and until when it may.
    waits: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl<S> Paced<S> {
    pub(crate) fn new(stream: S, pace: Pace) -> Self {
        Self { stream, patience: Patience::new(pace), waits: None }
    }

    fn paced(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if let Poll::Ready(written) = written {
            if let Some((since, _)) = self.waits.take() {
                self.patience.spend(since.elapsed());
            }
            self.patience.earn(written.as_ref().copied().unwrap_or(0));
            return Poll::Ready(written);
        }
        let patience = self.patience.now();
        let (_, end) = self.waits.get_or_insert_with(|| (Instant::now(), Box::pin(sleep(patience))));
        ready!(end.as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the answer is not read")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, octets);
        self.paced(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, octets);
        self.paced(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context).map_ok(|()| 0);
        self.paced(context, flushed).map_ok(|_| ())
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let closed = Pin::new(&mut self.stream).poll_shutdown(context).map_ok(|()| 0);
        self.paced(context, closed).map_ok(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    const PACE: Pace =
        Pace { idle: Duration::from_secs(10), grace: Duration::from_secs(30), bytes_per_second: 100 };

    #[test]
    fn a_burst_buys_no_silence() {
        let mut patience = Patience::new(PACE);
        patience.earn(1 << 30);
        patience.spend(Duration::from_secs(25));
        assert_eq!(patience.now(), Duration::from_secs(5));
        assert!(patience.is_behind());
        patience.earn(200);
        assert_eq!(patience.now(), Duration::from_secs(7));
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_read_is_given_up() {
        let (near, _far) = tokio::io::duplex(64);
        let began = Instant::now();
        let error = Paced::new(near, PACE).write_all(&[0; 1_000]).await.unwrap_err();
        assert_eq!((error.kind(), began.elapsed().as_secs()), (io::ErrorKind::TimedOut, 10));
    }

    /// 64 bytes every nine seconds are never idle, but too slow.
    #[tokio::test(start_paused = true)]
    async fn who_reads_below_the_rate_is_given_up_and_who_keeps_it_is_not() {
        for (every, all) in [(9, false), (0, true)] {
            let (near, mut far) = tokio::io::duplex(64);
            let reading = tokio::spawn(async move {
                let mut buffer = [0; 64];
                while far.read_exact(&mut buffer).await.is_ok() {
                    sleep(Duration::from_secs(every)).await;
                }
            });
            let written = Paced::new(near, PACE).write_all(&[0; 64_000]).await;
            assert_eq!(written.is_ok(), all, "every {every} s");
            reading.abort();
        }
    }
}
