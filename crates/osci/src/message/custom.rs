use super::NamespaceContext;

/// A header block outside the OSCI namespaces (*benutzerdefinierter Header*), handed through unchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomHeader {
    /// Its `Id`; without one it could not be signed (9100).
    pub id: String,
    /// Namespace of the element.
    pub namespace: String,
    /// Local name of the element.
    pub name: String,
    /// The element as it was written.
    pub xml: Vec<u8>,
    /// The namespaces in force around it, which the element may use without declaring them.
    pub namespaces: NamespaceContext,
}
