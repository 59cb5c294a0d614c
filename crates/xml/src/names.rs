//! Reserved namespaces.

/// Namespace of the prefix `xml` (Namespaces in XML 1.0, 3).
pub(crate) const XML: &str = "http://www.w3.org/XML/1998/namespace";
/// Namespace of the prefix `xmlns`, never to be declared (Namespaces in XML 1.0, 3).
pub(crate) const XMLNS: &str = "http://www.w3.org/2000/xmlns/";
/// Vocabulary of `fn:xml-to-json` (XPath and XQuery Functions 3.1, 17.4.2).
pub(crate) const FUNCTIONS: &str = "http://www.w3.org/2005/xpath-functions";
