//! A small configuration of its own around a real `drehscheibe serve`: one city, one office, two simulated systems.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use dds_message::Digest;
use dds_testbench::{Answered, Client, FachverfahrenSim, Interface, PushOptions, free_port, whole};
use hyper::Request;
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

use super::{Said, command, copy, root};

/// City of the fixtures of `hundesteuer`.
pub(crate) const CITY: &str = "146120000000";
/// Token of the source. It protects nothing: all of it lives on loopback in a temporary folder.
pub(crate) const TOKEN: &str = "pruef-token";
const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
/// A slow machine may take long; a test that waits so long has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Everything around the router.
pub(crate) struct Stage {
    folder: TempDir,
    rest: SocketAddr,
    admin: SocketAddr,
    /// Fachverfahren and DMS of the city.
    pub(crate) systems: FachverfahrenSim,
}

impl Stage {
    /// Writes configuration and key, starts the simulators.
    pub(crate) async fn new() -> Self {
        let folder = TempDir::with_prefix("drehscheibe-serve-").unwrap();
        let options = PushOptions {
            token: Some(TOKEN.to_owned()),
            keep_documents: true,
            ..PushOptions::new(Interface::Any)
        };
        let systems = FachverfahrenSim::start(options).await.unwrap();
        let stage = Self { folder, rest: free_port().unwrap(), admin: free_port().unwrap(), systems };
        copy(&root().join("rules"), &stage.path("rules"));
        stage.write_config();
        stage
    }

    fn write_config(&self) {
        let write = |path: &str, text: String| {
            let file = self.path(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        };
        let secret = self.path("token");
        write("token", TOKEN.to_owned());
        write("master.key", KEY.to_owned());
        write("config/catalogue.toml", fs::read_to_string(root().join("config/catalogue.toml")).unwrap());
        write(
            "config/drehscheibe.toml",
            format!(
                "node = \"pruefung\"\nrules = \"../rules\"\nreleases = \"../releases\"\nstore = \"../store\"\n\
                 master_key = \"file:{}\"\n[listen]\nrest = \"{}\"\nadmin = \"{}\"\n[worker]\nprocesses = 1\n\
                 [telemetry]\nlog = \"warn\"\n",
                self.path("master.key").display(),
                self.rest,
                self.admin,
            ),
        );
        write(
            "config/sources/pruefportal.toml",
            format!(
                "id = \"pruefportal\"\nname = \"Prüfportal\"\ntokens = [\"{}\"]\nprocedures = [\"*\"]\n\
                 municipalities = [\"*\"]\nanswers = {{ kind = \"fetch\" }}\n",
                Digest::of(TOKEN.as_bytes()),
            ),
        );
        write(
            "config/profiles/stadt.toml",
            "title = \"Stadt\"\n[office.steueramt]\nname = \"Steueramt\"\nprocedures = [\"hundesteuer\"]\n\
             fachverfahren = \"fv-steuerwerk@3.2\"\ndms = \"dms-dokuma@6.0\"\n"
                .to_owned(),
        );
        write(
            &format!("config/municipalities/{CITY}-dresden.toml"),
            format!(
                "ars = \"{CITY}\"\nname = \"Dresden, Stadt\"\nprofile = \"stadt\"\nendpoint = \"{}\"\n\
                 secret = \"file:{}\"\n",
                self.systems.url(),
                secret.display(),
            ),
        );
    }

    /// A file of the stage.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// The router's configuration.
    pub(crate) fn config(&self) -> PathBuf {
        self.path("config/drehscheibe.toml")
    }

    /// `drehscheibe <arguments> --config <file> --language en`.
    pub(crate) fn ask(&self, arguments: &[&str]) -> Said {
        let mut command = command(arguments);
        command.arg("--config").arg(self.config()).args(["--language", "en"]);
        command.output().unwrap().into()
    }

    /// `drehscheibe send` of a document; the answer as JSON after success.
    pub(crate) fn send(&self, document: &Path) -> Said {
        let to = format!("http://{}", self.rest);
        let mut command = command(["send", "--json", "--to", &to]);
        command.arg(document).env("DDS_TOKEN", TOKEN).output().unwrap().into()
    }

    /// Sends the ordinary fixture with a message id and case of its own; the id the router gave.
    #[track_caller]
    pub(crate) fn send_variant(&self, variant: u32) -> String {
        let text = fs::read_to_string(root().join("fixtures/hundesteuer/gewoehnlich.xml")).unwrap();
        let text = text.replace("40f40</nachrichtenId>", &format!("4{variant:04}</nachrichtenId>"));
        let text = text.replace("HST-2026-000117", &format!("HST-2026-9{variant:05}"));
        let file = self.path(&format!("variant-{variant}.xml"));
        fs::write(&file, text).unwrap();
        let answer = self.send(&file).good().json();
        answer["id"].as_str().unwrap().to_owned()
    }

    /// GET of a path of the operations listener; `None` while nobody listens.
    pub(crate) async fn operations(&self, path: &str) -> Option<Answered> {
        let request = Request::get(path).body(whole("")).unwrap();
        let answer = async { Client::new(self.admin).send(request).await };
        tokio::time::timeout(Duration::from_secs(5), answer).await.ok()?.ok()
    }

    /// POST of a document over REST; `None` if nobody answers.
    pub(crate) async fn post(&self, document: &str) -> Option<Answered> {
        let request = Request::post("/v1/messages")
            .header("authorization", format!("Bearer {TOKEN}"))
            .header("content-type", "application/xml")
            .body(whole(document.to_owned()))
            .unwrap();
        Client::new(self.rest).send(request).await.ok()
    }

    /// What its sender is told about a message.
    pub(crate) async fn status(&self, message: &str) -> Value {
        let request = Request::get(format!("/v1/messages/{message}"))
            .header("authorization", format!("Bearer {TOKEN}"))
            .body(whole(""))
            .unwrap();
        Client::new(self.rest).send(request).await.unwrap().success().unwrap().json()
    }

    /// Socket of REST.
    pub(crate) const fn rest(&self) -> SocketAddr {
        self.rest
    }

    /// Address of REST.
    pub(crate) fn rest_url(&self, scheme: &str) -> String {
        format!("{scheme}://{}", self.rest)
    }

    /// Address of the operations listener.
    pub(crate) fn admin(&self) -> String {
        format!("http://{}", self.admin)
    }

    /// `explain --json` once the message is in that state.
    pub(crate) async fn until(&self, message: &str, state: &str) -> Value {
        let look = async {
            let mut tick = tokio::time::interval(Duration::from_millis(50));
            loop {
                tick.tick().await;
                let story = self.ask(&["explain", "--json", message]).good().json();
                if story["message"]["state"] == state {
                    return story;
                }
            }
        };
        match tokio::time::timeout(PATIENCE, look).await {
            Ok(story) => story,
            Err(_) => panic!("not {state}: {:?}", self.ask(&["explain", message])),
        }
    }
}

/// A running `drehscheibe serve`; killed when dropped.
pub(crate) struct Router(Child);

impl Router {
    /// Starts it and waits until it is ready.
    pub(crate) async fn start(stage: &Stage) -> Self {
        Self::start_with(stage, &[]).await
    }

    /// The same with further arguments.
    pub(crate) async fn start_with(stage: &Stage, arguments: &[&str]) -> Self {
        Self::start_logging(stage, arguments, Stdio::inherit()).await
    }

    /// The same with its log somewhere else.
    pub(crate) async fn start_logging(stage: &Stage, arguments: &[&str], log: impl Into<Stdio>) -> Self {
        let mut command = Command::from(command(["serve"]));
        command.args(arguments);
        command.arg("--config").arg(stage.config()).stdin(Stdio::null()).stdout(Stdio::null());
        let mut child = command.stderr(log).kill_on_drop(true).spawn().unwrap();
        let ready = async {
            let mut tick = tokio::time::interval(Duration::from_millis(20));
            loop {
                tick.tick().await;
                if let Some(status) = child.try_wait().unwrap() {
                    panic!("the router ended at once: {status}");
                }
                if stage.operations("/ready").await.is_some_and(|answer| answer.status.is_success()) {
                    return;
                }
            }
        };
        tokio::time::timeout(PATIENCE, ready).await.expect("ready in time");
        Self(child)
    }

    /// What it prints when it is ready; it ends then.
    pub(crate) async fn first_line(stage: &Stage, arguments: &[&str]) -> String {
        let mut command = Command::from(command(["serve"]));
        command.arg("--config").arg(stage.config()).args(["--language", "en"]).args(arguments);
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut lines = std::pin::pin!(lines);
        tokio::time::timeout(PATIENCE, lines.next_line()).await.expect("a line in time").unwrap().unwrap()
    }

    /// A line of its limits, as the kernel holds them.
    pub(crate) fn limit(&self, of: &str) -> String {
        let limits = fs::read_to_string(format!("/proc/{}/limits", self.0.id().unwrap())).unwrap();
        limits.lines().find(|line| line.starts_with(of)).unwrap_or_default().to_owned()
    }

    /// Process ids of its workers.
    pub(crate) async fn workers(&self) -> Vec<String> {
        let id = self.0.id().unwrap().to_string();
        let found = Command::new("pgrep").args(["-P", &id]).output().await.unwrap();
        String::from_utf8(found.stdout).unwrap().lines().map(str::to_owned).collect()
    }

    /// SIGTERM; the exit code of the orderly end.
    pub(crate) async fn terminate(mut self) -> Option<i32> {
        self.signal().await;
        self.ended().await
    }

    /// kill -9: no handler runs, nothing is flushed.
    pub(crate) async fn kill(mut self) {
        self.0.kill().await.unwrap();
    }

    /// SIGTERM alone.
    pub(crate) async fn signal(&self) {
        self.send("-TERM").await;
    }

    /// SIGHUP.
    pub(crate) async fn hang_up(&self) {
        self.send("-HUP").await;
    }

    async fn send(&self, signal: &str) {
        let id = self.0.id().unwrap().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().await.unwrap().success());
    }

    /// Waits for its end; `None` if a signal ended it.
    pub(crate) async fn ended(&mut self) -> Option<i32> {
        tokio::time::timeout(PATIENCE, self.0.wait()).await.expect("an end in time").unwrap().code()
    }
}
