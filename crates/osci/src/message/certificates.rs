use crate::certificate::Certificate;

/// In which role a certificate stands in a message; the name of its element in the certificate block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CertificateRole {
    /// `CipherCertificateIntermediary`
    CipherIntermediary,
    /// `SignatureCertificateIntermediary`
    SignatureIntermediary,
    /// `CipherCertificateOriginator`
    CipherOriginator,
    /// `CipherCertificateOtherAuthor`
    CipherOtherAuthor,
    /// `CipherCertificateAddressee`
    CipherAddressee,
    /// `CipherCertificateOtherReader`
    CipherOtherReader,
    /// `SignatureCertificateOriginator`
    SignatureOriginator,
    /// `SignatureCertificateOtherAuthor`
    SignatureOtherAuthor,
    /// `SignatureCertificateAddressee`
    SignatureAddressee,
}

impl CertificateRole {
    /// All roles, in the order in which the schema wants their elements.
    pub const ALL: [Self; 9] = [
        Self::CipherIntermediary,
        Self::SignatureIntermediary,
        Self::CipherOriginator,
        Self::CipherOtherAuthor,
        Self::CipherAddressee,
        Self::CipherOtherReader,
        Self::SignatureOriginator,
        Self::SignatureOtherAuthor,
        Self::SignatureAddressee,
    ];

    /// The local name of the element.
    pub const fn element(self) -> &'static str {
        match self {
            Self::CipherIntermediary => "CipherCertificateIntermediary",
            Self::SignatureIntermediary => "SignatureCertificateIntermediary",
            Self::CipherOriginator => "CipherCertificateOriginator",
            Self::CipherOtherAuthor => "CipherCertificateOtherAuthor",
            Self::CipherAddressee => "CipherCertificateAddressee",
            Self::CipherOtherReader => "CipherCertificateOtherReader",
            Self::SignatureOriginator => "SignatureCertificateOriginator",
            Self::SignatureOtherAuthor => "SignatureCertificateOtherAuthor",
            Self::SignatureAddressee => "SignatureCertificateAddressee",
        }
    }

    /// The role an element of a certificate block names.
    pub fn from_element(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.element() == name)
    }

    /// Whether the role belongs to `IntermediaryCertificates`.
    pub const fn is_intermediary(self) -> bool {
        matches!(self, Self::CipherIntermediary | Self::SignatureIntermediary)
    }

    /// The Id that the Java library would give (facts 10): `<role>_cipher_<hex>` or `<role>_signature_<hex>`; further
    /// authors and readers are numbered by `number`.
    pub fn usual_id(self, certificate: &Certificate, number: usize) -> String {
        let (role, usage) = match self {
            Self::CipherIntermediary => ("intermed".to_owned(), "cipher"),
            Self::SignatureIntermediary => ("intermed".to_owned(), "signature"),
            Self::CipherOriginator => ("originator".to_owned(), "cipher"),
            Self::SignatureOriginator => ("originator".to_owned(), "signature"),
            Self::CipherAddressee => ("addressee".to_owned(), "cipher"),
            Self::SignatureAddressee => ("addressee".to_owned(), "signature"),
            Self::CipherOtherAuthor => (format!("author{number}"), "cipher"),
            Self::SignatureOtherAuthor => (format!("author{number}"), "signature"),
            Self::CipherOtherReader => (format!("reader{number}"), "cipher"),
        };
        format!("{role}_{usage}_{}", certificate.sha256_hex())
    }
}

/// A certificate with its role and the Id by which signatures and encrypted keys point to it. The Id must stay the
/// same on the way through the intermediary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleCertificate {
    /// Role.
    pub role: CertificateRole,
    /// `Id` of the element.
    pub id: String,
    /// The certificate.
    pub certificate: Certificate,
}

/// The certificates of one block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleCertificates {
    /// As they stood in the block.
    pub entries: Vec<RoleCertificate>,
}

impl RoleCertificates {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The first certificate in a role (originator, addressee and intermediary have at most one).
    pub fn first(&self, role: CertificateRole) -> Option<&RoleCertificate> {
        self.entries.iter().find(|entry| entry.role == role)
    }

    /// The first certificate in a role, itself.
    pub fn certificate(&self, role: CertificateRole) -> Option<&Certificate> {
        self.first(role).map(|entry| &entry.certificate)
    }

    /// The entry with an Id.
    pub fn by_id(&self, id: &str) -> Option<&RoleCertificate> {
        self.entries.iter().find(|entry| entry.id == id)
    }

    /// Adds a certificate under the usual Id and returns that Id; one that is there in the same role is not repeated.
    pub fn add(&mut self, role: CertificateRole, certificate: &Certificate) -> &str {
        let known =
            self.entries.iter().position(|entry| entry.role == role && entry.certificate == *certificate);
        let at = known.unwrap_or_else(|| {
            let number = self.entries.iter().filter(|entry| entry.role == role).count();
            let id = role.usual_id(certificate, number);
            self.entries.push(RoleCertificate { role, id, certificate: certificate.clone() });
            self.entries.len() - 1
        });
        self.entries.get(at).map_or("", |entry| entry.id.as_str())
    }

    /// Makes an announced originator who did not sign one of the authors, as far as the content names him: nobody
    /// vouches that he is the sender. His Id stays. Whether there was one.
    pub(crate) fn disown_originator(&mut self) -> bool {
        let announced =
            self.entries.iter_mut().find(|entry| entry.role == CertificateRole::SignatureOriginator);
        announced.map(|entry| entry.role = CertificateRole::SignatureOtherAuthor).is_some()
    }

    /// The same certificates under other Ids.
    pub(crate) fn renamed(&self, name: impl Fn(&str) -> String) -> Self {
        let entries =
            self.entries.iter().map(|entry| RoleCertificate { id: name(&entry.id), ..entry.clone() });
        Self { entries: entries.collect() }
    }

    /// The certificates of another block in these roles, with their Ids.
    pub fn keep(&self, roles: &[CertificateRole]) -> Self {
        Self { entries: self.entries.iter().filter(|entry| roles.contains(&entry.role)).cloned().collect() }
    }
}
