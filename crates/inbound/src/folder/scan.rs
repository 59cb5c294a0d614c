//! Looking into a drop folder.

use std::{
    ffi::OsStr,
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Read},
    os::unix::{
        ffi::OsStrExt,
        fs::{MetadataExt, OpenOptionsExt},
    },
    path::{Path, PathBuf},
};

use dds_message::{Code, Digest, Digesting, Format, Problem};

use crate::{Limits, body, name};

/// Suffixes of markers, beside a submission.
const MARKERS: [&str; 2] = [".fertig", ".ready"];
/// Suffixes of files still being written.
const UNFINISHED: [&str; 3] = [".tmp", ".part", ".filepart"];

/// Longest name of a submission in bytes: beside it lie files whose names begin with its own.
pub(super) const LONGEST: usize = 200;

/// Name, size and time of change of all files of a submission.
pub(super) type Fingerprint = Vec<(String, u64, i64, i64)>;

/// Something in `in/` or `arbeit/` that may be a submission.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    /// Its name, as far as it is UTF-8.
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) fingerprint: Fingerprint,
    /// The sender says it is complete.
    pub(super) marked: bool,
    /// It lies in `arbeit/`.
    pub(super) taken: bool,
}

/// A submission that was read; attachments are only digested.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) document: Vec<u8>,
    pub(super) format: Format,
    pub(super) attachments: Vec<AttachmentFile>,
    /// Over document and attachments, their names included.
    pub(super) digest: Digest,
}

#[derive(Debug)]
pub(super) struct AttachmentFile {
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) digest: Digest,
}

/// What lies in `inbox`, by name. Markers whose submission is gone are removed, so that they cannot vouch for a later
/// one of the same name.
pub(super) fn candidates(inbox: &Path) -> io::Result<Vec<Candidate>> {
    let mut candidates = Vec::new();
    for entry in fs::read_dir(inbox)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default();
        if let Some(marked) =
            MARKERS.iter().find_map(|marker| name.as_bytes().strip_suffix(marker.as_bytes()))
        {
            let marked = OsStr::from_bytes(marked);
            if !marked.is_empty() && fs::symlink_metadata(inbox.join(marked)).is_err() {
                fs::remove_file(&path)?;
            }
            continue;
        }
        let name = name.to_string_lossy().into_owned();
        if name.starts_with('.') || UNFINISHED.iter().any(|suffix| name.ends_with(suffix)) {
            continue;
        }
        // Gone since the listing: the sender renamed it.
        let Ok(fingerprint) = fingerprint(&path) else { continue };
        let marked = markers(&path).any(|marker| marker.exists());
        candidates.push(Candidate { name, path, fingerprint, marked, taken: false });
    }
    candidates.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(candidates)
}

/// Where a marker of the submission at `path` may be: beside it, and inside if it is a folder.
fn markers(path: &Path) -> impl Iterator<Item = PathBuf> {
    markers_beside(path).chain(MARKERS.iter().map(|marker| path.join(marker)))
}

pub(super) fn markers_beside(path: &Path) -> impl Iterator<Item = PathBuf> {
    MARKERS.iter().map(|marker| {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(marker);
        path.with_file_name(name)
    })
}

pub(super) fn fingerprint(path: &Path) -> io::Result<Fingerprint> {
    let stamp =
        |name: String, metadata: &Metadata| (name, metadata.len(), metadata.mtime(), metadata.mtime_nsec());
    let metadata = fs::symlink_metadata(path)?;
    let mut fingerprint = vec![stamp(String::new(), &metadata)];
    if metadata.is_dir() {
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            fingerprint.push(stamp(entry.file_name().to_string_lossy().into_owned(), &entry.metadata()?));
        }
        fingerprint.sort();
    }
    Ok(fingerprint)
}

/// Reads document and digests of the submission at `path`.
///
/// # Errors
/// `DDS-I004`, `DDS-I003`, `DDS-I006` for what is wrong with it; `DDS-I011` for what could not be read now.
pub(super) fn read(path: &Path, limits: &Limits) -> Result<Content, Problem> {
    let metadata = fs::symlink_metadata(path).map_err(super::unreadable)?;
    let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(not_utf8)?;
    if name.len() > LONGEST {
        return Err(bad(
            "der Name einer Sendung hat höchstens 200 Bytes",
            "the name of a submission has at most 200 bytes",
        ));
    }
    if metadata.is_file() {
        let format = format_of(name).ok_or_else(|| {
            let text = (
                "eine einzelne Datei muss auf .xml oder .json enden",
                "a single file must end in .xml or .json",
            );
            Problem::new(Code::UNSUPPORTED_MEDIA, text)
        })?;
        return assemble((path.to_owned(), format), Vec::new(), limits);
    }
    if !metadata.is_dir() {
        return Err(bad(
            "weder Datei noch Ordner; Verweisen wird nicht gefolgt",
            "neither a file nor a folder; links are not followed",
        ));
    }
    let (mut main, mut attachments) = (None, Vec::new());
    for entry in fs::read_dir(path).map_err(super::unreadable)? {
        let entry = entry.map_err(super::unreadable)?;
        let name = entry.file_name().into_string().map_err(|_| not_utf8())?;
        if MARKERS.contains(&name.as_str()) {
            continue;
        }
        // An attachment of such a name would be hidden from who looks for it; a transfer that is under way names its
        // files so. Neither may be left out without a word.
        if name.starts_with('.') {
            return Err(bad(
                "eine Datei der Sendung hat einen Namen, der mit einem Punkt beginnt (versteckt oder unfertig)",
                "a file of the submission has a name that begins with a dot (hidden or unfinished)",
            ));
        }
        if !entry.file_type().map_err(super::unreadable)?.is_file() {
            return Err(bad(
                "eine Sendung enthält nur Dateien, keine Ordner und keine Verweise",
                "a submission holds files only, no folders and no links",
            ));
        }
        match name.strip_prefix("nachricht").and_then(|_| format_of(&name)) {
            Some(format) if name == "nachricht.xml" || name == "nachricht.json" => {
                if main.replace((entry.path(), format)).is_some() {
                    return Err(bad(
                        "nachricht.xml und nachricht.json zugleich: nur eine darf da sein",
                        "nachricht.xml and nachricht.json together: only one may be there",
                    ));
                }
            }
            _ => attachments.push((name::file_name(&name)?, entry.path())),
        }
    }
    let main = main.ok_or_else(|| {
        bad("nachricht.xml oder nachricht.json fehlt", "nachricht.xml or nachricht.json is missing")
    })?;
    attachments.sort();
    assemble(main, attachments, limits)
}

fn assemble(
    (main, format): (PathBuf, Format),
    attachments: Vec<(String, PathBuf)>,
    limits: &Limits,
) -> Result<Content, Problem> {
    if attachments.len() > limits.attachments {
        return Err(body::many_attachments(limits.attachments));
    }
    let mut document = Vec::new();
    let mut file = open(&main).map_err(super::unreadable)?.take(limits.document_bytes.saturating_add(1));
    file.read_to_end(&mut document).map_err(super::unreadable)?;
    body::within(document.len(), limits.document_bytes)?;

    let mut total = document.len() as u64;
    let mut whole = Digesting::default();
    whole.update(&Digest::of(&document).0);
    let mut files = Vec::with_capacity(attachments.len());
    for (name, path) in attachments {
        let (digest, size) = open(&path).and_then(Digest::of_reader).map_err(super::unreadable)?;
        total += size;
        if size > limits.attachment_bytes || total > limits.total_bytes {
            let (one, all) = (limits.attachment_bytes, limits.total_bytes);
            let text = (
                format!("eine Anlage darf {one} Bytes haben, alles zusammen {all}"),
                format!("an attachment may have {one} bytes, all together {all}"),
            );
            return Err(Problem::new(Code::TOO_LARGE, text));
        }
        whole.update(&Digest::of(name.as_bytes()).0);
        whole.update(&digest.0);
        files.push(AttachmentFile { name, path, digest });
    }
    Ok(Content { document, format, attachments: files, digest: whole.finish().0 })
}

/// Opens a file for reading. A link put in its place since the listing is not followed.
pub(super) fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path)
}

fn format_of(name: &str) -> Option<Format> {
    match name.rsplit_once('.')?.1.to_ascii_lowercase().as_str() {
        "xml" => Some(Format::Xml),
        "json" => Some(Format::Json),
        _ => None,
    }
}

fn not_utf8() -> Problem {
    bad("ein Dateiname ist kein UTF-8", "a file name is not UTF-8")
}

fn bad(german: &str, english: &str) -> Problem {
    Problem::new(Code::BAD_REQUEST, (german, english))
}
