//! The addressee (Empfänger) beside the municipality: a message must not name one area and go to another.

use dds_message::{Ars, AuthorityId, CaseHolder, Code, DecisionStep, Facts, Problem, TargetId};

use crate::{
    decide::Steps, directory::Named, index::Recognised, municipality::Municipality, release::Release,
    rule::Level, source::Source,
};

impl Release {
    /// Whether `source` may address whom a message names; otherwise DDS-I002. That is a matter of its municipalities:
    /// an addressee elsewhere is allowed only if it does the procedure for a municipality that the source may send for.
    /// A key of another directory decides nothing and is allowed.
    pub fn may_address(
        &self,
        source: &Source,
        facts: &Facts,
        recognised: Recognised,
        day: &str,
    ) -> Result<(), Problem> {
        if source.municipalities.allows_all() {
            return Ok(());
        }
        let Some(area) = self.addressed(facts) else { return Ok(()) };
        if source.municipalities.allows(area.as_str()) {
            return Ok(());
        }
        Steps::new(self, facts, recognised, day).addressee(&[]).map(drop).map_err(|_| {
            let id = &source.id;
            let german = format!("Quelle {id} darf nicht an Stellen von {area} senden");
            Problem::new(
                Code::NOT_ALLOWED,
                (german, format!("source {id} may not send to authorities of {area}")),
            )
        })
    }

    /// Whether a person may give a message of `former` to `target` without insisting: its authority does the procedure
    /// for the municipality of the message, or had the message before. Otherwise `DDS-C013`, which says what it does,
    /// or for whom. An unknown target is for [`Release::plan_to`] to refuse.
    pub fn suits(
        &self,
        target: &TargetId,
        former: Option<&AuthorityId>,
        facts: &Facts,
        recognised: Recognised,
        day: &str,
    ) -> Result<(), Problem> {
        let id = self.target(target).and_then(|target| target.authority);
        let Some(authority) = id.as_ref().and_then(|id| self.authority(id)) else { return Ok(()) };
        let procedure = &facts.procedure;
        let steps = || Steps::new(self, facts, recognised, day);
        if former == Some(&authority.id) || steps().own().as_ref() == Some(&authority.id) {
            return Ok(());
        }
        let (id, name) = (&authority.id, authority.name());
        if authority.office.handles(procedure) {
            let area = &authority.municipality;
            let had_it = former.and_then(|former| self.find_authority(former));
            let same = had_it.is_some_and(|former| former.municipality.ars == area.ars);
            return match facts.municipality.filter(|ars| !same && !steps().serves(*ars, area.ars)) {
                None => Ok(()),
                Some(ars) => Err(Problem::new(Code::BAD_ARGUMENT, self.elsewhere(&ars, id, name, area))),
            };
        }
        let others: Vec<_> = authority.office.procedures.iter().flatten().map(ToString::to_string).collect();
        let others = others.join(", ");
        let text = (
            format!("{id} ({name}) bearbeitet {procedure} nicht, nur: {others}; mit --force trotzdem"),
            format!("{id} ({name}) does not handle {procedure}, only: {others}; with --force nevertheless"),
        );
        Err(Problem::new(Code::BAD_ARGUMENT, text))
    }

    /// What a person is told who would give a message of `ars` to another municipality.
    fn elsewhere(&self, ars: &Ars, id: &AuthorityId, name: &str, area: &Municipality) -> (String, String) {
        let of = self.municipality(ars).map_or("", |of| of.name.as_str());
        let (other, its) = (area.name.as_str(), area.ars);
        (
            format!(
                "die Nachricht betrifft {ars} {of}, aber {id} ({name}) gehört zu {its} {other}; mit --force trotzdem"
            ),
            format!(
                "the message concerns {ars} {of}, but {id} ({name}) belongs to {its} {other}; with --force nevertheless"
            ),
        )
    }

    /// The area of the addressee, if it is one of this directory.
    fn addressed(&self, facts: &Facts) -> Option<Ars> {
        match self.named(facts.addressee.as_ref()?) {
            Named::Office(id) => self.find_authority(&id).map(|authority| authority.municipality.ars),
            Named::Area(place) => Some(self.contents().municipalities[place?].value.ars),
            Named::Unknown | Named::Foreign => None,
        }
    }
}

impl Steps<'_> {
    /// Whether authorities of `area` do the procedure for `ars`: its own, those of its Verband or of the level of the
    /// rule, or those that delegation or default name.
    fn serves(&self, ars: Ars, area: Ars) -> bool {
        let level = match self.release.rule_of(self.recognised).level {
            Level::Municipality => ars,
            Level::District => ars.district(),
            Level::State => ars.land(),
        };
        if [ars, ars.association(), level].contains(&area) {
            return true;
        }
        self.own()
            .and_then(|id| self.release.find_authority(&id))
            .is_some_and(|own| own.municipality.ars == area)
    }

    /// Whom the municipality makes responsible, whatever else the message says.
    fn own(&self) -> Option<AuthorityId> {
        Steps::new(self.release, self.facts, self.recognised, self.day).by_municipality().ok()
    }

    /// Whether the addressee, which led to `found`, is of the municipality that the message names, of its Verband or
    /// the level of the rule, or does the procedure for it (delegation, default) or has the case; otherwise `DDS-R008`.
    /// Without a municipality nothing contradicts it.
    pub(crate) fn serves_municipality(
        &mut self,
        found: &AuthorityId,
        holders: &[CaseHolder],
    ) -> Result<(), Problem> {
        let Some(ars) = self.facts.municipality else { return Ok(()) };
        let Some(area) = self.release.addressed(self.facts) else { return Ok(()) };
        if self.serves(ars, area)
            || self.own().as_ref() == Some(found)
            || self.case(holders).as_ref() == Some(found)
        {
            return Ok(());
        }
        let procedure = &self.facts.procedure;
        let text = (
            format!("Empfänger gehört zu {area}, das {procedure} nicht für {ars} bearbeitet"),
            format!("the addressee belongs to {area}, which does not handle {procedure} for {ars}"),
        );
        self.say(DecisionStep::Addressee, None, text.clone());
        Err(Problem::new(Code::WRONG_ADDRESSEE, text))
    }
}
