//! `drehscheibe`: the Datendrehscheibe as one program.
//!
//! The life of the process is in `node.rs`; each command has a file in `commands/`.

mod admin;
mod bench;
mod cli;
mod commands;
mod demo;
mod folders;
mod german;
mod interrupt;
mod node;
mod osci;
mod output;
mod supervisor;
mod watch;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};
use dds_depot::CheckFinding;
use dds_message::{Code, Language, Problem, Text};

use crate::{
    cli::{Cli, Command, Key, Osci},
    output::Output,
};

/// Why a command failed: a problem with code, actor and remedy.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) problem: Problem,
    /// Mistakes in files; each has a place and a remedy of its own.
    pub(crate) findings: Vec<CheckFinding>,
}

impl Failure {
    /// `text` is a pair: German, English.
    pub(crate) fn new(code: Code, text: impl Into<Text>) -> Self {
        Problem::new(code, text).into()
    }

    /// An argument on the command line that cannot be used. `text` is a pair: German, English.
    pub(crate) fn argument(text: impl Into<Text>) -> Self {
        Self::new(Code::BAD_ARGUMENT, text)
    }

    /// What should not happen; its makers must act. `text` is a pair: German, English.
    pub(crate) fn internal(text: impl Into<Text>) -> Self {
        Self::new(Code::INTERNAL, text)
    }

    /// An error that should not happen, in its own words.
    pub(crate) fn unexpected(error: impl std::fmt::Display) -> Self {
        Self::internal((format!("unerwarteter Fehler (Meldung: „{error}“)"), format!("unexpected: {error}")))
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self { problem, findings: Vec::new() }
    }
}

impl From<Vec<CheckFinding>> for Failure {
    fn from(findings: Vec<CheckFinding>) -> Self {
        let code = findings.first().map_or(Code::INTERNAL, |finding| finding.code);
        let lines =
            |language| findings.iter().map(|finding| finding.line(language)).collect::<Vec<_>>().join("\n  ");
        let text = (lines(Language::German), lines(Language::English));
        Self { problem: Problem::new(code, text), findings }
    }
}

impl From<CheckFinding> for Failure {
    fn from(finding: CheckFinding) -> Self {
        vec![finding].into()
    }
}

impl From<dds_config::BuildError> for Failure {
    fn from(error: dds_config::BuildError) -> Self {
        error.findings.into()
    }
}

impl From<dds_store::StoreError> for Failure {
    fn from(error: dds_store::StoreError) -> Self {
        Problem::from(error).into()
    }
}

/// Threads for work that blocks. Each OSCI message that is being received holds one, of which the endpoint admits 256
/// and deliveries and visits at other intermediaries bring some more; store and files must never wait for those.
const BLOCKING_THREADS: usize = 1_024;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    // Workers start often and must not build a command line or a runtime first.
    if arguments.get(1).map(String::as_str) == Some("worker") {
        return worker();
    }
    let language = if german::wanted(&arguments) { Language::German } else { Language::English };
    let command = Cli::command();
    let command = if language == Language::German { german::translate(command) } else { command };
    let json = arguments.iter().any(|argument| argument == "--json");
    let cli =
        match command.try_get_matches_from(arguments).and_then(|matches| Cli::from_arg_matches(&matches)) {
            Ok(cli) => cli,
            Err(error) if json && error.use_stderr() => {
                Output { json, language }.failure(&misused(&error));
                return ExitCode::from(2);
            }
            Err(error) if language == Language::German => return german::tell(&error),
            Err(error) => error.exit(),
        };
    let output = Output { json: cli.json, language };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .max_blocking_threads(BLOCKING_THREADS)
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            output.failure(&Failure::unexpected(error));
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(Box::pin(run(cli.command, output))) {
        Ok(code) => code,
        Err(failure) => {
            output.failure(&failure);
            ExitCode::FAILURE
        }
    }
}

/// What is wrong with the command line, without the usage that people are shown.
fn misused(error: &clap::Error) -> Failure {
    use clap::error::ErrorKind::{DisplayHelpOnMissingArgumentOrSubcommand, MissingSubcommand};

    if matches!(error.kind(), MissingSubcommand | DisplayHelpOnMissingArgumentOrSubcommand) {
        return Failure::argument(("es fehlt der Befehl", "the command is missing"));
    }
    let first = |text: String| {
        let text = text.split("\n\n").next().unwrap_or_default();
        text.trim_start_matches("error: ").split_whitespace().collect::<Vec<_>>().join(" ")
    };
    Failure::argument((first(german::complaint(error)), first(error.render().to_string())))
}

/// Ends when the router closes its end; anything else is a failure the router sees as a lost worker.
fn worker() -> ExitCode {
    match dds_worker::child::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

async fn run(command: Command, output: Output) -> Result<ExitCode, Failure> {
    match command {
        Command::Serve(options) => node::serve(&options, output).await,
        Command::Demo(options) => demo::run(&options, output).await,
        Command::Check(options) => commands::check::run(&options, output).await,
        Command::Depot { command } => commands::depot::run(&command, output).await,
        Command::Explain(options) => commands::explain::run(&options, output).await,
        Command::Replay(options) => commands::replay::run(&options, output).await,
        Command::Send(options) => commands::send::run(&options, output).await,
        Command::Journal { command } => commands::journal::run(&command, output).await,
        Command::Deliver { command } => commands::deliver::run(&command, output).await,
        Command::Bench(options) => bench::run(&options, output).await,
        Command::Health(options) => commands::health::run(&options, output).await,
        Command::Osci { command: Osci::Inspect(options) } => Ok(commands::osci::run(&options, output)),
        Command::Osci { command: Osci::Aside { command } } => commands::aside::run(&command, output).await,
        Command::Schema => commands::schema(output),
        Command::Key { command: None } => commands::key::make(output),
        Command::Key { command: Some(Key::Change(options)) } => commands::key::change(&options, output).await,
        Command::Saxony(options) => commands::saxony(&options, output),
        Command::Worker => Ok(worker()),
    }
}
