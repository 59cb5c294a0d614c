//! What a compiled stylesheet is made of: its file and all that it imports or includes. The journal names one digest
//! over them, so that it can be told later which files made which bytes.

use std::collections::{BTreeSet, HashMap};

use dds_message::Digest;

use crate::{
    index::join,
    release::{Files, Release},
};

/// Digest over the files of each stylesheet of a release.
pub(crate) type Sources = HashMap<String, Digest>;

pub(crate) fn digests(release: &Release) -> Sources {
    let stylesheets = release.bundle_parts().stylesheets;
    stylesheets.into_iter().map(|path| (path.clone(), over(release.files(), &path))).collect()
}

impl Release {
    /// SHA-256 over the files of the compiled stylesheet `path`: hex SHA-256 of the file, two blanks, path, line feed,
    /// for each file in the order of the paths, as `depot show` and `sha256sum` print them. `None` if the release
    /// compiles no such stylesheet.
    #[must_use]
    pub fn sources_digest(&self, path: &str) -> Option<Digest> {
        self.stylesheet_sources().get(path).copied()
    }
}

fn over(files: &Files, path: &str) -> Digest {
    let mut list = String::new();
    for path in closure(files, path) {
        if let Some(bytes) = files.get(&path) {
            list.push_str(&format!("{}  {path}\n", Digest::of(bytes)));
        }
    }
    Digest::of(list.as_bytes())
}

/// The file, and every stylesheet of the release that an `href` in one of them leads to. One too many (in a comment)
/// does no harm, one too few would: a reference that is not plain text stands for every stylesheet there is.
fn closure(files: &Files, path: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut waiting = vec![path.to_owned()];
    while let Some(path) = waiting.pop() {
        let Some(bytes) = files.get(&path).filter(|_| !found.contains(&path)) else { continue };
        let text = String::from_utf8_lossy(bytes);
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for reference in references(&text) {
            if reference.contains('&') {
                waiting.extend(files.keys().filter(|path| is_stylesheet(path)).cloned());
            } else {
                waiting.push(join(folder, reference));
            }
        }
        found.insert(path);
    }
    found.retain(|path| is_stylesheet(path));
    found
}

fn is_stylesheet(path: &str) -> bool {
    path.ends_with(".xsl") || path.ends_with(".xslt")
}

/// Values of the attributes `href`.
fn references(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("href").filter_map(|(place, name)| {
        let rest = text[place + name.len()..].trim_start().strip_prefix('=')?.trim_start();
        let quote = rest.chars().next().filter(|quote| ['"', '\''].contains(quote))?;
        rest[1..].split_once(quote).map(|(value, _)| value)
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn files(list: &[(&str, &str)]) -> Files {
        list.iter().map(|(path, text)| ((*path).to_owned(), Arc::from(text.as_bytes()))).collect()
    }

    #[test]
    fn every_file_of_a_stylesheet_counts_and_no_other() {
        let list = [
            ("rules/a/1/xslt/x.xsl", "<xsl:import href=\"../../../lib/y.xsl\"/><a href=\"{@b}\"/>"),
            ("rules/lib/y.xsl", "<xsl:include href = 'z.xsl'/><xsl:import href=\"y.xsl\"/>"),
            ("rules/lib/z.xsl", "<z/>"),
            ("rules/lib/other.xsl", "<o/>"),
            ("rules/a/1/rule.toml", "href=\"xslt/x.xsl\""),
        ];
        let before = files(&list);
        let path = "rules/a/1/xslt/x.xsl";
        let found: Vec<_> = closure(&before, path).into_iter().collect();
        assert_eq!(found, [path, "rules/lib/y.xsl", "rules/lib/z.xsl"]);
        for (place, counts) in [(0, true), (1, true), (2, true), (3, false), (4, false)] {
            let mut list = list;
            let changed = format!("{}<!-- x -->", list[place].1);
            list[place].1 = &changed;
            assert_eq!(over(&files(&list), path) != over(&before, path), counts, "{}", list[place].0);
        }
        // Not readable as it stands: everything counts.
        let mut hidden = list;
        hidden[2].1 = "<xsl:import href=\"oth&#101;r.xsl\"/>";
        assert!(closure(&files(&hidden), path).contains("rules/lib/other.xsl"));
    }

    #[test]
    fn the_digest_is_that_of_what_sha256sum_prints() {
        let files = files(&[("a.xsl", "<a/>")]);
        let printed = format!("{}  a.xsl\n", Digest::of(b"<a/>"));
        assert_eq!(over(&files, "a.xsl"), Digest::of(printed.as_bytes()));
    }
}
