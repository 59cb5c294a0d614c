//! `drehscheibe osci inspect`: everything that can be said about a stored OSCI message, so that whoever made it can
//! mend it.
//!
//! Says digests, certificates and verdicts, never content or keys.

mod keys;
mod text;

use std::{path::Path, process::ExitCode};

use dds_message::Code;
use dds_osci::{
    algorithm::CryptoPolicy,
    inspect::{Finding, Layer, Report, inspect},
    intake::IntakeConfig,
    keys::{Decrypter, SoftwareKey},
    random::SystemRandom,
};
use zeroize::Zeroizing;

use crate::{
    Failure,
    cli::OsciInspect,
    output::{Output, file_error},
};

/// The message cannot be read at all, or a file is not there.
const UNREADABLE: u8 = 2;

/// What an inspection comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// Readable, and nothing in it is invalid.
    Sound,
    /// Readable, but a signature, digest, certificate or ciphertext is invalid.
    Invalid,
    /// No message, or none for our keys.
    Unreadable,
}

impl Outcome {
    fn of(report: &Report) -> Self {
        let signatures = report.contents.iter().flat_map(|content| &content.signatures);
        let mut signatures = signatures.chain([&report.signature]);
        if report.refused.is_some() {
            Self::Unreadable
        } else if signatures.any(|signature| signature.verdict == "invalid")
            || report.encrypted.iter().any(|encrypted| matches!(encrypted.state, Layer::Failed(_)))
            || report.parts.iter().any(|part| matches!(part.plaintext, Some(Err(_))))
            || report.certificates.iter().any(|(_, _, certificate)| certificate.is_err())
            || report.findings.iter().any(Finding::is_refusal)
        {
            Self::Invalid
        } else {
            Self::Sound
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Sound => "sound",
            Self::Invalid => "invalid",
            Self::Unreadable => "unreadable",
        }
    }

    fn exit(self) -> ExitCode {
        match self {
            Self::Sound => ExitCode::SUCCESS,
            Self::Invalid => ExitCode::FAILURE,
            Self::Unreadable => ExitCode::from(UNREADABLE),
        }
    }
}

/// Tells what a stored message holds.
pub(crate) fn run(options: &OsciInspect, output: Output) -> ExitCode {
    one(options, output).unwrap_or_else(|failure| {
        output.failure(&failure);
        ExitCode::from(UNREADABLE)
    })
}

fn one(options: &OsciInspect, output: Output) -> Result<ExitCode, Failure> {
    let octets = std::fs::read(&options.file).map_err(|error| {
        let wanted = (
            "gebraucht wird der gespeicherte HTTP-Body einer Nachricht",
            "wanted is the stored HTTP body of a message",
        );
        unusable(&options.file, &error, wanted)
    })?;
    let pin = pin(options)?;
    let keys = match &options.keys {
        Some(folder) => keys::load(folder, pin.as_deref().map(String::as_str)).map_err(|error| {
            unusable(
                folder,
                &error,
                ("gebraucht wird ein Ordner mit Schlüsseln", "wanted is a folder of keys"),
            )
        })?,
        None => keys::Ring::default(),
    };
    let decrypters: Vec<&dyn Decrypter> = keys.keys.iter().map(|key: &SoftwareKey| key as _).collect();
    let report = inspect(&octets, &decrypters, &config(), &mut SystemRandom);
    let outcome = Outcome::of(&report);
    text::print(&report, &keys, outcome, output);
    if output.json {
        output.result(&json(options, &report, &keys, outcome)?)?;
    }
    Ok(outcome.exit())
}

fn unusable(file: &Path, error: &std::io::Error, (german, english): (&str, &str)) -> Failure {
    let why = file_error(file, error);
    Failure::new(Code::FILE_UNUSABLE, (format!("{} ({german})", why.0), format!("{} ({english})", why.1)))
}

fn pin(options: &OsciInspect) -> Result<Option<Zeroizing<String>>, Failure> {
    let Some(name) = &options.pin_env else { return Ok(options.pin.clone().map(Zeroizing::new)) };
    let value = std::env::var(name).map_err(|_| {
        let text = (
            format!("die Umgebungsvariable {name} ist nicht gesetzt"),
            format!("environment variable {name} is not set"),
        );
        Failure::new(Code::OSCI_KEYS, text)
    })?;
    Ok(Some(Zeroizing::new(value)))
}

/// Reads whatever was ever lawful: an inspection has nothing to protect. What the router would refuse is a finding.
fn config() -> IntakeConfig {
    let policy = CryptoPolicy {
        allow_cbc: true,
        allow_rsa15: true,
        allow_sha1: true,
        min_rsa_bits: 2048,
        ..CryptoPolicy::default()
    };
    IntakeConfig { policy, ..IntakeConfig::default() }
}

fn json(
    options: &OsciInspect,
    report: &Report,
    keys: &keys::Ring,
    outcome: Outcome,
) -> Result<serde_json::Value, Failure> {
    let mut value: serde_json::Value =
        serde_json::from_str(&report.to_json()).map_err(Failure::unexpected)?;
    if let Some(members) = value.as_object_mut() {
        members.insert("file".into(), options.file.display().to_string().into());
        members.insert("outcome".into(), outcome.word().into());
        members.insert("keys".into(), keys.subjects().into());
        members.insert("key_problems".into(), keys.problems(Output { json: true, ..ENGLISH }).into());
    }
    Ok(value)
}

const ENGLISH: Output = Output { json: true, language: crate::output::Language::English };
