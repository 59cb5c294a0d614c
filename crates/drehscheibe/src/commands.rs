//! One file per command.

pub(crate) mod aside;
pub(crate) mod check;
pub(crate) mod deliver;
pub(crate) mod depot;
mod difference;
mod doubts;
pub(crate) mod explain;
pub(crate) mod health;
pub(crate) mod held;
pub(crate) mod journal;
pub(crate) mod key;
pub(crate) mod osci;
mod prune;
pub(crate) mod replay;
pub(crate) mod send;

use std::{collections::BTreeMap, fs, path::Path, process::ExitCode, time::Duration};

use dds_config::{ProcessConfig, ReleaseStore, saxony::Replace};
use dds_depot::Release;
use dds_message::Code;
use dds_testbench::Fixture;
use rustls::RootCertStore;
use rustls_pki_types::{CertificateDer, pem::PemObject as _};

use crate::{
    Failure, cli,
    output::{Output, file_error},
};

/// `drehscheibe schema`: the JSON schema of `drehscheibe.toml`.
pub(crate) fn schema(output: Output) -> Result<ExitCode, Failure> {
    Output { json: true, ..output }.result(&ProcessConfig::schema())?;
    Ok(ExitCode::SUCCESS)
}

/// `drehscheibe saxony`: the example configuration.
pub(crate) fn saxony(options: &cli::Saxony, output: Output) -> Result<ExitCode, Failure> {
    let folder = &options.folder;
    let written = dds_config::saxony::generate(
        &folder.join("saxony.csv"),
        &folder.join("saxony.toml"),
        &folder.join("municipalities"),
        if options.force { Replace::All } else { Replace::Ours },
    );
    let done = written?;
    for name in &done.removed {
        output.line(format!("{} {name}", output.pick("entfernt:", "removed:")));
    }
    output.line(format!("{} {}", done.written, output.pick("Dateien geschrieben", "files written")));
    output.result(&serde_json::json!({ "files": done.written, "removed": done.removed }))?;
    Ok(ExitCode::SUCCESS)
}

/// The active release.
pub(crate) fn active(releases: &ReleaseStore) -> Result<Release, Failure> {
    let id = releases.active()?.ok_or_else(|| {
        Failure::new(Code::RELEASE_UNKNOWN, ("kein Depotstand ist aktiv", "no release is active"))
    })?;
    Ok(releases.load(&id)?)
}

/// Reads a `drehscheibe.toml`.
pub(crate) fn settings(file: &Path) -> Result<ProcessConfig, Failure> {
    Ok(ProcessConfig::load(file)?)
}

/// Fixture messages of a folder, by procedure; there is at least one.
pub(crate) fn fixtures(folder: &Path) -> Result<BTreeMap<String, Vec<Fixture>>, Failure> {
    fs::read_dir(folder).map_err(|error| Failure::new(Code::FILE_UNUSABLE, file_error(folder, &error)))?;
    let found = dds_testbench::fixtures(folder).map_err(Failure::unexpected)?;
    if found.is_empty() {
        let folder = folder.display();
        return Err(Failure::argument((
            format!("in {folder} liegen keine Beispielnachrichten (VERFAHREN/NAME.xml oder .json)"),
            format!("there are no fixture messages in {folder} (PROCEDURE/NAME.xml or .json)"),
        )));
    }
    Ok(found)
}

/// HTTP client of the commands; trusts the system's authorities and `ca`, and shows a certificate if there is one with
/// its key.
pub(crate) fn client(
    ca: Option<&Path>,
    identity: Option<(&Path, &Path)>,
) -> Result<reqwest::Client, Failure> {
    let read = |file: &Path| {
        fs::read(file).map_err(|error| Failure::new(Code::FILE_UNUSABLE, file_error(file, &error)))
    };
    let unusable = |error: String| {
        let text = (format!("der HTTP-Client lässt sich nicht bauen: {error}"), error);
        Failure::new(Code::INTERNAL, text)
    };
    // Set once per process; a second time changes nothing.
    let _already = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut builder = reqwest::Client::builder().timeout(Duration::from_secs(120)).no_proxy();
    if let Some(ca) = ca {
        for certificate in authorities(ca, &read(ca)?)? {
            let certificate = reqwest::Certificate::from_der(&certificate);
            builder = builder.add_root_certificate(certificate.map_err(|error| no_authority(ca, &error))?);
        }
    }
    if let Some((certificate, key)) = identity {
        let pem = [read(certificate)?, b"\n".to_vec(), read(key)?].concat();
        let identity =
            reqwest::Identity::from_pem(&pem).map_err(|error| no_identity(certificate, key, &error))?;
        builder = builder.identity(identity);
    }
    // Whether key and certificate belong together shows only here.
    builder.build().map_err(|error| match identity {
        Some((certificate, key)) => no_identity(certificate, key, &error),
        None => unusable(error.to_string()),
    })
}

/// The certificates in a PEM file, at least one, each fit to be trusted: the client would not say which of its files is
/// unusable.
fn authorities(file: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.map_err(|error| no_authority(file, &error))?;
    if found.is_empty() {
        let file = file.display();
        let text =
            (format!("in {file} steht kein Zertifikat (PEM)"), format!("{file} holds no certificate (PEM)"));
        return Err(Failure::new(Code::FILE_UNUSABLE, text));
    }
    let mut trusted = RootCertStore::empty();
    for certificate in &found {
        trusted.add(certificate.clone()).map_err(|error| no_authority(file, &error))?;
    }
    Ok(found)
}

fn no_authority(file: &Path, why: &dyn std::fmt::Display) -> Failure {
    let file = file.display();
    let text = (
        format!("{file} enthält ein Zertifikat, das nicht lesbar ist (PEM): {why}"),
        format!("{file} holds a certificate that cannot be read (PEM): {why}"),
    );
    Failure::new(Code::FILE_UNUSABLE, text)
}

fn no_identity(certificate: &Path, key: &Path, error: &reqwest::Error) -> Failure {
    let (certificate, key, why) = (certificate.display(), key.display(), cause(error));
    let text = (
        format!("{certificate} und {key} sind kein Zertifikat mit seinem Schlüssel (PEM): {why}"),
        format!("{certificate} and {key} are no certificate with its key (PEM): {why}"),
    );
    Failure::new(Code::FILE_UNUSABLE, text)
}

/// What is at the bottom of an error.
fn cause(error: &reqwest::Error) -> &dyn std::error::Error {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause
}

/// A router that does not answer, with the cause at the bottom of what the client says in its own words.
pub(crate) fn silent(address: &str, error: &reqwest::Error) -> Failure {
    if error.is_builder() {
        return Failure::argument((
            format!("{address} ist keine Adresse (http:// oder https://)"),
            format!("{address} is no address (http:// or https://)"),
        ));
    }
    let cause = cause(error);
    let text = (format!("{address} antwortet nicht: {cause}"), format!("{address} does not answer: {cause}"));
    Failure::new(Code::ROUTER_UNREACHABLE, text)
}
