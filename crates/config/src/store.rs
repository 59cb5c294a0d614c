//! Releases on disk (Depotstände).
//!
//! ```text
//! releases/<id>/manifest.json     path, SHA-256 and length of every file, sorted by path
//! releases/<id>/content           the files one after the other, in this order
//! releases/active                 id of the release in force
//! releases/confirmed-<node>       id of the release that node really runs
//! ```
//!
//! One file of content instead of one per municipality: a release of all German municipalities is read and verified in
//! one go, and appears by one rename. `docs/decisions/0006-releases.md` has the figures.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use dds_depot::{Files, Release, release_id};
use dds_message::{Code, Digest, Language, Problem, ReleaseId, Timestamp};
use serde::{Deserialize, Serialize};

const MANIFEST: &str = "manifest.json";
const CONTENT: &str = "content";
const ACTIVE: &str = "active";
const CONFIRMED: &str = "confirmed-";
/// A release that is being written.
const UNFINISHED: &str = ".tmp-";
/// A release that is being removed.
const REMOVED: &str = ".gone-";

/// As long as it lives, no release is removed: what is put in force meanwhile is there until the journal names it.
#[derive(Debug)]
pub struct Hold {
    _lock: Option<File>,
}

/// As long as it lives, nobody puts a release in force and nobody saves one.
#[derive(Debug)]
pub struct Pruning<'a> {
    store: &'a ReleaseStore,
    /// `None` where there is no folder, and so nothing to remove.
    lock: Option<File>,
}

/// The folder of releases.
#[derive(Debug, Clone)]
pub struct ReleaseStore {
    folder: PathBuf,
}

/// One stored release, for lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StoredRelease {
    /// Its id.
    pub id: ReleaseId,
    /// When it was built.
    pub built: Timestamp,
    /// Number of files.
    pub files: usize,
    /// Bytes of all files.
    pub bytes: u64,
    /// It is in force.
    pub active: bool,
    /// A file of it is missing or is not what its digest says: it cannot be activated, and a router cannot start with
    /// it.
    pub damaged: bool,
    /// Nodes that run it.
    pub nodes: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct Manifest {
    id: ReleaseId,
    built: Timestamp,
    files: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    path: String,
    sha256: Digest,
    bytes: u64,
}

impl ReleaseStore {
    /// The store in `folder`; it is created when the first release is saved.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Saves a release durably. Saving the same one again changes nothing.
    ///
    /// # Errors
    /// DDS-S001 if the folder cannot be written.
    pub fn save(&self, release: &Release, built: Timestamp) -> Result<(), Problem> {
        let id = release.id();
        let final_folder = self.folder.join(id.to_string());
        let _hold = self.hold();
        if final_folder.exists() && self.load(&id).is_ok() {
            return Ok(());
        }
        let write = || -> std::io::Result<()> {
            fs::create_dir_all(&self.folder)?;
            let folder = self.folder.join(format!("{UNFINISHED}{}-{}", id.0.short(), std::process::id()));
            if folder.exists() {
                fs::remove_dir_all(&folder)?;
            }
            fs::create_dir(&folder)?;
            let mut content = File::create_new(folder.join(CONTENT))?;
            let mut files = Vec::with_capacity(release.files().len());
            let mut buffer = Vec::new();
            for (path, bytes) in release.files() {
                buffer.extend_from_slice(bytes);
                files.push(Entry {
                    path: path.clone(),
                    sha256: Digest::of(bytes),
                    bytes: bytes.len() as u64,
                });
            }
            content.write_all(&buffer)?;
            seal(&content)?;
            let mut manifest = File::create_new(folder.join(MANIFEST))?;
            serde_json::to_writer_pretty(&mut manifest, &Manifest { id, built, files })?;
            manifest.write_all(b"\n")?;
            seal(&manifest)?;
            sync_folder(&folder)?;
            if final_folder.exists() {
                // A damaged one of the same id: whole content replaces it.
                fs::remove_dir_all(&final_folder)?;
            }
            fs::rename(&folder, &final_folder)?;
            sync_folder(&self.folder)
        };
        write().map_err(|error| self.unavailable(&error))
    }

    /// Loads a release and verifies every digest.
    ///
    /// # Errors
    /// DDS-C006 if there is none of that id, DDS-C010 if it is damaged.
    pub fn load(&self, id: &ReleaseId) -> Result<Release, Problem> {
        Release::open(self.files(id)?).map_err(|findings| {
            let first = |language| findings.first().map(|found| found.line(language)).unwrap_or_default();
            damaged(id, &first(Language::German), &first(Language::English))
        })
    }

    /// The files of a release, each with its digest verified; also of one that this program does not understand.
    ///
    /// # Errors
    /// DDS-C006 if there is none of that id, DDS-C010 if it is damaged.
    pub fn files(&self, id: &ReleaseId) -> Result<Files, Problem> {
        let folder = self.folder.join(id.to_string());
        let damaged = |german: String, english: String| damaged(id, &german, &english);
        let manifest = fs::read(folder.join(MANIFEST)).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound if !folder.exists() => unknown(id),
            _ => damaged(
                format!("{MANIFEST} ist nicht lesbar: {error}"),
                format!("{MANIFEST} cannot be read: {error}"),
            ),
        })?;
        let manifest: Manifest = serde_json::from_slice(&manifest).map_err(|error| {
            let line = error.line();
            damaged(
                format!("{MANIFEST} ist fehlerhaft (Zeile {line})"),
                format!("{MANIFEST} is malformed: {error}"),
            )
        })?;
        let content = fs::read(folder.join(CONTENT)).map_err(|error| {
            damaged(
                format!("{CONTENT} ist nicht lesbar: {error}"),
                format!("{CONTENT} cannot be read: {error}"),
            )
        })?;
        let mut rest = &content[..];
        let mut files = Files::new();
        for entry in &manifest.files {
            let length = usize::try_from(entry.bytes).unwrap_or(usize::MAX);
            let Some((bytes, behind)) = rest.split_at_checked(length) else {
                let path = &entry.path;
                return Err(damaged(
                    format!("{CONTENT} endet mitten in {path}"),
                    format!("{CONTENT} ends within {path}"),
                ));
            };
            if Digest::of(bytes) != entry.sha256 {
                let path = &entry.path;
                return Err(damaged(
                    format!("{path} hat nicht seinen Hashwert"),
                    format!("{path} does not have its digest"),
                ));
            }
            files.insert(entry.path.clone(), Arc::from(bytes));
            rest = behind;
        }
        if !rest.is_empty() {
            let more = rest.len();
            return Err(damaged(
                format!("{CONTENT} hat {more} Bytes zu viel"),
                format!("{CONTENT} has {more} bytes too many"),
            ));
        }
        // The id covers paths and digests, the digests the bytes: nothing can be exchanged unnoticed.
        let found = release_id(manifest.files.iter().map(|entry| (entry.path.as_str(), entry.sha256)));
        if found != *id || files.len() != manifest.files.len() {
            return Err(damaged(
                "seine Dateien ergeben nicht seine Kennung".to_owned(),
                "its files do not give its id".to_owned(),
            ));
        }
        Ok(files)
    }

    /// The id of the release in force; `None` before the first activation.
    ///
    /// # Errors
    /// DDS-C010 if the pointer is malformed.
    pub fn active(&self) -> Result<Option<ReleaseId>, Problem> {
        self.pointer(ACTIVE)
    }

    /// Puts a release in force that was saved here or loaded, and so verified: switches the pointer by one rename. A
    /// running server sees the switch, loads the release and writes its confirmation.
    ///
    /// # Errors
    /// DDS-C006 if it is not stored here (nothing is switched then), DDS-S001 if the pointer cannot be written.
    pub fn activate(&self, release: &Release) -> Result<(), Problem> {
        let id = release.id();
        let _hold = self.hold();
        if !self.folder.join(id.to_string()).exists() {
            return Err(unknown(&id));
        }
        self.point(ACTIVE, &id)
    }

    /// Written by a running server once it really uses a release.
    ///
    /// # Errors
    /// DDS-S001 if the file cannot be written.
    pub fn confirm(&self, node: &str, id: &ReleaseId) -> Result<(), Problem> {
        self.point(&format!("{CONFIRMED}{node}"), id)
    }

    /// The release that a node confirmed.
    ///
    /// # Errors
    /// DDS-C010 if the file is malformed.
    pub fn confirmed(&self, node: &str) -> Result<Option<ReleaseId>, Problem> {
        self.pointer(&format!("{CONFIRMED}{node}"))
    }

    /// Waits until `node` confirms `id`.
    ///
    /// # Errors
    /// DDS-C008 after `patience`: the pointer then goes back to what the node runs, because a release nobody runs must
    /// not be the active one at the next start. DDS-C008 also as soon as somebody else activates another one, which
    /// then stays.
    pub async fn await_confirmation(
        &self,
        node: &str,
        id: &ReleaseId,
        patience: Duration,
    ) -> Result<(), Problem> {
        const STEP: Duration = Duration::from_millis(50);
        let mut waited = Duration::ZERO;
        loop {
            if self.confirmed(node)? == Some(*id) {
                return Ok(());
            }
            // A pointer that cannot be read is nobody's activation.
            if let Ok(Some(other)) = self.active()
                && other != *id
            {
                let (short, other) = (id.0.short(), other.0.short());
                let text = (
                    format!("statt {short} wurde inzwischen der Depotstand {other} aktiviert; er gilt"),
                    format!("release {other} was activated meanwhile instead of {short}; it stays"),
                );
                return Err(Problem::new(Code::NOT_CONFIRMED, text));
            }
            if waited >= patience {
                break;
            }
            tokio::time::sleep(STEP).await;
            waited += STEP;
        }
        match self.confirmed(node)? {
            // One that is damaged would not let the router start again.
            Some(runs) if self.load(&runs).is_ok() => self.point(ACTIVE, &runs)?,
            Some(_) => {}
            None => fs::remove_file(self.folder.join(ACTIVE)).map_err(|error| self.unavailable(&error))?,
        }
        let short = id.0.short();
        let text = (
            format!(
                "der Knoten {node} hat den Depotstand {short} nicht innerhalb von {patience:?} bestätigt"
            ),
            format!("node {node} did not confirm release {short} within {patience:?}"),
        );
        Err(Problem::new(Code::NOT_CONFIRMED, text))
    }

    /// Names in the folder: ids, pointers, confirmations.
    fn names(&self) -> Result<Vec<String>, Problem> {
        match fs::read_dir(&self.folder) {
            Ok(entries) => {
                Ok(entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect())
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(self.unavailable(&error)),
        }
    }

    /// The nodes that have ever confirmed a release here.
    ///
    /// # Errors
    /// DDS-S001 if the folder cannot be read.
    pub fn nodes(&self) -> Result<Vec<String>, Problem> {
        let names = self.names()?;
        Ok(names.iter().filter_map(|name| name.strip_prefix(CONFIRMED)).map(str::to_owned).collect())
    }

    /// Keeps releases from being removed; waits while some are. Where the folder cannot be locked, or is not there,
    /// [`Self::pruning`] does nothing either.
    #[must_use]
    pub fn hold(&self) -> Hold {
        let lock = File::open(&self.folder).and_then(|folder| folder.lock_shared().map(|()| folder));
        Hold { _lock: lock.ok() }
    }

    /// Begins to remove releases; waits for whoever is putting one in force.
    ///
    /// # Errors
    /// DDS-S001 if the folder cannot be locked.
    pub fn pruning(&self) -> Result<Pruning<'_>, Problem> {
        match File::open(&self.folder).and_then(|folder| folder.lock().map(|()| folder)) {
            Ok(lock) => Ok(Pruning { store: self, lock: Some(lock) }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Ok(Pruning { store: self, lock: None })
            }
            Err(error) => Err(self.unavailable(&error)),
        }
    }

    /// Every stored release, the newest first; each is read to tell whether it is damaged. A damaged pointer makes none
    /// active.
    ///
    /// # Errors
    /// DDS-S001 if the folder cannot be read.
    pub fn list(&self) -> Result<Vec<StoredRelease>, Problem> {
        let active = self.active().ok().flatten();
        let (names, nodes) = (self.names()?, self.nodes()?);
        let mut releases = Vec::new();
        for id in names.iter().filter_map(|name| Digest::parse(name).ok()).map(ReleaseId) {
            let manifest = fs::read(self.folder.join(id.to_string()).join(MANIFEST)).ok();
            let manifest = manifest.and_then(|bytes| serde_json::from_slice::<Manifest>(&bytes).ok());
            let manifest = manifest.unwrap_or(Manifest { id, built: Timestamp(0), files: Vec::new() });
            let runs = |node: &&String| self.confirmed(node).is_ok_and(|confirmed| confirmed == Some(id));
            releases.push(StoredRelease {
                id,
                built: manifest.built,
                files: manifest.files.len(),
                bytes: manifest.files.iter().map(|entry| entry.bytes).sum(),
                active: active == Some(id),
                damaged: self.files(&id).is_err(),
                nodes: nodes.iter().filter(runs).cloned().collect(),
            });
        }
        releases.sort_by(|one, other| other.built.cmp(&one.built).then(one.id.cmp(&other.id)));
        Ok(releases)
    }

    /// The stored release whose id begins with `beginning` (at least 6 hex digits).
    ///
    /// # Errors
    /// DDS-C006 if there is none or more than one.
    pub fn find(&self, beginning: &str) -> Result<ReleaseId, Problem> {
        let unknown =
            |german: String, english: String| Err(Problem::new(Code::RELEASE_UNKNOWN, (german, english)));
        if beginning.len() < 6 {
            return unknown(
                "mindestens die ersten 6 Ziffern der Kennung nennen".to_owned(),
                "name at least 6 digits of the id".to_owned(),
            );
        }
        let names = self.names()?;
        let fitting: Vec<ReleaseId> = names
            .iter()
            .filter(|name| name.starts_with(beginning))
            .filter_map(|name| Digest::parse(name).ok().map(ReleaseId))
            .collect();
        match fitting.as_slice() {
            [one] => Ok(*one),
            [] => unknown(
                format!("es gibt keinen Depotstand {beginning}"),
                format!("there is no release {beginning}"),
            ),
            several => {
                let count = several.len();
                unknown(
                    format!("{count} Depotstände beginnen mit {beginning}"),
                    format!("{count} releases begin with {beginning}"),
                )
            }
        }
    }

    fn pointer(&self, name: &str) -> Result<Option<ReleaseId>, Problem> {
        match fs::read_to_string(self.folder.join(name)) {
            Ok(text) => match Digest::parse(text.trim()) {
                Ok(digest) => Ok(Some(ReleaseId(digest))),
                Err(_) => {
                    let text = (
                        format!("{name} enthält keine Kennung eines Depotstands"),
                        format!("{name} does not hold the id of a release"),
                    );
                    Err(Problem::new(Code::RELEASE_DAMAGED, text))
                }
            },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.unavailable(&error)),
        }
    }

    fn point(&self, name: &str, id: &ReleaseId) -> Result<(), Problem> {
        let write = || -> std::io::Result<()> {
            let temporary = self.folder.join(format!(".{name}-{}", std::process::id()));
            let mut file = File::create(&temporary)?;
            writeln!(file, "{id}")?;
            file.sync_all()?;
            fs::rename(&temporary, self.folder.join(name))?;
            sync_folder(&self.folder)
        };
        write().map_err(|error| self.unavailable(&error))
    }

    fn unavailable(&self, error: &std::io::Error) -> Problem {
        let folder = self.folder.display();
        let text = (
            format!("Ordner der Depotstände {folder}: {error}"),
            format!("release folder {folder}: {error}"),
        );
        Problem::new(Code::STORE_UNAVAILABLE, text)
    }
}

impl Pruning<'_> {
    /// Removes releases, each whole or not at all, and what a crash left of others.
    ///
    /// # Errors
    /// DDS-S001 if the folder cannot be written.
    pub fn remove(&self, releases: &[ReleaseId]) -> Result<(), Problem> {
        if self.lock.is_none() {
            return Ok(());
        }
        let folder = &self.store.folder;
        let remove = || -> std::io::Result<()> {
            for id in releases {
                fs::rename(folder.join(id.to_string()), folder.join(format!("{REMOVED}{id}")))?;
            }
            sync_folder(folder)
        };
        remove().map_err(|error| self.store.unavailable(&error))?;
        for name in self.store.names()? {
            if name.starts_with(REMOVED) || name.starts_with(UNFINISHED) {
                fs::remove_dir_all(folder.join(name)).map_err(|error| self.store.unavailable(&error))?;
            }
        }
        Ok(())
    }
}

fn unknown(id: &ReleaseId) -> Problem {
    let text = (format!("es gibt keinen Depotstand {id}"), format!("there is no release {id}"));
    Problem::new(Code::RELEASE_UNKNOWN, text)
}

fn damaged(id: &ReleaseId, german: &str, english: &str) -> Problem {
    let short = id.0.short();
    let text = (format!("Depotstand {short}: {german}"), format!("release {short}: {english}"));
    Problem::new(Code::RELEASE_DAMAGED, text)
}

/// Makes a finished file durable and read-only.
fn seal(file: &File) -> std::io::Result<()> {
    file.sync_all()?;
    let mut permissions = file.metadata()?.permissions();
    permissions.set_readonly(true);
    file.set_permissions(permissions)
}

/// A rename is durable once its folder is.
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}
