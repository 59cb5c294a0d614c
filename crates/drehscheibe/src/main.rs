//! `drehscheibe`: the Datendrehscheibe as one program.
//!
//! The life of the process is in `node.rs`; each command has a file in `commands/`.

mod admin;
mod bench;
mod cli;
mod commands;
mod demo;
mod german;
mod node;
mod output;
mod watch;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};
use dds_message::{Code, Problem};

use crate::{
    cli::{Cli, Command},
    output::{Language, Output},
};

/// Why a command failed: a problem with code, actor and remedy.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) Problem);

impl Failure {
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self(Problem::new(code, detail))
    }

    pub(crate) fn internal(detail: impl Into<String>) -> Self {
        Self::new(Code::INTERNAL, detail)
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl From<dds_store::StoreError> for Failure {
    fn from(error: dds_store::StoreError) -> Self {
        Self(error.into())
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    // Workers start often and must not build a command line or a runtime first.
    if arguments.get(1).map(String::as_str) == Some("worker") {
        return worker();
    }
    let language = if german::wanted(&arguments) { Language::German } else { Language::English };
    let command = Cli::command();
    let command = if language == Language::German { german::translate(command) } else { command };
    let cli =
        match command.try_get_matches_from(arguments).and_then(|matches| Cli::from_arg_matches(&matches)) {
            Ok(cli) => cli,
            Err(error) => error.exit(),
        };
    let output = Output { json: cli.json, language };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output.problem(&Problem::new(Code::INTERNAL, format!("cannot start the runtime: {error}")));
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(Box::pin(run(cli.command, output))) {
        Ok(code) => code,
        Err(Failure(problem)) => {
            output.problem(&problem);
            ExitCode::FAILURE
        }
    }
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
        Command::Schema => commands::schema(output),
        Command::Key => commands::key(output),
        Command::Saxony(options) => commands::saxony(&options, output),
        Command::Worker => Ok(worker()),
    }
}
