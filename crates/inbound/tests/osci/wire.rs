//! A wire on which the n-th message from now goes wrong.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use dds_testbench::ManualClock;
use futures::{StreamExt as _, stream};
use parking_lot::Mutex;
use tokio::sync::Notify;

/// Where a message is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lost {
    /// The order never arrives.
    Order,
    /// The order is executed; nothing of its answer arrives.
    Answer,
    /// The order is executed; half of its answer arrives.
    HalfAnswer,
    /// The order is executed; its answer arrives whole, and altered.
    Garbled,
}

/// What the sender of the order sees of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    /// The connection breaks.
    Break,
    /// Nothing more comes; the test is told, and ends the process that waits.
    Silence,
}

/// The wire in front of an endpoint.
#[derive(Clone, Default)]
pub(crate) struct Wire(Arc<Inner>);

#[derive(Default)]
struct Inner {
    orders: Mutex<Vec<Bytes>>,
    trouble: Mutex<Option<(usize, Lost, Seen)>>,
    silent: Notify,
    clock: Mutex<Option<ManualClock>>,
}

impl Wire {
    /// Puts the wire in front of an endpoint.
    pub(crate) fn before(&self, endpoint: Router) -> Router {
        endpoint.layer(from_fn_with_state(self.clone(), pass))
    }

    /// From now on the `number`-th order (from 1) goes wrong; counting begins anew.
    pub(crate) fn arm(&self, number: usize, lost: Lost, seen: Seen) {
        self.0.orders.lock().clear();
        *self.0.trouble.lock() = Some((number, lost, seen));
    }

    /// From now on each order takes a millisecond by this clock.
    pub(crate) fn tick(&self, clock: &ManualClock) {
        *self.0.clock.lock() = Some(clock.clone());
    }

    /// Counting begins anew.
    pub(crate) fn reset(&self) {
        self.0.orders.lock().clear();
    }

    /// Bodies that came since.
    pub(crate) fn orders(&self) -> Vec<Bytes> {
        self.0.orders.lock().clone()
    }

    /// Resolves when somebody waits for what will never come.
    pub(crate) async fn silent(&self) {
        self.0.silent.notified().await;
    }
}

async fn pass(State(wire): State<Wire>, request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    let octets = to_bytes(body, usize::MAX).await.unwrap();
    if let Some(clock) = &*wire.0.clock.lock() {
        clock.advance(Duration::from_millis(1));
    }
    let number = {
        let mut orders = wire.0.orders.lock();
        orders.push(octets.clone());
        orders.len()
    };
    let request = Request::from_parts(head, Body::from(octets));
    let trouble = wire.0.trouble.lock().take_if(|(armed, ..)| *armed == number);
    let Some((_, lost, seen)) = trouble else { return next.run(request).await };
    let answer = match lost {
        Lost::Order => Bytes::new(),
        Lost::Answer | Lost::HalfAnswer | Lost::Garbled => {
            to_bytes(next.run(request).await.into_body(), usize::MAX).await.unwrap()
        }
    };
    if lost == Lost::Garbled {
        let mut altered = answer.to_vec();
        let middle = altered.len() / 2;
        altered[middle] ^= 1;
        return Body::from(altered).into_response();
    }
    let arrives = if lost == Lost::HalfAnswer { answer.slice(..answer.len() / 2) } else { Bytes::new() };
    let rest = stream::once(async move {
        if seen == Seen::Silence {
            wire.0.silent.notify_one();
            std::future::pending::<()>().await;
        }
        Err::<Bytes, _>(std::io::Error::other("broken by the test"))
    });
    Body::from_stream(stream::iter([Ok(arrives)]).chain(rest)).into_response()
}
