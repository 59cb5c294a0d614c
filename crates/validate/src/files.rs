//! The files a schema may be made of.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Schema files by path, relative, with `/`: all that a schema can include or import. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Files {
    files: BTreeMap<String, Arc<[u8]>>,
}

impl Files {
    /// No files.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file, or replaces it. `./` and inner `..` of the path are resolved.
    pub fn insert(&mut self, path: &str, content: impl Into<Arc<[u8]>>) {
        self.files.insert(join("", path), content.into());
    }

    /// Content of a file.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&[u8]> {
        self.files.get(&join("", path)).map(AsRef::as_ref)
    }

    /// The files by path.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files.iter().map(|(path, content)| (path.as_str(), content.as_ref()))
    }

    /// The path of the file that `location`, written in the file `base`, means.
    pub(crate) fn resolve(&self, base: &str, location: &str) -> Option<&str> {
        let path = join(base, location);
        self.files.get_key_value(&path).map(|(path, _)| path.as_str())
    }
}

impl<P: AsRef<str>, C: Into<Arc<[u8]>>> FromIterator<(P, C)> for Files {
    fn from_iter<I: IntoIterator<Item = (P, C)>>(files: I) -> Self {
        let mut all = Self::new();
        for (path, content) in files {
            all.insert(path.as_ref(), content);
        }
        all
    }
}

/// `location` seen from the folder of `base`, without `.` and `..`; what leads above the top stays at the top.
fn join(base: &str, location: &str) -> String {
    let mut parts: Vec<&str> = base.split('/').collect();
    parts.pop();
    for part in location.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_are_relative_to_the_file_they_stand_in() {
        let files: Files =
            [("schema/a.xsd", &b"a"[..]), ("./schema/../base/b.xsd", b"b")].into_iter().collect();
        assert_eq!(files.resolve("schema/a.xsd", "../base/b.xsd"), Some("base/b.xsd"));
        assert_eq!(files.resolve("base/b.xsd", "b.xsd"), Some("base/b.xsd"));
        assert_eq!(files.resolve("schema/a.xsd", "../../../../base/b.xsd"), Some("base/b.xsd"));
        assert_eq!(files.resolve("schema/a.xsd", "b.xsd"), None);
        assert_eq!(files.resolve("schema/a.xsd", "/etc/passwd"), None);
        assert_eq!(files.get("base/b.xsd"), Some(&b"b"[..]));
    }
}
