//! What is doubtful between municipalities: two of one AGS, work given to offices that do not do it, and values of one
//! municipality that stand at another too, mostly because a file was copied.

use std::collections::{BTreeMap, HashMap};

use dds_message::{Ags, AuthorityId, Code, ProcedureId};

use crate::{
    finding::CheckFinding,
    index::own_ags,
    municipality::Municipality,
    release::{Filed, Release},
};

impl Release {
    pub(crate) fn areas(&self, findings: &mut Vec<CheckFinding>) {
        self.empty(findings);
        self.lands(findings);
        self.same_ags(findings);
        self.delegations(findings);
        self.defaults(findings);
        self.shared(findings);
    }

    /// Mostly a volume that is not mounted: every message would be parked.
    fn empty(&self, findings: &mut Vec<CheckFinding>) {
        let contents = self.contents();
        for (none, folder, german, english) in [
            (contents.rules.is_empty(), "rules", "keine Regel", "no rule"),
            (contents.municipalities.is_empty(), "config/municipalities", "keine Kommune", "no municipality"),
        ] {
            if none {
                let text = (format!("der Depotstand hat {german}"), format!("the release has {english}"));
                let remedy = (
                    "Prüfen, ob der Ordner der richtige und eingehängt ist.",
                    "See whether the folder is the right one, and mounted.",
                );
                findings.push(CheckFinding::error(Code::CONFIG_REFERENCE, folder, text).remedy(remedy));
            }
        }
    }

    /// An ARS begins with the key of a Land, 01 (Schleswig-Holstein) to 16 (Thüringen): Destatis, Gemeindeverzeichnis.
    fn lands(&self, findings: &mut Vec<CheckFinding>) {
        for area in &self.contents().municipalities {
            let ars = area.value.ars;
            let land = &ars.as_str()[..2];
            if ("01"..="16").contains(&land) {
                continue;
            }
            let text = (
                format!("{ars} liegt in keinem Land: {land} ist keines der Länder 01 bis 16"),
                format!("{ars} lies in no Land: {land} is none of 01 to 16"),
            );
            let place = self.place(&area.file, "", ars.as_str());
            findings.push(CheckFinding::error(Code::CONFIG_REFERENCE, &area.file, text).at(place).remedy((
                "Den Amtlichen Regionalschlüssel der Kommune eintragen (12 Ziffern, die ersten zwei nennen das Land).",
                "Enter the Amtlicher Regionalschlüssel of the municipality (12 digits, the first two name the Land).",
            )));
        }
    }

    /// Messages that name the AGS would go to whichever file sorts last.
    fn same_ags(&self, findings: &mut Vec<CheckFinding>) {
        let mut seen: HashMap<Ags, &Filed<Municipality>> = HashMap::new();
        for area in &self.contents().municipalities {
            let ars = area.value.ars;
            let Some(ags) = own_ags(&ars) else { continue };
            let Some(first) = seen.insert(ags, area) else { continue };
            let text = (
                format!("{ars} hat denselben AGS {ags} wie {} in {}", first.value.ars, first.file),
                format!("{ars} has the same AGS {ags} as {} in {}", first.value.ars, first.file),
            );
            let remedy = (
                "Die Datei der Kommune entfernen, die es so nicht mehr gibt.",
                "Remove the file of the municipality that exists no more.",
            );
            let place = self.place(&area.file, "", ars.as_str());
            findings
                .push(CheckFinding::error(Code::CONFIG_REFERENCE, &area.file, text).at(place).remedy(remedy));
        }
    }

    fn delegations(&self, findings: &mut Vec<CheckFinding>) {
        for (place, area) in self.contents().municipalities.iter().enumerate() {
            for (procedure, other) in &area.value.delegate {
                let end = self.responsible(place, procedure, &mut Vec::new());
                if end.is_some_and(|id| self.handles(&id, procedure)) {
                    continue;
                }
                let text = (
                    format!(
                        "die Übertragung von {procedure} an {other} endet bei keiner Stelle, die es bearbeitet"
                    ),
                    format!("the delegation of {procedure} to {other} ends at no office that handles it"),
                );
                let place = self.place(&area.file, "delegate", procedure.as_str());
                findings.push(idle(&area.file, place, text));
            }
        }
    }

    fn defaults(&self, findings: &mut Vec<CheckFinding>) {
        let Some(defaults) = &self.contents().defaults else { return };
        let value = &defaults.value;
        let general = self.index().procedures.keys().filter(|it| !value.procedure.contains_key(*it));
        let mut idle_at: BTreeMap<&AuthorityId, Vec<&str>> = BTreeMap::new();
        for (procedure, id) in value.procedure.iter().chain(general.zip(value.authority.iter().cycle())) {
            if !self.handles(id, procedure) {
                idle_at.entry(id).or_default().push(procedure.as_str());
            }
        }
        for (id, mut procedures) in idle_at {
            procedures.sort_unstable();
            let procedures = procedures.join(", ");
            let text = (
                format!("die Auffangstelle {id} bearbeitet nicht: {procedures}"),
                format!("the default {id} does not handle: {procedures}"),
            );
            findings.push(idle(&defaults.file, self.place(&defaults.file, "", id.as_str()), text));
        }
    }

    /// Whether the authority exists and does the procedure itself.
    pub(crate) fn handles(&self, id: &AuthorityId, procedure: &ProcedureId) -> bool {
        self.find_authority(id).is_some_and(|authority| authority.office.handles(procedure))
    }

    /// Folders and secrets that open the share or the mailboxes of one municipality to another; addresses too, which
    /// are only noted: a data centre may tell its municipalities apart behind one. Those of a profile are shared on
    /// purpose.
    fn shared(&self, findings: &mut Vec<CheckFinding>) {
        let mut users: BTreeMap<(&str, String), Vec<&Filed<Municipality>>> = BTreeMap::new();
        for area in &self.contents().municipalities {
            let value = &area.value;
            let offices = || value.offices.values();
            let folders = value.folder.iter().chain(offices().filter_map(|office| office.folder.as_ref()));
            let secrets = value.secret.iter().chain(offices().filter_map(|office| office.secret.as_ref()));
            let endpoints =
                value.endpoint.iter().chain(offices().filter_map(|office| office.endpoint.as_ref()));
            let mails = value.mail.iter().chain(offices().filter_map(|office| office.mail_address.as_ref()));
            let path = |key, value: &String| (key, value.trim_end_matches('/').to_owned());
            let used = folders.map(|folder| path("folder", folder));
            let used = used.chain(endpoints.map(|endpoint| path("endpoint", endpoint)));
            let used = used.chain(mails.map(|mail| ("mail", mail.to_lowercase())));
            for used in used.chain(secrets.map(|secret| ("secret", secret.to_string()))) {
                let areas = users.entry(used).or_default();
                if areas.last().is_none_or(|last| last.file != area.file) {
                    areas.push(area);
                }
            }
        }
        for ((key, value), areas) in users {
            let [first, .., last] = areas.as_slice() else { continue };
            let (count, first) = (areas.len() - 1, &first.file);
            let text = (
                format!("{key} = {value:?} steht auch bei {count} anderen Kommunen, zuerst in {first}"),
                format!("{key} = {value:?} stands at {count} other municipalities too, first in {first}"),
            );
            let place = self.place(&last.file, "", &format!("\"{value}"));
            let finding = CheckFinding::error(Code::CONFIG_REFERENCE, &last.file, text).at(place);
            if ["endpoint", "mail"].contains(&key) {
                findings.push(finding.info().remedy((
                    "Nachsehen, ob das so gewollt ist: meist ist eine Datei kopiert und ein Wert vergessen. Gemeinsame Stellen: delegate.",
                    "See whether it is meant: mostly a file was copied and a value forgotten. For shared offices: delegate.",
                )));
                continue;
            }
            let remedy = (
                "Jeder Kommune ihren eigenen Wert geben: sonst liest die eine, was der anderen gehört. Gemeinsame Stellen: delegate.",
                "Give each municipality a value of its own: one would read what is the other's. For shared offices: delegate.",
            );
            findings.push(finding.warning().remedy(remedy));
        }
    }
}

fn idle(file: &str, place: (usize, usize), text: (String, String)) -> CheckFinding {
    let remedy = (
        "Eine Stelle nennen, deren procedures das Verfahren enthalten, oder es dort eintragen.",
        "Name an office whose procedures contain it, or enter it there.",
    );
    CheckFinding::error(Code::CONFIG_REFERENCE, file, text).at(place).warning().remedy(remedy)
}
