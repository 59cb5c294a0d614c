//! The types of messages and how the wire names them.

use std::fmt;

/// The type of a message. The wire names it by `xsi:schemaLocation` of the Envelope and by nothing else
/// (facts 3); only the SOAP fault has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageKind {
    /// Opens an explicit dialogue (*Dialoginitialisierungsauftrag*).
    InitDialog,
    /// Answer to [`Self::InitDialog`].
    ResponseToInitDialog,
    /// Ends an explicit dialogue (*Dialogendeauftrag*).
    ExitDialog,
    /// Answer to [`Self::ExitDialog`].
    ResponseToExitDialog,
    /// Asks for a message id (*MessageId-Anforderungsauftrag*).
    GetMessageId,
    /// Answer to [`Self::GetMessageId`].
    ResponseToGetMessageId,
    /// Puts a delivery into the addressee's mailbox (*Zustellungsauftrag*).
    StoreDelivery,
    /// Answer to [`Self::StoreDelivery`].
    ResponseToStoreDelivery,
    /// Fetches a delivery (*Zustellungsabholauftrag*).
    FetchDelivery,
    /// Answer to [`Self::FetchDelivery`].
    ResponseToFetchDelivery,
    /// Fetches process cards (*Laufzettelabholauftrag*).
    FetchProcessCard,
    /// Answer to [`Self::FetchProcessCard`].
    ResponseToFetchProcessCard,
    /// Has a delivery pushed to a passive recipient (*Weiterleitungsauftrag*).
    ForwardDelivery,
    /// Answer to [`Self::ForwardDelivery`].
    ResponseToForwardDelivery,
    /// The push of a forwarded delivery (*Annahmeauftrag*).
    AcceptDelivery,
    /// Answer to [`Self::AcceptDelivery`].
    ResponseToAcceptDelivery,
    /// Has a delivery pushed and its reply brought back (*Abwicklungsauftrag*).
    MediateDelivery,
    /// Answer to [`Self::MediateDelivery`].
    ResponseToMediateDelivery,
    /// The push of a mediated delivery (*Bearbeitungsauftrag*).
    ProcessDelivery,
    /// Answer to [`Self::ProcessDelivery`].
    ResponseToProcessDelivery,
    /// One chunk of a large storeDelivery (supplement EFFI).
    PartialStoreDelivery,
    /// Answer to [`Self::PartialStoreDelivery`].
    ResponseToPartialStoreDelivery,
    /// Asks for one chunk of a large responseToFetchDelivery (supplement EFFI).
    PartialFetchDelivery,
    /// Answer to [`Self::PartialFetchDelivery`].
    ResponseToPartialFetchDelivery,
    /// A transport-encrypted message: neither header nor order are visible.
    MessageEncrypted,
    /// A SOAP fault.
    Fault,
}

const BEFORE: &str = "http://schemas.xmlsoap.org/soap/envelope/ soap";
const AFTER: &str =
    ".xsd http://www.w3.org/2000/09/xmldsig# oscisig.xsd http://www.w3.org/2001/04/xmlenc# oscienc.xsd";

impl MessageKind {
    /// Every type, orders before their responses.
    pub const ALL: [Self; 26] = [
        Self::InitDialog,
        Self::ResponseToInitDialog,
        Self::ExitDialog,
        Self::ResponseToExitDialog,
        Self::GetMessageId,
        Self::ResponseToGetMessageId,
        Self::StoreDelivery,
        Self::ResponseToStoreDelivery,
        Self::FetchDelivery,
        Self::ResponseToFetchDelivery,
        Self::FetchProcessCard,
        Self::ResponseToFetchProcessCard,
        Self::ForwardDelivery,
        Self::ResponseToForwardDelivery,
        Self::AcceptDelivery,
        Self::ResponseToAcceptDelivery,
        Self::MediateDelivery,
        Self::ResponseToMediateDelivery,
        Self::ProcessDelivery,
        Self::ResponseToProcessDelivery,
        Self::PartialStoreDelivery,
        Self::ResponseToPartialStoreDelivery,
        Self::PartialFetchDelivery,
        Self::ResponseToPartialFetchDelivery,
        Self::MessageEncrypted,
        Self::Fault,
    ];

    /// The name, e.g. `ResponseToStoreDelivery`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::InitDialog => "InitDialog",
            Self::ResponseToInitDialog => "ResponseToInitDialog",
            Self::ExitDialog => "ExitDialog",
            Self::ResponseToExitDialog => "ResponseToExitDialog",
            Self::GetMessageId => "GetMessageId",
            Self::ResponseToGetMessageId => "ResponseToGetMessageId",
            Self::StoreDelivery => "StoreDelivery",
            Self::ResponseToStoreDelivery => "ResponseToStoreDelivery",
            Self::FetchDelivery => "FetchDelivery",
            Self::ResponseToFetchDelivery => "ResponseToFetchDelivery",
            Self::FetchProcessCard => "FetchProcessCard",
            Self::ResponseToFetchProcessCard => "ResponseToFetchProcessCard",
            Self::ForwardDelivery => "ForwardDelivery",
            Self::ResponseToForwardDelivery => "ResponseToForwardDelivery",
            Self::AcceptDelivery => "AcceptDelivery",
            Self::ResponseToAcceptDelivery => "ResponseToAcceptDelivery",
            Self::MediateDelivery => "MediateDelivery",
            Self::ResponseToMediateDelivery => "ResponseToMediateDelivery",
            Self::ProcessDelivery => "ProcessDelivery",
            Self::ResponseToProcessDelivery => "ResponseToProcessDelivery",
            Self::PartialStoreDelivery => "PartialStoreDelivery",
            Self::ResponseToPartialStoreDelivery => "ResponseToPartialStoreDelivery",
            Self::PartialFetchDelivery => "PartialFetchDelivery",
            Self::ResponseToPartialFetchDelivery => "ResponseToPartialFetchDelivery",
            Self::MessageEncrypted => "MessageEncrypted",
            Self::Fault => "Fault",
        }
    }

    /// The value of `xsi:schemaLocation`; `None` for a fault, which must not carry it (facts 15).
    pub fn schema_location(self) -> Option<String> {
        (self != Self::Fault).then(|| format!("{BEFORE}{}{AFTER}", self.name()))
    }

    /// The type that a value of `xsi:schemaLocation` names. Exact: other blanks or a shortened list name none (9100).
    pub fn from_schema_location(value: &str) -> Option<Self> {
        let name = value.strip_prefix(BEFORE)?.strip_suffix(AFTER)?;
        Self::ALL.into_iter().find(|kind| *kind != Self::Fault && kind.name() == name)
    }

    /// Whether the message answers an order.
    pub fn is_response(self) -> bool {
        self.name().starts_with("ResponseTo")
    }

    /// The type of the answer to this order; `None` for what is no order.
    pub fn response(self) -> Option<Self> {
        if self.is_response() || matches!(self, Self::MessageEncrypted | Self::Fault) {
            return None;
        }
        Self::ALL.into_iter().find(|kind| kind.name().strip_prefix("ResponseTo") == Some(self.name()))
    }
}

impl fmt::Display for MessageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schema_location_round_trip() {
        for kind in MessageKind::ALL {
            if let Some(location) = kind.schema_location() {
                assert_eq!(MessageKind::from_schema_location(&location), Some(kind));
                assert_eq!(MessageKind::from_schema_location(&location.replacen(' ', "  ", 1)), None);
                assert_eq!(MessageKind::from_schema_location(&format!("{location} ")), None);
            }
        }
        assert_eq!(MessageKind::from_schema_location(&format!("{BEFORE}Fault{AFTER}")), None);
    }

    #[test]
    fn each_order_has_its_response() {
        assert_eq!(MessageKind::StoreDelivery.response(), Some(MessageKind::ResponseToStoreDelivery));
        assert_eq!(MessageKind::ALL.into_iter().filter(|kind| kind.response().is_some()).count(), 12);
        assert_eq!(MessageKind::ResponseToExitDialog.response(), None);
    }
}
