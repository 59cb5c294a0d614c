//! What feedback means for a delivery. The reasons stand in `docs/osci/operations.md`, section "Sender"; keep both
//! alike.

use dds_delivery::Verdict;
use dds_message::{Code, Text};
use dds_osci::{
    client::{Lost, LostReason},
    feedback::{Feedback, FeedbackClass, FeedbackCode, Language},
    german,
};

use super::line::Unanswered;
use crate::fault::{NO_ANSWER, because, joined, permanent, temporary};

/// What a signed feedback says about the delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The intermediary has it, or the recipient took it.
    Done,
    /// The MessageId is not free: the process card knows why.
    NotFree,
    /// The recipient was not reached: this MessageId is used up, the next attempt needs another.
    NotPushed,
    /// The intermediary or the recipient may have it: the process card, or a person, knows.
    Doubt,
    /// Not now.
    Wait(Code),
    /// Never without a person.
    Never(Code),
}

/// The code that counts: the last one, or the success (08xx) that a warning came with. By the specification a warning
/// alone is a success too; the live test system refuses with one (3707, "Certificate is selfsigned"), so alone it says
/// nothing.
pub(crate) fn decisive(feedback: &Feedback) -> FeedbackCode {
    let last = feedback.decisive();
    let success = || feedback.codes().into_iter().find(|code| code.class() == FeedbackClass::Ok);
    if last.class() == FeedbackClass::Warning { success().unwrap_or(last) } else { last }
}

/// What a code of [`decisive`] means.
pub(crate) fn meaning(code: FeedbackCode) -> Meaning {
    match code.number() {
        // 9806: accepted; only the reply to a mediation is missing.
        0..=999 | 9806 => Meaning::Done,
        9801 => Meaning::NotFree,
        9809 => Meaning::NotPushed,
        3000..=3999 | 9807 | 9808 | 9810 => Meaning::Doubt,
        // Troubles of the intermediary itself.
        9000 | 9503 | 9603 | 9710 | 9811 => Meaning::Wait(Code::TARGET_BUSY),
        // Our own key or certificate: no message is at fault, all of them wait (as with DDS-D011).
        9200..=9202 | 9500..=9502 | 9600..=9602 | 9700 | 9701 => Meaning::Wait(Code::OSCI_CERTIFICATE),
        9706 => Meaning::Never(Code::OSCI_NO_MAILBOX),
        // Certificates of authors, readers and the recipient, as configured for this office.
        9702..=9705 | 9707..=9709 | 9711..=9799 => Meaning::Never(Code::OSCI_CERTIFICATE),
        9805 => Meaning::Never(Code::TARGET_REFUSED),
        9902 | 9904 => Meaning::Never(Code::TARGET_TOO_LARGE),
        9100 | 9300 | 9400 | 9800..=9899 | 9900..=9999 => Meaning::Never(Code::OSCI_REFUSED),
        // A code of a newer table: the deadline ends the waiting.
        _ => Meaning::Wait(Code::OSCI_REFUSED),
    }
}

/// The verdict on a warning alone when the intermediary knows nothing of the delivery: it was refused, and waits.
pub(crate) fn warned(code: FeedbackCode) -> Verdict {
    // 35xx, 37xx: certificates.
    let certificate = matches!(code.number(), 3500..=3799);
    temporary(if certificate { Code::OSCI_CERTIFICATE } else { Code::OSCI_REFUSED }, told(code))
}

/// Code and text of our own table; never the text of the partner, which may quote the message (invariant I9).
pub(crate) fn told(code: FeedbackCode) -> Text {
    let say = |language| format!("OSCI {code}: {}", code.text(language));
    (say(Language::German), say(Language::English)).into()
}

/// The verdict when an order has no answer. `executed`: the order may have delivered something; it is safe to come
/// back, because the MessageId stays.
pub(crate) fn unanswered(why: &Unanswered, executed: bool) -> Verdict {
    match why {
        Unanswered::NotReached(detail) => {
            temporary(Code::TARGET_UNREACHABLE, because(("nicht erreicht", "not reached"), detail))
        }
        Unanswered::NoAnswer(detail) if executed => temporary(Code::IN_DOUBT, because(NO_ANSWER, detail)),
        Unanswered::NoAnswer(detail) => temporary(Code::TARGET_UNREACHABLE, because(NO_ANSWER, detail)),
        Unanswered::Own(detail) => temporary(Code::OSCI_KEYS, unusable(detail)),
        Unanswered::Lost(lost) => temporary(code(lost), detail(lost)),
    }
}

/// Nothing final follows from a [`Lost`]: a SOAP fault is not signed, so anybody on the way could have written it.
fn code(lost: &Lost) -> Code {
    match &lost.reason {
        LostReason::Fault(_) | LostReason::NotOpened(_) => match meaning(lost.code()) {
            Meaning::Wait(code) => code,
            _ => Code::OSCI_REFUSED,
        },
        LostReason::Unreadable(_) | LostReason::Unprotected(_) | LostReason::WrongDialogue(_) => {
            Code::OSCI_ANSWER
        }
    }
}

fn detail(lost: &Lost) -> Text {
    let (german, english) = match &lost.reason {
        LostReason::Fault(fault) => return joined(("SOAP-Fault", "SOAP fault"), &told(fault.code)),
        LostReason::NotOpened(feedback) => {
            return joined(("kein Dialog", "no dialogue"), &told(feedback.decisive()));
        }
        LostReason::Unreadable(_) => ("die Antwort ist nicht lesbar", "the answer is unreadable"),
        LostReason::Unprotected(_) => (
            "die Antwort ist nicht signiert oder verschlüsselt, wie sie es sein muss",
            "the answer is not signed or encrypted as it must be",
        ),
        LostReason::WrongDialogue(_) => {
            ("die Antwort gehört zu einem anderen Auftrag", "the answer belongs to another order")
        }
    };
    let code = lost.code();
    (format!("{german} ({code})"), format!("{english} ({code})")).into()
}

/// Key or content of ours.
pub(crate) fn unusable(why: impl std::fmt::Display) -> Text {
    let why = why.to_string();
    let text = format!("Schlüssel oder Inhalt von uns sind nicht benutzbar ({})", german::reason(&why));
    (text, format!("our key or content cannot be used: {why}")).into()
}

/// The verdict of a feedback that ends the attempt; `None` if it needs the process card or delivered.
pub(crate) fn ended(feedback: FeedbackCode) -> Option<Verdict> {
    match meaning(feedback) {
        Meaning::Wait(code) => Some(temporary(code, told(feedback))),
        Meaning::Never(code) => Some(permanent(code, told(feedback))),
        Meaning::Done | Meaning::NotFree | Meaning::NotPushed | Meaning::Doubt => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_the_table_means_something_on_purpose() {
        for code in FeedbackCode::all() {
            assert_ne!(meaning(code), Meaning::Wait(Code::OSCI_REFUSED), "{code} is not in the table");
            assert_eq!(
                code.class() == FeedbackClass::Ok || code == FeedbackCode::S9806,
                meaning(code) == Meaning::Done,
                "{code}"
            );
        }
    }

    #[test]
    fn a_warning_counts_with_a_success_and_never_alone() {
        use FeedbackCode as Say;
        let judged = |codes: &[FeedbackCode]| meaning(decisive(&Feedback::of(codes, &[Language::German])));
        assert_eq!(judged(&[Say::S0800, Say::S3703]), Meaning::Done);
        assert_eq!(judged(&[Say::S3500, Say::S0801, Say::S3800]), Meaning::Done);
        assert_eq!(judged(&[Say::S3707]), Meaning::Doubt);
        assert_eq!(judged(&[Say::S3500, Say::S3707]), Meaning::Doubt);
        assert_eq!(judged(&[Say::S0800, Say::S9706]), Meaning::Never(Code::OSCI_NO_MAILBOX));
    }

    #[test]
    fn a_reason_of_ours_is_told_in_both_languages() {
        let text = unusable("the operation with the key failed");
        assert!(
            text.german.ends_with("(die Operation mit dem Schlüssel ist gescheitert)"),
            "{}",
            text.german
        );
        assert!(text.english.ends_with(": the operation with the key failed"), "{}", text.english);
    }

    #[test]
    fn a_code_nobody_knows_waits() {
        assert_eq!(meaning(FeedbackCode::new(4711)), Meaning::Wait(Code::OSCI_REFUSED));
    }
}
