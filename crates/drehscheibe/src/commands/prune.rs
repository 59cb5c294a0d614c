//! `drehscheibe depot prune`: releases that nobody will ask for any more.

use std::collections::BTreeSet;

use dds_config::{ProcessConfig, ReleaseStore, StoredRelease};
use dds_message::{Code, ReleaseId, Timestamp};
use dds_store::AuditLog as _;
use serde::Serialize;

use crate::{Failure, cli::DepotPrune, node, output::Output};

/// Why a release stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Kept {
    /// It is in force, or a router runs it.
    InForce,
    /// An entry of the journal names it: what was decided or delivered under it can be explained.
    InJournal,
    /// It was built before the journal began, which cannot tell whether a message of a lost store was matched with it.
    BeforeJournal,
    /// It is one of the newest, which may still be put in force.
    Newest,
}

impl Kept {
    const fn texts(self) -> (&'static str, &'static str) {
        match self {
            Self::InForce => ("in Kraft", "in force"),
            Self::InJournal => ("im Protokoll genannt", "named by the journal"),
            Self::BeforeJournal => ("älter als das Protokoll", "older than the journal"),
            Self::Newest => ("unter den neuesten", "one of the newest"),
        }
    }
}

/// A release, and why it stays; `None`: it goes.
#[derive(Debug, Serialize)]
struct Verdict {
    release: ReleaseId,
    built: Timestamp,
    bytes: u64,
    kept: Option<Kept>,
}

/// What the journal says.
struct Journal {
    /// Time of its first entry; `None` if it has none.
    since: Option<Timestamp>,
    named: BTreeSet<ReleaseId>,
}

/// Removes what was never in force and no message names. Evidence stays: whatever the journal names can be shown and
/// replayed for as long as the journal itself.
pub(super) async fn run(options: &DepotPrune, output: Output) -> Result<(), Failure> {
    let config = super::settings(&options.settings.config)?;
    let releases = ReleaseStore::new(&config.releases);
    let busy = output.busy("Protokoll wird durchsucht …", "searching the journal …");
    // Before the journal is read: from here on nothing is put in force that it does not name yet.
    let pruning = releases.pruning()?;
    alone(&config, &releases)?;
    let log = node::log_reader(&config)?;
    let since = log.rows(1, 1).await?.first().map(|first| first.at);
    let journal = Journal { since, named: log.releases().await? };
    // A pointer that cannot be read could name any.
    releases.active()?;
    let stored = releases.list()?;
    drop(busy);
    let verdicts: Vec<Verdict> = stored
        .iter()
        .enumerate()
        .map(|(place, one)| Verdict {
            release: one.id,
            built: one.built,
            bytes: one.bytes,
            kept: kept(one, place < options.keep as usize, &journal),
        })
        .collect();
    let goes: Vec<ReleaseId> =
        verdicts.iter().filter(|one| one.kept.is_none()).map(|one| one.release).collect();
    if !options.dry_run {
        pruning.remove(&goes)?;
    }
    tell(&verdicts, options.dry_run, output);
    output.result(&serde_json::json!({ "dry_run": options.dry_run, "releases": verdicts }))
}

/// What other nodes' messages were matched with stands in their journals.
fn alone(config: &ProcessConfig, releases: &ReleaseStore) -> Result<(), Failure> {
    let others: Vec<String> = releases.nodes()?.into_iter().filter(|node| *node != config.node).collect();
    if others.is_empty() {
        return Ok(());
    }
    let (names, folder) = (others.join(", "), config.releases.display());
    let text = (
        format!(
            "auch {names} hat Depotstände in {folder} bestätigt; dieses Protokoll weiß nicht, welche dort nötig sind"
        ),
        format!(
            "{names} confirmed releases in {folder} too; this journal does not know which are needed there"
        ),
    );
    Err(Failure::new(Code::RELEASES_SHARED, text))
}

fn kept(release: &StoredRelease, newest: bool, journal: &Journal) -> Option<Kept> {
    if release.active || !release.nodes.is_empty() {
        Some(Kept::InForce)
    } else if journal.named.contains(&release.id) {
        Some(Kept::InJournal)
    } else if journal.since.is_none_or(|since| release.built < since) {
        Some(Kept::BeforeJournal)
    } else {
        newest.then_some(Kept::Newest)
    }
}

fn tell(verdicts: &[Verdict], dry_run: bool, output: Output) {
    for one in verdicts {
        let what = match one.kept {
            Some(kept) => {
                let (german, english) = kept.texts();
                format!("{}: {}", output.pick("bleibt", "stays"), output.pick(german, english))
            }
            None if dry_run => output.pick("würde entfernt", "would be removed").to_owned(),
            None => output.pick("entfernt", "removed").to_owned(),
        };
        output.line(format!("{} {}  {what}", one.release, one.built));
    }
    let gone = || verdicts.iter().filter(|one| one.kept.is_none());
    let (count, kilobytes) = (gone().count(), gone().map(|one| one.bytes).sum::<u64>() >> 10);
    output.line(match (count, dry_run) {
        (0, _) => output.pick("nichts zu entfernen", "nothing to remove").to_owned(),
        (_, true) => {
            format!("{count} {} ({kilobytes} KiB)", output.pick("würden entfernt", "would be removed"))
        }
        (_, false) => format!("{count} {} ({kilobytes} KiB)", output.pick("entfernt", "removed")),
    });
}
