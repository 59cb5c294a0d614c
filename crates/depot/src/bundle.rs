//! What the worker processes need of a release.

use std::{collections::BTreeSet, sync::Arc};

use crate::{decide::CANONICAL_SCHEMA, index::join, release::Release};

/// Paths to compile, each once, sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BundleParts {
    /// Stylesheets of rules and products.
    pub stylesheets: Vec<String>,
    /// Main schema documents, among them that of the Vorgang.
    pub schemas: Vec<String>,
    /// Schematron files.
    pub schematrons: Vec<String>,
}

impl Release {
    /// The files a worker may see: packages without their cases, and third-party schemas. Nothing of the configuration.
    pub fn bundle_files(&self) -> impl Iterator<Item = (&String, &Arc<[u8]>)> {
        self.files().iter().filter(|(path, _)| {
            (path.starts_with("rules/") || path.starts_with("catalogue/"))
                && !path.contains("/cases/")
                && [".xsl", ".xslt", ".xsd", ".sch", ".xml"].iter().any(|ending| path.ends_with(ending))
        })
    }

    /// What is to be compiled; what is missing (DDS-V003) is left out.
    #[must_use]
    pub fn bundle_parts(&self) -> BundleParts {
        let compiled = || self.index().messages.iter().flatten();
        let canonical = compiled().map(|message| message.canonical.clone());
        let products = self.contents().products.iter().filter_map(|product| self.stylesheet_of(product));
        let schemas =
            compiled().filter_map(|message| message.schema.clone()).chain([CANONICAL_SCHEMA.to_owned()]);
        let schematrons = compiled().flat_map(|message| message.schematrons.clone());
        BundleParts {
            stylesheets: self.present(canonical.chain(products)),
            schemas: self.present(schemas),
            schematrons: self.present(schematrons),
        }
    }

    fn present(&self, paths: impl Iterator<Item = String>) -> Vec<String> {
        let once: BTreeSet<String> = paths.filter(|path| self.file(path).is_some()).collect();
        once.into_iter().collect()
    }
}

/// What checks a message and makes it canonical, paths in the release; what is missing (DDS-V003) is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checks {
    /// XSD.
    pub schema: Option<String>,
    /// Schematron files.
    pub schematrons: Vec<String>,
    /// Stylesheet to the canonical form.
    pub canonical: String,
}

impl Release {
    /// The checks of a recognised message.
    #[must_use]
    pub fn checks(&self, recognised: crate::Recognised) -> Checks {
        let compiled = self.compiled(recognised);
        let present = |path: &&String| self.file(path).is_some();
        Checks {
            schema: compiled.schema.as_ref().filter(present).cloned(),
            schematrons: compiled.schematrons.iter().filter(present).cloned().collect(),
            canonical: compiled.canonical.clone(),
        }
    }

    /// Path of a product's stylesheet in the release; `None` if it takes the Vorgang as it is.
    #[must_use]
    pub fn stylesheet_of(&self, product: &crate::Filed<crate::ProductPackage>) -> Option<String> {
        Some(join(product.folder(), product.value.stylesheet.as_ref()?))
    }
}
