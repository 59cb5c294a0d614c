//! The decision: who is responsible, and what is delivered where (`ARCHITECTURE.md` 5.6).

use std::time::Duration;

use dds_message::{
    AuthorityId, CaseHolder, Code, DecisionStep, Facts, OutputForm, Problem, Reason, TargetId, Text,
};
use serde::Serialize;

use crate::{
    directory::{Authority, Named},
    index::Recognised,
    product::{AdapterKind, ProductPackage},
    release::{Filed, Release},
    rule::{Level, Order, RulePackage},
};

/// XSD of the canonical form (Vorgang), path in the release.
pub const CANONICAL_SCHEMA: &str = "rules/vorgang/1/vorgang.xsd";

/// Entscheidung with its reasons.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// It goes there.
    Route(Plan),
    /// Klärfall: nobody is responsible, or what is needed is missing.
    Park {
        /// Why, and who must act.
        problem: Problem,
        /// Every step, also those that decided nothing.
        reasons: Vec<Reason>,
    },
}

/// What happens with a message.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// Rule, such as `hundesteuer@1.0`.
    pub rule: String,
    /// Responsible authority.
    pub authority: AuthorityId,
    /// Its name, for the `sendung` of the Vorgang.
    pub authority_name: String,
    /// XSD of the message, path in the release.
    pub schema: Option<String>,
    /// Schematron files, paths in the release.
    pub schematrons: Vec<String>,
    /// Stylesheet to the canonical form, path in the release.
    pub canonical: String,
    /// XSD of the canonical form, path in the release.
    pub canonical_schema: String,
    /// Deliveries, each target once.
    pub deliveries: Vec<PlannedDelivery>,
    /// Every step of the decision.
    pub reasons: Vec<Reason>,
    /// Order of deliveries.
    pub order: Order,
    /// After so long a delivery becomes a dead letter.
    #[serde(skip)]
    pub deadline: Duration,
}

/// One delivery of a plan.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlannedDelivery {
    /// Target.
    pub target: TargetId,
    /// Authority that receives it.
    pub authority: AuthorityId,
    /// Its name.
    pub authority_name: String,
    /// Product package, such as `fv-steuerwerk@3.2`.
    pub product: String,
    /// Stylesheet from the Vorgang, path in the release; `None`: the product takes the Vorgang as it is.
    pub stylesheet: Option<String>,
    /// What it writes.
    pub output: OutputForm,
    /// Media type of the document.
    pub media_type: String,
    /// File name the target sees.
    pub file_name: String,
    /// The target fetches.
    pub pull: bool,
    /// Sum of attachment bytes the target takes.
    pub max_attachment_bytes: Option<u64>,
}

/// `because` is a pair: German, English.
pub(crate) fn reason(step: DecisionStep, chosen: Option<&str>, because: impl Into<Text>) -> Reason {
    Reason { step, chosen: chosen.map(str::to_owned), because: because.into(), code: None }
}

impl Release {
    /// Decides what happens with a recognised message. `holders` says who has its case already, from earlier messages
    /// of the same source (`Journal::case_holders`); `day` as in [`Release::recognise`].
    #[must_use]
    pub fn decide(
        &self,
        facts: &Facts,
        recognised: Recognised,
        holders: &[CaseHolder],
        day: &str,
    ) -> Decision {
        let mut steps = Steps::new(self, facts, recognised, day);
        match steps.plan(holders) {
            Ok(plan) => Decision::Route(plan),
            Err(problem) => {
                // The last reason that decided nothing carries the code, so that the story ends with why.
                match steps.reasons.last_mut() {
                    Some(last) if last.chosen.is_none() => last.code = Some(problem.code),
                    _ => steps.reasons.push(Reason {
                        code: Some(problem.code),
                        ..reason(DecisionStep::Park, None, problem.detail.clone())
                    }),
                }
                Decision::Park { problem, reasons: steps.reasons }
            }
        }
    }

    /// The plan of a delivery to `target`, which a person names instead of the one decided: the same steps up to the
    /// rule. Fails with `DDS-D007` if the target is unknown or leads to a source, with `DDS-V003` as a decision parks.
    pub fn plan_to(
        &self,
        target: &TargetId,
        facts: &Facts,
        recognised: Recognised,
        day: &str,
    ) -> Result<Plan, Problem> {
        let planned = self.delivery_to(target).ok_or_else(|| {
            let german = format!("kein Ziel {target} in diesem Depotstand");
            Problem::new(Code::TARGET_UNKNOWN, (german, format!("no target {target} in this release")))
        })?;
        let mut steps = Steps::new(self, facts, recognised, day);
        steps.rule();
        steps.schema_is_there()?;
        let authority = (planned.authority.clone(), planned.authority_name.clone());
        steps.say(
            DecisionStep::Redirect,
            Some(target.as_str()),
            ("ein Mensch hat dieses Ziel bestimmt", "a person named this target"),
        );
        Ok(steps.finish(authority, vec![planned]))
    }

    fn delivery_to(&self, target: &TargetId) -> Option<PlannedDelivery> {
        let found = self.target(target)?;
        let authority = self.authority(found.authority.as_ref()?)?;
        let package = self.product(found.product.as_deref()?)?;
        Some(self.planned(&authority, target.clone(), package))
    }

    fn planned(
        &self,
        authority: &Authority<'_>,
        target: TargetId,
        package: &Filed<ProductPackage>,
    ) -> PlannedDelivery {
        let product = &package.value;
        PlannedDelivery {
            target,
            authority: authority.id.clone(),
            authority_name: authority.name().to_owned(),
            product: product.name(),
            stylesheet: self.stylesheet_of(package),
            output: product.output,
            media_type: product.media_type.clone(),
            file_name: product.file_name.clone(),
            pull: product.adapter == AdapterKind::Mailbox && authority.office.osci.is_none(),
            max_attachment_bytes: product.limits.attachment_bytes,
        }
    }
}

/// The steps of one decision, in the order of `ARCHITECTURE.md` 5.6.
pub(crate) struct Steps<'a> {
    pub(crate) release: &'a Release,
    pub(crate) facts: &'a Facts,
    pub(crate) recognised: Recognised,
    pub(crate) day: &'a str,
    reasons: Vec<Reason>,
}

impl<'a> Steps<'a> {
    pub(crate) fn new(release: &'a Release, facts: &'a Facts, recognised: Recognised, day: &'a str) -> Self {
        Self { release, facts, recognised, day, reasons: Vec::new() }
    }

    fn plan(&mut self, holders: &[CaseHolder]) -> Result<Plan, Problem> {
        self.rule();
        self.schema_is_there()?;
        let id = self.authority(holders)?;
        let Some(authority) = self.release.find_authority(&id) else {
            let german = format!("Stelle {id} ist nicht in diesem Depotstand");
            return Err(Problem::new(
                Code::NO_AUTHORITY,
                (german, format!("authority {id} is not in this release")),
            ));
        };
        let mut receivers = vec![authority.clone()];
        if self.release.rule_of(self.recognised).fan_out {
            self.participants(&authority, &mut receivers)?;
        }
        let mut deliveries = Vec::new();
        for receiver in &receivers {
            self.deliveries(receiver, &mut deliveries)?;
        }
        Ok(self.finish((id, authority.name().to_owned()), deliveries))
    }

    fn schema_is_there(&self) -> Result<(), Problem> {
        let rule = self.release.rule_of(self.recognised);
        match self.release.compiled(self.recognised).missing.first() {
            Some(missing) if !rule.schema_optional => {
                let name = rule.name();
                let text = (format!("{name} braucht {missing}"), format!("{name} needs {missing}"));
                Err(Problem::new(Code::SCHEMA_MISSING, text))
            }
            _ => Ok(()),
        }
    }

    fn finish(&mut self, authority: (AuthorityId, String), deliveries: Vec<PlannedDelivery>) -> Plan {
        let rule = self.release.rule_of(self.recognised);
        // What is missing here was allowed to be missing by `schema_optional`.
        let checks = self.release.checks(self.recognised);
        Plan {
            rule: rule.name(),
            authority: authority.0,
            authority_name: authority.1,
            schema: checks.schema,
            schematrons: checks.schematrons,
            canonical: checks.canonical,
            canonical_schema: CANONICAL_SCHEMA.to_owned(),
            deliveries,
            reasons: std::mem::take(&mut self.reasons),
            order: rule.order,
            deadline: rule.deadline.0,
        }
    }

    pub(crate) fn say(&mut self, step: DecisionStep, chosen: Option<&str>, because: impl Into<Text>) {
        self.reasons.push(reason(step, chosen, because));
    }

    fn rule(&mut self) {
        let release = self.release;
        let (rule, message) = (release.rule_of(self.recognised), release.message_of(self.recognised));
        let root = &release.compiled(self.recognised).root;
        let when: String = message.when.iter().map(|(path, value)| format!(", {path} = {value:?}")).collect();
        let name = rule.name();
        self.say(
            DecisionStep::Recognise,
            Some(&message.message_type().to_string()),
            (format!("Wurzelelement {root}{when}"), format!("root element {root}{when}")),
        );
        self.leika(rule);
        self.say(
            DecisionStep::Rule,
            Some(&name),
            (
                format!("gültig {} am {}", rule.window().german, self.day),
                format!("valid {} covers {}", rule.window().english, self.day),
            ),
        );
        let same = release.index().procedures.get(&rule.procedure).map_or(&[][..], Vec::as_slice);
        let chosen = self.recognised.rule;
        for other in same.iter().filter(|other| **other != chosen).take(8) {
            let other = &release.contents().rules[*other].value;
            let (name, window) = (other.name(), other.window());
            let why: Text = if other.valid_on(self.day) {
                (
                    format!("nicht {name}: sie erkennt andere Nachrichten"),
                    format!("{name} lost: it recognises other messages"),
                )
                    .into()
            } else {
                (
                    format!("nicht {name}: gültig {}, nicht am {}", window.german, self.day),
                    format!("{name} lost: valid {}, not on {}", window.english, self.day),
                )
                    .into()
            };
            self.say(DecisionStep::Rule, None, why);
        }
    }

    /// A message that names the service (LeiKa) of another procedure goes where its form says; perhaps its sender chose
    /// the wrong form, which somebody should see.
    fn leika(&mut self, rule: &RulePackage) {
        let (Some(named), procedure) = (&self.facts.leika, &rule.procedure) else { return };
        let having: Vec<_> = self.release.rules().filter(|other| other.leika.contains(named)).collect();
        if rule.leika.is_empty() || having.iter().any(|other| other.procedure == *procedure) {
            return;
        }
        let because: Text = match having.first() {
            Some(other) => {
                let other = &other.procedure;
                (
                    format!("Achtung: der LeiKa-Schlüssel der Nachricht ist der von {other}, nicht von {procedure}"),
                    format!("warning: the LeiKa key of the message is that of {other}, not of {procedure}"),
                )
                    .into()
            }
            None => (
                format!("Achtung: der LeiKa-Schlüssel der Nachricht ist keiner von {procedure}"),
                format!("warning: the LeiKa key of the message is none of {procedure}"),
            )
                .into(),
        };
        self.say(DecisionStep::Recognise, None, because);
    }

    fn authority(&mut self, holders: &[CaseHolder]) -> Result<AuthorityId, Problem> {
        if let Some(found) = self.addressee(holders)? {
            return Ok(found);
        }
        if let Some(found) = self.case(holders) {
            return Ok(found);
        }
        self.by_municipality()
    }

    /// Steps 3 to 5: whom the municipality named in the message makes responsible.
    pub(crate) fn by_municipality(&mut self) -> Result<AuthorityId, Problem> {
        let mut code = Code::NO_AUTHORITY;
        match self.facts.municipality {
            None => {
                code = Code::NO_MUNICIPALITY;
                self.say(
                    DecisionStep::Municipality,
                    None,
                    ("die Nachricht nennt keine Kommune", "the message names no municipality"),
                );
            }
            Some(ars) => {
                match self.release.area(&ars) {
                    None => {
                        code = Code::NO_MUNICIPALITY;
                        self.say(
                            DecisionStep::Municipality,
                            None,
                            (
                                format!("Kommune {ars} ist nicht angeschlossen"),
                                format!("municipality {ars} is not connected"),
                            ),
                        );
                    }
                    Some(place) => {
                        if let Some(found) = self.responsible(place) {
                            return Ok(found);
                        }
                    }
                }
                if let Some(found) = self.level(&ars) {
                    return Ok(found);
                }
            }
        }
        self.default().ok_or_else(|| {
            let procedure = &self.facts.procedure;
            let text = match self.facts.municipality {
                Some(ars) => (
                    format!("niemand ist in {ars} für {procedure} zuständig"),
                    format!("nobody is responsible for {procedure} in {ars}"),
                ),
                None => (
                    format!("niemand ist ohne Kommune für {procedure} zuständig"),
                    format!("nobody is responsible for {procedure} in no municipality"),
                ),
            };
            Problem::new(code, text)
        })
    }

    /// Step 1: the addressee named in the message. One of our directory must be right, and must serve the municipality
    /// if the message names one too; a key of another directory decides nothing.
    pub(crate) fn addressee(&mut self, holders: &[CaseHolder]) -> Result<Option<AuthorityId>, Problem> {
        let found = self.named_addressee()?;
        if let Some(id) = &found {
            self.serves_municipality(id, holders)?;
        }
        Ok(found)
    }

    /// One we do not know is not repeated: what a sender writes there may name a person, and reasons stay in the
    /// journal.
    fn named_addressee(&mut self) -> Result<Option<AuthorityId>, Problem> {
        let Some(named) = &self.facts.addressee else {
            self.say(
                DecisionStep::Addressee,
                None,
                ("die Nachricht nennt keinen Empfänger", "the message names no addressee"),
            );
            return Ok(None);
        };
        let wrong = |german: &str, english: &str| {
            let text = (format!("Empfänger {named} {german}"), format!("addressee {named} {english}"));
            Problem::new(Code::UNKNOWN_ADDRESSEE, text)
        };
        match self.release.named(named) {
            Named::Foreign => {
                self.say(
                    DecisionStep::Addressee,
                    None,
                    (
                        "der genannte Empfänger gehört zu einem anderen Verzeichnis und entscheidet hier nichts",
                        "the addressee named belongs to another directory and decides nothing here",
                    ),
                );
                Ok(None)
            }
            Named::Unknown | Named::Area(None) => {
                let because = (
                    "der genannte Empfänger ist nicht in diesem Depotstand",
                    "the addressee named is not in this release",
                );
                self.say(DecisionStep::Addressee, None, because);
                Err(Problem::new(Code::UNKNOWN_ADDRESSEE, because))
            }
            Named::Area(Some(place)) => {
                let found = self.responsible(place);
                found.map(Some).ok_or_else(|| {
                    wrong("hat keine Stelle für dieses Verfahren", "has no office for this procedure")
                })
            }
            Named::Office(id) => {
                let Some(office) = self.release.find_authority(&id) else {
                    return Err(wrong("ist nicht in diesem Depotstand", "is not in this release"));
                };
                if office.municipality.delegate.contains_key(&self.facts.procedure) {
                    // The sender cannot know of a shared service; the area's own line of configuration can.
                    let place = self.release.area(&office.municipality.ars);
                    let found = place.and_then(|place| self.responsible(place));
                    return found
                        .map(Some)
                        .ok_or_else(|| wrong("überträgt an niemanden", "delegates to nobody"));
                }
                if !office.office.handles(&self.facts.procedure) {
                    let procedure = &self.facts.procedure;
                    self.say(
                        DecisionStep::Addressee,
                        None,
                        (
                            format!("{id} bearbeitet {procedure} nicht"),
                            format!("{id} does not handle {procedure}"),
                        ),
                    );
                    return Err(wrong("bearbeitet dieses Verfahren nicht", "does not handle this procedure"));
                }
                self.say(
                    DecisionStep::Addressee,
                    Some(id.as_str()),
                    ("die Nachricht nennt diese Stelle", "the message names this authority"),
                );
                Ok(Some(id))
            }
        }
    }

    /// Step 2: the authority that has the case. A case never carries a message over to another procedure or
    /// municipality, and decides nothing where it is ambiguous: then the message is judged as if it had none.
    pub(crate) fn case(&mut self, holders: &[CaseHolder]) -> Option<AuthorityId> {
        let Some(case) = &self.facts.case else {
            self.say(
                DecisionStep::Case,
                None,
                ("die Nachricht nennt keinen Vorgang", "the message names no case"),
            );
            return None;
        };
        let mut found: Vec<&AuthorityId> = Vec::new();
        for holder in holders {
            match self.does_not_count(holder) {
                Some(why) => {
                    let holder = &holder.authority;
                    let because = (
                        format!("Vorgang {case} liegt bei {holder}; das gilt hier nicht: {}", why.german),
                        format!(
                            "case {case} is with {holder}, which does not count, because {}",
                            why.english
                        ),
                    );
                    self.say(DecisionStep::Case, None, because);
                }
                None if found.contains(&&holder.authority) => {}
                None => found.push(&holder.authority),
            }
        }
        match found.as_slice() {
            [] if holders.is_empty() => self.say(
                DecisionStep::Case,
                None,
                (
                    format!("noch keine Stelle hat Vorgang {case}"),
                    format!("no authority has case {case} yet"),
                ),
            ),
            [] => {}
            [id] => {
                self.say(
                    DecisionStep::Case,
                    Some(id.as_str()),
                    (format!("diese Stelle hat Vorgang {case}"), format!("this authority has case {case}")),
                );
                return Some((*id).clone());
            }
            several => {
                let names: Vec<_> = several.iter().map(|id| id.as_str()).collect();
                let names = names.join(", ");
                let because = (
                    format!("mehrere Stellen haben Vorgang {case}: {names}"),
                    format!("several authorities have case {case}: {names}"),
                );
                self.say(DecisionStep::Case, None, because);
            }
        }
        None
    }

    /// Why an authority that has the case does not get this message for it; `None`: it gets it.
    fn does_not_count(&mut self, holder: &CaseHolder) -> Option<Text> {
        let CaseHolder { authority, procedure, municipality } = holder;
        if *procedure != self.facts.procedure {
            let named = &self.facts.procedure;
            let german = format!("dort ist er ein Vorgang von {procedure}, nicht von {named}");
            return Some((german, format!("there it is a case of {procedure}, not of {named}")).into());
        }
        match (self.facts.municipality, municipality) {
            (Some(named), Some(before)) if named != *before => {
                let german = format!("dort betrifft er Kommune {before}, nicht {named}");
                return Some(
                    (german, format!("there it concerns municipality {before}, not {named}")).into(),
                );
            }
            (Some(named), None) => {
                let german = format!("dort nennt er keine Kommune, diese Nachricht nennt {named}");
                let english = format!("there it names no municipality, this message names {named}");
                return Some((german, english).into());
            }
            _ => {}
        }
        let Some(office) = self.release.find_authority(authority) else {
            let text = ("die Stelle ist nicht in diesem Depotstand", "that authority is not in this release");
            return Some(text.into());
        };
        let own = office.office.handles(procedure) && !office.municipality.delegate.contains_key(procedure);
        (!own && !self.is_delegate(holder)).then(|| {
            let german = format!("die Stelle bearbeitet {procedure} in diesem Depotstand nicht");
            (german, format!("that authority does not handle {procedure} in this release")).into()
        })
    }

    /// Whether the area of the case delegates the procedure to the authority that has the case.
    fn is_delegate(&mut self, holder: &CaseHolder) -> bool {
        let place = holder.municipality.and_then(|ars| self.release.area(&ars));
        let found =
            place.and_then(|place| self.release.responsible(place, &holder.procedure, &mut Vec::new()));
        found.as_ref() == Some(&holder.authority)
    }

    /// Step 3: the municipality's own office, or its delegation.
    fn responsible(&mut self, place: usize) -> Option<AuthorityId> {
        self.release.responsible(place, &self.facts.procedure, &mut self.reasons)
    }

    /// Step 4: the level of the rule.
    fn level(&mut self, ars: &dds_message::Ars) -> Option<AuthorityId> {
        let area = match self.release.rule_of(self.recognised).level {
            Level::Municipality => {
                let because = (
                    "die Regel lässt das Verfahren bei der Kommune",
                    "the rule leaves the procedure with the municipality",
                );
                self.say(DecisionStep::Level, None, because);
                return None;
            }
            Level::District => ars.district(),
            Level::State => ars.land(),
        };
        match self.release.area(&area) {
            _ if area == *ars => {
                self.say(
                    DecisionStep::Level,
                    None,
                    (
                        format!("{area} ist selbst die Ebene der Regel"),
                        format!("{area} itself is the level of the rule"),
                    ),
                );
                None
            }
            Some(place) => {
                let because = (
                    "die Regel gibt das Verfahren dieser Ebene",
                    "the rule gives the procedure to this level",
                );
                self.say(DecisionStep::Level, Some(area.as_str()), because);
                self.responsible(place)
            }
            None => {
                self.say(
                    DecisionStep::Level,
                    None,
                    (format!("{area} ist nicht angeschlossen"), format!("{area} is not connected")),
                );
                None
            }
        }
    }

    /// Step 5: the default of the release.
    fn default(&mut self) -> Option<AuthorityId> {
        let defaults = self.release.contents().defaults.as_ref().map(|defaults| &defaults.value);
        let id = defaults
            .and_then(|value| value.procedure.get(&self.facts.procedure).or(value.authority.as_ref()));
        match id {
            Some(id) => self.say(
                DecisionStep::Default,
                Some(id.as_str()),
                ("niemand sonst ist zuständig", "nobody else is responsible"),
            ),
            None => self.say(
                DecisionStep::Default,
                None,
                (
                    "der Depotstand hat keine Auffangstelle für dieses Verfahren",
                    "the release has no default for this procedure",
                ),
            ),
        }
        id.cloned()
    }

    /// Beteiligte: those the message names and those the authority always asks. An unknown one parks the message,
    /// because a participant who is silently left out could void the procedure. One that the message names is told by
    /// its place there, as an addressee is not repeated either.
    fn participants(
        &mut self,
        lead: &Authority<'a>,
        receivers: &mut Vec<Authority<'a>>,
    ) -> Result<(), Problem> {
        let always = lead.municipality.participants.get(&self.facts.procedure).into_iter().flatten();
        let mut unknown = Vec::new();
        let facts = self.facts;
        let of_message = facts.participants.iter().zip(1..).map(|(id, place)| {
            let told =
                (format!("Beteiligter {place} der Nachricht"), format!("participant {place} of the message"));
            (id, ("der Nachricht", "the message"), told)
        });
        let of_configuration = always
            .map(|id| (id, ("der Konfiguration", "the configuration"), (id.to_string(), id.to_string())));
        for (named, (german, english), told) in of_message.chain(of_configuration) {
            let found = match self.release.named(named) {
                Named::Office(id) => Some(id),
                Named::Area(Some(place)) => self.responsible(place),
                Named::Area(None) | Named::Unknown | Named::Foreign => None,
            };
            let Some(authority) = found.as_ref().and_then(|id| self.release.find_authority(id)) else {
                let because = (
                    format!("{}, genannt in {german}, ist nicht in diesem Depotstand", told.0),
                    format!("{}, named by {english}, is not in this release", told.1),
                );
                self.say(DecisionStep::Participant, None, because);
                unknown.push(told);
                continue;
            };
            if receivers.iter().any(|other| other.id == authority.id) {
                continue;
            }
            let because =
                (format!("genannt in {german} als {named}"), format!("named by {english} as {named}"));
            self.say(DecisionStep::Participant, Some(authority.id.as_str()), because);
            receivers.push(authority);
        }
        if unknown.is_empty() {
            return Ok(());
        }
        let (german, english): (Vec<_>, Vec<_>) = unknown.into_iter().unzip();
        let text = (
            format!("Beteiligte nicht in diesem Depotstand: {}", german.join(", ")),
            format!("participants not in this release: {}", english.join(", ")),
        );
        Err(Problem::new(Code::UNKNOWN_ADDRESSEE, text))
    }

    fn deliveries(
        &mut self,
        authority: &Authority<'_>,
        deliveries: &mut Vec<PlannedDelivery>,
    ) -> Result<(), Problem> {
        let before = deliveries.len();
        for (target, name) in authority.targets() {
            let package = match name {
                Some(name) => self.release.product(name),
                None => self.release.mail_product(),
            };
            // The build refuses unknown products; only a release without any mail product can get here.
            let Some(package) = package else {
                let because = (
                    format!("{target} hat kein Produktpaket in diesem Depotstand"),
                    format!("{target} has no product package in this release"),
                );
                self.say(DecisionStep::Product, None, because);
                let german = format!("Ziel {target} hat kein Produktpaket");
                let text = (german, format!("target {target} has no product package"));
                return Err(Problem::new(Code::NO_TARGET, text));
            };
            self.say(
                DecisionStep::Product,
                Some(&package.value.name()),
                (
                    format!("{} arbeitet damit: Ziel {target}", authority.id),
                    format!("{} uses it: target {target}", authority.id),
                ),
            );
            deliveries.push(self.release.planned(authority, target, package));
        }
        if deliveries.len() == before {
            let id = &authority.id;
            let because = (
                format!("{id} hat weder Fachverfahren noch DMS noch Mail"),
                format!("{id} has neither Fachverfahren nor DMS nor mail"),
            );
            self.say(DecisionStep::Product, None, because);
            let text = (format!("Stelle {id} hat kein Ziel"), format!("authority {id} has no target"));
            return Err(Problem::new(Code::NO_TARGET, text));
        }
        Ok(())
    }
}
