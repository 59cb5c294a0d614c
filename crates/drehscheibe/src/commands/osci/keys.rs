//! The cipher keys of a folder: PKCS #12 files, and PEM files in any combination of key and certificate.

use std::{ffi::OsStr, fs, io, path::Path};

use dds_osci::{
    german,
    keys::{Decrypter as _, KeyError, SoftwareKey},
};
use zeroize::Zeroizing;

use crate::output::Output;

/// What a folder held.
#[derive(Debug, Default)]
pub(super) struct Ring {
    /// Usable keys, each once.
    pub(super) keys: Vec<SoftwareKey>,
    /// File name and why its key is not used.
    problems: Vec<(String, Problem)>,
}

#[derive(Debug)]
enum Problem {
    NoPin,
    NoCertificate,
    Unusable(KeyError),
}

impl Ring {
    /// Subjects of the certificates.
    pub(super) fn subjects(&self) -> Vec<String> {
        self.keys.iter().map(|key| key.certificate().subject().to_owned()).collect()
    }

    /// A line for each key that could not be used.
    pub(super) fn problems(&self, output: Output) -> Vec<String> {
        let line = |(file, problem): &(String, Problem)| match problem {
            Problem::NoPin => {
                format!("{file}: {}", output.pick("PIN fehlt (--pin-env)", "the PIN is missing (--pin-env)"))
            }
            Problem::NoCertificate => {
                format!(
                    "{file}: {}",
                    output.pick("kein Zertifikat zum Schlüssel", "no certificate for the key")
                )
            }
            Problem::Unusable(error) => {
                let english = error.to_string();
                let german = german::of(&english).unwrap_or_else(|| english.clone());
                format!("{file}: {}", output.pick(&german, &english))
            }
        };
        self.problems.iter().map(line).collect()
    }

    fn add(&mut self, key: SoftwareKey) {
        if !self.keys.iter().any(|known| known.certificate() == key.certificate()) {
            self.keys.push(key);
        }
    }
}

struct Pem {
    stem: String,
    name: String,
    keys: Vec<Zeroizing<String>>,
    certificates: Vec<String>,
}

/// Reads every `.p12`, `.pfx`, `.pem`, `.key`, `.crt` and `.cer` file of a folder.
pub(super) fn load(folder: &Path, pin: Option<&str>) -> io::Result<Ring> {
    let mut paths: Vec<_> =
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    paths.sort();
    let (mut ring, mut files) = (Ring::default(), Vec::new());
    for path in paths {
        let text = |part: Option<&OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
        let name = text(path.file_name());
        match text(path.extension()).to_ascii_lowercase().as_str() {
            "p12" | "pfx" => match pin.map(|pin| pkcs12(&path, pin)).transpose()? {
                Some(Ok(key)) => ring.add(key),
                Some(Err(error)) => ring.problems.push((name, Problem::Unusable(error))),
                None => ring.problems.push((name, Problem::NoPin)),
            },
            "pem" | "key" | "crt" | "cer" => {
                // A DER certificate is no text; it is of no use without the key, which then lies in another file.
                let Ok(content) = String::from_utf8(fs::read(&path)?) else { continue };
                let content = Zeroizing::new(content);
                let keys = blocks(&content, "PRIVATE KEY-----").into_iter().map(Zeroizing::new).collect();
                let certificates = blocks(&content, "CERTIFICATE-----");
                files.push(Pem { stem: text(path.file_stem()), name, keys, certificates });
            }
            _ => {}
        }
    }
    pair(&files, &mut ring);
    Ok(ring)
}

fn pkcs12(path: &Path, pin: &str) -> io::Result<Result<SoftwareKey, KeyError>> {
    Ok(SoftwareKey::from_pkcs12(&Zeroizing::new(fs::read(path)?), pin))
}

/// Finds the certificate of each key; the file of the same name is tried first.
fn pair(files: &[Pem], ring: &mut Ring) {
    for file in files {
        for key in &file.keys {
            let near = files.iter().filter(|other| other.stem == file.stem);
            let far = files.iter().filter(|other| other.stem != file.stem);
            let mut outcome = Err(Problem::NoCertificate);
            for certificate in near.chain(far).flat_map(|other| &other.certificates) {
                match SoftwareKey::from_pem(key, certificate) {
                    Ok(key) => {
                        outcome = Ok(key);
                        break;
                    }
                    // An EC key does not even read as the RSA key another certificate speaks of.
                    Err(KeyError::Mismatch | KeyError::Certificate(_)) => {}
                    Err(error) => outcome = Err(Problem::Unusable(error)),
                }
            }
            match outcome {
                Ok(key) => ring.add(key),
                Err(problem) => ring.problems.push((file.name.clone(), problem)),
            }
        }
    }
}

/// The PEM blocks whose first line ends so.
fn blocks(text: &str, ending: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut block: Option<String> = None;
    for line in text.lines().map(str::trim) {
        if line.starts_with("-----BEGIN ") && line.ends_with(ending) {
            block = Some(String::new());
        }
        if let Some(open) = &mut block {
            open.push_str(line);
            open.push('\n');
            if line.starts_with("-----END ") {
                found.extend(block.take());
            }
        }
    }
    found
}
