//! What recognition learns about a message, and why a decision fell.

use serde::{Deserialize, Serialize};

use crate::{Ars, AuthorityId, CaseRef, Code, LeikaKey, MessageType, ProcedureId, Text};

/// Eingangskanal by which a message came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// REST interface.
    Rest,
    /// SOAP web service.
    Soap,
    /// Drop folder (Transferverzeichnis).
    Folder,
    /// OSCI-Transport 1.2: pushed to us by an intermediary, fetched from one, or stored at our own.
    Osci,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Self; 4] = [Self::Rest, Self::Soap, Self::Folder, Self::Osci];

    /// Name in journal and metric.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rest => "rest",
            Self::Soap => "soap",
            Self::Folder => "folder",
            Self::Osci => "osci",
        }
    }
}

/// Schlüsselangaben of a message, read in one streaming pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Procedure, from the message type or a discriminator.
    pub procedure: ProcedureId,
    /// Message type and version.
    pub message_type: MessageType,
    /// LeiKa key named in the message, if any.
    pub leika: Option<LeikaKey>,
    /// Municipality the application concerns.
    pub municipality: Option<Ars>,
    /// Authority that the sender addressed explicitly.
    pub addressee: Option<AuthorityId>,
    /// Case the message belongs to.
    pub case: Option<CaseRef>,
    /// The sender's own id of the message, used to find duplicates where the channel gives no key.
    pub reference: Option<String>,
    /// Participants named in the message (Beteiligte) for a fan-out.
    pub participants: Vec<AuthorityId>,
}

/// Schritt der Entscheidung (`ARCHITECTURE.md` 5.6). Its names stand in the journal, so they are for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecisionStep {
    /// What message this is, by its root element and discriminators.
    Recognise,
    /// Which version of the rule covers the day; also why the others do not.
    Rule,
    /// A person named the target instead of all that follows.
    Redirect,
    /// The authority the sender addressed explicitly.
    Addressee,
    /// The authority that has the case already.
    Case,
    /// Which municipality the message names.
    Municipality,
    /// The municipality's own office that handles the procedure.
    Authority,
    /// Whom the municipality leaves the procedure to; one reason for each link of the chain.
    Delegation,
    /// The district or state that the rule names as its level.
    Level,
    /// The default of the release.
    Default,
    /// One of the authorities that are asked too (fan-out).
    Participant,
    /// What an authority receives it with.
    Product,
    /// Klärfall: why nobody gets it.
    Park,
}

names!(DecisionStep {
    Recognise = "recognise" "Erkennung",
    Rule = "rule" "Regel",
    Redirect = "redirect" "Umleitung",
    Addressee = "addressee" "Empfänger",
    Case = "case" "Vorgang",
    Municipality = "municipality" "Kommune",
    Authority = "authority" "Zuständigkeit",
    Delegation = "delegation" "Übertragung",
    Level = "level" "Ebene",
    Default = "default" "Auffangstelle",
    Participant = "participant" "Beteiligte",
    Product = "product" "Produkt",
    Park = "park" "Klärfall",
});

/// Begründung: one step of a decision, in the words an operator reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Step that spoke.
    pub step: DecisionStep,
    /// What was taken, or `None` where the step decided nothing.
    pub chosen: Option<String>,
    /// Why, or why the others lost; keys and names of the configuration only, never content.
    pub because: Text,
    /// Code when the step ended the decision.
    pub code: Option<Code>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As journals have had them since 0.1.
    #[test]
    fn reasons_of_older_journals_are_read_and_written_as_they_were() {
        let words = [
            "recognise",
            "rule",
            "redirect",
            "addressee",
            "case",
            "municipality",
            "authority",
            "delegation",
            "level",
            "default",
            "participant",
            "product",
            "park",
        ];
        assert_eq!(DecisionStep::ALL.len(), words.len());
        for (step, word) in DecisionStep::ALL.iter().zip(words) {
            let text = format!(
                r#"{{"step":"{word}","chosen":null,"because":{{"de":"niemand","en":"nobody"}},"code":"DDS-R002"}}"#
            );
            let read: Reason = serde_json::from_str(&text).unwrap();
            assert_eq!((read.step, read.step.as_str()), (*step, word));
            assert_eq!(DecisionStep::from_name(word), Some(*step));
            assert_eq!(serde_json::to_string(&read).unwrap(), text);
        }
        assert_eq!(DecisionStep::from_name("something newer"), None);
    }
}
