//! Which files below `rules/` and `config/` make a release, and which only look as if they did.

/// What a file is to a release.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// It belongs to the release.
    Taken,
    /// It has another purpose.
    Foreign,
    /// It lies where everything counts, under a name that nobody reads: without it the release is not what its author
    /// means.
    Misplaced,
    /// Nobody reads it, and perhaps nobody should.
    Stray,
}

/// The largest file of a package or of the configuration, in bytes.
pub(crate) const LARGEST: u64 = 16 << 20;

/// Endings of what rule and product packages consist of.
const OF_PACKAGES: [&str; 9] = ["xsl", "xslt", "xsd", "sch", "xml", "json", "txt", "findings", "md"];

/// What the file at `path` (`rules/…` or `config/…`) is.
pub(crate) fn part(path: &str) -> Part {
    let parts: Vec<&str> = path.split('/').collect();
    let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
    match parts.as_slice() {
        ["rules", "products" | "dms", _, _, "product.toml"]
        | ["rules", _, _, "rule.toml"]
        | ["config", "catalogue.toml" | "defaults.toml"] => Part::Taken,
        ["config", "profiles" | "municipalities" | "sources", _] if ending == "toml" => Part::Taken,
        // The process itself, and from what `drehscheibe saxony` writes municipalities.
        ["config", "drehscheibe.toml" | "saxony.toml"] => Part::Foreign,
        ["rules", ..] | ["config", "profiles" | "municipalities" | "sources", ..]
            if ending.eq_ignore_ascii_case("toml") =>
        {
            Part::Misplaced
        }
        ["rules", ..] if OF_PACKAGES.contains(&ending) => Part::Taken,
        ["rules", ..] => Part::Stray,
        _ if ending.eq_ignore_ascii_case("toml") => Part::Stray,
        ["config", "profiles" | "municipalities" | "sources", ..] if ending != "md" => Part::Stray,
        _ => Part::Foreign,
    }
}

/// Files that editors, version control and container platforms put beside others, such as `..data`.
pub(crate) fn is_hidden(name: &str) -> bool {
    name.starts_with('.') || name.ends_with('~')
}
