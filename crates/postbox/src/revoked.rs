//! Certificates that an OCSP responder (Auskunftsdienst) has revoked, so that a restart forgets none of them.

use rusqlite::{Connection, params};

use crate::{Boxes, PostboxError};

/// A revoked certificate (SHA-256 in hex), and the octets of the answer that says so.
pub type Revoked = (String, Vec<u8>);

pub(crate) fn all(connection: &Connection) -> Result<Vec<Revoked>, PostboxError> {
    let mut statement = connection.prepare("SELECT certificate, answer FROM revoked")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

impl Boxes<'_> {
    /// Notes a certificate as revoked.
    pub fn note_revoked(&mut self, (certificate, answer): &Revoked) -> Result<(), PostboxError> {
        self.connection
            .prepare_cached("INSERT OR REPLACE INTO revoked (certificate, answer) VALUES (?1, ?2)")?
            .execute(params![certificate, answer])?;
        Ok(())
    }

    /// A newer answer says that the certificate is good.
    pub fn forget_revoked(&mut self, certificate: &str) -> Result<(), PostboxError> {
        self.connection
            .prepare_cached("DELETE FROM revoked WHERE certificate = ?1")?
            .execute([certificate])?;
        Ok(())
    }
}
