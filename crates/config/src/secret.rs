//! Secrets, named by reference and read when they are needed.

use dds_depot::SecretRef;
use dds_message::{Code, Problem};

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

#[cfg(test)]
mod tests {
    use super::*;

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
