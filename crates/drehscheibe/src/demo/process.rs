//! The router as a process of its own: started, asked, killed.

use std::{path::PathBuf, process::Stdio, time::Duration};

use dds_testbench::{Client, whole};
use tokio::process::{Child, Command};

use super::stage::{Stage, failed};
use crate::Failure;

/// A running `drehscheibe serve`.
pub(crate) struct RouterProcess {
    child: Child,
}

impl RouterProcess {
    /// Starts the router of `stage` and waits until it is ready.
    pub(crate) async fn start(stage: &Stage) -> Result<Self, Failure> {
        let program = std::env::current_exe().map_err(failed)?;
        let mut this = Self { child: spawn(&program, stage)? };
        this.until_ready(stage).await?;
        Ok(this)
    }

    async fn until_ready(&mut self, stage: &Stage) -> Result<(), Failure> {
        // A slow disk or a busy machine may need a while; a router that cannot start ends by itself.
        for _ in 0..3_000 {
            if let Some(status) = self.child.try_wait().map_err(failed)? {
                return Err(Failure::internal((
                    format!("die Datendrehscheibe endete sofort: {status}"),
                    format!("the router ended at once: {status}"),
                )));
            }
            if is_ready(stage).await {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Err(Failure::internal((
            "die Datendrehscheibe ist nach einer Minute nicht bereit",
            "the router is not ready after a minute",
        )))
    }

    /// Process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id().unwrap_or(0)
    }

    /// kill -9: no handler runs, nothing is flushed.
    pub(crate) async fn kill(mut self) -> Result<(), Failure> {
        self.child.kill().await.map_err(failed)
    }

    /// SIGTERM, then waits for the orderly end.
    pub(crate) async fn stop(mut self) -> Result<(), Failure> {
        if let Some(id) = self.child.id() {
            let ended =
                Command::new("kill").arg("-TERM").arg(id.to_string()).status().await.map_err(failed)?;
            if !ended.success() {
                return Err(Failure::internal((
                    "die Datendrehscheibe nimmt kein Signal an",
                    "cannot signal the router",
                )));
            }
        }
        match tokio::time::timeout(Duration::from_secs(60), self.child.wait()).await {
            Ok(status) if status.as_ref().is_ok_and(|status| status.success()) => Ok(()),
            Ok(status) => Err(Failure::internal((
                format!("die Datendrehscheibe endete mit {status:?}"),
                format!("the router ended with {status:?}"),
            ))),
            Err(_) => Err(Failure::internal((
                "die Datendrehscheibe endete nicht innerhalb einer Minute",
                "the router did not end within a minute",
            ))),
        }
    }
}

fn spawn(program: &PathBuf, stage: &Stage) -> Result<Child, Failure> {
    let mut command = Command::new(program);
    command.arg("serve").arg("--config").arg(&stage.config_file).stdin(Stdio::null()).stdout(Stdio::null());
    // In a group of its own: Ctrl-C at the terminal ends the demo, which then ends the router in order.
    command.process_group(0).kill_on_drop(true).spawn().map_err(failed)
}

async fn is_ready(stage: &Stage) -> bool {
    let Ok(request) = hyper::Request::get("/ready").body(whole("")) else { return false };
    let asked = async { Client::new(stage.admin()).send(request).await };
    let answer = tokio::time::timeout(Duration::from_secs(2), asked).await;
    matches!(answer, Ok(Ok(answer)) if answer.status.is_success())
}
