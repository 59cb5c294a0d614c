//! The names that the schemas of a release declare. What a sender calls an element otherwise is content (I9): in JSON
//! more often than not it is data, and in XML it may be anything.

use std::collections::HashSet;

use crate::release::{Files, Release};

/// Stands in a location for the steps that only the sender knows.
const UNKNOWN: &str = "?";

/// Names of elements and attributes that any schema of a release declares.
pub(crate) type Names = HashSet<Box<str>>;

pub(crate) fn declared(files: &Files) -> Names {
    let mut names = Names::new();
    for (_, bytes) in files.iter().filter(|(path, _)| path.ends_with(".xsd")) {
        let text = String::from_utf8_lossy(bytes);
        for (place, found) in text.match_indices("name=") {
            if !text[..place].ends_with(char::is_whitespace) {
                continue;
            }
            let mut rest = text[place + found.len()..].chars();
            let Some(quote) = rest.next().filter(|quote| ['"', '\''].contains(quote)) else { continue };
            if let Some((name, _)) = rest.as_str().split_once(quote) {
                names.insert(name.trim().into());
            }
        }
    }
    names
}

impl Release {
    /// The location of a finding as journal and log may have it: its steps up to the first whose name no schema of this
    /// release declares, and `?` for that one and what follows. The whole location is in the sealed Prüfbericht.
    #[must_use]
    pub fn known_location(&self, location: &str) -> String {
        let Some(path) = location.strip_prefix('/') else {
            return if location.is_empty() { String::new() } else { UNKNOWN.to_owned() };
        };
        let mut told = String::with_capacity(location.len());
        for step in path.split('/') {
            told.push('/');
            if !self.declares(step) {
                told.push_str(UNKNOWN);
                break;
            }
            told.push_str(step);
        }
        told
    }

    /// Whether a step (`name`, `name[3]`, `@name`) has a declared name.
    fn declares(&self, step: &str) -> bool {
        let (name, position) = step.split_once('[').map_or((step, None), |(name, rest)| (name, Some(rest)));
        let number = |text: &str| {
            text.strip_suffix(']').is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
        };
        position.is_none_or(number) && self.names().contains(name.strip_prefix('@').unwrap_or(name))
    }
}
