//! TLS of the listeners, renewed while they listen: when the files change, or at once on SIGHUP.

use std::{sync::Arc, time::Duration};

use dds_config::{TlsConfig, certificate_end};
use dds_inbound::{Tls, TlsError};
use dds_message::{Clock, Code, Timestamp};
use dds_telemetry::Telemetry;
use tokio::{signal::unix::Signal, sync::watch};

use super::options::read;
use crate::Failure;

/// How often the files are looked at.
const PAUSE: Duration = Duration::from_secs(60);

/// What lies in the files of `[listen.tls]`.
#[derive(PartialEq, Eq)]
struct Files {
    chain: Vec<u8>,
    key: zeroize::Zeroizing<Vec<u8>>,
    authorities: Option<Vec<u8>>,
}

impl Files {
    fn read(config: &TlsConfig) -> Result<Self, Failure> {
        Ok(Self {
            chain: read(&config.certificate)?,
            key: read(&config.key)?.into(),
            authorities: config.client_ca.as_deref().map(read).transpose()?,
        })
    }
}

/// The certificate that is served, and the files it came from.
pub(super) struct Certificates {
    config: TlsConfig,
    telemetry: Telemetry,
    clock: Arc<dyn Clock>,
    tls: Tls,
    /// When the certificate that is served ends.
    end: Option<Timestamp>,
    /// What was last read, whether it could be used or not.
    seen: Files,
}

/// What came of a look at the files.
#[derive(Debug)]
enum Look {
    Unchanged,
    Renewed,
    /// What was served is served on.
    Refused(Failure),
}

impl Certificates {
    /// Reads the files. `DDS-C001` if they cannot be used.
    pub(super) fn open(
        config: &TlsConfig,
        telemetry: &Telemetry,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, Failure> {
        let seen = Files::read(config)?;
        let tls = Tls::from_pem(&seen.chain, &seen.key, seen.authorities.as_deref()).map_err(unusable)?;
        let end = certificate_end(&seen.chain);
        let (telemetry, clock) = (telemetry.clone(), Arc::clone(clock));
        let this = Self { config: config.clone(), telemetry, clock, tls, end, seen };
        this.tell();
        Ok(this)
    }

    /// For the listeners.
    pub(super) fn tls(&self) -> Tls {
        self.tls.clone()
    }

    /// Takes up renewed files until `ended`. What cannot be used is told once (a missing file at each look), and the
    /// old certificate stays.
    pub(super) async fn follow(mut self, mut hangup: Signal, mut ended: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                _ = hangup.recv() => {}
                _ = ended.changed() => return,
            }
            match self.look() {
                Look::Unchanged => {}
                Look::Renewed => tracing::info!("tls.renewed"),
                Look::Refused(Failure { problem, .. }) => {
                    tracing::error!(code = %problem.code, detail = %problem.detail, "tls.not_renewed");
                }
            }
        }
    }

    fn look(&mut self) -> Look {
        let found = match Files::read(&self.config) {
            Ok(found) if found == self.seen => return Look::Unchanged,
            Ok(found) => found,
            Err(failure) => return Look::Refused(failure),
        };
        let (now, end) = (self.clock.now(), certificate_end(&found.chain));
        // An old file put back by mistake, or a renewal that failed: what is served still counts.
        if let Some(ended) = end.filter(|end| *end < now)
            && self.end.is_some_and(|end| end >= now)
        {
            self.seen = found;
            return Look::Refused(expired(ended));
        }
        let renewed = self.tls.renew(&found.chain, &found.key, found.authorities.as_deref());
        self.seen = found;
        match renewed {
            Ok(()) => {
                self.end = end;
                self.tell();
                Look::Renewed
            }
            Err(error) => Look::Refused(unusable(error)),
        }
    }

    fn tell(&self) {
        if let Some(end) = self.end {
            self.telemetry.metrics().certificate("listen.tls", end);
        }
    }
}

fn expired(ended: Timestamp) -> Failure {
    let day = ended.day();
    let text = (
        format!("[listen.tls]: das neue Zertifikat ist am {day} abgelaufen; das bisherige bleibt"),
        format!("[listen.tls]: the new certificate expired on {day}; the present one stays"),
    );
    Failure::new(Code::CERTIFICATE_EXPIRES, text)
}

fn unusable(error: TlsError) -> Failure {
    let text = (
        format!("[listen.tls]: Zertifikat oder Schlüssel sind nicht zu gebrauchen (Meldung: „{error}“)"),
        format!("[listen.tls]: {error}"),
    );
    Failure::new(Code::CONFIG_SYNTAX, text)
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use dds_testbench::ManualClock;

    use super::*;

    fn write(folder: &Path, year: i32) {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut parameters = rcgen::CertificateParams::new(vec!["drehscheibe.example".to_owned()]).unwrap();
        parameters.not_after = rcgen::date_time_ymd(year, 1, 1);
        fs::write(folder.join("server.pem"), parameters.self_signed(&key).unwrap().pem()).unwrap();
        fs::write(folder.join("server.key"), key.serialize_pem()).unwrap();
    }

    struct World {
        folder: tempfile::TempDir,
        telemetry: Telemetry,
        now: ManualClock,
        certificates: Certificates,
    }

    impl World {
        /// Where a certificate is served that ends in 2040.
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let (certificate, key) = (folder.path().join("server.pem"), folder.path().join("server.key"));
            let config = TlsConfig { certificate, key, client_ca: None };
            let (telemetry, now) = (Telemetry::default(), ManualClock::default());
            write(folder.path(), 2040);
            let clock: Arc<dyn Clock> = Arc::new(now.clone());
            let certificates = Certificates::open(&config, &telemetry, &clock).unwrap();
            Self { folder, telemetry, now, certificates }
        }
    }

    fn until(telemetry: &Telemetry) -> String {
        let page = telemetry.metrics().page(&dds_telemetry::Gauges::default()).unwrap();
        let line =
            page.lines().find_map(|line| line.strip_prefix("dds_certificate_not_after_seconds{")).unwrap();
        line.to_owned()
    }

    #[test]
    fn renewed_files_are_taken_up_and_damaged_ones_are_not() {
        let World { folder, telemetry, mut certificates, .. } = World::new();
        let file = |name: &str| folder.path().join(name);
        assert_eq!(until(&telemetry), "served=\"listen.tls\"} 2208988800");
        assert!(matches!(certificates.look(), Look::Unchanged));

        write(folder.path(), 2041);
        assert!(matches!(certificates.look(), Look::Renewed));
        assert_eq!(until(&telemetry), "served=\"listen.tls\"} 2240611200");

        // A key of another certificate, as between the copying of one file and of the other.
        let fitting = fs::read(file("server.key")).unwrap();
        fs::write(file("server.key"), rcgen::KeyPair::generate().unwrap().serialize_pem()).unwrap();
        let Look::Refused(failure) = certificates.look() else { panic!("a key that does not fit") };
        assert_eq!(failure.problem.code, Code::CONFIG_SYNTAX);
        assert!(matches!(certificates.look(), Look::Unchanged), "told once");
        assert_eq!(until(&telemetry), "served=\"listen.tls\"} 2240611200");
        fs::write(file("server.key"), fitting).unwrap();
        assert!(matches!(certificates.look(), Look::Renewed));

        fs::write(file("server.pem"), "-----BEGIN CERTIFICATE-----").unwrap();
        assert!(matches!(certificates.look(), Look::Refused(_)));
        fs::remove_file(file("server.pem")).unwrap();
        assert!(matches!(certificates.look(), Look::Refused(_)));
    }

    #[test]
    fn an_expired_certificate_does_not_take_the_place_of_a_valid_one() {
        let World { folder, telemetry, now, mut certificates } = World::new();
        write(folder.path(), 2025);
        let Look::Refused(failure) = certificates.look() else { panic!("it expired") };
        assert_eq!(failure.problem.code, Code::CERTIFICATE_EXPIRES);
        assert!(failure.problem.detail.german.contains("2025-01-01"), "{:?}", failure.problem);
        assert_eq!(until(&telemetry), "served=\"listen.tls\"} 2208988800");
        assert!(matches!(certificates.look(), Look::Unchanged), "told once");

        // Where none counts any more, the later one is the better.
        now.set(Timestamp::parse("2042-01-01T00:00:00Z").unwrap());
        write(folder.path(), 2041);
        assert!(matches!(certificates.look(), Look::Renewed));
    }
}
