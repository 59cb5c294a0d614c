//! Faults of both versions, with our detail.

use std::fmt::Write as _;

use dds_message::{Actor, Code, Finding, Language, Problem, Severity};
use roxmltree::Node;

use crate::{Envelope, SoapError, Version, escape, parse};

/// Namespace of the element `problem` in the detail of a fault.
pub const PROBLEM_NAMESPACE: &str = "urn:datendrehscheibe:problem:1";

/// Whose fault it is (SOAP 1.1 section 4.4.1; SOAP 1.2 part 1 section 5.4.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FaultCode {
    /// The envelope is of an unknown version.
    VersionMismatch,
    /// A header block that must be understood was not.
    MustUnderstand,
    /// `DataEncodingUnknown`, 1.2 only.
    DataEncodingUnknown,
    /// `Client` in 1.1, `Sender` in 1.2: sending the same again will not help.
    Sender,
    /// `Server` in 1.1, `Receiver` in 1.2, and whatever else a foreign service says: may succeed later.
    Receiver,
}

/// A fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Whose fault it is.
    pub code: FaultCode,
    /// What happened, for people; ours is German. May quote content when it comes from a foreign service: not for logs.
    pub reason: String,
    /// Our detail, if it is there.
    pub detail: Option<FaultDetail>,
}

/// What the detail of our faults says: element `problem` in [`PROBLEM_NAMESPACE`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultDetail {
    /// Code such as `DDS-I004`.
    pub code: String,
    /// Who must act, see [`Actor::as_str`].
    pub actor: String,
    /// What to do, German.
    pub remedy: String,
    /// What to do, English.
    pub remedy_english: String,
    /// What happened, English: the reason of the fault in the other language.
    pub reason_english: String,
    /// Findings of validation.
    pub findings: Vec<Finding>,
}

impl Fault {
    /// The fault that tells `problem` to a caller: title and detail are its reason.
    #[must_use]
    pub fn of(problem: &Problem) -> Self {
        let entry = problem.code.entry();
        let code = if entry.actor == Actor::Sender { FaultCode::Sender } else { FaultCode::Receiver };
        Self {
            code,
            reason: format!("{}: {}", entry.german, problem.outward(Language::German)),
            detail: Some(FaultDetail {
                code: problem.code.to_string(),
                actor: entry.actor.as_str().to_owned(),
                remedy: entry.remedy_german.to_owned(),
                remedy_english: entry.remedy_english.to_owned(),
                reason_english: format!("{}: {}", entry.english, problem.outward(Language::English)),
                findings: problem.findings.clone(),
            }),
        }
    }

    /// The same fault with another code, for `MustUnderstand` and `VersionMismatch`.
    #[must_use]
    pub fn with_code(mut self, code: FaultCode) -> Self {
        self.code = code;
        self
    }

    /// Our code in the detail, if it is one of ours.
    #[must_use]
    pub fn problem_code(&self) -> Option<Code> {
        self.detail.as_ref().and_then(|detail| Code::from_name(&detail.code))
    }

    /// The envelope with this fault.
    #[must_use]
    pub fn to_bytes(&self, version: Version) -> Vec<u8> {
        let (code, reason) = (self.code.name(version), escape(&self.reason));
        let detail = self.detail.as_ref().map(FaultDetail::to_xml).unwrap_or_default();
        let body = match version {
            // SOAP 1.1 section 4.4: the children of Fault are unqualified
            Version::V11 => {
                let detail = wrapped("detail", &detail);
                format!(
                    "<soap:Fault><faultcode>soap:{code}</faultcode><faultstring xml:lang=\"de\">{reason}</faultstring>{detail}</soap:Fault>"
                )
            }
            // SOAP 1.2 part 1 section 5.4
            Version::V12 => {
                let detail = wrapped("soap:Detail", &detail);
                format!(
                    "<soap:Fault><soap:Code><soap:Value>soap:{code}</soap:Value></soap:Code><soap:Reason><soap:Text xml:lang=\"de\">{reason}</soap:Text></soap:Reason>{detail}</soap:Fault>"
                )
            }
        };
        Envelope::build(version, b"", body.as_bytes())
    }

    /// Reads an envelope that must hold a fault.
    ///
    /// # Errors
    /// [`SoapError::NotAnEnvelope`] if its body is something else, otherwise as [`parse`].
    pub fn parse(bytes: &[u8]) -> Result<Self, SoapError> {
        parse(bytes)?
            .fault()
            .ok_or(SoapError::NotAnEnvelope(("Body enthält keinen Fault", "the body holds no fault")))
    }

    pub(crate) fn read(fault: &Node<'_, '_>, version: Version) -> Self {
        let (code, reason, detail) = match version {
            Version::V11 => (child(fault, "faultcode"), child(fault, "faultstring"), child(fault, "detail")),
            Version::V12 => (
                child(fault, "Code").and_then(|code| child(&code, "Value")),
                child(fault, "Reason").and_then(|reason| child(&reason, "Text")),
                child(fault, "Detail"),
            ),
        };
        Self {
            code: code.map_or(FaultCode::Receiver, |node| FaultCode::of_name(&text(&node))),
            reason: reason.map(|node| text(&node)).unwrap_or_default(),
            detail: detail
                .and_then(|detail| {
                    detail.children().find(|node| node.has_tag_name((PROBLEM_NAMESPACE, "problem")))
                })
                .map(|problem| FaultDetail::read(&problem)),
        }
    }
}

impl FaultCode {
    const fn name(self, version: Version) -> &'static str {
        match (self, version) {
            (Self::VersionMismatch, _) => "VersionMismatch",
            (Self::MustUnderstand, _) => "MustUnderstand",
            (Self::DataEncodingUnknown, Version::V12) => "DataEncodingUnknown",
            (Self::Sender | Self::DataEncodingUnknown, Version::V11) => "Client",
            (Self::Sender, Version::V12) => "Sender",
            (Self::Receiver, Version::V11) => "Server",
            (Self::Receiver, Version::V12) => "Receiver",
        }
    }

    /// The code of a qualified name; 1.1 refines with dots, such as `Client.Authentication` (section 4.4.1).
    fn of_name(name: &str) -> Self {
        let local = name.rsplit(':').next().unwrap_or_default();
        match local.split('.').next().unwrap_or_default() {
            "VersionMismatch" => Self::VersionMismatch,
            "MustUnderstand" => Self::MustUnderstand,
            "DataEncodingUnknown" => Self::DataEncodingUnknown,
            "Client" | "Sender" => Self::Sender,
            _ => Self::Receiver,
        }
    }
}

impl FaultDetail {
    fn to_xml(&self) -> String {
        let mut xml = format!(
            "<problem xmlns=\"{PROBLEM_NAMESPACE}\"><code>{}</code><actor>{}</actor><remedy>{}</remedy><remedyEnglish>{}</remedyEnglish><reasonEnglish>{}</reasonEnglish>",
            escape(&self.code),
            escape(&self.actor),
            escape(&self.remedy),
            escape(&self.remedy_english),
            escape(&self.reason_english),
        );
        for finding in &self.findings {
            // Writing to a String cannot fail.
            let _ignored = write!(
                xml,
                "<finding severity=\"{}\" rule=\"{}\" location=\"{}\">{}</finding>",
                severity(finding.severity),
                escape(&finding.rule),
                escape(&finding.location),
                escape(&finding.text),
            );
        }
        xml.push_str("</problem>");
        xml
    }

    fn read(problem: &Node<'_, '_>) -> Self {
        let field = |name| child(problem, name).map(|node| text(&node)).unwrap_or_default();
        let findings = problem.children().filter(|node| node.tag_name().name() == "finding").map(|node| {
            let attribute = |name| node.attribute(name).unwrap_or_default().to_owned();
            Finding {
                severity: match node.attribute("severity") {
                    Some("info") => Severity::Info,
                    Some("warning") => Severity::Warning,
                    _ => Severity::Error,
                },
                rule: attribute("rule"),
                location: attribute("location"),
                text: text(&node),
            }
        });
        Self {
            code: field("code"),
            actor: field("actor"),
            remedy: field("remedy"),
            remedy_english: field("remedyEnglish"),
            reason_english: field("reasonEnglish"),
            findings: findings.collect(),
        }
    }
}

const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

fn wrapped(name: &str, xml: &str) -> String {
    if xml.is_empty() { String::new() } else { format!("<{name}>{xml}</{name}>") }
}

fn child<'a, 'i>(node: &Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|child| child.is_element() && child.tag_name().name() == name)
}

/// All text in an element, trimmed.
fn text(node: &Node<'_, '_>) -> String {
    let whole: String = node.descendants().filter(Node::is_text).filter_map(|part| part.text()).collect();
    whole.trim().to_owned()
}
