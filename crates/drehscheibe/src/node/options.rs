//! What the configuration of the process means to each part of it.

use std::{path::Path, sync::Arc, time::Duration};

use dds_config::{ProcessConfig, SmtpTls};
use dds_depot::Source;
use dds_message::Code;
use dds_telemetry::Telemetry;
use dds_worker::PoolOptions;

use crate::{Failure, output::file_error};

/// Log and metrics, and spans if a collector is configured. It need not be there: that costs spans and nothing else.
#[cfg(feature = "otlp")]
pub(super) fn telemetry(config: &ProcessConfig) -> Result<Telemetry, Failure> {
    let Some(endpoint) = &config.telemetry.otlp_endpoint else { return Ok(Telemetry::default()) };
    // Set once per process; a second time changes nothing.
    let _already = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let options = dds_telemetry::OtlpOptions {
        endpoint: endpoint.clone(),
        node: config.node.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let exporter = dds_telemetry::OtlpExporter::start(&options).map_err(|error| {
        let text = (
            format!("telemetry.otlp_endpoint ist nicht zu gebrauchen (Meldung: „{error}“)"),
            format!("telemetry.otlp_endpoint: {error}"),
        );
        Failure::new(Code::CONFIG_SYNTAX, text)
    })?;
    Ok(Telemetry::with_spans(Arc::new(exporter)))
}

#[cfg(not(feature = "otlp"))]
pub(super) fn telemetry(config: &ProcessConfig) -> Result<Telemetry, Failure> {
    if config.telemetry.otlp_endpoint.is_some() {
        let text = (
            "telemetry.otlp_endpoint ist gesetzt, aber dieses Programm wurde ohne das Merkmal otlp gebaut",
            "telemetry.otlp_endpoint is set, but this program was built without the feature otlp",
        );
        return Err(Failure::new(Code::CONFIG_SYNTAX, text));
    }
    Ok(Telemetry::default())
}

pub(crate) fn pool(config: &ProcessConfig) -> PoolOptions {
    let defaults = PoolOptions::default();
    PoolOptions {
        processes: if config.worker.processes == 0 { defaults.processes } else { config.worker.processes },
        memory_bytes: config.worker.memory_bytes,
        job_time: config.worker.timeout.0,
        jobs_per_process: config.worker.recycle_after,
        limits: xml(config),
        ..defaults
    }
}

pub(crate) fn xml(config: &ProcessConfig) -> dds_xml::Limits {
    dds_xml::Limits {
        bytes: usize::try_from(config.limits.document_bytes).unwrap_or(usize::MAX),
        depth: config.limits.depth as usize,
        attributes: config.limits.attributes as usize,
        ..dds_xml::Limits::default()
    }
}

pub(super) fn router(config: &ProcessConfig) -> dds_router::Options {
    dds_router::Options { limits: xml(config), ..dds_router::Options::default() }
}

pub(super) fn delivery(config: &ProcessConfig) -> dds_delivery::Options {
    dds_delivery::Options {
        concurrency: config.delivery.parallel,
        per_target: config.delivery.per_target,
        grace: config.delivery.drain.0,
        ..dds_delivery::Options::default()
    }
}

pub(super) fn inbound(config: &ProcessConfig) -> dds_inbound::Options {
    let limits = &config.limits;
    dds_inbound::Options {
        limits: dds_inbound::Limits {
            document_bytes: limits.document_bytes,
            attachment_bytes: limits.attachment_bytes,
            total_bytes: limits.message_bytes,
            attachments: limits.attachments as usize,
        },
        intakes: limits.requests as usize,
        idle_seconds: limits.idle.0.as_secs(),
        headers: limits.headers as usize,
        ..dds_inbound::Options::default()
    }
}

pub(super) fn of_source(config: &ProcessConfig, source: &Source) -> dds_inbound::Limits {
    let all = inbound(config).limits;
    dds_inbound::Limits {
        document_bytes: source.limits.document_bytes.unwrap_or(all.document_bytes),
        attachment_bytes: source.limits.attachment_bytes.unwrap_or(all.attachment_bytes),
        attachments: source.limits.attachments.map_or(all.attachments, |count| count as usize),
        ..all
    }
}

/// TLS of the listeners, if configured.
pub(super) fn tls(config: &ProcessConfig) -> Result<Option<dds_inbound::Tls>, Failure> {
    let Some(tls) = &config.listen.tls else { return Ok(None) };
    let chain = read(&tls.certificate)?;
    let key = read(&tls.key)?;
    let authorities = tls.client_ca.as_deref().map(read).transpose()?;
    let made = dds_inbound::Tls::from_pem(&chain, &key, authorities.as_deref());
    made.map(Some).map_err(|error| {
        let text = (
            format!("[listen.tls]: Zertifikat oder Schlüssel sind nicht zu gebrauchen (Meldung: „{error}“)"),
            format!("[listen.tls]: {error}"),
        );
        Failure::new(Code::CONFIG_SYNTAX, text)
    })
}

/// How targets are reached.
pub(super) fn outbound(config: &ProcessConfig, base: &Path) -> Result<dds_outbound::Options, Failure> {
    let pem =
        |file: &Path| -> Result<String, Failure> { Ok(String::from_utf8_lossy(&read(file)?).into_owned()) };
    let mut roots = Vec::new();
    for file in config.delivery.target_ca.iter().chain(config.smtp.as_ref().and_then(|smtp| smtp.ca.as_ref()))
    {
        roots.push(pem(file)?);
    }
    let mail = config.smtp.as_ref().map(|smtp| dds_outbound::MailRelay {
        host: smtp.host.clone(),
        port: smtp.port,
        security: match smtp.tls {
            SmtpTls::Starttls => dds_outbound::MailSecurity::StartTls,
            SmtpTls::Implicit => dds_outbound::MailSecurity::Tls,
            SmtpTls::None => dds_outbound::MailSecurity::Plain,
        },
        account: smtp.user.clone().zip(smtp.secret.clone()),
        from: smtp.from.clone(),
        own_name: smtp.from.rsplit_once('@').map_or("localhost", |(_, domain)| domain).to_owned(),
        silence: Duration::from_secs(60),
    });
    let tls = dds_outbound::TlsOptions { extra_roots: roots, ..dds_outbound::TlsOptions::default() };
    Ok(dds_outbound::Options { tls, mail, base: base.to_owned(), ..dds_outbound::Options::default() })
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(file).map_err(|error| Failure::new(Code::CONFIG_SYNTAX, file_error(file, &error)))
}
