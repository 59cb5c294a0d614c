//! What the configuration of the process means to each part of it.

use std::{path::Path, sync::Arc, time::Duration};

use dds_config::{DeliveryConfig, LimitConfig, ProcessConfig, SmtpConfig, SmtpTls, WorkerConfig};
use dds_depot::{Source, SourceLimits};
use dds_inbound::HttpLimits;
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
    let WorkerConfig { processes, memory_bytes, timeout, output_bytes, recycle_after } = config.worker;
    let mut options = PoolOptions {
        memory_bytes,
        job_time: timeout.0,
        jobs_per_process: recycle_after,
        limits: xml(config),
        ..PoolOptions::default()
    };
    if processes != 0 {
        options.processes = processes;
    }
    options.budget.output_bytes = usize::try_from(output_bytes).unwrap_or(usize::MAX);
    options
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
    dds_router::Options {
        limits: xml(config),
        grace: config.delivery.drain.0,
        ..dds_router::Options::default()
    }
}

pub(super) fn delivery(config: &ProcessConfig) -> dds_delivery::Options {
    // Leases of mailboxes and trust go to other parts.
    let DeliveryConfig { parallel, per_target, fetch_lease: _, drain, target_ca: _ } = &config.delivery;
    dds_delivery::Options {
        concurrency: *parallel,
        per_target: *per_target,
        grace: drain.0,
        ..dds_delivery::Options::default()
    }
}

pub(super) fn http(config: &ProcessConfig) -> HttpLimits {
    HttpLimits {
        drain_seconds: config.delivery.drain.0.as_secs(),
        headers: config.limits.headers as usize,
        ..HttpLimits::default()
    }
}

pub(super) fn inbound(config: &ProcessConfig) -> dds_inbound::Options {
    let &LimitConfig {
        document_bytes,
        attachment_bytes,
        attachments,
        message_bytes,
        // Those of XML, and those of mailboxes.
        depth: _,
        attributes: _,
        polls: _,
        headers,
        requests,
        idle,
    } = &config.limits;
    dds_inbound::Options {
        limits: dds_inbound::Limits {
            document_bytes,
            attachment_bytes,
            total_bytes: message_bytes,
            attachments: attachments as usize,
        },
        intakes: requests as usize,
        idle_seconds: idle.0.as_secs(),
        headers: headers as usize,
        public_url: config.listen.public_url.clone(),
        ..dds_inbound::Options::default()
    }
}

pub(super) fn of_source(config: &ProcessConfig, source: &Source) -> dds_inbound::Limits {
    let all = inbound(config).limits;
    let &SourceLimits { document_bytes, attachment_bytes, attachments } = &source.limits;
    dds_inbound::Limits {
        document_bytes: document_bytes.unwrap_or(all.document_bytes),
        attachment_bytes: attachment_bytes.unwrap_or(all.attachment_bytes),
        attachments: attachments.map_or(all.attachments, |count| count as usize),
        ..all
    }
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
    let mail = config.smtp.as_ref().map(relay);
    let tls = dds_outbound::TlsOptions { extra_roots: roots, ..dds_outbound::TlsOptions::default() };
    Ok(dds_outbound::Options { tls, mail, base: base.to_owned(), ..dds_outbound::Options::default() })
}

fn relay(smtp: &SmtpConfig) -> dds_outbound::MailRelay {
    // `ca` is trusted beside the authorities of other targets.
    let SmtpConfig { host, port, tls, user, secret, from, ca: _, max_bytes } = smtp;
    dds_outbound::MailRelay {
        host: host.clone(),
        port: *port,
        security: match tls {
            SmtpTls::Starttls => dds_outbound::MailSecurity::StartTls,
            SmtpTls::Implicit => dds_outbound::MailSecurity::Tls,
            SmtpTls::None => dds_outbound::MailSecurity::Plain,
        },
        account: user.clone().zip(secret.clone()),
        from: from.clone(),
        own_name: from.rsplit_once('@').map_or("localhost", |(_, domain)| domain).to_owned(),
        silence: Duration::from_secs(60),
        max_bytes: *max_bytes,
    }
}

pub(super) fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(file).map_err(|error| Failure::new(Code::CONFIG_SYNTAX, file_error(file, &error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever starts a part without configuration, as tests and benchmarks do, gets what operators get.
    #[test]
    fn an_empty_configuration_is_what_each_part_does_by_default() {
        let config = ProcessConfig::default();
        assert_eq!(inbound(&config), dds_inbound::Options::default());
        assert_eq!(http(&config), HttpLimits::default());
        let text = |options: &dyn std::fmt::Debug| format!("{options:?}");
        assert_eq!(text(&pool(&config)), text(&PoolOptions::default()));
        assert_eq!(text(&delivery(&config)), text(&dds_delivery::Options::default()));
        assert_eq!(text(&router(&config)), text(&dds_router::Options::default()));
    }

    #[test]
    fn what_the_configuration_says_reaches_the_part_it_is_for() {
        let text = "
            [listen]
            public_url = \"https://drehscheibe.example\"
            [limits]
            headers = 17
            [worker]
            processes = 3
            output_bytes = 5000
            [delivery]
            drain = \"5s\"
            [smtp]
            host = \"relay.example\"
            port = 25
            from = \"dienst@stadt.example\"
            max_bytes = 2000
        ";
        let config = ProcessConfig::parse("drehscheibe.toml", text.as_bytes()).unwrap();
        let pool = pool(&config);
        assert_eq!((pool.processes, pool.budget.output_bytes), (3, 5000));
        assert_eq!((http(&config).headers, http(&config).drain_seconds), (17, 5));
        let inbound = inbound(&config);
        let public_url = inbound.public_url.as_deref();
        assert_eq!((inbound.headers, public_url), (17, Some("https://drehscheibe.example")));
        let five = Duration::from_secs(5);
        assert_eq!((router(&config).grace, delivery(&config).grace), (five, five));
        assert_eq!(relay(config.smtp.as_ref().unwrap()).max_bytes, 2000);
    }
}
