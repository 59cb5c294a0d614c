//! The error of this crate.

/// Why an operation failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// Document or stylesheet is wrong.
    Failed,
    /// A limit of [`Limits`](crate::Limits) was reached.
    Budget,
    /// Memory ran out. The C libraries claim to survive that; better not to rely on it.
    Memory,
    /// A file or the network was to be read or written.
    Refused,
    /// An `xsl:message` with `terminate="yes"` ended the run.
    Ended,
}

/// What went wrong and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// Kind.
    pub kind: ErrorKind,
    /// File, as it was named to this crate.
    pub file: String,
    /// Line, from 1; 0 if unknown.
    pub line: u32,
    /// Text of libxml2 or libxslt. At run time it can quote content of the message.
    pub message: String,
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { file, line, message, .. } = self;
        match line {
            0 => write!(f, "{file}: {message}"),
            line => write!(f, "{file}:{line}: {message}"),
        }
    }
}

impl std::error::Error for Error {}
