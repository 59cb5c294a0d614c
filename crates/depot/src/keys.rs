//! Key facts that no case yields: mostly a path that leads nowhere. Such a message type would be accepted and then
//! parked.

use std::borrow::Cow;

use dds_message::Code;
use dds_xml::{Extracted, Limits};

use crate::{finding::CheckFinding, index::Recognised, release::Release};

impl Release {
    pub(crate) fn idle_keys(&self, findings: &mut Vec<CheckFinding>) {
        for (place, rule) in self.contents().rules.iter().enumerate() {
            let inputs = self.inputs(rule.folder(), rule.value.valid_from.as_str());
            for (number, message) in rule.value.messages.iter().enumerate() {
                let recognised = Recognised { rule: place, message: number };
                let of_message = || inputs.iter().filter(|(of, _)| *of == recognised);
                if of_message().next().is_none() {
                    continue;
                }
                let (keys, slots) = (&message.keys, self.compiled(recognised));
                for (key, path, slot) in [
                    ("municipality", &keys.municipality, slots.municipality),
                    ("addressee", &keys.addressee, slots.addressee),
                    ("case", &keys.case, slots.case),
                    ("reference", &keys.reference, slots.reference),
                    ("leika", &keys.leika, slots.leika),
                    ("participants", &keys.participants, slots.participants),
                ] {
                    let (Some(path), Some(slot)) = (path, slot) else { continue };
                    if of_message().any(|(_, extracted)| extracted.first(slot).is_some()) {
                        continue;
                    }
                    let name = &message.name;
                    let text = (
                        format!("kein Fall von {name} enthält {key} an {path}"),
                        format!("no case of {name} contains {key} at {path}"),
                    );
                    let finding = CheckFinding::error(Code::CASE_FAILED, &rule.file, text)
                        .at(self.place(&rule.file, &format!("\"{name}\""), &format!("\"{path}\"")))
                        .remedy((
                            "Den Pfad berichtigen, oder einen Fall anlegen, der den Wert hat.",
                            "Correct the path, or add a case that has the value.",
                        ));
                    // Without its municipality every message would be parked.
                    findings.push(if key == "municipality" { finding } else { finding.warning() });
                }
            }
        }
    }

    /// What is read out of the inputs of a package's cases, and as which message each is recognised.
    fn inputs(&self, folder: &str, day: &str) -> Vec<(Recognised, Extracted)> {
        let read = |case: &crate::Case| {
            let bytes = self.file(&case.input)?;
            let xml = match case.input.ends_with(".json") {
                true => Cow::Owned(dds_xml::json::to_xml(bytes, &Limits::default()).ok()?),
                false => Cow::Borrowed(&bytes[..]),
            };
            let extracted = dds_xml::extract(&xml, self.key_plan(), &Limits::default()).ok()?;
            Some((self.recognise_type(&extracted, day).ok()?, extracted))
        };
        self.cases(folder).iter().filter_map(read).collect()
    }
}
