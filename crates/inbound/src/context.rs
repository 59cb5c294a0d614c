//! What the channels share.

use std::sync::Arc;

use dds_message::{Channel, Code, Problem, SourceId};
use dds_router::Handle;
use dds_telemetry::{MessageRefused, Telemetry};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};

use crate::{Limits, Options, Sources};

/// The router's handle, the sources, the options and the places for submissions. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    shared: Arc<Shared>,
}

struct Shared {
    handle: Arc<dyn Handle>,
    sources: Arc<dyn Sources>,
    telemetry: Telemetry,
    options: Options,
    rest: Arc<Semaphore>,
    soap: Arc<Semaphore>,
}

impl Context {
    /// A context over the router and the sources of the active release.
    pub fn new(
        handle: Arc<dyn Handle>,
        sources: Arc<dyn Sources>,
        telemetry: Telemetry,
        options: Options,
    ) -> Self {
        let rest = Arc::new(Semaphore::new(options.intakes));
        let soap = Arc::new(Semaphore::new(options.soap_intakes));
        Self { shared: Arc::new(Shared { handle, sources, telemetry, options, rest, soap }) }
    }

    /// From now on submissions are refused with `DDS-I008`; those in flight go on.
    pub fn drain(&self) {
        self.shared.rest.close();
        self.shared.soap.close();
    }

    pub(crate) fn draining(&self) -> bool {
        self.shared.rest.is_closed()
    }

    pub(crate) fn handle(&self) -> &dyn Handle {
        self.shared.handle.as_ref()
    }

    pub(crate) fn sources(&self) -> &dyn Sources {
        self.shared.sources.as_ref()
    }

    pub(crate) fn options(&self) -> &Options {
        &self.shared.options
    }

    pub(crate) fn limits(&self, source: &SourceId) -> Limits {
        self.shared.sources.limits(source).unwrap_or(self.shared.options.limits)
    }

    /// A place for one submission, until it is dropped.
    pub(crate) fn place(&self, channel: Channel) -> Result<OwnedSemaphorePermit, Problem> {
        let places = if channel == Channel::Soap { &self.shared.soap } else { &self.shared.rest };
        Arc::clone(places).try_acquire_owned().map_err(|error| match error {
            TryAcquireError::NoPermits => {
                let text = (
                    "so viele Einreichungen wie erlaubt sind in Arbeit",
                    "as many submissions as allowed are in flight",
                );
                Problem::new(Code::OVERLOADED, text)
            }
            TryAcquireError::Closed => {
                let text =
                    ("der Dienst nimmt keine Einreichungen mehr an", "the service takes no more submissions");
                Problem::new(Code::DRAINING, text)
            }
        })
    }

    /// Logs and counts a refused submission.
    pub(crate) fn refused(&self, source: Option<&SourceId>, channel: Channel, problem: &Problem) {
        let _facts = self.shared.telemetry.record(&MessageRefused { source, channel, code: problem.code });
    }
}
