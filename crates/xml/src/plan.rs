//! Which values to take out of a message, for all rules at once.

use std::collections::HashMap;

use crate::{Path, QName};

/// Place of a value among the values of its root; given by [`KeyPlan::add`], used with [`crate::Extracted`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(usize);

impl Slot {
    /// Index into [`crate::Extracted::values`].
    #[must_use]
    pub const fn index(self) -> usize {
        self.0
    }
}

/// Leseplan: the paths of all rules, ordered so that reading costs the same for one rule and for ten thousand: one
/// look-up for the root, then one small table per element on the way. Built once per release.
#[derive(Debug, Clone, Default)]
pub struct KeyPlan {
    roots: HashMap<QName, Root>,
}

/// The paths that start at one root element.
#[derive(Debug, Clone, Default)]
pub(crate) struct Root {
    pub(crate) slots: usize,
    /// The root element is node 0.
    pub(crate) nodes: Vec<Node>,
}

/// One element on the way to a value.
#[derive(Debug, Clone, Default)]
pub(crate) struct Node {
    /// Sorted by name, for binary search without making a key.
    pub(crate) children: Vec<(QName, usize)>,
    pub(crate) attributes: Vec<(QName, Slot)>,
    pub(crate) text: Option<Slot>,
}

impl Node {
    /// Where the child of that name is in `children`, or where it belongs.
    fn find(&self, namespace: &str, local: &str) -> Result<usize, usize> {
        let order = |name: &QName| {
            name.local.as_str().cmp(local).then_with(|| name.namespace.as_str().cmp(namespace))
        };
        self.children.binary_search_by(|(name, _)| order(name))
    }

    /// The node of the child of that name.
    pub(crate) fn child(&self, namespace: &str, local: &str) -> Option<usize> {
        self.find(namespace, local).ok().map(|place| self.children[place].1)
    }
}

impl KeyPlan {
    /// A plan that takes nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a root known from which nothing is taken (a rule without keys).
    pub fn add_root(&mut self, root: &QName) {
        self.root_mut(root);
    }

    /// Takes the values at `path`. The same path always gets the same slot; slots count from 0 per root.
    pub fn add(&mut self, path: &Path) -> Slot {
        let root = self.root_mut(path.root());
        let mut at = 0;
        for step in &path.elements[1..] {
            at = match root.nodes[at].find(&step.namespace, &step.local) {
                Ok(known) => root.nodes[at].children[known].1,
                Err(place) => {
                    let new = root.nodes.len();
                    root.nodes[at].children.insert(place, (step.clone(), new));
                    root.nodes.push(Node::default());
                    new
                }
            };
        }
        let free = Slot(root.slots);
        let node = &mut root.nodes[at];
        let slot = match &path.attribute {
            None => *node.text.get_or_insert(free),
            Some(name) => match node.attributes.iter().find(|(known, _)| known == name) {
                Some((_, slot)) => *slot,
                None => {
                    node.attributes.push((name.clone(), free));
                    free
                }
            },
        };
        root.slots += usize::from(slot == free);
        slot
    }

    /// Whether a message with this root element is known at all.
    #[must_use]
    pub fn knows(&self, root: &QName) -> bool {
        self.roots.contains_key(root)
    }

    pub(crate) fn root(&self, root: &QName) -> Option<&Root> {
        self.roots.get(root)
    }

    fn root_mut(&mut self, root: &QName) -> &mut Root {
        self.roots.entry(root.clone()).or_insert_with(|| Root { slots: 0, nodes: vec![Node::default()] })
    }
}
