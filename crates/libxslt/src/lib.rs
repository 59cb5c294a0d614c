//! libxslt
