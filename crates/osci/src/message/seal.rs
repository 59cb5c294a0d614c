//! From an envelope to the octets of an HTTP body: sign, package, encrypt.

use super::Envelope;
use crate::encryption::TransportTarget;
use crate::feedback::{FeedbackCode, Refused};
use crate::keys::Signer;
use crate::outgoing::{Outgoing, sign_envelope};
use crate::random::Random;
use crate::signature::{PartDigests, SigningOptions};

impl Envelope {
    /// Writes the envelope, signs it if there is a signer, and starts its [`Outgoing`], encrypted if there is a target.
    /// The attachments themselves are streamed by the caller; their digests must be known before (facts 8).
    ///
    /// # Errors
    /// 9000: our own key, certificate or content is not usable. Nothing was sent.
    pub fn seal(
        &self,
        signer: Option<(&dyn Signer, SigningOptions)>,
        encrypt: Option<&TransportTarget>,
        attachments: &[PartDigests],
        random: &mut dyn Random,
    ) -> Result<Outgoing, Refused> {
        let unsigned = self.write()?;
        let octets = match signer {
            Some((signer, options)) => sign_envelope(&unsigned, attachments, signer, options)
                .map_err(|error| Refused::new(FeedbackCode::S9000, error.to_string()))?,
            None => unsigned.assemble(None),
        };
        match encrypt {
            Some(target) => Ok(Outgoing::encrypted(octets, target, random)?),
            None => Ok(Outgoing::plain(octets, random)),
        }
    }
}
