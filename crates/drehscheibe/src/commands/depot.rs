//! `drehscheibe depot`: releases.

use std::{path::Path, process::ExitCode, time::Duration};

use dds_config::{ProcessConfig, ReleaseStore, SourcePaths, build_release};
use dds_depot::{CheckFinding, Release, ReleaseDiff, diff};
use dds_message::Clock;
use dds_telemetry::SystemClock;
use dds_worker::Pool;
use serde::Serialize;

use super::held::held;
use crate::{
    Failure,
    cli::{Depot, DepotActivate, DepotDiff, Settings},
    node,
    output::Output,
};

/// Runs a depot command.
pub(crate) async fn run(command: &Depot, output: Output) -> Result<ExitCode, Failure> {
    match command {
        Depot::Build(options) => {
            let config = super::settings(&options.settings.config)?;
            let release = Box::pin(build(&config, &options.settings.config)).await?;
            output.line(format!(
                "{} {}",
                output.pick("gebaut und geprüft:", "built and proven:"),
                release.id()
            ));
            output.result(&serde_json::json!({ "release": release.id() }))?;
        }
        Depot::Diff(options) => show_diff(options, output).await?,
        Depot::Activate(options) => Box::pin(activate(options, output)).await?,
        Depot::List(options) => list(options, output)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Builds, proves and stores a release of the rules and configuration of this process.
async fn build(config: &ProcessConfig, file: &Path) -> Result<Release, Failure> {
    let paths = SourcePaths {
        rules: config.rules.clone(),
        config: file.parent().unwrap_or(Path::new(".")).to_owned(),
        schemas: config.schemas(),
    };
    let now = SystemClock.now();
    let pool = Pool::start(node::options::pool(config)).await?;
    let (release, _) = Box::pin(build_release(&paths, &pool, &now.legal_day())).await?;
    ReleaseStore::new(&config.releases).save(&release, now)?;
    Ok(release)
}

async fn show_diff(options: &DepotDiff, output: Output) -> Result<(), Failure> {
    let config = super::settings(&options.settings.config)?;
    let releases = ReleaseStore::new(&config.releases);
    let load = |id: &str| releases.find(id).and_then(|id| releases.load(&id));
    let after = load(&options.after)?;
    let found = diff(&load(&options.before)?, &after, &SystemClock.now().legal_day());
    let parts = [
        (output.pick("Regeln", "rules"), &found.rules),
        (output.pick("Produkte", "products"), &found.products),
        (output.pick("Profile", "profiles"), &found.profiles),
        (output.pick("Kommunen", "municipalities"), &found.municipalities),
        (output.pick("Quellen", "sources"), &found.sources),
        (output.pick("Ziele", "targets"), &found.targets),
    ];
    for (what, changes) in parts.into_iter().filter(|(_, changes)| !changes.is_empty()) {
        output.line(what);
        for (sign, names) in [("+", &changes.added), ("-", &changes.removed), ("~", &changes.changed)] {
            for name in names {
                output.line(format!("  {sign} {name}"));
            }
        }
    }
    for route in &found.routes {
        let or = |text: &Option<String>| text.clone().unwrap_or_else(|| "–".to_owned());
        output.line(format!(
            "{} {}: {} → {}",
            route.procedure,
            route.ars,
            or(&route.before),
            or(&route.after)
        ));
    }
    let held = held(&config, &after).await;
    for finding in &held {
        output.line(finding.line(output.language));
    }
    output.result(&Difference { found: &found, held: &held })
}

#[derive(Serialize)]
struct Difference<'a> {
    #[serde(flatten)]
    found: &'a ReleaseDiff,
    held: &'a [CheckFinding],
}

/// What waits for targets that the release lacks is told and no obstacle: it is held back until its deadline, and the release
/// before brings it back.
async fn activate(options: &DepotActivate, output: Output) -> Result<(), Failure> {
    let config = super::settings(&options.settings.config)?;
    let releases = ReleaseStore::new(&config.releases);
    let before = releases.active()?;
    let id = match &options.release {
        Some(id) => releases.find(id)?,
        None => Box::pin(build(&config, &options.settings.config)).await?.id(),
    };
    let held = held(&config, &releases.activate(&id)?).await;
    for finding in &held {
        output.line(finding.line(output.language));
    }
    let patience = Duration::from_secs(options.timeout);
    releases.await_confirmation(&config.node, &id, before.as_ref(), patience).await?;
    output.line(format!("{} {id}", output.pick("aktiv und bestätigt:", "active and confirmed:")));
    output.result(&serde_json::json!({ "release": id, "confirmed": config.node, "held": held }))
}

fn list(options: &Settings, output: Output) -> Result<(), Failure> {
    let config = super::settings(&options.config)?;
    let stored = ReleaseStore::new(&config.releases).list()?;
    for one in &stored {
        let mark = if one.active { output.pick("aktiv", "active") } else { "" };
        output.line(format!(
            "{} {} {:>6} {} {mark:<7} {}",
            one.id,
            one.built,
            one.files,
            output.pick("Dateien", "files"),
            one.nodes.join(" ")
        ));
    }
    output.result(&stored)
}
