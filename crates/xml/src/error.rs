//! Why a document was refused, and where.

/// A document that is not acceptable. Names the place and the rule, never content of the message, so it may be logged.
/// Inbound answers with `DDS-I005` (`DDS-I003` when the document is too large).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {kind}")]
pub struct XmlError {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// What is wrong.
    pub kind: XmlErrorKind,
}

/// What is wrong with a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum XmlErrorKind {
    /// A rule of XML, Namespaces, JSON or of this interface is broken.
    #[error("{0}")]
    Rule(Rule),
    /// A limit is exceeded.
    #[error("more than {max} {what}")]
    Limit {
        /// Which limit.
        what: LimitKind,
        /// Its value.
        max: usize,
    },
}

macro_rules! texts {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name { $(#[doc = $text] $(#[$doc])* $variant,)+ }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(match self { $(Self::$variant => $text,)+ })
            }
        }
    };
}

texts! {
    /// The limit that was exceeded; see [`crate::Limits`].
    LimitKind {
        Bytes "bytes in the document",
        Depth "levels of nesting",
        Elements "elements",
        Attributes "attributes on one element",
        NameLength "bytes in a name",
        AttributeValue "bytes in an attribute value",
        Text "bytes in one text",
        References "entity and character references",
        Namespaces "namespaces in scope",
        /// A value that a rule reads as a key is never cut: a shortened key could match the wrong recipient.
        KeyLength "bytes in a key value",
        KeyValues "values of one key",
    }
}

texts! {
    /// The rule that was broken.
    Rule {
        NotUtf8 "the document is not UTF-8",
        /// XML 1.0, 2.2.
        IllegalCharacter "a character that XML does not allow",
        /// XML 1.0, 2.8.
        Declaration "the XML declaration is malformed or not at the very start",
        Encoding "the XML declaration names another encoding than UTF-8",
        Version "the XML declaration names another version than 1.0",
        /// Never accepted, well-formed or not.
        Doctype "a DOCTYPE is never allowed",
        Empty "the document has no root element",
        SecondRoot "something follows the root element",
        TextOutsideRoot "text outside the root element",
        Unclosed "the document ends inside an element or markup",
        /// XML 1.0, 3, WFC Element Type Match.
        Mismatch "the end tag does not match the start tag",
        StrayEnd "an end tag without a start tag",
        /// XML 1.0, 2.3; Namespaces, 4.
        Name "not a valid name",
        Tag "a tag is malformed",
        /// XML 1.0, 3.1: white space between attributes.
        AttributeSpace "white space is missing before an attribute",
        AttributeSyntax "an attribute is malformed",
        LessInAttribute "'<' in an attribute value",
        /// XML 1.0, 3.1, and Namespaces, 6.3.
        DuplicateAttribute "an attribute occurs twice",
        /// Namespaces, 5.
        UndeclaredPrefix "a namespace prefix is not declared",
        /// Namespaces, 3.
        ReservedPrefix "xml and xmlns cannot be declared so",
        /// Namespaces, 2.2: `xmlns:p=\"\"` is XML 1.1 only.
        EmptyNamespace "a prefix is declared without a namespace",
        /// XML 1.0, 4.1.
        Reference "an entity or character reference is malformed or not predefined",
        /// XML 1.0, 2.4.
        CdataEndInText "']]>' in text",
        /// XML 1.0, 2.5.
        Comment "'--' in a comment",
        /// XML 1.0, 2.6.
        Instruction "a processing instruction is malformed or is called xml",
        Json "the JSON document is malformed",
        JsonRoot "the JSON document is not an object with a single member that names the root element",
        JsonName "a member of the JSON document is not a valid XML name",
        JsonShape "a member of the JSON document has a value that cannot be written there",
        JsonDuplicate "a member of the JSON document occurs twice",
        MapVocabulary "not the map and array vocabulary of XPath 3.1",
        MapValue "a number, boolean or key of the map vocabulary is not valid",
    }
}
