//! Fixtures, and many messages made of one.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use bytes::{Bytes, BytesMut};
use uuid::Uuid;

use crate::Error;

/// Elements (XML: local name; JSON: member) whose value must differ from message to message.
const UNIQUE: [&str; 3] = ["nachrichtenId", "nachrichtenUUID", "vorgang"];

/// Mustervorgang: a message of an invented person, file of `fixtures/<procedure>/`.
#[derive(Debug, Clone)]
pub struct Fixture {
    /// Folder: the procedure.
    pub procedure: String,
    /// File name without ending: `ordinary`, `maximal`, …
    pub name: String,
    /// Where it lies.
    pub path: PathBuf,
    /// `application/xml` or `application/json`.
    pub media_type: &'static str,
    /// The document.
    pub bytes: Bytes,
}

/// All fixtures below `root`, by procedure, sorted by file name.
///
/// # Errors
/// [`Error::Io`] if the folder cannot be read.
pub fn fixtures(root: &Path) -> Result<BTreeMap<String, Vec<Fixture>>, Error> {
    let mut found = BTreeMap::new();
    for folder in sorted(root)? {
        let procedure = file_name(&folder);
        if !folder.is_dir() {
            continue;
        }
        let mut list = Vec::new();
        for path in sorted(&folder)? {
            let media_type = match path.extension().and_then(|ending| ending.to_str()) {
                Some("xml") => "application/xml",
                Some("json") => "application/json",
                _ => continue,
            };
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let bytes = Bytes::from(std::fs::read(&path)?);
            list.push(Fixture { procedure: procedure.clone(), name, path, media_type, bytes });
        }
        if !list.is_empty() {
            found.insert(procedure, list);
        }
    }
    Ok(found)
}

fn sorted(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut paths = std::fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    Ok(paths)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// A document cut at the values that must be unique, so that making a variant costs little more than copying it.
#[derive(Debug, Clone)]
pub struct Template {
    pieces: Vec<Piece>,
    size: usize,
}

#[derive(Debug, Clone)]
enum Piece {
    Fixed(Bytes),
    Uuid,
    /// Text before a number, and the least width of the number.
    Number(String, usize),
}

impl Fixture {
    /// The template of this fixture: the values of `nachrichtenId`, `nachrichtenUUID` and `vorgang` become unique. A
    /// UUID stays a UUID; of any other value the digits at its end are replaced (or a number is added).
    ///
    /// # Errors
    /// [`Error::Fixture`] if it holds none of these elements, because then all variants would be one duplicate.
    pub fn template(&self) -> Result<Template, Error> {
        let failed = |what: &str| Error::Fixture { file: file_name(&self.path), what: what.to_owned() };
        let text = std::str::from_utf8(&self.bytes).map_err(|_| failed("not UTF-8"))?;
        let mut values =
            if self.media_type == "application/json" { json_values(text) } else { xml_values(text) };
        values.sort_unstable();
        if values.is_empty() {
            return Err(failed("no nachrichtenId, nachrichtenUUID or vorgang to make unique"));
        }
        let (mut pieces, mut end) = (Vec::new(), 0);
        for (from, to) in values {
            pieces.push(Piece::Fixed(self.bytes.slice(end..from)));
            pieces.push(unique(&text[from..to]));
            end = to;
        }
        pieces.push(Piece::Fixed(self.bytes.slice(end..)));
        Ok(Template { pieces, size: self.bytes.len() + 64 })
    }
}

impl Template {
    /// Variant number `n` of a series. The same series and number always give the same bytes.
    #[must_use]
    pub fn variant(&self, series: u32, n: u64) -> Bytes {
        let mut bytes = BytesMut::with_capacity(self.size);
        for piece in &self.pieces {
            match piece {
                Piece::Fixed(fixed) => bytes.extend_from_slice(fixed),
                Piece::Uuid => bytes.extend_from_slice(uuid(series, n).to_string().as_bytes()),
                Piece::Number(before, width) => {
                    bytes.extend_from_slice(format!("{before}{series}{n:0width$}").as_bytes());
                }
            }
        }
        bytes.freeze()
    }
}

/// A UUID of version 4 whose "random" bits are series and number.
fn uuid(series: u32, n: u64) -> Uuid {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&series.to_be_bytes());
    bytes[8..].copy_from_slice(&n.to_be_bytes());
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

fn unique(value: &str) -> Piece {
    if Uuid::parse_str(value).is_ok() {
        return Piece::Uuid;
    }
    let before = value.trim_end_matches(|c: char| c.is_ascii_digit());
    if before.len() == value.len() {
        return Piece::Number(format!("{value}-"), 8);
    }
    Piece::Number(before.to_owned(), value.len() - before.len())
}

/// Places of the text of `<name>text</name>` and `<p:name …>text</p:name>`.
fn xml_values(text: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for (open, _) in text.match_indices('<') {
        let tag = &text[open + 1..];
        let Some(close) = tag.find('>') else { break };
        let name = tag[..close].split(|c: char| c.is_ascii_whitespace()).next().unwrap_or_default();
        let local = name.rsplit(':').next().unwrap_or_default();
        let from = open + 1 + close + 1;
        let Some(to) = text[from..].find('<').map(|at| from + at) else { break };
        let is_text = text[to..].starts_with("</") && !text[from..to].trim().is_empty();
        if UNIQUE.contains(&local) && is_text {
            let value = &text[from..to];
            let start = from + (value.len() - value.trim_start().len());
            found.push((start, start + value.trim().len()));
        }
    }
    found
}

/// Places of the text of `"name": "text"`, also with a prefix before the name.
fn json_values(text: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for name in UNIQUE {
        for (at, _) in text.match_indices(&format!("{name}\"")) {
            let named = text[..at].ends_with(['"', ':']);
            let after = at + name.len() + 1;
            let rest = &text[after..];
            let value = rest
                .trim_start()
                .strip_prefix(':')
                .map(str::trim_start)
                .and_then(|rest| rest.strip_prefix('"'));
            if let (true, Some(value)) = (named, value)
                && let Some(length) = value.find('"')
            {
                let from = text.len() - value.len();
                found.push((from, from + length));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixture(media_type: &'static str, text: &'static str) -> Fixture {
        let bytes = Bytes::from_static(text.as_bytes());
        Fixture { procedure: "p".into(), name: "n".into(), path: "p/n.xml".into(), media_type, bytes }
    }

    fn variant(media_type: &'static str, text: &'static str, n: u64) -> String {
        String::from_utf8(fixture(media_type, text).template().unwrap().variant(7, n).to_vec()).unwrap()
    }

    #[test]
    fn ids_become_unique_and_keep_their_form() {
        let xml = "<a xmlns:k=\"urn:k\"><k:nachrichtenUUID>f81d4fae-7dec-11d0-a765-00a0c91e6bf6</k:nachrichtenUUID>\
                   <vorgang> HS-2026-0042 </vorgang><vorgang><x>1</x></vorgang></a>";
        let one = variant("application/xml", xml, 1);
        assert!(one.contains("<vorgang> HS-2026-70001 </vorgang><vorgang><x>1</x></vorgang>"), "{one}");
        let id = one.split("UUID>").nth(1).unwrap().trim_end_matches("</k:nachrichten");
        assert_eq!(Uuid::parse_str(id).unwrap().get_version_num(), 4, "{one}");
        assert_eq!(one, variant("application/xml", xml, 1));
        assert_ne!(one, variant("application/xml", xml, 2));
    }

    #[test]
    fn json_members_too() {
        let json = r#"{"anmeldung":{"kopf":{"nachrichtenId" : "N-1","vorgang":"V-9","art":"vorgang"}}}"#;
        let expected =
            r#"{"anmeldung":{"kopf":{"nachrichtenId" : "N-712","vorgang":"V-712","art":"vorgang"}}}"#;
        assert_eq!(variant("application/json", json, 12), expected);
    }

    #[test]
    fn a_fixture_that_cannot_be_multiplied_is_refused() {
        assert!(fixture("application/xml", "<a/>").template().is_err());
    }
}
