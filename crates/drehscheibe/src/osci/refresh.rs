//! Mailboxes and revocation lists are read anew while the process runs.

use std::{
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use dds_config::{OsciConfig, OsciIntermediary};
use dds_depot::CheckFinding;
use dds_osci::certificate::Certificate;
use jiff::Timestamp;

use super::{Osci, certificate, files, is_certificate, trust_policy};
use crate::Failure;

/// What is read anew, as it lies there at a moment: each file with what changes when it is written, replaced or moved
/// into place.
///
/// The time of modification would not do: a list that was downloaded earlier and is moved into place brings an older
/// one with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stand(Vec<(PathBuf, Option<Trace>)>);

/// Inode, length, and time of the last change (seconds, nanoseconds).
type Trace = (u64, u64, i64, i64);

impl Stand {
    /// As it is now.
    pub(super) fn of(config: &OsciConfig) -> Self {
        let folder = config.intermediary.as_ref().map(|part| part.parties.as_path());
        let parties = folder.and_then(|folder| files(folder).ok()).unwrap_or_default();
        let all = parties.into_iter().chain(config.trust.crls.iter().cloned());
        let traced = all.map(|file| {
            let trace = trace(&file);
            (file, trace)
        });
        Self(traced.collect())
    }
}

fn trace(file: &Path) -> Option<Trace> {
    let facts = std::fs::metadata(file).ok()?;
    Some((facts.ino(), facts.len(), facts.ctime(), facts.ctime_nsec()))
}

/// Looks for changes, and reads anew what has changed.
pub(crate) struct Refresher {
    osci: Arc<Osci>,
    seen: Stand,
    /// What was wrong with the revocation lists at the last look.
    told: Vec<CheckFinding>,
}

impl Refresher {
    /// Looks for what has changed since the keys were read; what is wrong with the lists now was told at the start.
    pub(crate) fn new(osci: Arc<Osci>, now: Timestamp) -> Self {
        let told = super::lists(&osci.keys.config, now);
        Self { seen: osci.keys.seen.clone(), osci, told }
    }

    /// What is wrong with the revocation lists and was not before: each ends some day, also when nobody touches it.
    pub(crate) fn unsound(&mut self, now: Timestamp) -> Vec<CheckFinding> {
        let before = std::mem::replace(&mut self.told, super::lists(&self.osci.keys.config, now));
        self.told.iter().filter(|finding| !before.contains(finding)).cloned().collect()
    }

    /// One look: whether anything had changed, and why it could not all be read. What cannot be read stays as it was,
    /// and is read when it changes again; mailboxes and revocation lists do not hinder each other.
    pub(crate) fn look(&mut self) -> (bool, Vec<Failure>) {
        let now = Stand::of(&self.osci.keys.config);
        if now == self.seen {
            return (false, Vec::new());
        }
        self.seen = now;
        let read = [mailboxes(&self.osci), lists(&self.osci)];
        (true, read.into_iter().filter_map(Result::err).collect())
    }
}

/// Reads who has a mailbox.
pub(super) fn mailboxes(osci: &Osci) -> Result<(), Failure> {
    let Some(config) = &osci.keys.config.intermediary else { return Ok(()) };
    let mut owners = parties(config)?;
    if let Some(own) = &config.own {
        let own = osci.known(own)?;
        owners.push(own.cipher_certificate().clone());
        owners.extend(own.former_certificates().cloned());
    }
    osci.postbox.register(owners);
    Ok(())
}

/// The certificates of the parties.
pub(super) fn parties(config: &OsciIntermediary) -> Result<Vec<Certificate>, Failure> {
    let files = files(&config.parties)?;
    files.iter().filter(|file| is_certificate(file)).map(|file| certificate(file)).collect()
}

/// Reads the revocation lists.
fn lists(osci: &Osci) -> Result<(), Failure> {
    osci.trust.replace(trust_policy(&osci.keys.config)?);
    if let (Some(own), Some(rules)) = (&osci.own, osci.rules()?) {
        own.replace(rules);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
