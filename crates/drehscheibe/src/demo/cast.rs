//! Who takes part: fixtures as templates, the channels they go in by, and what each message should come to.

use std::path::Path;

use bytes::Bytes;
use dds_testbench::Template;

use super::stage::failed;
use crate::{Failure, commands};

/// Names of fixtures that a correct router must not deliver begin so.
const INVALID: &str = "ungueltig";
/// Larger fixtures are sent too, but seldom: one message in `SELDOM`.
const LARGE: usize = 40 * 1024;
const SELDOM: u64 = 10;

/// A fixture ready to be sent many times.
#[derive(Clone)]
pub(crate) struct Role {
    pub(crate) procedure: String,
    pub(crate) name: String,
    pub(crate) media_type: &'static str,
    pub(crate) template: Template,
    pub(crate) valid: bool,
    large: bool,
}

/// How a message goes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Rest,
    Multipart,
    Soap,
    Folder,
}

/// All fixtures, in an order that mixes procedures.
pub(crate) struct Cast {
    roles: Vec<Role>,
}

impl Cast {
    /// Reads the fixtures below `folder`.
    pub(crate) fn read(folder: &Path) -> Result<Self, Failure> {
        let by_procedure = commands::fixtures(folder)?;
        let longest = by_procedure.values().map(Vec::len).max().unwrap_or(0);
        let mut roles = Vec::new();
        for place in 0..longest {
            for list in by_procedure.values() {
                let Some(fixture) = list.get(place) else { continue };
                roles.push(Role {
                    procedure: fixture.procedure.clone(),
                    name: fixture.name.clone(),
                    media_type: fixture.media_type,
                    template: fixture.template().map_err(failed)?,
                    valid: !fixture.name.starts_with(INVALID),
                    large: fixture.bytes.len() > LARGE,
                });
            }
        }
        Ok(Self { roles })
    }

    /// The role and way of message `n`.
    pub(crate) fn pick(&self, n: u64) -> (&Role, Way) {
        let count = self.roles.len() as u64;
        let mut place = n % count;
        // Large ones keep their place in every `SELDOM`th round and give way to a small one otherwise.
        while self.at(place).large && !(n / count).is_multiple_of(SELDOM) {
            place = (place + 1) % count;
            if place == n % count {
                break;
            }
        }
        let role = self.at(place);
        let way = match (n / count + n) % 4 {
            1 => Way::Multipart,
            2 if role.media_type == "application/xml" => Way::Soap,
            3 => Way::Folder,
            _ => Way::Rest,
        };
        (role, way)
    }

    fn at(&self, place: u64) -> &Role {
        &self.roles[usize::try_from(place).unwrap_or(0) % self.roles.len()]
    }

    /// The first role of that procedure and name.
    pub(crate) fn find(&self, procedure: &str, name: &str) -> Option<&Role> {
        self.roles.iter().find(|role| role.procedure == procedure && role.name == name)
    }
}

/// All fixtures as one text, to look for what none of them names.
pub(crate) fn texts(folder: &Path) -> Result<String, Failure> {
    let fixtures = commands::fixtures(folder)?;
    let all = fixtures.values().flatten().map(|fixture| String::from_utf8_lossy(&fixture.bytes).into_owned());
    Ok(all.collect())
}

/// Attachments of message `n`: small invented files.
pub(crate) fn attachments(n: u64) -> Vec<(String, String, Bytes)> {
    let file = |name: &str, kind: &str, size: usize| {
        let text = format!("Anlage zu Nachricht {n}\n");
        (name.to_owned(), kind.to_owned(), Bytes::from(text.repeat(size / text.len() + 1)))
    };
    vec![file("lageplan.pdf", "application/pdf", 20_000), file("nachweis.txt", "text/plain", 300)]
}
