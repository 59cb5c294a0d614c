//! The gate: well-formedness, limits and key facts in one pass.

use std::ops::ControlFlow;

use crate::scan::{Raw, Sink, Tag, scan};
use crate::{KeyPlan, LimitKind, Limits, QName, Slot, XmlError, XmlErrorKind};

/// Longest value of a key in bytes, after trimming.
const KEY_LENGTH: usize = 1024;
/// Most values of one key.
const KEY_VALUES: usize = 1000;

/// Checks a document: UTF-8, well-formed with namespaces, no DOCTYPE, within the limits.
///
/// # Errors
/// [`XmlError`] with the first fault and its place (`DDS-I005`; `DDS-I003` when too large).
pub fn check(document: &[u8], limits: &Limits) -> Result<(), XmlError> {
    scan(document, limits, &mut Nothing)
}

/// Ausgelesene Schlüsselangaben.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extracted {
    /// The root element.
    pub root: QName,
    /// Values by slot, in document order, trimmed, empty ones left out. No slots at all when the plan does not know the
    /// root.
    pub values: Vec<Vec<String>>,
}

impl Extracted {
    /// Values of a key; empty when the document has none.
    #[must_use]
    pub fn get(&self, slot: Slot) -> &[String] {
        self.values.get(slot.index()).map_or(&[], Vec::as_slice)
    }

    /// First value of a key.
    #[must_use]
    pub fn first(&self, slot: Slot) -> Option<&str> {
        self.get(slot).first().map(String::as_str)
    }
}

/// Checks a document as [`check`] does and, in the same pass, takes the values that `plan` names for its root.
/// The value of an element is the text directly in it; CDATA counts as text.
///
/// # Errors
/// [`XmlError`] with the first fault and its place, also when a key has more than 1,000 values or one of more than 1
/// KB.
pub fn extract(document: &[u8], plan: &KeyPlan, limits: &Limits) -> Result<Extracted, XmlError> {
    let mut collector =
        Collector { plan, root: None, nodes: &[], open: Vec::new(), beside: 0, values: Vec::new() };
    scan(document, limits, &mut collector)?;
    let root = collector.root.unwrap_or_else(|| QName::new("", ""));
    Ok(Extracted { root, values: collector.values })
}

/// Looks into the beginning of a document, which may be cut off anywhere: `visit` is told depth (0 is the root),
/// namespace and local name of each start tag, until it breaks with what it wanted to know. `None`: it never did, or
/// what is there is no XML that [`check`] lets pass. Tells nothing of the rest of the document: who wants to read it
/// checks it.
pub fn peek<T>(
    beginning: &[u8],
    limits: &Limits,
    visit: impl FnMut(usize, &str, &str) -> ControlFlow<T>,
) -> Option<T> {
    // The cut may go through a character.
    let whole = beginning.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    let mut peek = Peek { visit, depth: 0, found: None };
    // Every cut document is broken somewhere; what was found before counts.
    scan(whole.as_bytes(), limits, &mut peek).err();
    peek.found
}

struct Peek<V, T> {
    visit: V,
    depth: usize,
    found: Option<T>,
}

impl<'a, T, V: FnMut(usize, &str, &str) -> ControlFlow<T>> Sink<'a> for Peek<V, T> {
    fn start(&mut self, tag: &Tag<'a, '_>) -> Result<(), XmlErrorKind> {
        if let ControlFlow::Break(found) = (self.visit)(self.depth, tag.namespace(), tag.local) {
            self.found = Some(found);
            // Any error ends the pass; nobody is told this one.
            return Err(XmlErrorKind::Limit { what: LimitKind::Bytes, max: 0 });
        }
        self.depth += 1;
        Ok(())
    }

    fn end(&mut self, _at: usize) -> Result<(), XmlErrorKind> {
        self.depth -= 1;
        Ok(())
    }
}

struct Nothing;

impl<'a> Sink<'a> for Nothing {}

struct Collector<'p> {
    plan: &'p KeyPlan,
    root: Option<QName>,
    nodes: &'p [crate::plan::Node],
    /// Planned elements that are open, with their text so far.
    open: Vec<(usize, String)>,
    /// Open elements below the last planned one that the plan does not know.
    beside: usize,
    values: Vec<Vec<String>>,
}

impl Collector<'_> {
    fn keep(&mut self, slot: Slot, value: &str) -> Result<(), XmlErrorKind> {
        let value = value.trim_matches(crate::chars::is_space_char);
        if value.is_empty() {
            return Ok(());
        }
        if value.len() > KEY_LENGTH {
            return Err(XmlErrorKind::Limit { what: LimitKind::KeyLength, max: KEY_LENGTH });
        }
        let Some(values) = self.values.get_mut(slot.index()) else { return Ok(()) };
        if values.len() == KEY_VALUES {
            return Err(XmlErrorKind::Limit { what: LimitKind::KeyValues, max: KEY_VALUES });
        }
        values.push(value.to_owned());
        Ok(())
    }
}

impl<'a> Sink<'a> for Collector<'_> {
    fn start(&mut self, tag: &Tag<'a, '_>) -> Result<(), XmlErrorKind> {
        let node = match (self.open.last(), self.beside) {
            (None, 0) if self.root.is_none() => {
                let name = QName::new(tag.namespace(), tag.local);
                let known = self.plan.root(&name);
                self.root = Some(name);
                known.map(|root| {
                    self.nodes = &root.nodes;
                    self.values = vec![Vec::new(); root.slots];
                    0
                })
            }
            (Some((parent, _)), 0) => self.nodes[*parent].child(tag.namespace(), tag.local),
            _ => None,
        };
        let Some(node) = node else {
            self.beside += 1;
            return Ok(());
        };
        for (name, slot) in &self.nodes[node].attributes {
            if let Some(value) = tag.attribute(&name.namespace, &name.local) {
                self.keep(*slot, &value.attribute())?;
            }
        }
        self.open.push((node, String::new()));
        Ok(())
    }

    fn text(&mut self, text: Raw<'a>) -> Result<(), XmlErrorKind> {
        if self.beside == 0
            && let Some((node, value)) = self.open.last_mut()
            && self.nodes[*node].text.is_some()
        {
            value.push_str(&text.text());
        }
        Ok(())
    }

    fn end(&mut self, _at: usize) -> Result<(), XmlErrorKind> {
        if self.beside > 0 {
            self.beside -= 1;
        } else if let Some((node, value)) = self.open.pop()
            && let Some(slot) = self.nodes[node].text
        {
            self.keep(slot, &value)?;
        }
        Ok(())
    }
}
