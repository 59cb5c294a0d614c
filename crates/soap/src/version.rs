//! The two versions and their names.

/// Version of SOAP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Version {
    /// SOAP 1.1.
    V11,
    /// SOAP 1.2.
    V12,
}

impl Version {
    /// Namespace of the envelope (SOAP 1.1 section 4.1.2; SOAP 1.2 part 1 section 1.2).
    #[must_use]
    pub const fn namespace(self) -> &'static str {
        match self {
            Self::V11 => "http://schemas.xmlsoap.org/soap/envelope/",
            Self::V12 => "http://www.w3.org/2003/05/soap-envelope",
        }
    }

    /// Media type on HTTP (SOAP 1.1 section 6; SOAP 1.2 part 2 section 7.1.4), without parameters.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::V11 => "text/xml",
            Self::V12 => "application/soap+xml",
        }
    }

    pub(crate) fn of_namespace(namespace: &str) -> Option<Self> {
        [Self::V11, Self::V12].into_iter().find(|version| version.namespace() == namespace)
    }

    /// Attribute that names the node a header block is meant for: `actor` (1.1), `role` (1.2).
    pub(crate) const fn role_attribute(self) -> &'static str {
        match self {
            Self::V11 => "actor",
            Self::V12 => "role",
        }
    }

    /// Roles that we, the ultimate receiver, play besides the absent one.
    pub(crate) const fn own_roles(self) -> &'static [&'static str] {
        match self {
            // SOAP 1.1 section 4.2.2
            Self::V11 => &["", "http://schemas.xmlsoap.org/soap/actor/next"],
            // SOAP 1.2 part 1 section 2.2
            Self::V12 => &[
                "",
                "http://www.w3.org/2003/05/soap-envelope/role/next",
                "http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver",
            ],
        }
    }
}
