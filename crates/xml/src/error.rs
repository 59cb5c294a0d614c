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

impl XmlError {
    /// The same in German; `Display` tells it in English.
    #[must_use]
    pub fn german(&self) -> String {
        format!("Zeile {}, Spalte {}: {}", self.line, self.column, self.kind.german())
    }
}

impl XmlErrorKind {
    /// What is wrong, in German.
    #[must_use]
    pub fn german(self) -> String {
        match self {
            Self::Rule(rule) => rule.german().to_owned(),
            Self::Limit { what, max } => format!("mehr als {max} {}", what.german()),
        }
    }
}

/// Variants with their texts, German and English.
macro_rules! texts {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident $german:literal $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name { $(#[doc = $text] $(#[$doc])* $variant,)+ }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// In German.
            #[must_use]
            pub const fn german(self) -> &'static str {
                match self { $(Self::$variant => $german,)+ }
            }
        }

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
        Bytes "Bytes im Dokument" "bytes in the document",
        Depth "Ebenen der Schachtelung" "levels of nesting",
        Elements "Elemente" "elements",
        Attributes "Attribute an einem Element" "attributes on one element",
        NameLength "Bytes in einem Namen" "bytes in a name",
        AttributeValue "Bytes in einem Attributwert" "bytes in an attribute value",
        Text "Bytes in einem Text" "bytes in one text",
        References "Entitäts- und Zeichenreferenzen" "entity and character references",
        Namespaces "gültige Namensräume" "namespaces in scope",
        /// A value that a rule reads as a key is never cut: a shortened key could match the wrong recipient.
        KeyLength "Bytes in einem Schlüsselwert" "bytes in a key value",
        KeyValues "Werte eines Schlüssels" "values of one key",
    }
}

texts! {
    /// The rule that was broken.
    Rule {
        NotUtf8 "das Dokument ist kein UTF-8" "the document is not UTF-8",
        /// XML 1.0, 2.2.
        IllegalCharacter "ein Zeichen, das XML nicht erlaubt" "a character that XML does not allow",
        /// XML 1.0, 2.8.
        Declaration "die XML-Deklaration ist fehlerhaft oder steht nicht ganz am Anfang"
            "the XML declaration is malformed or not at the very start",
        Encoding "die XML-Deklaration nennt eine andere Kodierung als UTF-8"
            "the XML declaration names another encoding than UTF-8",
        Version "die XML-Deklaration nennt eine andere Version als 1.0"
            "the XML declaration names another version than 1.0",
        /// Never accepted, well-formed or not.
        Doctype "ein DOCTYPE ist nie erlaubt" "a DOCTYPE is never allowed",
        Empty "das Dokument hat kein Wurzelelement" "the document has no root element",
        SecondRoot "dem Wurzelelement folgt noch etwas" "something follows the root element",
        TextOutsideRoot "Text außerhalb des Wurzelelements" "text outside the root element",
        Unclosed "das Dokument endet mitten in einem Element oder einer Auszeichnung"
            "the document ends inside an element or markup",
        /// XML 1.0, 3, WFC Element Type Match.
        Mismatch "End-Tag und Start-Tag passen nicht zusammen" "the end tag does not match the start tag",
        StrayEnd "ein End-Tag ohne Start-Tag" "an end tag without a start tag",
        /// XML 1.0, 2.3; Namespaces, 4.
        Name "kein gültiger Name" "not a valid name",
        Tag "ein Tag ist fehlerhaft" "a tag is malformed",
        /// XML 1.0, 3.1: white space between attributes.
        AttributeSpace "vor einem Attribut fehlt ein Leerzeichen"
            "white space is missing before an attribute",
        AttributeSyntax "ein Attribut ist fehlerhaft" "an attribute is malformed",
        LessInAttribute "'<' in einem Attributwert" "'<' in an attribute value",
        /// XML 1.0, 3.1, and Namespaces, 6.3.
        DuplicateAttribute "ein Attribut kommt doppelt vor" "an attribute occurs twice",
        /// Namespaces, 5.
        UndeclaredPrefix "ein Namensraumpräfix ist nicht deklariert" "a namespace prefix is not declared",
        /// Namespaces, 3.
        ReservedPrefix "xml und xmlns lassen sich so nicht deklarieren"
            "xml and xmlns cannot be declared so",
        /// Namespaces, 2.2: `xmlns:p=\"\"` is XML 1.1 only.
        EmptyNamespace "ein Präfix ist ohne Namensraum deklariert" "a prefix is declared without a namespace",
        /// XML 1.0, 4.1.
        Reference "eine Entitäts- oder Zeichenreferenz ist fehlerhaft oder nicht vordefiniert"
            "an entity or character reference is malformed or not predefined",
        /// XML 1.0, 2.4.
        CdataEndInText "']]>' im Text" "']]>' in text",
        /// XML 1.0, 2.5.
        Comment "'--' in einem Kommentar" "'--' in a comment",
        /// XML 1.0, 2.6.
        Instruction "eine Verarbeitungsanweisung ist fehlerhaft oder heißt xml"
            "a processing instruction is malformed or is called xml",
        Json "das JSON-Dokument ist fehlerhaft" "the JSON document is malformed",
        JsonRoot "das JSON-Dokument ist kein Objekt mit genau einem Mitglied, das das Wurzelelement nennt"
            "the JSON document is not an object with a single member that names the root element",
        JsonName "ein Mitglied des JSON-Dokuments ist kein gültiger XML-Name"
            "a member of the JSON document is not a valid XML name",
        JsonShape "ein Mitglied des JSON-Dokuments hat einen Wert, der dort nicht stehen kann"
            "a member of the JSON document has a value that cannot be written there",
        JsonDuplicate "ein Mitglied des JSON-Dokuments kommt doppelt vor"
            "a member of the JSON document occurs twice",
        MapVocabulary "nicht das Vokabular für map und array aus XPath 3.1"
            "not the map and array vocabulary of XPath 3.1",
        MapValue "eine Zahl, ein Wahrheitswert oder ein Schlüssel dieses Vokabulars ist nicht gültig"
            "a number, boolean or key of the map vocabulary is not valid",
    }
}
