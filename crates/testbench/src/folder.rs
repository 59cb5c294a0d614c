//! A system that reads a drop folder.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use dds_message::{DeliveryId, Digest};

use crate::{Error, Inbox, Part};

/// File that each folder and each container holds: who, what, digests.
const SLIP: &str = "zustellung.json";

/// Simuliertes Fachverfahren with a Transferverzeichnis: takes folders (one per case) and containers (one ZIP each)
/// that are complete, and checks them against their delivery slip.
#[derive(Debug, Clone)]
pub struct FolderSim {
    folder: PathBuf,
    inbox: Inbox,
}

impl FolderSim {
    /// A reader of `folder`; creates it if needed.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn new(folder: impl Into<PathBuf>) -> Result<Self, Error> {
        let folder = folder.into();
        std::fs::create_dir_all(&folder)?;
        Ok(Self { folder, inbox: Inbox::new(true) })
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What it received.
    #[must_use]
    pub fn inbox(&self) -> &Inbox {
        &self.inbox
    }

    /// Takes in what is new since the last call, as a system does that looks every few minutes; returns how many.
    /// Names that begin with a dot are not finished and are left alone.
    ///
    /// # Errors
    /// [`Error::Unexpected`] if something visible is not complete: files differ from the slip, or there is none.
    pub fn collect(&self) -> Result<usize, Error> {
        let mut taken = 0;
        for entry in std::fs::read_dir(&self.folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.starts_with('.') {
                continue;
            }
            let contents = if path.is_dir() { read_folder(&path)? } else { read_container(&path)? };
            taken += usize::from(self.take(&name, contents)?);
        }
        Ok(taken)
    }

    fn take(&self, name: &str, contents: Contents) -> Result<bool, Error> {
        let failed = |what: &str| Error::Unexpected(format!("{name}: {what}"));
        let slip = contents.slip.ok_or_else(|| failed("no zustellung.json"))?;
        let delivery = slip["zustellung"].as_str().unwrap_or_default();
        let delivery = DeliveryId::parse(delivery).map_err(|_| failed("slip without delivery id"))?;
        if self.inbox.get(delivery).is_some() {
            return Ok(false);
        }
        let listed = slip["dateien"].as_array().ok_or_else(|| failed("slip without files"))?;
        if listed.len() != contents.files.len() {
            return Err(failed("number of files differs from the slip"));
        }
        let mut parts = Vec::new();
        for file in listed {
            let (name, sha256) =
                (file["name"].as_str().unwrap_or_default(), file["sha256"].as_str().unwrap_or_default());
            let found = contents.files.iter().find(|part| part.name == name);
            let found = found.filter(|part| part.digest.to_string() == sha256);
            parts.push(found.ok_or_else(|| failed("a file is missing or differs from the slip"))?.clone());
        }
        if parts.is_empty() {
            return Err(failed("no document"));
        }
        let document = parts.remove(0);
        Ok(self.inbox.record(delivery, name, None, (document, None), parts))
    }
}

#[derive(Default)]
struct Contents {
    slip: Option<serde_json::Value>,
    files: Vec<Part>,
}

impl Contents {
    fn add(&mut self, name: String, mut file: impl Read) -> Result<(), Error> {
        if name == SLIP {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            self.slip = serde_json::from_slice(&bytes).ok();
            return Ok(());
        }
        let (digest, size) = Digest::of_reader(file)?;
        self.files.push(Part { name, media_type: String::new(), size, digest });
        Ok(())
    }
}

fn read_folder(path: &Path) -> Result<Contents, Error> {
    let mut contents = Contents::default();
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        contents.add(entry.file_name().to_string_lossy().into_owned(), File::open(entry.path())?)?;
    }
    Ok(contents)
}

fn read_container(path: &Path) -> Result<Contents, Error> {
    let failed = |error: zip::result::ZipError| Error::Unexpected(format!("{}: {error}", path.display()));
    let mut archive = zip::ZipArchive::new(File::open(path)?).map_err(failed)?;
    let mut contents = Contents::default();
    for place in 0..archive.len() {
        let file = archive.by_index(place).map_err(failed)?;
        let name = file.name().map_err(failed)?.into_owned();
        contents.add(name, file)?;
    }
    Ok(contents)
}
