//! Saxony as example configuration: `drehscheibe saxony` writes one file per municipality, district and
//! Verwaltungsverband.
//!
//! Names and keys are facts (`config/saxony.csv`, official keys of mid 2026, association of end 2020). Everything else
//! is invented by `config/saxony.toml`: profiles in turn, addresses below `.example`, delegations of small
//! municipalities to their association or district. The result depends on these two files only.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use dds_depot::CheckFinding;
use dds_message::{Ars, Code, Digest, Text};
use serde::Deserialize;

use crate::{place::parse, read::unreadable};

/// Which files that are there already a generation may replace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replace {
    /// Those it wrote itself and nobody changed since.
    Ours,
    /// Also those written or edited by hand that are in its way.
    All,
}

/// What a generation wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Generated {
    /// Files written.
    pub written: usize,
    /// Names of files of areas that are no longer in the list, removed.
    pub removed: Vec<String>,
}

/// How areas are configured (`config/saxony.toml`).
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Plan {
    /// By kind of area.
    kind: BTreeMap<String, Kind>,
    /// By kind of association its members belong to.
    #[serde(default)]
    member: BTreeMap<String, Member>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kind {
    /// Given to the areas of this kind in turn.
    profiles: Vec<String>,
    /// Procedures their district does.
    #[serde(default)]
    to_district: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Member {
    /// Procedures the association does, or for a Verwaltungsgemeinschaft its fulfilling municipality.
    to_association: Vec<String>,
    /// `true`: the association is a body with an ARS and a file of its own.
    own_body: bool,
}

#[derive(Debug, Clone)]
struct Area {
    ars: Ars,
    name: String,
    kind: String,
    /// Kind and name of its association.
    association: Option<(String, String)>,
}

/// Writes `<out>/<ars>-<name>.toml` for every area of the list and removes the files of areas no longer in it.
///
/// A file whose first line does not fit the rest was not written by this generator, or edited since: as long as there
/// is one for an area of the list, nothing at all is written or removed. With [`Replace::All`] those in the way are
/// replaced; own files of other areas stay in any case.
///
/// # Errors
/// DDS-C001 with file and line if one of the two files is malformed, or with the file that cannot be written, or naming
/// those that are somebody's own.
pub fn generate(csv: &Path, plan: &Path, out: &Path, replace: Replace) -> Result<Generated, CheckFinding> {
    let read = |path: &Path| fs::read(path).map_err(|error| failure(path, 0, unreadable(&error)));
    let rules: Plan = parse(&plan.display().to_string(), &read(plan)?, Code::CONFIG_SYNTAX)?;
    let list = String::from_utf8_lossy(&read(csv)?).into_owned();
    let areas = with_bodies(areas(csv, &list)?, &rules);
    let (seats, hosts) = (seats(&areas), hosts(&areas));
    let mut files = BTreeMap::new();
    let mut turns: BTreeMap<&str, usize> = BTreeMap::new();
    for area in &areas {
        let kind = rules.kind.get(&area.kind).filter(|kind| !kind.profiles.is_empty());
        let kind = kind.ok_or_else(|| missing(plan, &area.kind))?;
        let turn = turns.entry(&area.kind).or_default();
        let profile = &kind.profiles[*turn % kind.profiles.len()];
        *turn += 1;
        let name = format!("{}-{}.toml", area.ars, slug(&area.name));
        let delegations = delegations(area, kind, &rules, &seats);
        files.insert(name, file(area, &hosts[&area.ars], profile, &delegations));
    }
    fs::create_dir_all(out).map_err(|error| failure(out, 0, unwritable(&error)))?;
    let (old, own) = existing(out)?;
    let area_of = |name: &str| name.split('-').next().unwrap_or_default().to_owned();
    let areas: BTreeSet<String> = files.keys().map(|name| area_of(name)).collect();
    // A second file for an area of the list would define it twice, whatever its name is.
    let in_the_way: Vec<&String> = own.iter().filter(|name| areas.contains(&area_of(name))).collect();
    if !in_the_way.is_empty() && replace == Replace::Ours {
        return Err(not_ours(out, &in_the_way));
    }
    let stale = old.iter().chain(in_the_way).filter(|name| !files.contains_key(*name));
    let removed: Vec<String> = stale.cloned().collect();
    for (name, text) in &files {
        let path = out.join(name);
        fs::write(&path, text).map_err(|error| failure(&path, 0, unwritable(&error)))?;
    }
    for name in &removed {
        let path = out.join(name);
        fs::remove_file(&path).map_err(|error| failure(&path, 0, unwritable(&error)))?;
    }
    Ok(Generated { written: files.len(), removed })
}

/// The files of municipalities in `out`: those of this generator, and those of somebody else.
fn existing(out: &Path) -> Result<(BTreeSet<String>, BTreeSet<String>), CheckFinding> {
    let (mut ours, mut own) = (BTreeSet::new(), BTreeSet::new());
    let entries = fs::read_dir(out).map_err(|error| failure(out, 0, unreadable(&error)))?;
    for entry in entries {
        let entry = entry.map_err(|error| failure(out, 0, unreadable(&error)))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.ends_with(".toml") {
            continue;
        }
        let bytes = fs::read(entry.path()).map_err(|error| failure(&entry.path(), 0, unreadable(&error)))?;
        if is_ours(&bytes) {
            ours.insert(name)
        } else {
            own.insert(name)
        };
    }
    Ok((ours, own))
}

/// The first line of a file: says that it may be replaced, as long as the rest is as it was written.
fn mark(rest: &[u8]) -> String {
    let digest = Digest::of(rest).short();
    format!(
        "# Erzeugt mit `drehscheibe saxony` (Prüfsumme {digest}): Name und Schlüssel sind Tatsachen, alles andere ist erfunden.\n"
    )
}

fn is_ours(bytes: &[u8]) -> bool {
    let end = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1);
    let (first, rest) = bytes.split_at(end);
    first == mark(rest).as_bytes()
}

fn not_ours(out: &Path, names: &[&String]) -> CheckFinding {
    let names = names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
    let text = (
        format!(
            "nichts wurde geschrieben, denn dies stammt nicht von drehscheibe saxony oder wurde seither geändert: {names}"
        ),
        format!(
            "nothing was written, because this is not by drehscheibe saxony or was changed since: {names}"
        ),
    );
    failure(out, 0, text).remedy((
        "Einen anderen Ordner nennen, oder mit --force ersetzen lassen.",
        "Name another folder, or have them replaced with --force.",
    ))
}

fn missing(plan: &Path, kind: &str) -> CheckFinding {
    let text =
        (format!("[kind.{kind}] mit profiles fehlt"), format!("[kind.{kind}] with profiles is missing"));
    failure(plan, 0, text)
}

fn unwritable(error: &std::io::Error) -> Text {
    (format!("nicht zu schreiben: {error}"), format!("cannot be written: {error}")).into()
}

fn failure(path: &Path, line: usize, text: impl Into<Text>) -> CheckFinding {
    CheckFinding::error(Code::CONFIG_SYNTAX, path.display().to_string(), text)
        .at((line, usize::from(line > 0)))
}

/// Reads the list: `ars;name;kind;association kind;association`. The semicolon spares quoting: names hold commas.
fn areas(csv: &Path, list: &str) -> Result<Vec<Area>, CheckFinding> {
    let mut areas = Vec::new();
    for (place, line) in list.lines().enumerate().skip(1) {
        let fields: Vec<&str> = line.split(';').collect();
        let [ars, name, kind, association_kind, association] = fields[..] else {
            let found = fields.len();
            let text = (format!("{found} Felder statt 5"), format!("{found} fields instead of 5"));
            return Err(failure(csv, place + 1, text));
        };
        let ars = Ars::parse(ars).map_err(|error| {
            let german = format!("{:?} ist kein Regionalschlüssel aus 12 Ziffern", error.value);
            failure(csv, place + 1, (german, error.to_string()))
        })?;
        let association =
            (!association.is_empty()).then(|| (association_kind.to_owned(), association.to_owned()));
        areas.push(Area { ars, name: name.to_owned(), kind: kind.to_owned(), association });
    }
    areas.sort_by_key(|area| area.ars);
    Ok(areas)
}

/// Adds the associations that are bodies of their own.
fn with_bodies(mut areas: Vec<Area>, plan: &Plan) -> Vec<Area> {
    let mut bodies: BTreeMap<Ars, Area> = BTreeMap::new();
    for area in &areas {
        let Some((kind, name)) = &area.association else { continue };
        if plan.member.get(kind).is_some_and(|member| member.own_body) {
            let ars = area.ars.association();
            let name = format!("Verwaltungsverband {name}");
            bodies.insert(ars, Area { ars, name, kind: kind.clone(), association: None });
        }
    }
    areas.extend(bodies.into_values());
    areas.sort_by_key(|area| area.ars);
    areas
}

/// The fulfilling municipality of each Verwaltungsgemeinschaft: the member it is named after, else the first town.
fn seats(areas: &[Area]) -> BTreeMap<Ars, Ars> {
    let mut seats: BTreeMap<Ars, (u8, Ars)> = BTreeMap::new();
    for area in areas {
        let Some((_, association)) = &area.association else { continue };
        let short = area.name.split(',').next().unwrap_or_default();
        let rank = match (association.starts_with(short), association.contains(short), area.kind == "stadt") {
            (true, ..) => 0,
            (_, true, _) => 1,
            (.., true) => 2,
            _ => 3,
        };
        let seat = seats.entry(area.ars.association()).or_insert((rank, area.ars));
        *seat = (*seat).min((rank, area.ars));
    }
    seats.into_iter().map(|(association, (_, seat))| (association, seat)).collect()
}

fn delegations(area: &Area, kind: &Kind, plan: &Plan, seats: &BTreeMap<Ars, Ars>) -> BTreeMap<String, Ars> {
    let district = kind.to_district.iter().map(|procedure| (procedure.clone(), area.ars.district()));
    let mut delegations: BTreeMap<String, Ars> = district.collect();
    if let Some((association, _)) = &area.association
        && let Some(member) = plan.member.get(association)
    {
        let body = area.ars.association();
        let seat = if member.own_body { Some(&body) } else { seats.get(&body) };
        if let Some(seat) = seat.filter(|seat| **seat != area.ars) {
            delegations.extend(member.to_association.iter().map(|procedure| (procedure.clone(), *seat)));
        }
    }
    delegations
}

/// The name of each in addresses. Namesakes, such as a town and the district around it, are told apart by their key.
fn hosts(areas: &[Area]) -> BTreeMap<Ars, String> {
    let mut bearers: BTreeMap<String, usize> = BTreeMap::new();
    for area in areas {
        *bearers.entry(slug(&area.name)).or_default() += 1;
    }
    let host = |area: &Area| match slug(&area.name) {
        name if bearers[&name] > 1 => format!("{name}-{}", area.ars),
        name => name,
    };
    areas.iter().map(|area| (area.ars, host(area))).collect()
}

fn file(area: &Area, host: &str, profile: &str, delegations: &BTreeMap<String, Ars>) -> String {
    let ars = &area.ars;
    let quoted = area.name.replace('\\', "\\\\").replace('"', "\\\"");
    let mut text = format!(
        "ars = \"{ars}\"\nname = \"{quoted}\"\nprofile = \"{profile}\"\n\
         endpoint = \"https://integration.{host}.example\"\nsecret = \"env:DDS_SECRET_{ars}\"\n\
         mail = \"poststelle@{host}.example\"\nfolder = \"/srv/transfer/{ars}\"\n"
    );
    if !delegations.is_empty() {
        let list: Vec<String> =
            delegations.iter().map(|(procedure, ars)| format!("{procedure} = \"{ars}\"")).collect();
        text.push_str(&format!("delegate = {{ {} }}\n", list.join(", ")));
    }
    mark(text.as_bytes()) + &text
}

/// Name for files and hosts: `weisswasser-o-l` for `Weißwasser/O.L., Stadt / Běła Woda`.
fn slug(name: &str) -> String {
    let name = name.split(',').next().unwrap_or(name);
    let mut slug = String::new();
    for letter in name.to_lowercase().chars() {
        match letter {
            'a'..='z' | '0'..='9' => slug.push(letter),
            'ä' => slug.push_str("ae"),
            'ö' => slug.push_str("oe"),
            'ü' => slug.push_str("ue"),
            'ß' => slug.push_str("ss"),
            _ if slug.ends_with('-') || slug.is_empty() => {}
            _ => slug.push('-'),
        }
    }
    slug.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "ars;name;kind;association_kind;association\n\
        145110000000;Chemnitz, Stadt;kreisfreie-stadt;;\n\
        145210000000;Erzgebirgskreis;landkreis;;\n\
        145215103040;Auerbach;gemeinde;verwaltungsgemeinschaft;Burkhardtsdorf\n\
        145215103120;Burkhardtsdorf;gemeinde;verwaltungsgemeinschaft;Burkhardtsdorf\n\
        145215405090;Börnichen/Erzgeb.;gemeinde;verwaltungsverband;Wildenstein\n\
        145235404010;Auerbach, Stadt;gemeinde;;\n";
    const PLAN: &str = "[kind.landkreis]\nprofiles = [\"landkreis\"]\n[kind.kreisfreie-stadt]\nprofiles = [\"grossstadt\"]\n\
        [kind.gemeinde]\nprofiles = [\"a\", \"b\"]\nto_district = [\"bauantrag\"]\n\
        [kind.verwaltungsverband]\nprofiles = [\"verband\"]\nto_district = [\"bauantrag\"]\n\
        [member.verwaltungsgemeinschaft]\nown_body = false\nto_association = [\"gewerbeanzeige\"]\n\
        [member.verwaltungsverband]\nown_body = true\nto_association = [\"bauantrag\", \"gewerbeanzeige\"]\n";

    #[test]
    fn members_delegate_to_seat_or_body_and_old_files_go() {
        let folder = tempfile::tempdir().unwrap();
        let (csv, plan, out) =
            (folder.path().join("a.csv"), folder.path().join("a.toml"), folder.path().join("out"));
        fs::write(&csv, LIST).unwrap();
        fs::write(&plan, PLAN).unwrap();
        fs::create_dir(&out).unwrap();
        let gone = "149999999999-weg.toml".to_owned();
        fs::write(out.join(&gone), mark(b"")).unwrap();
        let done = generate(&csv, &plan, &out, Replace::Ours).unwrap();
        assert_eq!(done, Generated { written: 7, removed: vec![gone] });
        let text = |name: &str| fs::read_to_string(out.join(name)).unwrap();
        assert!(
            text("145215103040-auerbach.toml")
                .contains("delegate = { bauantrag = \"145210000000\", gewerbeanzeige = \"145215103120\" }")
        );
        assert!(!text("145215103120-burkhardtsdorf.toml").contains("gewerbeanzeige"));
        assert!(text("145215405090-boernichen-erzgeb.toml").contains("bauantrag = \"145215405000\""));
        assert!(
            text("145215405000-verwaltungsverband-wildenstein.toml").contains("bauantrag = \"145210000000\"")
        );
        let first = text("145215103040-auerbach.toml");
        let namesakes = [first.clone(), text("145235404010-auerbach.toml")];
        for (text, ars) in namesakes.iter().zip(["145215103040", "145235404010"]) {
            assert!(text.contains(&format!("https://integration.auerbach-{ars}.example")), "{text}");
        }
        assert!(text("145215103120-burkhardtsdorf.toml").contains("@burkhardtsdorf.example"));
        generate(&csv, &plan, &out, Replace::Ours).unwrap();
        assert_eq!(text("145215103040-auerbach.toml"), first);
    }

    #[test]
    fn a_broken_list_names_its_line() {
        let finding = areas(Path::new("a.csv"), "head\n145110000000;x\n").unwrap_err();
        assert_eq!((finding.line, finding.code), (2, Code::CONFIG_SYNTAX));
        assert_eq!(slug("Weißwasser/O.L., Stadt / Běła Woda"), "weisswasser-o-l");
    }
}
