//! Changes from outside: another active release, and in development changed files.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Weak},
    time::{Duration, SystemTime},
};

use dds_config::{SourcePaths, build_release};
use dds_message::{Clock, Code, ReleaseId};
use dds_postbox::Swept;
use tokio::{sync::watch, time::Instant};

use crate::{
    Failure,
    commands::held,
    node::{self, Node},
    osci::{Osci, Refresher},
};

/// A release that could not be loaded is tried again after so long: workers may just have been busy.
const LOAD_AGAIN: Duration = Duration::from_secs(5);

/// Follows the pointer of the active release; a release that cannot be loaded leaves the old one in force, and is
/// never confirmed.
pub(crate) async fn release(node: Weak<Node>, mut ended: watch::Receiver<bool>) {
    let mut refused: Option<(ReleaseId, Instant)> = None;
    let mut unreadable = false;
    loop {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(200)) => {}
            _ = ended.changed() => return,
        }
        let Some(node) = node.upgrade() else { return };
        let active = node.releases.active();
        if let Err(problem) = &active
            && !unreadable
        {
            // Said once: the release in force stays, but the next start would fail.
            tracing::error!(code = %problem.code, detail = %problem.detail, "release.pointer_unreadable");
        }
        unreadable = active.is_err();
        let wanted = match active {
            Ok(Some(wanted)) if wanted != node.release().id() => wanted,
            // Nothing wanted but what is in force: who wants the refused one again says so anew.
            Ok(_) => {
                refused = None;
                continue;
            }
            Err(_) => continue,
        };
        let before = refused.filter(|(id, _)| *id == wanted);
        if before.is_some_and(|(_, again)| Instant::now() < again) {
            continue;
        }
        // Until it is confirmed nobody may remove it; while releases are removed, this waits.
        let releases = node.releases.clone();
        let hold = tokio::task::spawn_blocking(move || releases.hold()).await;
        if hold.is_err() || node.releases.active().ok().flatten() != Some(wanted) {
            continue;
        }
        let switched = match node.releases.load(&wanted) {
            Ok(release) => Box::pin(node.activate(release)).await,
            Err(problem) => Err(Failure::from(problem)),
        };
        if let Err(Failure { problem, .. }) = switched {
            if before.is_none() {
                tracing::error!(release = %wanted, code = %problem.code, detail = %problem.detail, "release.not_activated");
            }
            refused = Some((wanted, Instant::now() + LOAD_AGAIN));
        }
    }
}

/// Reads mailboxes and revocation lists of OSCI anew when they change, says which lists have come to be without effect,
/// and sweeps the postbox.
pub(crate) async fn osci(
    osci: Arc<Osci>,
    mut refresher: Refresher,
    clock: Arc<dyn Clock>,
    mut ended: watch::Receiver<bool>,
) {
    const PAUSE: Duration = Duration::from_secs(5);
    const SWEEPS: u32 = 120;
    let mut pauses = 0_u32;
    loop {
        if pauses.is_multiple_of(SWEEPS) {
            let now = clock.now();
            match osci.postbox().sweep(now.minus(osci.keep()), now.minus(Duration::from_secs(86_400))).await {
                Ok(Swept { deliveries: 0, sent: 0, files: 0 }) => {}
                Ok(Swept { deliveries, sent, files }) => {
                    tracing::info!(deliveries, sent, files, "osci.swept");
                }
                Err(error) => tracing::error!(%error, "osci.not_swept"),
            }
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            _ = ended.changed() => return,
        }
        pauses = pauses.wrapping_add(1);
        let (changed, failures) = refresher.look();
        for Failure { problem, .. } in &failures {
            tracing::error!(code = %problem.code, detail = %problem.detail, "osci.mailboxes_stay");
        }
        if changed && failures.is_empty() {
            tracing::info!("osci.mailboxes_read");
        }
        if changed || pauses.is_multiple_of(SWEEPS) {
            refresher.unsound(clock.now().to_jiff()).iter().for_each(node::unsound);
        }
    }
}

/// Builds and activates a release whenever a file of rules or configuration changes (`serve --watch`). Nobody is there
/// to insist on a release that takes away targets for which deliveries wait: the log names them, and the next change
/// may bring them back.
pub(crate) async fn sources(node: Arc<Node>, config_dir: PathBuf) {
    let paths =
        SourcePaths { rules: node.config.rules.clone(), config: config_dir, schemas: node.config.schemas() };
    let mut seen = None;
    loop {
        let now = newest(&[&paths.rules, &paths.config]);
        if seen.is_some()
            && seen != Some(now)
            && let Err(Failure { problem, .. }) = rebuild(&node, &paths).await
        {
            tracing::error!(code = %problem.code, detail = %problem.detail, "release.not_built");
        }
        seen = Some(now);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn rebuild(node: &Node, paths: &SourcePaths) -> Result<(), Failure> {
    let now = node.clock.now();
    let (release, proof) = Box::pin(build_release(paths, &node.pool, &now.legal_day())).await?;
    node.releases.save(&release, now)?;
    let before = node.release();
    for ((target, pull), deliveries) in node.waiting().await? {
        if !held::serves(&release, &target, pull) && held::serves(&before, &target, pull) {
            tracing::warn!(target = %target, deliveries, code = %Code::TARGET_UNKNOWN, "release.target_lost");
        }
    }
    node.releases.activate(&release)?;
    tracing::info!(release = %release.id(), cases = proof.cases.len(), "release.built");
    Ok(())
}

/// Number of files below `folders` and the latest change among them.
fn newest(folders: &[&Path]) -> (usize, Option<SystemTime>) {
    let mut open: Vec<PathBuf> = folders.iter().map(|folder| folder.to_path_buf()).collect();
    let (mut count, mut latest) = (0, None);
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.is_dir() {
                open.push(entry.path());
            } else {
                count += 1;
                latest = latest.max(metadata.modified().ok());
            }
        }
    }
    (count, latest)
}
