//! The stage of demo, bench and crash tests: a temporary folder with configuration, release and key, and simulators
//! for every system a message can reach. The router itself runs as a process of its own, exactly as in operation.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use dds_config::{ProcessConfig, ReleaseStore, SmtpConfig, SmtpTls, SourcePaths};
use dds_depot::{Allow, Answers, Contents, Filed, Release, SecretRef, Source, SourceLimits};
use dds_message::{Clock, Digest, SourceId};
use dds_store::MasterKey;
use dds_telemetry::SystemClock;
use dds_testbench::{
    CallbackSim, FachverfahrenSim, FolderSim, MailOptions, MailServerSim, PortalSim, PushOptions,
};
use tempfile::TempDir;

use super::osci::{OsciOptions, OsciStage};
use crate::Failure;

/// Token of every simulated system. It protects nothing: all of it lives on loopback in a temporary folder.
pub(crate) const TOKEN: &str = "demo";
/// Portal that fetches its answers.
pub(crate) const PORTAL: &str = "demo-portal";
/// Form server that takes answers by callback.
pub(crate) const FORM_SERVER: &str = "demo-formserver";
/// Fachverfahren that answers.
pub(crate) const ANSWERING: &str = "demo-fachverfahren";

/// Token of the portal, form server and answering system: one each, so that the router can tell them apart.
pub(crate) fn token_of(source: &str) -> String {
    format!("token-{source}")
}

/// Everything around the router.
pub(crate) struct Stage {
    folder: TempDir,
    /// Configuration of the router process.
    pub(crate) config: ProcessConfig,
    /// File of that configuration.
    pub(crate) config_file: PathBuf,
    /// The release on stage.
    pub(crate) release: Release,
    /// Systems with REST or SOAP, each with its own address below one server.
    pub(crate) systems: FachverfahrenSim,
    /// Mail server.
    pub(crate) mail: MailServerSim,
    /// Callback of the form server.
    pub(crate) callback: CallbackSim,
    /// OSCI partners; only where they were asked for.
    pub(crate) osci: Option<OsciStage>,
    /// Transfer folders that deliveries go to, one per area.
    pub(crate) transfer: PathBuf,
}

/// What may differ between stages.
#[derive(Debug, Clone, Default)]
pub(crate) struct StageOptions {
    /// Log filter of the router process.
    pub(crate) log: Option<String>,
    /// Simulated systems keep whole documents.
    pub(crate) keep_documents: bool,
    /// How OSCI takes part, if it does.
    pub(crate) osci: Option<OsciOptions>,
}

impl Stage {
    /// Builds the stage from rules and configuration on disk, with every address turned to a simulator.
    pub(crate) async fn build(sources: &SourcePaths, options: StageOptions) -> Result<Self, Failure> {
        let built = dds_config::read_release(sources)?;
        Self::around(&built, options).await
    }

    /// Builds the stage around a release, with every address turned to a simulator.
    pub(crate) async fn around(built: &Release, options: StageOptions) -> Result<Self, Failure> {
        let folder = TempDir::with_prefix("drehscheibe-").map_err(failed)?;
        let systems = FachverfahrenSim::start(PushOptions {
            token: Some(TOKEN.to_owned()),
            keep_documents: options.keep_documents,
            ..PushOptions::new(dds_testbench::Interface::Any)
        });
        let systems = systems.await.map_err(failed)?;
        let mail = MailServerSim::start(MailOptions::default()).await.map_err(failed)?;
        let callback = PortalSim::callback(Some(TOKEN.to_owned())).await.map_err(failed)?;
        let transfer = folder.path().join("transfer");
        fs::create_dir_all(&transfer).map_err(failed)?;
        let token = folder.path().join("token");
        fs::write(&token, TOKEN).map_err(failed)?;

        let mut contents = built.contents().clone();
        turn_to_simulators(&mut contents, &systems.url(), &transfer, &token)?;
        add_sources(&mut contents, &callback.url(), &token)?;
        let mut config = process_config(folder.path(), mail.address(), &options)?;
        let osci = match &options.osci {
            Some(osci) => Some(OsciStage::set(folder.path(), &mut config, &mut contents, osci).await?),
            None => None,
        };
        let release = Release::build(contents, built.files().clone())?;
        // The router makes none.
        if let Some(inbox) = &config.folders.inbox {
            for name in release.sources().filter_map(|source| source.folder.as_ref()) {
                fs::create_dir_all(inbox.join(name)).map_err(failed)?;
            }
        }

        let config_file = folder.path().join("drehscheibe.toml");
        let text = toml::to_string(&config).map_err(Failure::unexpected)?;
        fs::write(&config_file, text).map_err(failed)?;
        let releases = ReleaseStore::new(&config.releases);
        releases.save(&release, SystemClock.now())?;
        releases.activate(&release)?;
        Ok(Self { folder, config, config_file, release, systems, mail, callback, osci, transfer })
    }

    /// The temporary folder; removed with the stage.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Address of REST, SOAP and mailbox.
    pub(crate) const fn rest(&self) -> SocketAddr {
        self.config.listen.rest
    }

    /// Address of the operations listener.
    pub(crate) const fn admin(&self) -> SocketAddr {
        self.config.listen.admin
    }

    /// The drop folder of the form server.
    pub(crate) fn inbox(&self) -> PathBuf {
        self.folder().join("eingang").join(FORM_SERVER)
    }

    /// Readers of all drop folders that have appeared so far; `known` holds those seen before.
    pub(crate) fn folders(&self, known: &mut Vec<Arc<FolderSim>>) -> Result<(), Failure> {
        for entry in fs::read_dir(&self.transfer).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.is_dir() && !known.iter().any(|one| one.folder() == path) {
                known.push(Arc::new(FolderSim::new(path).map_err(failed)?));
            }
        }
        Ok(())
    }
}

fn process_config(folder: &Path, mail: SocketAddr, options: &StageOptions) -> Result<ProcessConfig, Failure> {
    let key = MasterKey::generate()?;
    let key_file = folder.join("master.key");
    fs::write(&key_file, key.to_hex().as_bytes()).map_err(failed)?;
    let mut config = ProcessConfig {
        node: "demo".to_owned(),
        store: folder.join("store"),
        releases: folder.join("releases"),
        master_key: SecretRef::File(key_file.display().to_string()),
        ..ProcessConfig::default()
    };
    config.listen.rest = dds_testbench::free_port().map_err(failed)?;
    config.listen.admin = dds_testbench::free_port().map_err(failed)?;
    config.folders.inbox = Some(folder.join("eingang"));
    config.folders.interval = dds_depot::Span(std::time::Duration::from_secs(1));
    // That its store is a new one is no warning here.
    config.telemetry.log =
        options.log.clone().unwrap_or_else(|| "warn,dds_store::sqlite::schema=error".to_owned());
    config.smtp = Some(SmtpConfig {
        host: "127.0.0.1".to_owned(),
        port: mail.port(),
        tls: SmtpTls::None,
        user: None,
        secret: None,
        from: "drehscheibe@demo.example".to_owned(),
        ca: None,
        max_bytes: 25 << 20,
    });
    Ok(config)
}

/// Endpoints, folders and tokens of all areas and offices lead to the simulators; nothing else changes.
fn turn_to_simulators(
    contents: &mut Contents,
    systems: &str,
    transfer: &Path,
    token: &Path,
) -> Result<(), Failure> {
    let secret = SecretRef::File(token.display().to_string());
    for area in &mut contents.municipalities {
        let ars = area.value.ars;
        area.value.endpoint = Some(format!("{systems}/{ars}"));
        // A drop folder belongs to the target; the router writes into it but never makes it.
        let folder = transfer.join(ars.as_str());
        fs::create_dir_all(&folder).map_err(failed)?;
        area.value.folder = Some(folder.display().to_string());
        area.value.secret = Some(secret.clone());
        area.value.mail = Some(format!("poststelle-{ars}@demo.example"));
        for office in area.value.offices.values_mut() {
            office.endpoint = None;
            office.folder = None;
            office.secret = None;
            office.mail_address = None;
        }
    }
    Ok(())
}

fn add_sources(contents: &mut Contents, callback: &str, token: &Path) -> Result<(), Failure> {
    let everything = || Allow(vec!["*".to_owned()]);
    for (name, may_answer) in [(PORTAL, false), (FORM_SERVER, false), (ANSWERING, true)] {
        let id = SourceId::parse(name).map_err(Failure::unexpected)?;
        let answers = if name == FORM_SERVER {
            Answers::Callback {
                url: format!("{callback}/antworten"),
                secret: Some(SecretRef::File(token.display().to_string())),
            }
        } else {
            Answers::Fetch
        };
        let value = Source {
            author: dds_depot::AuthorRule::default(),
            id,
            name: format!("{name} (simuliert)"),
            tokens: vec![Digest::of(token_of(name).as_bytes())],
            certificates: Vec::new(),
            procedures: everything(),
            municipalities: everything(),
            may_answer,
            mailboxes: Allow::default(),
            answers,
            folder: (name == FORM_SERVER).then(|| FORM_SERVER.to_owned()),
            limits: SourceLimits::default(),
        };
        contents.sources.push(Filed { file: format!("config/sources/{name}.toml"), value });
    }
    Ok(())
}

/// Something of the stage itself failed: a folder, a port, a simulator.
pub(crate) fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::unexpected(error)
}
