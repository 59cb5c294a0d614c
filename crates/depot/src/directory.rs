//! The directory: which authority of an area handles a procedure, worked out on look-up and never materialised.

use std::borrow::Cow;

use dds_message::{Ags, Ars, AuthorityId, Code, DecisionStep, ProcedureId, Reason, TargetId};

use crate::{
    decide::reason,
    municipality::{Municipality, Office},
    release::Release,
};

/// Prefix of the authority ids of this directory.
pub(crate) const PREFIX: &str = "sn";
/// Last part of the target id of an office's mail.
pub(crate) const MAIL: &str = "mail";
/// Longest chain of delegations; the build refuses cycles, this bounds mere length.
pub(crate) const LONGEST_CHAIN: usize = 8;

/// Zuständige Stelle: an office of an area, exceptions laid over the profile.
#[derive(Debug, Clone)]
pub struct Authority<'a> {
    /// Id, `sn:<ars>-<office>`.
    pub id: AuthorityId,
    /// Area it belongs to.
    pub municipality: &'a Municipality,
    /// Short name of the office.
    pub key: String,
    /// The office as it is in force here.
    pub office: Cow<'a, Office>,
}

impl Authority<'_> {
    /// Name for people; the short name where no other is given.
    #[must_use]
    pub fn name(&self) -> &str {
        self.office.name.as_deref().unwrap_or(&self.key)
    }

    /// Its targets: id and `product@version`; the product of a mail target is `None`, it follows from the release.
    pub fn targets(&self) -> impl Iterator<Item = (TargetId, Option<&str>)> {
        let id =
            move |last: &str| TargetId::parse(&format!("{}/{}/{last}", self.municipality.ars, self.key)).ok();
        let mail = (self.office.mail == Some(true)).then(|| (id(MAIL), None));
        self.office
            .products()
            .map(move |name| (id(name.split_once('@').map_or(name, |(product, _)| product)), Some(name)))
            .chain(mail)
            .filter_map(|(id, product)| Some((id?, product)))
    }
}

/// The id of an office.
pub(crate) fn authority_id(ars: &Ars, office: &str) -> Option<AuthorityId> {
    AuthorityId::parse(&format!("{PREFIX}:{ars}-{office}")).ok()
}

/// The area and the short name that the id of an office consists of.
fn office_of(id: &AuthorityId) -> Option<(Ars, &str)> {
    let (ars, office) = id.as_str().strip_prefix(PREFIX)?.strip_prefix(':')?.split_once('-')?;
    Some((Ars::parse(ars).ok()?, office))
}

/// The area that an office belongs to, also if this release has neither.
pub(crate) fn area_of(id: &AuthorityId) -> Option<Ars> {
    office_of(id).map(|(ars, _)| ars)
}

/// What a key in DVDV form names.
pub(crate) enum Named {
    /// An office.
    Office(AuthorityId),
    /// An area, whose office follows from the procedure; `None`: that area is not connected.
    Area(Option<usize>),
    /// Ours by its prefix, but unknown.
    Unknown,
    /// The key of another directory.
    Foreign,
}

impl Release {
    /// Every authority, area by area.
    pub fn authorities(&self) -> impl Iterator<Item = Authority<'_>> {
        (0..self.contents().municipalities.len()).flat_map(|place| self.authorities_of(place))
    }

    /// The authorities of one area.
    pub(crate) fn authorities_of(&self, place: usize) -> impl Iterator<Item = Authority<'_>> {
        let municipality = &self.contents().municipalities[place].value;
        let profile = self.index().profile(self.contents(), &municipality.profile);
        let inherited = profile.into_iter().flat_map(|profile| profile.offices.keys());
        let added = municipality
            .offices
            .keys()
            .filter(move |key| profile.is_none_or(|profile| !profile.offices.contains_key(*key)));
        inherited.chain(added).filter_map(move |key| self.office(place, key))
    }

    /// One office of one area, with its exceptions.
    pub(crate) fn office(&self, place: usize, key: &str) -> Option<Authority<'_>> {
        let municipality = &self.contents().municipalities[place].value;
        let profile = self.index().profile(self.contents(), &municipality.profile);
        let general = profile.and_then(|profile| profile.offices.get(key));
        let office = match (general, municipality.offices.get(key)) {
            (Some(general), Some(exception)) => Cow::Owned(exception.over(general)),
            (Some(office), None) | (None, Some(office)) => Cow::Borrowed(office),
            (None, None) => return None,
        };
        let id = authority_id(&municipality.ars, key)?;
        Some(Authority { id, municipality, key: key.to_owned(), office })
    }

    pub(crate) fn find_authority(&self, id: &AuthorityId) -> Option<Authority<'_>> {
        let (ars, office) = office_of(id)?;
        self.office(self.area(&ars)?, office)
    }

    /// Reads a key in DVDV form. `ars:` and `ags:` (and bare digits) name an area.
    pub(crate) fn named(&self, id: &AuthorityId) -> Named {
        let text = id.as_str();
        let (prefix, key) = text.split_once(':').unwrap_or(("ars", text));
        let area = |key: &str| match (Ars::parse(key), Ags::parse(key)) {
            (Ok(ars), _) => Some(Named::Area(self.area(&ars))),
            (_, Ok(ags)) => Some(Named::Area(self.index().ags.get(&ags).copied())),
            _ => None,
        };
        match prefix {
            PREFIX => match self.find_authority(id) {
                Some(authority) => Named::Office(authority.id),
                None => area(key).unwrap_or(Named::Unknown),
            },
            "ars" | "ags" => area(key).unwrap_or(Named::Unknown),
            _ => Named::Foreign,
        }
    }

    /// Who does `procedure` for the area: its delegation, else its own office. Follows chains; each link is a reason.
    pub(crate) fn responsible(
        &self,
        place: usize,
        procedure: &ProcedureId,
        reasons: &mut Vec<Reason>,
    ) -> Option<AuthorityId> {
        let mut at = place;
        for _ in 0..LONGEST_CHAIN {
            let municipality = &self.contents().municipalities[at].value;
            let own = self.index().own_office(at, &municipality.profile, procedure);
            let Some(other) = municipality.delegate.get(procedure) else {
                let id = own.and_then(|key| authority_id(&municipality.ars, key));
                let (ars, name) = (&municipality.ars, &municipality.name);
                let because = match own {
                    Some(key) => (
                        format!("{ars}: {key} von {name} bearbeitet {procedure}"),
                        format!("{ars}: office {key} of {name} handles {procedure}"),
                    ),
                    None => (
                        format!("{ars}: keine Stelle von {name} bearbeitet {procedure}"),
                        format!("{ars}: no office of {name} handles {procedure}"),
                    ),
                };
                reasons.push(reason(DecisionStep::Authority, id.as_ref().map(AuthorityId::as_str), because));
                return id;
            };
            let (instead_german, instead) = own.map_or_else(Default::default, |key| {
                (
                    format!("; darum nicht die eigene Stelle {key}"),
                    format!("; its own office {key} therefore lost"),
                )
            });
            let ars = &municipality.ars;
            let because = (
                format!("{ars} überträgt {procedure} an {other}{instead_german}"),
                format!("{ars} delegates {procedure} to {other}{instead}"),
            );
            reasons.push(reason(DecisionStep::Delegation, Some(other), because));
            if let Ok(ars) = Ars::parse(other) {
                at = self.area(&ars)?;
            } else {
                return AuthorityId::parse(other).ok().filter(|id| self.find_authority(id).is_some());
            }
        }
        let because = (
            format!("die Kette der Übertragungen ist länger als {LONGEST_CHAIN}"),
            format!("the chain of delegations is longer than {LONGEST_CHAIN}"),
        );
        reasons.push(Reason {
            code: Some(Code::NO_AUTHORITY),
            ..reason(DecisionStep::Delegation, None, because)
        });
        None
    }
}
