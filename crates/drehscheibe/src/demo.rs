//! `drehscheibe demo`: the whole system at work, with the router as a process of its own.

mod answers;
mod cast;
mod osci;
mod process;
mod receivers;
mod report;
mod senders;
mod stage;
mod story;

use std::{process::ExitCode, sync::Arc, time::Duration};

use dds_config::SourcePaths;
use dds_testbench::Ledger;
use indicatif::{ProgressBar, ProgressStyle};

pub(crate) use cast::{Cast, texts};
pub(crate) use osci::OsciOptions;
pub(crate) use process::RouterProcess;
pub(crate) use receivers::Receivers;
pub(crate) use report::Report;
pub(crate) use senders::Senders;
pub(crate) use stage::{PORTAL, Stage, StageOptions, failed, token_of};

use crate::{
    Failure,
    cli::Demo,
    interrupt::Interrupt,
    output::{Output, write_report},
};

/// Runs the demo.
pub(crate) async fn run(options: &Demo, output: Output) -> Result<ExitCode, Failure> {
    #[allow(
        clippy::disallowed_methods,
        reason = "the demo reports how long it took, on the machine's own clock"
    )]
    let begin = std::time::Instant::now();
    output.line(output.pick(
        "Die Bühne wird aufgebaut: Regeln, Konfiguration aller sächsischen Kommunen, simulierte Systeme …",
        "Setting the stage: rules, configuration of all Saxon municipalities, simulated systems …",
    ));
    let sources = SourcePaths {
        rules: options.sources.rules.clone(),
        config: options.sources.config_dir.clone(),
        schemas: options.sources.schemas.clone(),
    };
    let mut interrupted = Interrupt::new()?;
    let osci = OsciOptions { fixtures: texts(&options.fixtures)?, rsa: false };
    let stage_options = StageOptions { osci: Some(osci), ..StageOptions::default() };
    let stage = Arc::new(Box::pin(Stage::build(&sources, stage_options)).await?);
    let cast = Arc::new(Cast::read(&options.fixtures)?);
    let mut router = RouterProcess::spawn(&stage)?;
    let played = tokio::select! {
        played = Box::pin(play(options, output, &stage, &cast, &mut router, begin)) => Some(played),
        () = interrupted.wait() => None,
    };
    if let (Some(Ok(_)), true) = (&played, stays(options, output)) {
        tell_where(&stage, output);
        interrupted.wait().await;
    }
    let stopped = router.stop().await;
    let good = played.transpose()?;
    stopped?;
    Ok(if good == Some(true) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Sends, waits, reports; whether all went well.
async fn play(
    options: &Demo,
    output: Output,
    stage: &Arc<Stage>,
    cast: &Arc<Cast>,
    router: &mut RouterProcess,
    begin: std::time::Instant,
) -> Result<bool, Failure> {
    router.until_ready(stage).await?;
    output.line(format!(
        "{} http://{} (PID {})",
        output.pick("Die Datendrehscheibe läuft auf", "The router listens on"),
        stage.rest(),
        router.id()
    ));

    let ledger = Ledger::default();
    let receivers = Receivers::start(stage);
    let bar = progress(options.messages, output);
    let sending = Senders::start(stage, cast, ledger.clone(), options.messages, bar.clone());
    for kill in 1..=options.kills {
        // Spread over the run: each kill waits for some more messages to be on their way.
        sending.until(options.messages * kill / (options.kills + 1)).await;
        router.kill().await?;
        *router = RouterProcess::spawn(stage)?;
        router.until_ready(stage).await?;
    }
    let mut sent = sending.finish().await?;
    bar.finish_and_clear();
    output.line(output.pick(
        "Alles ist gesendet. Nun wird gewartet, bis jede Nachricht einen Endzustand hat …",
        "All is sent. Waiting until every message is final …",
    ));
    let report = report::settle(stage, &receivers, &ledger, &mut sent).await?;
    let answers = answers::play(stage, &sent).await?;
    let osci = match (&stage.osci, cast.find("sondernutzung", "gewoehnlich")) {
        (Some(act), Some(role)) => Some(act.play(stage, &role.template, options.messages).await?),
        _ => None,
    };
    let report = Report { seconds: begin.elapsed().as_secs_f64(), kills: options.kills, ..report };
    let report = report.with_acts(answers, osci);
    if let Some(file) = &options.report {
        write_report(file, &report)?;
    }
    output.result(&report)?;
    story::summary(&report, output);
    if stays(options, output) && !output.json {
        story::tell_some(stage, &sent, &report.answers.told, output).await?;
    }
    receivers.stop().await;
    Ok(report.is_good())
}

/// Whether somebody looks on: without a report to write, or told to stay.
const fn stays(options: &Demo, output: Output) -> bool {
    options.stay || (options.report.is_none() && !output.json)
}

fn tell_where(stage: &Stage, output: Output) {
    output.line("");
    output.line(output.pick("Zum Ansehen:", "To look at:"));
    output.line(format!("  http://{}/openapi.json", stage.rest()));
    output.line(format!("  http://{}/soap/v1?wsdl", stage.rest()));
    output.line(format!("  http://{}/metrics", stage.admin()));
    output.line(format!(
        "  {} {}",
        output.pick("Transferverzeichnisse:", "drop folders:"),
        stage.transfer.display()
    ));
    // Not on the path of who has just built it.
    let program = std::env::current_exe().unwrap_or_else(|_| "drehscheibe".into());
    output.line(format!("  {} explain -c {} <ID>", program.display(), stage.config_file.display()));
    output.line(output.pick("Ende mit Strg-C.", "End with Ctrl-C."));
}

fn progress(messages: u64, output: Output) -> ProgressBar {
    if output.json {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(messages);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} {per_sec}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
