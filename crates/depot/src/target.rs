//! Targets: where deliveries go.

use dds_message::{Ars, AuthorityId, SourceId, TargetId};
use serde::Serialize;

use crate::{
    directory::{Authority, MAIL},
    osci::OsciWay,
    product::{AdapterKind, Options, Policy, ProductPackage},
    release::{Filed, Release},
    source::{Answers, SecretRef},
};

/// Zustellziel: one end point of one authority, or the way back to a source.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Target {
    /// Id: `<ars>/<office>/<product>`, `<ars>/<office>/mail` or `source/<source>`.
    pub id: TargetId,
    /// Authority behind it; `None` for a source.
    pub authority: Option<AuthorityId>,
    /// Source behind it, for answers.
    pub source: Option<SourceId>,
    /// Product as `product@version`; `None` for a source.
    pub product: Option<String>,
    /// The way.
    pub adapter: AdapterKind,
    /// Options of the adapter.
    pub options: Options,
    /// Base address of its systems; for a source the whole address of its callback.
    pub endpoint: Option<String>,
    /// Transferverzeichnis, for `folder`.
    pub folder: Option<String>,
    /// Mail address, for `mail`.
    pub mail: Option<String>,
    /// OSCI way, for `osci`.
    pub osci: Option<OsciWay>,
    /// Reference to the token it expects, or with which it fetches.
    pub secret: Option<SecretRef>,
    /// It fetches; nothing is pushed.
    pub pull: bool,
    /// Recognises a repeated delivery id.
    pub deduplicates: bool,
    /// Sum of attachment bytes it takes.
    pub max_attachment_bytes: Option<u64>,
    /// Treatment by the scheduler.
    pub policy: Policy,
}

impl Target {
    /// The address to send to: endpoint and path of the product with exactly one `/` between them.
    #[must_use]
    pub fn url(&self) -> Option<String> {
        let base = self.endpoint.as_deref()?;
        Some(match self.options.path.as_deref() {
            None | Some("") => base.to_owned(),
            Some(path) => format!("{}/{}", base.trim_end_matches('/'), path.trim_start_matches('/')),
        })
    }
}

impl Release {
    /// Every target, worked out one by one: sources first, then area by area.
    pub fn targets(&self) -> impl Iterator<Item = Target> {
        let sources = self.sources().filter_map(|source| self.find_target(&TargetId::of_source(&source.id)));
        let offices = self.authorities().flat_map(|authority| {
            let targets: Vec<Target> = authority
                .targets()
                .filter_map(|(id, product)| self.office_target(&authority, id, product))
                .collect();
            targets
        });
        sources.chain(offices)
    }

    /// The product package that makes mails to offices: the newest one with adapter `mail`.
    #[must_use]
    pub fn mail_product(&self) -> Option<&Filed<ProductPackage>> {
        self.index().mail.map(|place| &self.contents().products[place])
    }

    pub(crate) fn find_target(&self, id: &TargetId) -> Option<Target> {
        let mut parts = id.as_str().split('/');
        let (first, office) = (parts.next()?, parts.next()?);
        if first == "source" {
            return parts.next().is_none().then(|| self.answer_target(id, office)).flatten();
        }
        let (last, None) = (parts.next()?, parts.next()) else { return None };
        let authority = self.office(self.area(&Ars::parse(first).ok()?)?, office)?;
        let (_, product) = authority.targets().find(|(other, _)| other == id)?;
        debug_assert!(product.is_some() || last == MAIL, "only a mail has no product of its own");
        self.office_target(&authority, id.clone(), product)
    }

    pub(crate) fn office_target(
        &self,
        authority: &Authority<'_>,
        id: TargetId,
        product: Option<&str>,
    ) -> Option<Target> {
        let package = match product {
            Some(name) => &self.product(name)?.value,
            None => &self.mail_product()?.value,
        };
        let (office, municipality) = (&authority.office, authority.municipality);
        let policy =
            office.policy.as_ref().map_or_else(|| package.policy.clone(), |own| own.over(&package.policy));
        let osci = office.osci.clone().filter(|_| product.is_some());
        let adapter = if osci.is_some() { AdapterKind::Osci } else { package.adapter };
        Some(Target {
            id,
            authority: Some(authority.id.clone()),
            source: None,
            product: Some(package.name()),
            adapter,
            options: package.options.clone(),
            endpoint: office.endpoint.clone().or_else(|| municipality.endpoint.clone()),
            folder: office.folder.clone().or_else(|| municipality.folder.clone()),
            mail: office.mail_address.clone().or_else(|| municipality.mail.clone()),
            osci,
            secret: office.secret.clone().or_else(|| municipality.secret.clone()),
            pull: adapter == AdapterKind::Mailbox,
            // An OSCI MessageId is stored once only, whatever the product behind it can do.
            deduplicates: package.deduplicates || adapter == AdapterKind::Osci,
            max_attachment_bytes: package.limits.attachment_bytes,
            policy,
        })
    }

    fn answer_target(&self, id: &TargetId, source: &str) -> Option<Target> {
        let source = self.source(&SourceId::parse(source).ok()?)?;
        let (adapter, endpoint, secret) = match &source.answers {
            Answers::Fetch => (AdapterKind::Mailbox, None, None),
            Answers::Callback { url, secret } => (AdapterKind::Rest, Some(url.clone()), secret.clone()),
        };
        Some(Target {
            id: id.clone(),
            authority: None,
            source: Some(source.id.clone()),
            product: None,
            adapter,
            options: Options::default(),
            endpoint,
            folder: None,
            mail: None,
            osci: None,
            secret,
            pull: adapter == AdapterKind::Mailbox,
            // Our own interface description asks sources to recognise a repeated delivery id.
            deduplicates: true,
            max_attachment_bytes: None,
            policy: Policy::default(),
        })
    }
}
