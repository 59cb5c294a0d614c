/// `ControlBlock`: what binds a message to its dialogue. [`crate::control`] holds the rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ControlBlock {
    /// The challenge last received from the partner, verbatim.
    pub response: Option<String>,
    /// A fresh random value that the partner must return.
    pub challenge: Option<String>,
    /// `ConversationId`: the explicit dialogue; digits only.
    pub conversation_id: Option<String>,
    /// `SequenceNumber`: 0 for the first order after initDialog.
    pub sequence_number: Option<u32>,
}
