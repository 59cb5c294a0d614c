//! Secrets, named by reference and read when they are needed.

use std::path::Path;

use dds_depot::{CheckFinding, SecretRef};
use dds_message::{Code, Problem};

use crate::{ProcessConfig, bounds};

/// Where systemd lays down the credentials of a service, only while it runs.
const CREDENTIALS: &str = "/run/credentials/";

/// Reads the secret behind a reference; white space at its ends does not count.
///
/// # Errors
/// DDS-D010, naming the reference, if the variable or file is missing or empty.
pub fn read_secret(reference: &SecretRef) -> Result<String, Problem> {
    let found = match reference {
        SecretRef::Env(name) => std::env::var(name).ok(),
        SecretRef::File(path) => std::fs::read_to_string(path).ok(),
    };
    match found.as_deref().map(str::trim) {
        Some(secret) if !secret.is_empty() => Ok(secret.to_owned()),
        _ => {
            let text = (
                format!("unter {reference} ist nichts zu finden"),
                format!("nothing found under {reference}"),
            );
            Err(Problem::new(Code::SECRET_MISSING, text))
        }
    }
}

/// A file of the master key that is not there: the process read from `file` would not start (DDS-S004). Whether an
/// environment variable or a credential of systemd is there, only the process itself sees.
#[must_use]
pub fn check_master_key(file: &Path, config: &ProcessConfig) -> Option<CheckFinding> {
    let SecretRef::File(path) = &config.master_key else { return None };
    let missing = matches!(Path::new(path).try_exists(), Ok(false)) && !path.starts_with(CREDENTIALS);
    if !missing {
        return None;
    }
    let source = std::fs::read_to_string(file).unwrap_or_default();
    let text = (
        format!("master_key: die Datei {path} gibt es nicht"),
        format!("master_key: there is no file {path}"),
    );
    let finding = CheckFinding::error(Code::KEY_MISSING, file.display().to_string(), text);
    Some(finding.at(bounds::place(&source, "master_key")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_master_key_in_a_file_that_is_not_there_is_named_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("drehscheibe.toml");
        std::fs::write(&file, "node = \"a\"\nmaster_key = \"file:master.key\"\n").unwrap();
        let config = ProcessConfig::load(&file).unwrap();
        let finding = check_master_key(&file, &config).unwrap();
        assert_eq!((finding.code, finding.line, finding.column), (Code::KEY_MISSING, 2, 14));
        assert!(finding.text.german.contains("master.key") && !finding.remedy.german.is_empty(), "{finding}");
        std::fs::write(folder.path().join("master.key"), "00").unwrap();
        assert_eq!(check_master_key(&file, &config), None);
        for other in ["env:DDS_MASTER_KEY", "file:/run/credentials/drehscheibe.service/master-key"] {
            let text = format!("master_key = \"{other}\"\n");
            let config = ProcessConfig::parse("drehscheibe.toml", text.as_bytes()).unwrap();
            assert_eq!(check_master_key(&file, &config), None);
        }
    }

    #[test]
    fn a_secret_comes_from_its_file_and_a_missing_one_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), " geheim \n").unwrap();
        let path = file.path().display().to_string();
        assert_eq!(read_secret(&SecretRef::File(path.clone())).unwrap(), "geheim");
        std::fs::write(file.path(), "\n").unwrap();
        let problem = read_secret(&SecretRef::File(path.clone())).unwrap_err();
        assert_eq!(problem.code, Code::SECRET_MISSING);
        assert!(problem.detail.english.contains(&path));
    }
}
