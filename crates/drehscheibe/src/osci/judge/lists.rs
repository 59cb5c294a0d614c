//! Revocation lists without effect.

use dds_config::OsciConfig;
use dds_depot::CheckFinding;
use dds_message::Code;
use dds_osci::trust::TrustPolicy;
use jiff::Timestamp;

use crate::osci::trust_policy;

/// What is wrong with the revocation lists that can be read: a list that no configured authority has signed says
/// nothing, and one that has ended knows no new revocation.
pub(crate) fn lists(config: &OsciConfig, now: Timestamp) -> Vec<CheckFinding> {
    // What cannot be read is told by whoever reads it.
    trust_policy(config).map_or_else(|_| Vec::new(), |policy| judged(config, &policy, now).collect())
}

/// The same of a policy that was read from this configuration.
pub(super) fn judged(
    config: &OsciConfig,
    policy: &TrustPolicy,
    now: Timestamp,
) -> impl Iterator<Item = CheckFinding> {
    config.trust.crls.iter().zip(&policy.crls).filter_map(move |(file, list)| {
        let finding = |text| {
            CheckFinding::error(Code::OSCI_KEYS, file.display().to_string(), text).remedy((
                "Die heutige Liste der Zertifizierungsstelle hierher legen; ihr Zertifikat steht unter anchors oder intermediates.",
                "Put the authority's list of today here; its certificate stands under anchors or intermediates.",
            ))
        };
        if !policy.has_signed(list) {
            let text = (
                "die Sperrliste ist von keiner der konfigurierten Zertifizierungsstellen signiert und wirkt nicht",
                "none of the configured authorities has signed the revocation list: it has no effect",
            );
            return Some(finding((text.0.to_owned(), text.1.to_owned())));
        }
        if now < list.this_update() {
            let from = list.this_update();
            let text = (
                format!("die Sperrliste gilt erst ab {from} und wirkt bis dahin nicht"),
                format!("the revocation list counts from {from} on, and has no effect until then"),
            );
            return Some(finding(text));
        }
        match list.next_update() {
            Some(until) if now <= until => None,
            Some(until) => Some(finding((
                format!("die Sperrliste galt bis {until}: neue Sperrungen kennt sie nicht"),
                format!("the revocation list counted until {until}: it knows no new revocation"),
            )).warning()),
            None => Some(finding((
                "die Sperrliste sagt nicht, wie lange sie gilt (nextUpdate): dass ein Zertifikat nicht gesperrt ist, belegt sie nie".to_owned(),
                "the revocation list does not say how long it counts (nextUpdate): it never shows that a certificate is not revoked".to_owned(),
            )).warning()),
        }
    })
}
