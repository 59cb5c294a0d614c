//! Cases (Fälle) of rule and product packages.

use std::collections::BTreeMap;

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

/// The files of the folder of a case, by what they are.
#[derive(Debug, Default)]
pub(crate) struct CaseFolder<'a> {
    pub(crate) inputs: Vec<&'a str>,
    pub(crate) expected: Vec<&'a str>,
    pub(crate) unknown: Vec<&'a str>,
}

impl Release {
    /// The cases of the package in `folder`, such as `rules/hundesteuer/1.0`, by name. What has no input is none.
    #[must_use]
    pub fn cases(&self, folder: &str) -> Vec<Case> {
        let case = |(name, files): (&str, CaseFolder<'_>)| {
            let path = |file: &&str| format!("{folder}/cases/{name}/{file}");
            let expected = files.expected.last().map(|file| match *file {
                "expected.findings" => Expected::Findings(path(file)),
                _ => Expected::Document(path(file)),
            });
            Some(Case { name: name.to_owned(), input: files.inputs.last().map(path)?, expected })
        };
        self.case_folders(folder).into_iter().filter_map(case).collect()
    }

    /// The folders below `cases/` of a package.
    pub(crate) fn case_folders(&self, folder: &str) -> BTreeMap<&str, CaseFolder<'_>> {
        let prefix = format!("{folder}/cases/");
        let mut folders: BTreeMap<&str, CaseFolder<'_>> = BTreeMap::new();
        let files = self.files().range(prefix.clone()..).map_while(|(path, _)| path.strip_prefix(&prefix));
        for (name, file) in files.map(|path| path.split_once('/').unwrap_or(("", path))) {
            if file.ends_with(".md") {
                continue;
            }
            let case = folders.entry(name).or_default();
            match file {
                "input.xml" | "input.json" => case.inputs.push(file),
                "expected.xml" | "expected.json" | "expected.txt" | "expected.findings" => {
                    case.expected.push(file);
                }
                unknown => case.unknown.push(unknown),
            }
        }
        folders
    }
}
