//! Where a submission goes afterwards.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use dds_message::{Language, Problem};
use dds_router::{Acknowledgement, Handle};
use dds_telemetry::Telemetry;

use super::{
    FolderOptions,
    scan::{self, Candidate},
};

/// One drop folder and who takes its submissions.
pub(super) struct Desk {
    pub(super) options: FolderOptions,
    pub(super) handle: Arc<dyn Handle>,
    pub(super) telemetry: Telemetry,
}

impl Desk {
    pub(super) fn open(
        options: FolderOptions,
        handle: Arc<dyn Handle>,
        telemetry: Telemetry,
    ) -> io::Result<Self> {
        let desk = Self { options, handle, telemetry };
        for folder in [desk.inbox(), desk.root("angenommen"), desk.root("abgelehnt")] {
            fs::create_dir_all(folder)?;
        }
        Ok(desk)
    }

    pub(super) fn inbox(&self) -> PathBuf {
        self.root("in")
    }

    fn root(&self, part: &str) -> PathBuf {
        self.options.root.join(part)
    }

    /// Moves an accepted submission to `angenommen/`, under its name or, if that is taken, `<name>~2` and so on, and
    /// writes its acknowledgement beside it first.
    pub(super) fn accepted(
        &self,
        candidate: &Candidate,
        receipt: Option<&Acknowledgement>,
    ) -> io::Result<()> {
        let folder = self.root("angenommen");
        let free = |place: &PathBuf| fs::symlink_metadata(place).is_err();
        let mut names =
            std::iter::once(candidate.name.clone()).chain((2..).map(|n| format!("{}~{n}", candidate.name)));
        let target =
            names.by_ref().map(|name| folder.join(name)).find(free).ok_or(io::ErrorKind::AlreadyExists)?;
        if let Some(receipt) = receipt {
            let mut beside = target.clone().into_os_string();
            beside.push(".quittung.json");
            let mut file = File::create(beside)?;
            file.write_all(crate::rest::acknowledgement(receipt).to_string().as_bytes())?;
            file.sync_all()?;
        }
        fs::rename(&candidate.path, target)?;
        self.settle(candidate, &folder)
    }

    /// Moves a refused submission into `abgelehnt/<name>/`, beside `fehler.txt`, which is written first: a crash in
    /// between must not leave a refusal without its reason.
    pub(super) fn refused(&self, candidate: &Candidate, problem: &Problem) -> io::Result<()> {
        let folder = self.root("abgelehnt");
        let mut names =
            std::iter::once(candidate.name.clone()).chain((2..).map(|n| format!("{}~{n}", candidate.name)));
        let free = |place: &PathBuf| fs::symlink_metadata(place.join(&candidate.name)).is_err();
        let target =
            names.by_ref().map(|name| folder.join(name)).find(free).ok_or(io::ErrorKind::AlreadyExists)?;
        fs::create_dir_all(&target)?;
        let mut file = File::create(target.join("fehler.txt"))?;
        file.write_all(explanation(&candidate.name, problem).as_bytes())?;
        file.sync_all()?;
        fs::rename(&candidate.path, target.join(&candidate.name))?;
        File::open(&target)?.sync_all()?;
        self.settle(candidate, &folder)
    }

    /// Makes the move durable and removes the markers left beside.
    fn settle(&self, candidate: &Candidate, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()?;
        for marker in scan::markers(&candidate.path) {
            match fs::remove_file(marker) {
                Err(error)
                    if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
                {
                    return Err(error);
                }
                _ => {}
            }
        }
        File::open(self.inbox())?.sync_all()
    }
}

/// The text of `fehler.txt`.
fn explanation(name: &str, problem: &Problem) -> String {
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
    if !problem.findings.is_empty() {
        text.push_str("\nBefunde:\n");
        for finding in &problem.findings {
            // Writing to a String cannot fail.
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
