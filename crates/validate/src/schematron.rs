//! ISO Schematron on the XPath 2.0 of `xsd-schema`.
//!
//! `source` reads the files into one tree (includes, extensions), `compile` turns it into rules with compiled
//! expressions, `context` says which nodes a rule is about, `run` applies the rules, `node` lets the XPath engine walk
//! our document tree. Sections named here are those of ISO/IEC 19757-3:2016.

mod compile;
mod context;
mod message;
mod node;
mod run;
mod source;

pub(crate) use node::Cursor;

use dds_message::Finding;

use crate::{Files, Tree, ValidateError};

/// Übersetzte Geschäftsregeln of one Schematron file. Bound to its thread; each worker compiles its own.
///
/// Offered: schema, phase and pattern variables (`let`), abstract patterns and rules, `extends`, `include`, phases,
/// `value-of` and `name` in messages, diagnostics, `@role` and `@flag`, query binding `xslt2` (and `xslt` where XPath
/// 1.0 rules allow it), `current()`. Not offered, and refused with their place: `xsl:function` and `xsl:key`,
/// `pattern/@documents`, and functions that read files or the clock.
pub struct Schematron {
    compiled: compile::Compiled,
}

impl Schematron {
    /// Compiles the Schematron file `main` with its default phase; includes and extensions are looked up in `files`.
    ///
    /// # Errors
    /// [`ValidateError`] names file, line and column (`DDS-C003`, `DDS-V003`).
    pub fn compile(main: &str, files: &Files) -> Result<Self, ValidateError> {
        Self::compile_phase(main, files, "#DEFAULT")
    }

    /// As [`Schematron::compile`], with a phase (5.4.11): its name, `#ALL` or `#DEFAULT`.
    ///
    /// # Errors
    /// As [`Schematron::compile`], also for an unknown phase.
    pub fn compile_phase(main: &str, files: &Files, phase: &str) -> Result<Self, ValidateError> {
        let source = source::load(main, files)?;
        Ok(Self { compiled: compile::compile(&source, phase)? })
    }

    /// Runs the rules on a document. Empty when nothing is to be said; at most [`crate::MAX_FINDINGS`], in document
    /// order. A rule that cannot be evaluated on this document is a finding too.
    #[must_use]
    pub fn run(&self, document: &Tree<'_>) -> Vec<Finding> {
        run::run(&self.compiled, &document.0)
    }

    /// Number of rules that can fire in the chosen phase.
    #[must_use]
    pub fn rules(&self) -> usize {
        self.compiled.rules.iter().filter(|rule| rule.active).count()
    }
}

impl std::fmt::Debug for Schematron {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Schematron").field("rules", &self.rules()).finish_non_exhaustive()
    }
}
