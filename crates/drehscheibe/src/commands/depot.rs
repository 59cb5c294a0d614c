//! `drehscheibe depot`: releases.

use std::{collections::BTreeMap, io::Write as _, path::Path, process::ExitCode, time::Duration};

use dds_config::{ProcessConfig, ReleaseStore, SourcePaths, build_release, left_out, read_release};
use dds_depot::{CheckFinding, Release, ReleaseDiff, diff};
use dds_message::{Clock, Code, Digest, Problem};
use dds_store::sqlite::SqliteStore;
use dds_telemetry::SystemClock;
use dds_worker::Pool;
use serde::Serialize;

use super::{doubts, held::Held, prune};
use crate::{
    Failure,
    cli::{Depot, DepotActivate, DepotDiff, DepotShow, Settings},
    node,
    output::Output,
};

/// Runs a depot command.
pub(crate) async fn run(command: &Depot, output: Output) -> Result<ExitCode, Failure> {
    match command {
        Depot::Build(options) => {
            let config = super::settings(&options.settings.config)?;
            let (release, findings) = Box::pin(build(&config, &options.settings.config, output)).await?;
            doubts::tell(&findings, output);
            let id = release.id();
            output.line(format!("{} {id}", output.pick("gebaut und geprüft:", "built and proven:")));
            output.result(&serde_json::json!({ "release": id, "findings": findings }))?;
        }
        Depot::Diff(options) => show_diff(options, output).await?,
        Depot::Activate(options) => Box::pin(activate(options, output)).await?,
        Depot::List(options) => list(options, output)?,
        Depot::Prune(options) => prune::run(options, output).await?,
        Depot::Show(options) => show(options, output)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Where rules and configuration of this process lie.
fn sources(config: &ProcessConfig, file: &Path) -> SourcePaths {
    SourcePaths {
        rules: config.rules.clone(),
        config: file.parent().unwrap_or(Path::new(".")).to_owned(),
        schemas: config.schemas(),
    }
}

/// Builds, proves and stores a release of the rules and configuration of this process; with it, what is doubtful about
/// them.
async fn build(
    config: &ProcessConfig,
    file: &Path,
    output: Output,
) -> Result<(Release, Vec<CheckFinding>), Failure> {
    let _busy = output.busy("Depotstand wird gebaut und geprüft …", "building and proving a release …");
    let paths = sources(config, file);
    let now = SystemClock.now();
    let pool = Pool::start(node::options::pool(config)).await?;
    let (release, _) = Box::pin(build_release(&paths, &pool, &now.legal_day())).await?;
    node::forbid_public_tokens(config, &release)?;
    ReleaseStore::new(&config.releases).save(&release, now)?;
    let mut findings = release.check(&now.legal_day());
    findings.extend(left_out(&paths));
    Ok((release, findings))
}

async fn show_diff(options: &DepotDiff, output: Output) -> Result<(), Failure> {
    let config = super::settings(&options.settings.config)?;
    let releases = ReleaseStore::new(&config.releases);
    let load = |id: &str| releases.find(id).and_then(|id| releases.load(&id));
    let before = match &options.before {
        Some(id) => load(id)?,
        None => super::active(&releases)?,
    };
    let after = match &options.after {
        Some(id) => load(id)?,
        None => read_release(&sources(&config, &options.settings.config))?,
    };
    let found = diff(&before, &after, &SystemClock.now().legal_day());
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
    let held = tell_held(&Held::by(&config, &after).await, output);
    output.result(&Difference { found: &found, held: &held })
}

#[derive(Serialize)]
struct Difference<'a> {
    #[serde(flatten)]
    found: &'a ReleaseDiff,
    held: &'a [CheckFinding],
}

/// Tells what a release would hold back.
fn tell_held(held: &Held, output: Output) -> Vec<CheckFinding> {
    let findings = held.findings();
    for finding in &findings {
        output.line(finding.line(output.language));
    }
    findings
}

/// A release that takes targets away for which deliveries wait, or changes their way, is put in force only if somebody
/// insists. They would be held back until their deadline; the release before brings them back.
async fn activate(options: &DepotActivate, output: Output) -> Result<(), Failure> {
    let config = super::settings(&options.settings.config)?;
    let releases = ReleaseStore::new(&config.releases);
    let running = SqliteStore::in_use(&config.store);
    if running == options.offline {
        return Err(if running {
            let text = (
                "die Datendrehscheibe läuft: ohne --offline aktivieren",
                "the router runs: activate without --offline",
            );
            Failure::argument(text)
        } else {
            let text = (
                "die Datendrehscheibe läuft nicht und kann nichts bestätigen; mit --offline gilt der Depotstand ab ihrem nächsten Start",
                "the router does not run and cannot confirm; with --offline the release is in force from its next start",
            );
            Failure::new(Code::ROUTER_UNREACHABLE, text)
        });
    }
    let (release, findings) = match &options.release {
        Some(id) => {
            let release = releases.load(&releases.find(id)?)?;
            node::forbid_public_tokens(&config, &release)?;
            let findings = release.check(&SystemClock.now().legal_day());
            (release, findings)
        }
        None => Box::pin(build(&config, &options.settings.config, output)).await?,
    };
    let id = release.id();
    doubts::tell(&findings, output);
    let held = Held::by(&config, &release).await;
    let told = tell_held(&held, output);
    let taken = held.taken(&releases);
    if taken > 0 && !options.force {
        let text = (
            format!(
                "der Depotstand nimmt Ziele weg oder ändert ihren Weg, auf die noch Zustellungen warten ({taken}); --force setzt ihn trotzdem in Kraft"
            ),
            format!(
                "the release takes away targets, or changes their way, for which deliveries still wait ({taken}); --force activates it all the same"
            ),
        );
        return Err(Failure { problem: Problem::new(Code::TARGET_UNKNOWN, text), findings: told });
    }
    releases.activate(&release)?;
    if options.offline {
        output.line(format!(
            "{} {id}",
            output.pick("gilt ab dem nächsten Start:", "in force from the next start:")
        ));
        return output.result(&serde_json::json!({ "release": id, "held": told, "findings": findings }));
    }
    let patience = Duration::from_secs(options.timeout);
    let busy = output.busy("warte auf die Bestätigung …", "waiting for the confirmation …");
    releases.await_confirmation(&config.node, &id, patience).await?;
    drop(busy);
    output.line(format!("{} {id}", output.pick("aktiv und bestätigt:", "active and confirmed:")));
    output.result(&serde_json::json!({
        "release": id, "confirmed": config.node, "held": told, "findings": findings,
    }))
}

/// The files of a release with their digests, or one of them as it is.
fn show(options: &DepotShow, output: Output) -> Result<(), Failure> {
    let config = super::settings(&options.settings.config)?;
    let releases = ReleaseStore::new(&config.releases);
    let files = releases.files(&releases.find(&options.release)?)?;
    let Some(path) = &options.path else {
        let listed = files.iter().map(|(path, bytes)| (path, Digest::of(bytes)));
        for (path, digest) in listed.clone() {
            output.line(format!("{digest}  {path}"));
        }
        return output.result(&listed.collect::<BTreeMap<_, _>>());
    };
    let bytes = files.get(path).ok_or_else(|| {
        let text =
            (format!("der Depotstand hat keine Datei {path}"), format!("the release has no file {path}"));
        Failure::argument(text)
    })?;
    std::io::stdout().write_all(bytes).map_err(|error| {
        Failure::new(
            Code::FILE_UNUSABLE,
            (format!("lässt sich nicht schreiben: {error}"), format!("cannot write: {error}")),
        )
    })
}

fn list(options: &Settings, output: Output) -> Result<(), Failure> {
    let config = super::settings(&options.config)?;
    let stored = ReleaseStore::new(&config.releases).list()?;
    for one in &stored {
        let mark = match (one.active, one.damaged) {
            (true, true) => output.pick("aktiv, beschädigt", "active, damaged"),
            (false, true) => output.pick("beschädigt", "damaged"),
            (true, false) => output.pick("aktiv", "active"),
            (false, false) => "",
        };
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
