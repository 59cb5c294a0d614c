//! `drehscheibe key`: the master key.

use std::{process::ExitCode, sync::Arc};

use dds_depot::SecretRef;
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

/// A reference to a key; what is none may be the key itself, and is not repeated.
fn reference(text: &str) -> Result<SecretRef, Failure> {
    let wrong = |_| {
        Failure::argument((
            "ein Schlüssel wird mit env:NAME oder file:PFAD benannt, nie hingeschrieben",
            "a key is named by env:NAME or file:PATH, never written down",
        ))
    };
    text.to_owned().try_into().map_err(wrong)
}

/// Puts the store under another master key. The router must be stopped: it holds the store, and its configuration is
/// to name the new key before it starts again.
pub(crate) async fn change(options: &KeyChange, output: Output) -> Result<ExitCode, Failure> {
    let config = super::settings(&options.settings.config)?;
    let to = reference(&options.to)?;
    let from =
        options.from.as_deref().map(reference).transpose()?.unwrap_or_else(|| config.master_key.clone());
    let (present, new) = (|| node::master_key(&from), node::master_key(&to)?);
    if !SqliteStore::exists(&config.store) {
        let folder = config.store.display();
        let text = (format!("in {folder} ist keine Ablage"), format!("there is no store in {folder}"));
        return Err(Problem::new(Code::FILE_UNUSABLE, text).into());
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = SqliteStore::open(Options::new(&config.store, present()?, clock))?;
    if present()?.to_hex() == new.to_hex() {
        return Err(Failure::argument((
            "die Ablage steht schon unter diesem Schlüssel",
            "that is the key the store stands under already",
        )));
    }
    store.change_master_key(present()?, new).await?;
    // Once it is closed, nothing wrapped by the former key is left.
    drop(store);
    output.line(output.pick(
        "Die Ablage öffnet sich nur noch mit dem neuen Hauptschlüssel. Vor dem Start: master_key in drehscheibe.toml \
         auf ihn zeigen lassen. Den bisherigen für die Sicherungen von früher aufbewahren.",
        "The store opens with the new master key only. Before the start: have master_key in drehscheibe.toml name it. \
         Keep the former one for the backups made before.",
    ));
    output.result(&serde_json::json!({ "master_key": to.to_string() }))?;
    Ok(ExitCode::SUCCESS)
}
