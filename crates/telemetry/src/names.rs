//! The names that may stand in labels: a time series per name lives as long as the process, and longer where they are
//! collected.

use std::collections::BTreeSet;

use parking_lot::RwLock;

/// Stands in a label for every name that is not to have a time series of its own.
pub const OTHER: &str = "other";

/// So many procedures, and so many products, have a name in labels.
const MOST: usize = 100;

/// Procedures and products of the release in force, the first 100 of each in alphabetical order. Whatever else occurs,
/// such as a delivery that an older release made, is [`OTHER`].
#[derive(Debug, Default)]
pub struct Names(RwLock<Known>);

#[derive(Debug, Default)]
struct Known {
    procedures: BTreeSet<String>,
    products: BTreeSet<String>,
}

impl Names {
    /// Takes the names of another release.
    pub fn replace(
        &self,
        procedures: impl IntoIterator<Item = String>,
        products: impl IntoIterator<Item = String>,
    ) {
        let known = Known { procedures: first(procedures), products: first(products) };
        *self.0.write() = known;
    }

    /// The label of a procedure, such as `hundesteuer`. An answer has none, and so an empty label.
    #[must_use]
    pub fn procedure(&self, name: &str) -> String {
        label(&self.0.read().procedures, name)
    }

    /// The label of a product, such as `fv-steuerwerk@3.2`. An answer has none, and so an empty label.
    #[must_use]
    pub fn product(&self, name: &str) -> String {
        label(&self.0.read().products, name)
    }
}

fn first(names: impl IntoIterator<Item = String>) -> BTreeSet<String> {
    names.into_iter().collect::<BTreeSet<_>>().into_iter().take(MOST).collect()
}

fn label(known: &BTreeSet<String>, name: &str) -> String {
    if name.is_empty() || known.contains(name) { name.to_owned() } else { OTHER.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_release_does_not_name_is_other() {
        let names = Names::default();
        assert_eq!(names.procedure("hundesteuer"), OTHER, "no release yet");
        names.replace((0..1_000).map(|n| format!("verfahren-{n:04}")), ["fv@1".to_owned()]);
        assert_eq!(names.procedure("verfahren-0099"), "verfahren-0099");
        assert_eq!(names.procedure("verfahren-0100"), OTHER, "one too many");
        assert_eq!((names.procedure(""), names.product("fv@1")), (String::new(), "fv@1".to_owned()));
        names.replace([], []);
        assert_eq!(names.product("fv@1"), OTHER, "of the release before");
    }
}
