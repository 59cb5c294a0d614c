//! Cases (Fälle) of rule and product packages.

use crate::release::Release;

/// Fall: an input and what must come of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Name of its folder.
    pub name: String,
    /// Path of the input in the release.
    pub input: String,
    /// What must come of it; `None`: no expectation has been written yet.
    pub expected: Option<Expected>,
}

/// Erwartung of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// A document, path in the release.
    Document(String),
    /// Findings, one `rule location` per line, path in the release.
    Findings(String),
}

impl Release {
    /// The cases of the package in `folder`, such as `rules/hundesteuer/1.0`, by name.
    #[must_use]
    pub fn cases(&self, folder: &str) -> Vec<Case> {
        let prefix = format!("{folder}/cases/");
        let mut cases: Vec<Case> = Vec::new();
        let files = self.files().range(prefix.clone()..).map(|(path, _)| path);
        for path in files.take_while(|path| path.starts_with(&prefix)) {
            let Some((name, file)) = path[prefix.len()..].split_once('/') else { continue };
            if cases.last().is_none_or(|last| last.name != name) {
                cases.push(Case { name: name.to_owned(), input: String::new(), expected: None });
            }
            let Some(case) = cases.last_mut() else { continue };
            match file {
                "input.xml" | "input.json" => case.input.clone_from(path),
                "expected.findings" => case.expected = Some(Expected::Findings(path.clone())),
                "expected.xml" | "expected.json" | "expected.txt" => {
                    case.expected = Some(Expected::Document(path.clone()));
                }
                _ => {}
            }
        }
        cases.retain(|case| !case.input.is_empty());
        cases
    }
}
