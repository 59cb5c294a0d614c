//! What can go wrong in a simulator.

/// Failure of a simulator or of the system it talks to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Socket or file.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// HTTP below the level of status codes.
    #[error("HTTP: {0}")]
    Http(#[from] hyper::Error),
    /// A request that cannot be built.
    #[error("request: {0}")]
    Request(#[from] hyper::http::Error),
    /// The other side answered something that its interface does not promise.
    #[error("unexpected answer: {0}")]
    Unexpected(String),
    /// A certificate could not be made or used.
    #[error("certificate: {0}")]
    Certificate(String),
    /// A fixture cannot be read or multiplied.
    #[error("fixture {file}: {what}")]
    Fixture {
        /// File name.
        file: String,
        /// What is wrong with it.
        what: String,
    },
}
