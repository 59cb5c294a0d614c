//! Recognition: from the key facts read in one pass to procedure, message type and version.

use dds_message::{
    Ags, Ars, AuthorityId, CaseRef, Code, Facts, Language, LeikaKey, Problem, ProcedureId, Text,
};
use dds_xml::{Extracted, Slot};

use crate::{
    index::{Compiled, Recognised},
    release::Release,
    rule::{MessageRule, Order, RulePackage},
    text::nearest,
};

/// Longest reference a sender may give, in characters.
const REFERENCE: usize = 200;
/// Most participants of one message.
const PARTICIPANTS: usize = 500;

impl Release {
    /// Recognises a message by what was read out of it. `day` is the day of acceptance, `YYYY-MM-DD` in legal time.
    ///
    /// # Errors
    /// DDS-R001 (type unknown; names the nearest known), DDS-R002 (not valid on that day; names what is), DDS-R003 (an
    /// AGS of a municipality that is not connected), DDS-R007 (a key is malformed; names its place, never its content).
    pub fn recognise(&self, extracted: &Extracted, day: &str) -> Result<(Facts, Recognised), Problem> {
        let recognised = self.recognise_type(extracted, day)?;
        Ok((self.facts(extracted, recognised)?, recognised))
    }

    /// Which message of which rule it is, wherever it belongs.
    ///
    /// # Errors
    /// DDS-R001 or DDS-R002.
    pub fn recognise_type(&self, extracted: &Extracted, day: &str) -> Result<Recognised, Problem> {
        let Some(shapes) = self.index().roots.get(&extracted.root) else {
            return Err(self.unknown_root(extracted));
        };
        let mut expired = None;
        for shape in shapes {
            let values: Option<Vec<String>> =
                shape.slots.iter().map(|slot| extracted.first(*slot).map(str::to_owned)).collect();
            let Some(values) = values else { continue };
            let Some(candidates) = shape.by_value.get(&values) else { continue };
            for one in candidates {
                if self.rule_of(*one).valid_on(day) {
                    return Ok(*one);
                }
            }
            expired = expired.or(candidates.first().copied());
        }
        Err(match expired {
            Some(rule) => self.not_valid(rule, day),
            None => self.undecided(extracted),
        })
    }

    /// The rule for facts recognised earlier, perhaps under another release: procedure × message type × version × date.
    ///
    /// # Errors
    /// DDS-R001 or DDS-R002.
    pub fn rule_for(&self, facts: &Facts, day: &str) -> Result<Recognised, Problem> {
        let key = (facts.procedure.clone(), facts.message_type.clone());
        let Some(candidates) = self.index().types.get(&key) else {
            let known = self.index().types.keys().filter(|(procedure, _)| *procedure == facts.procedure);
            let mut names: Vec<String> = known.map(|(_, kind)| kind.to_string()).collect();
            names.sort();
            let (procedure, kind, known) = (&facts.procedure, &facts.message_type, list(&names));
            let because = (
                format!("keine Regel des Verfahrens {procedure} für {kind}; bekannt: {known}"),
                format!("no rule of procedure {procedure} for {kind}; known: {known}"),
            );
            return Err(Problem::new(Code::UNKNOWN_TYPE, because));
        };
        match candidates.iter().find(|one| self.rule_of(**one).valid_on(day)) {
            Some(found) => Ok(*found),
            None => Err(self.not_valid(candidates[0], day)),
        }
    }

    /// The rule package of a recognised message.
    #[must_use]
    pub fn rule_of(&self, recognised: Recognised) -> &RulePackage {
        &self.contents().rules[recognised.rule].value
    }

    /// Whether the deliveries of a case of this procedure go one after the other, under one version of its rule at
    /// least.
    #[must_use]
    pub fn in_order(&self, procedure: &ProcedureId) -> bool {
        let versions = self.index().procedures.get(procedure).into_iter().flatten();
        versions.map(|place| &self.contents().rules[*place].value).any(|rule| rule.order == Order::Case)
    }

    /// The message type of a recognised message.
    #[must_use]
    pub fn message_of(&self, recognised: Recognised) -> &MessageRule {
        &self.rule_of(recognised).messages[recognised.message]
    }

    pub(crate) fn compiled(&self, recognised: Recognised) -> &Compiled {
        &self.index().messages[recognised.rule][recognised.message]
    }

    fn unknown_root(&self, extracted: &Extracted) -> Problem {
        let root = &extracted.root;
        let names: Vec<String> = self.index().roots.keys().take(2_000).map(ToString::to_string).collect();
        let mut near: Vec<String> = self
            .index()
            .roots
            .keys()
            .filter(|known| known.local == root.local)
            .take(5)
            .map(ToString::to_string)
            .collect();
        if near.is_empty() {
            near.extend(nearest(&root.to_string(), names.iter().map(String::as_str)).map(str::to_owned));
        }
        near.sort();
        let shown: String = root.to_string().chars().take(200).collect();
        let (german, english) = if near.is_empty() {
            let mut known = names;
            known.sort();
            known.truncate(20);
            let known = list(&known);
            (format!("bekannt: {known}"), format!("known: {known}"))
        } else {
            let near = list(&near);
            (format!("gemeint vielleicht: {near}"), format!("did you mean {near}"))
        };
        let text = (
            format!("keine Regel kennt das Wurzelelement {shown}; {german}"),
            format!("no rule knows the root element {shown}; {english}"),
        );
        Problem::new(Code::UNKNOWN_TYPE, text)
    }

    /// The root is known, but no rule's discriminators hold.
    fn undecided(&self, extracted: &Extracted) -> Problem {
        let shapes = self.index().roots.get(&extracted.root);
        let candidates = shapes.into_iter().flatten().flat_map(|shape| shape.by_value.values().flatten());
        let mut wants: Vec<String> = candidates
            .take(2_000)
            .flat_map(|one| {
                let name = self.rule_of(*one).name();
                self.message_of(*one)
                    .when
                    .iter()
                    .map(move |(path, value)| format!("{path} = {value:?} ({name})"))
            })
            .collect();
        wants.sort();
        wants.truncate(10);
        let (root, wants) = (&extracted.root, list(&wants));
        let text = (
            format!("Wurzelelement {root} braucht eines von: {wants}"),
            format!("root element {root} needs one of: {wants}"),
        );
        Problem::new(Code::UNKNOWN_TYPE, text)
    }

    pub(crate) fn not_valid(&self, candidate: Recognised, day: &str) -> Problem {
        let rule = self.rule_of(candidate);
        let others = self.index().procedures.get(&rule.procedure).into_iter().flatten();
        let mut valid: Vec<(String, Text)> = others
            .map(|place| &self.contents().rules[*place].value)
            .filter(|other| other.valid_on(day))
            .map(|other| (other.name(), other.window()))
            .collect();
        valid.sort();
        let named = |language: Language| {
            let each = valid.iter().map(|(name, window)| format!("{name} ({})", window.pick(language)));
            list(&each.collect::<Vec<_>>())
        };
        let (german, valid) = match valid.is_empty() {
            true => ("keine".to_owned(), "none".to_owned()),
            false => (named(Language::German), named(Language::English)),
        };
        let (name, window) = (rule.name(), rule.window());
        let because = (
            format!("{name} ist gültig {}, nicht am {day}; an diesem Tag gültig: {german}", window.german),
            format!("{name} is valid {}, not on {day}; valid on that day: {valid}", window.english),
        );
        Problem::new(Code::NOT_VALID_TODAY, because)
    }

    fn facts(&self, extracted: &Extracted, recognised: Recognised) -> Result<Facts, Problem> {
        let (rule, message, compiled) =
            (self.rule_of(recognised), self.message_of(recognised), self.compiled(recognised));
        let keys = &message.keys;
        let first = |slot: Option<Slot>| slot.and_then(|slot| extracted.first(slot));
        let bad = |path: &Option<String>, (german, english): (&str, &str)| {
            let place = path.as_deref().unwrap_or_default();
            let text = (
                format!("der Wert an {place} ist falsch; erwartet: {german}"),
                format!("the value at {place} is not {english}"),
            );
            Problem::new(Code::BAD_KEY, text)
        };
        let municipality = match first(compiled.municipality) {
            None => None,
            Some(text) => Some(match (Ars::parse(text), Ags::parse(text)) {
                (Ok(ars), _) => ars,
                (_, Ok(ags)) => {
                    let place = self.index().ags.get(&ags).ok_or_else(|| {
                        let text = (
                            format!("keine Kommune mit dem AGS {ags} ist angeschlossen"),
                            format!("no municipality with AGS {ags} is connected"),
                        );
                        Problem::new(Code::NO_MUNICIPALITY, text)
                    })?;
                    self.contents().municipalities[*place].value.ars
                }
                _ => {
                    let expected = (
                        "ein ARS mit 12 oder ein AGS mit 8 Ziffern",
                        "an ARS of 12 digits or an AGS of 8 digits",
                    );
                    return Err(bad(&keys.municipality, expected));
                }
            }),
        };
        let authority = |text: &str, path: &Option<String>| {
            AuthorityId::parse(text).map_err(|error| bad(path, error.expected))
        };
        let reference = match first(compiled.reference) {
            Some(text) if text.chars().count() > REFERENCE || text.chars().any(char::is_control) => {
                let expected = (
                    "eine Kennung von höchstens 200 druckbaren Zeichen",
                    "a reference of at most 200 printable characters",
                );
                return Err(bad(&keys.reference, expected));
            }
            other => other.map(str::to_owned),
        };
        let named = compiled.participants.map_or(&[][..], |slot| extracted.get(slot));
        if named.len() > PARTICIPANTS {
            let expected = ("eine Liste von höchstens 500 Beteiligten", "a list of at most 500 participants");
            return Err(bad(&keys.participants, expected));
        }
        let mut participants = Vec::with_capacity(named.len());
        for text in named {
            let id = authority(text, &keys.participants)?;
            if !participants.contains(&id) {
                participants.push(id);
            }
        }
        Ok(Facts {
            procedure: rule.procedure.clone(),
            message_type: message.message_type(),
            leika: first(compiled.leika)
                .map(|text| LeikaKey::parse(text).map_err(|error| bad(&keys.leika, error.expected)))
                .transpose()?,
            municipality,
            addressee: first(compiled.addressee).map(|text| authority(text, &keys.addressee)).transpose()?,
            case: first(compiled.case)
                .map(|text| CaseRef::parse(text).map_err(|error| bad(&keys.case, error.expected)))
                .transpose()?,
            reference,
            participants,
        })
    }
}

fn list(names: &[String]) -> String {
    names.join(", ")
}
