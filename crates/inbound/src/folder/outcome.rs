//! Where a submission goes: to `arbeit/`, and from there to `angenommen/` or `abgelehnt/`.

use std::{
    collections::HashMap,
    fmt::Write as _,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use dds_message::{Language, MessageId, Problem};
use dds_router::{Acknowledgement, Handle};
use dds_telemetry::Telemetry;
use parking_lot::Mutex;

use super::{
    FolderOptions,
    scan::{self, Candidate, Fingerprint},
};

/// What the name of a receipt ends with; before it stands that of its submission.
pub(super) const RECEIPT: &str = ".quittung.json";
/// Name of the file that says why a submission was refused.
pub(super) const REASON: &str = "fehler.txt";

/// One drop folder and who takes its submissions.
pub(super) struct Desk {
    pub(super) options: FolderOptions,
    pub(super) handle: Arc<dyn Handle>,
    pub(super) telemetry: Telemetry,
    /// What lies in `arbeit/` and is accepted, but not routed yet; after a restart it is accepted anew, as a duplicate.
    waiting: Mutex<HashMap<PathBuf, (Fingerprint, Acknowledgement)>>,
}

impl Desk {
    pub(super) fn new(options: FolderOptions, handle: Arc<dyn Handle>, telemetry: Telemetry) -> Self {
        Self { options, handle, telemetry, waiting: Mutex::default() }
    }

    /// What lies in `arbeit/`, and in `in/` what has a name that is free there. Parts that are missing are made; the
    /// folder itself never is: if it is missing, a network drive is not mounted.
    pub(super) fn candidates(&self) -> io::Result<Vec<Candidate>> {
        for part in ["in", "arbeit", "angenommen", "abgelehnt"] {
            match fs::create_dir(self.root(part)) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
        }
        let mut candidates = scan::candidates(&self.root("arbeit"))?;
        candidates.iter_mut().for_each(|one| one.taken = true);
        let new = scan::candidates(&self.root("in"))?.into_iter();
        candidates.extend(new.filter(|one| fs::symlink_metadata(self.place(one)).is_err()));
        Ok(candidates)
    }

    /// Takes a submission out of the hands of its sender, with the markers beside it: they must not vouch for a later
    /// one.
    pub(super) fn take(&self, mut candidate: Candidate) -> io::Result<Candidate> {
        if !candidate.taken {
            let place = self.place(&candidate);
            fs::rename(&candidate.path, &place)?;
            for marker in scan::markers_beside(&candidate.path) {
                match fs::remove_file(marker).map_err(|error| (error.kind(), error)) {
                    // Beside a very long name there can be none.
                    Ok(()) | Err((io::ErrorKind::NotFound | io::ErrorKind::InvalidFilename, _)) => {}
                    Err((_, error)) => return Err(error),
                }
            }
            candidate.fingerprint = scan::fingerprint(&place)?;
            candidate.path = place;
        }
        Ok(candidate)
    }

    /// Where a submission lies while it is received.
    fn place(&self, candidate: &Candidate) -> PathBuf {
        self.root("arbeit").join(candidate.path.file_name().unwrap_or_default())
    }

    /// The receipt of a submission that waits for its routing; not if something else lies there since.
    pub(super) fn accepted_before(&self, candidate: &Candidate) -> Option<Acknowledgement> {
        let (fingerprint, receipt) = self.waiting.lock().remove(&candidate.path)?;
        (fingerprint == candidate.fingerprint).then_some(receipt)
    }

    /// The submission is accepted and waits for its routing.
    pub(super) fn waits(&self, candidate: &Candidate, receipt: Acknowledgement) {
        self.waiting.lock().insert(candidate.path.clone(), (candidate.fingerprint.clone(), receipt));
    }

    fn root(&self, part: &str) -> PathBuf {
        self.options.root.join(part)
    }

    /// Moves an accepted submission to `angenommen/`, under its name or, if that is taken, `<name>~2` and so on, and
    /// writes its acknowledgement beside it first.
    pub(super) fn accepted(&self, candidate: &Candidate, receipt: &Acknowledgement) -> io::Result<()> {
        let folder = self.root("angenommen");
        let free = |place: &PathBuf| fs::symlink_metadata(place).is_err();
        let mut names =
            std::iter::once(candidate.name.clone()).chain((2..).map(|n| format!("{}~{n}", candidate.name)));
        let target =
            names.by_ref().map(|name| folder.join(name)).find(free).ok_or(io::ErrorKind::AlreadyExists)?;
        let mut beside = target.clone().into_os_string();
        beside.push(RECEIPT);
        let mut file = File::create(beside)?;
        file.write_all(crate::rest::acknowledgement(receipt).to_string().as_bytes())?;
        file.sync_all()?;
        fs::rename(&candidate.path, target)?;
        self.settle(&folder)
    }

    /// Moves a refused submission into `abgelehnt/<name>/`, beside `fehler.txt`, which is written first: a crash in
    /// between must not leave a refusal without its reason.
    pub(super) fn refused(
        &self,
        candidate: &Candidate,
        problem: &Problem,
        id: Option<MessageId>,
    ) -> io::Result<()> {
        let folder = self.root("abgelehnt");
        // A name may be what it is refused for.
        let mut ends = (0..=scan::LONGEST.min(candidate.name.len())).rev();
        let end = ends.find(|end| candidate.name.is_char_boundary(*end));
        let short = &candidate.name[..end.unwrap_or(0)];
        let mut names = std::iter::once(short.to_owned()).chain((2..).map(|n| format!("{short}~{n}")));
        let free = |place: &PathBuf| fs::symlink_metadata(place.join(&candidate.name)).is_err();
        let target =
            names.by_ref().map(|name| folder.join(name)).find(free).ok_or(io::ErrorKind::AlreadyExists)?;
        fs::create_dir_all(&target)?;
        let mut file = File::create(target.join(REASON))?;
        file.write_all(explanation(&candidate.name, problem, id).as_bytes())?;
        file.sync_all()?;
        fs::rename(&candidate.path, target.join(&candidate.name))?;
        File::open(&target)?.sync_all()?;
        self.settle(&folder)
    }

    /// Makes the move durable.
    fn settle(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()?;
        File::open(self.root("arbeit"))?.sync_all()
    }
}

/// The text of `fehler.txt`.
fn explanation(name: &str, problem: &Problem, id: Option<MessageId>) -> String {
    let entry = problem.code.entry();
    let mut text = format!(
        "Die Sendung „{name}“ wurde nicht angenommen.\n\n\
         Fehler:            {} ({})\n\
         Wer muss handeln:  {}\n\
         Was ist zu tun:    {}\n\
         Einzelheit:        {}\n",
        entry.german,
        entry.code,
        entry.actor.german(),
        entry.remedy_german,
        problem.outward(Language::German),
    );
    if let Some(id) = id {
        // Writing to a String cannot fail.
        let _infallible = writeln!(text, "Nachricht:         {id}");
    }
    if !problem.findings.is_empty() {
        text.push_str("\nBefunde:\n");
        for finding in &problem.findings {
            let _infallible = writeln!(text, "- {} [{}] {}", finding.location, finding.rule, finding.text);
        }
    }
    text.push_str("\nNach der Berichtigung die Sendung unter gleichem oder neuem Namen wieder in den Ordner „in“ legen.\n");
    let _infallible = write!(
        text,
        "\nIn English: {}: {}\nWho must act: {}\nWhat to do: {}\n",
        entry.english,
        problem.outward(Language::English),
        entry.actor.as_str().replace('_', " "),
        entry.remedy_english,
    );
    text
}
