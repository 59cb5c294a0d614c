//! The router as a process of its own: started, asked, killed.

use std::{process::Stdio, time::Duration};

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
        let mut this = Self::spawn(stage)?;
        this.until_ready(stage).await?;
        Ok(this)
    }

    /// Starts the router of `stage`. It ends in order when this process is gone, however that ended.
    pub(crate) fn spawn(stage: &Stage) -> Result<Self, Failure> {
        let program = std::env::current_exe().map_err(failed)?;
        let mut command = Command::new(program);
        command.arg("serve").arg("--config").arg(&stage.config_file).arg("--attended");
        command.stdin(Stdio::piped()).stdout(Stdio::null());
        // In a group of its own: Ctrl-C at the terminal ends the demo, which then ends the router in order.
        let child = command.process_group(0).kill_on_drop(true).spawn().map_err(failed)?;
        Ok(Self { child })
    }

    /// Waits until it accepts messages.
    pub(crate) async fn until_ready(&mut self, stage: &Stage) -> Result<(), Failure> {
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
    pub(crate) async fn kill(&mut self) -> Result<(), Failure> {
        self.child.kill().await.map_err(failed)
    }

    /// Leaves it alone, and waits for its orderly end.
    pub(crate) async fn stop(mut self) -> Result<(), Failure> {
        drop(self.child.stdin.take());
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

async fn is_ready(stage: &Stage) -> bool {
    let Ok(request) = hyper::Request::get("/ready").body(whole("")) else { return false };
    let asked = async { Client::new(stage.admin()).send(request).await };
    let answer = tokio::time::timeout(Duration::from_secs(2), asked).await;
    matches!(answer, Ok(Ok(answer)) if answer.status.is_success())
}
