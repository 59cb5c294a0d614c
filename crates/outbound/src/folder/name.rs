//! Names that every file system takes.

use std::collections::HashSet;

use dds_delivery::Consignment;
use unicode_normalization::UnicodeNormalization as _;

/// Longest file name in bytes; leaves room for a number and stays below the 255 of all common file systems.
const LONGEST: usize = 150;

/// Names that Windows keeps for devices, whatever their ending.
const DEVICES: [&str; 22] = [
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9",
    "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

/// Name of a delivery: case (or message), then twelve hex digits of the delivery id.
pub(super) fn of_delivery(consignment: &Consignment) -> String {
    let case = consignment.case.as_ref().map_or_else(|| consignment.message.to_string(), ToString::to_string);
    let case = safe(&case.replace('/', "_"), "vorgang");
    format!("{case}-{}", &consignment.delivery.0.simple().to_string()[..12])
}

/// The names in one folder; none is given twice, upper and lower case taken as one.
pub(super) struct Names(HashSet<String>);

impl Names {
    pub(super) fn taken(name: &str) -> Self {
        Self(HashSet::from([name.to_lowercase()]))
    }

    /// A free name like `wanted`; `fallback` if nothing of it can be used.
    pub(super) fn claim(&mut self, wanted: &str, fallback: &str) -> String {
        let name = safe(wanted, fallback);
        let (stem, ending) = match name.rfind('.') {
            Some(dot) if dot > 0 => name.split_at(dot),
            _ => (name.as_str(), ""),
        };
        let numbered = (2_u32..).map(|number| format!("{stem}-{number}{ending}"));
        let free =
            std::iter::once(name.clone()).chain(numbered).find(|name| self.0.insert(name.to_lowercase()));
        free.unwrap_or(name)
    }
}

/// The last part of `wanted` without anything that Windows, macOS or Linux refuse, not hidden, not too long. Composed
/// (NFC, as DIN 91379 wants it): for macOS `a\u{308}` and `ä` are one name, and elsewhere nobody can tell them apart.
fn safe(wanted: &str, fallback: &str) -> String {
    let last = wanted.rsplit(['/', '\\']).next().unwrap_or_default();
    let replaced: String = last
        .nfc()
        .map(|c| if c.is_control() || "<>:\"|?*".contains(c) || is_direction(c) { '_' } else { c })
        .collect();
    let trimmed = replaced.trim_start_matches([' ', '.']).trim_end_matches([' ', '.']);
    let name = if trimmed.is_empty() { fallback } else { trimmed };
    let stem = name.split('.').next().unwrap_or_default().to_lowercase();
    let name = if DEVICES.contains(&stem.as_str()) { format!("_{name}") } else { name.to_owned() };
    shortened(&name)
}

/// Characters that turn the direction of writing and make `exe.pdf` out of `fdp.exe`.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// At most [`LONGEST`] bytes; keeps an ending of up to ten.
fn shortened(name: &str) -> String {
    if name.len() <= LONGEST {
        return name.to_owned();
    }
    let ending = name.rfind('.').map_or("", |dot| &name[dot..]);
    let ending = if ending.len() <= 10 { ending } else { "" };
    let mut cut = LONGEST - ending.len();
    while !name.is_char_boundary(cut) {
        cut -= 1;
    }
    format!("{}{ending}", &name[..cut])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leaves_its_folder_or_hides_or_is_refused() {
        for (wanted, name) in [
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\x\\Scan 1.pdf", "Scan 1.pdf"),
            ("..", "anlage"),
            (".htaccess", "htaccess"),
            ("a:b?.pdf ", "a_b_.pdf"),
            ("nul.txt", "_nul.txt"),
            ("Größe \u{202e}fdp.exe", "Größe _fdp.exe"),
            ("a\0b", "a_b"),
            // As macOS writes it; a letter that has no composed form stays two characters.
            ("Lagepla\u{308}ne M\u{302}.pdf", "Lagepläne M\u{302}.pdf"),
        ] {
            assert_eq!(safe(wanted, "anlage"), name, "{wanted:?}");
        }
        let long = safe(&format!("{}.pdf", "ä".repeat(200)), "anlage");
        assert!(long.len() <= LONGEST && long.ends_with("ä.pdf"), "{long}");
    }

    #[test]
    fn equal_names_are_numbered() {
        let mut names = Names::taken("zustellung.json");
        let given: Vec<_> = ["a.pdf", "A.pdf", "a.pdf", "Zustellung.json", "", "", "ä.pdf", "a\u{308}.pdf"]
            .map(|name| names.claim(name, "anlage"))
            .into();
        assert_eq!(
            given,
            ["a.pdf", "A-2.pdf", "a-3.pdf", "Zustellung-2.json", "anlage", "anlage-2", "ä.pdf", "ä-2.pdf"]
        );
    }
}
