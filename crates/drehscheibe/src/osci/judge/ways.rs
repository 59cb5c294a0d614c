//! OSCI ways of offices: they belong to the release, and are judged by what `[osci]` says.

use std::collections::BTreeMap;

use dds_config::OsciConfig;
use dds_depot::{CheckFinding, Office, OsciWay, Release, locate};
use dds_message::Code;
use dds_osci::{certificate::Certificate, trust::TrustPolicy};
use dds_outbound::osci::certificates_of;
use jiff::Timestamp;

use super::{named_policy, readable, unusable, validity};

/// What is wrong with the ways of a release: its deliveries would wait, or come back to ourselves.
pub(crate) fn ways(config: &OsciConfig, release: &Release, now: Timestamp) -> Vec<CheckFinding> {
    let contents = release.contents();
    let profiles = contents.profiles.iter().map(|profile| (&profile.file, &profile.value.offices));
    let areas = contents.municipalities.iter().map(|area| (&area.file, &area.value.offices));
    let found: Vec<_> = profiles.chain(areas).flat_map(|(file, offices)| with_way(file, offices)).collect();
    if found.is_empty() {
        return Vec::new();
    }
    // What is wrong with `[osci]` itself is told apart.
    let (policy, _) = named_policy(config);
    let keys = config.identities.values().filter_map(|identity| readable(&identity.cipher).ok().flatten());
    let ours = keys.map(|key| key.certificate().clone()).collect();
    let judge = Judge { release, policy, ours, now };
    found.into_iter().flat_map(|(file, office, way)| judge.way(file, office, way)).collect()
}

fn with_way<'a>(
    file: &'a str,
    offices: &'a BTreeMap<String, Office>,
) -> impl Iterator<Item = (&'a str, &'a str, &'a OsciWay)> {
    offices.iter().filter_map(move |(name, office)| Some((file, name.as_str(), office.osci.as_ref()?)))
}

struct Judge<'a> {
    release: &'a Release,
    policy: TrustPolicy,
    /// Our cipher certificates.
    ours: Vec<Certificate>,
    now: Timestamp,
}

impl Judge<'_> {
    fn way(&self, file: &str, office: &str, way: &OsciWay) -> Vec<CheckFinding> {
        let section = format!("[office.{office}.osci]");
        let text = self.release.file(file).map(|bytes| String::from_utf8_lossy(bytes)).unwrap_or_default();
        let at = |finding: CheckFinding, key: &str| finding.at(locate(&text, &section, key));
        let certificates = match certificates_of(way) {
            Ok(certificates) => certificates,
            Err(problem) => {
                let (german, english) = (problem.detail.german, problem.detail.english);
                let text = (format!("{section} {german}"), format!("{section} {english}"));
                let finding = CheckFinding::error(problem.code, file, text);
                return vec![at(finding, &section)];
            }
        };
        let judged = certificates.into_iter().filter_map(|(key, certificate, used_as)| {
            let error = |(german, english): (String, String)| {
                let text = (format!("{section} {key}: {german}"), format!("{section} {key}: {english}"));
                Some(at(CheckFinding::error(Code::OSCI_CERTIFICATE, file, text), key))
            };
            if key == "addressee" && self.ours.contains(&certificate) {
                return error((
                    "ist unser eigenes Zertifikat; was dorthin geht, käme zu uns zurück".to_owned(),
                    "is our own certificate; what goes there would come back to us".to_owned(),
                ));
            }
            if let Some(why) = unusable(&self.policy, &certificate, used_as, self.now) {
                return error(why);
            }
            validity(file, &certificate, self.now).map(|finding| at(finding, key))
        });
        judged.collect()
    }
}
