//! `drehscheibe key`: the master key.

use std::{process::ExitCode, sync::Arc};

use dds_message::{Clock, Code, Problem};
use dds_store::{
    MasterKey,
    sqlite::{Options, SqliteStore},
};
use dds_telemetry::SystemClock;

use crate::{Failure, cli::KeyChange, node, output::Output};

/// A fresh master key.
pub(crate) fn make(output: Output) -> Result<ExitCode, Failure> {
    let key = MasterKey::generate()?.to_hex();
    output.line(key.as_str());
    output.result(&serde_json::json!({ "key": key.as_str() }))?;
    Ok(ExitCode::SUCCESS)
}

/// Puts the store under another master key. The router must be stopped: it holds the store, and its configuration is
/// to name the new key before it starts again.
pub(crate) async fn change(options: &KeyChange, output: Output) -> Result<ExitCode, Failure> {
    let config = super::settings(&options.settings.config)?;
    let new = node::master_key(&options.to)?;
    if !SqliteStore::exists(&config.store) {
        let folder = config.store.display();
        let text = (format!("in {folder} ist keine Ablage"), format!("there is no store in {folder}"));
        return Err(Problem::new(Code::FILE_UNUSABLE, text).into());
    }
    let current = || node::master_key(&config.master_key);
    if current()?.to_hex() == new.to_hex() {
        return Err(Failure::argument((
            "die Ablage steht schon unter diesem Schlüssel",
            "that is the key the store stands under already",
        )));
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = SqliteStore::open(Options::new(&config.store, current()?, clock))?;
    store.change_master_key(current()?, new).await?;
    // Closing overwrites what the former key had wrapped.
    drop(store);
    output.line(output.pick(
        "Die Ablage öffnet sich nur noch mit dem neuen Hauptschlüssel. Vor dem Start: master_key in drehscheibe.toml \
         auf ihn zeigen lassen. Den bisherigen für die Sicherungen von früher aufbewahren.",
        "The store opens with the new master key only. Before the start: have master_key in drehscheibe.toml name it. \
         Keep the former one for the backups made before.",
    ));
    output.result(&serde_json::json!({ "master_key": options.to.to_string() }))?;
    Ok(ExitCode::SUCCESS)
}
