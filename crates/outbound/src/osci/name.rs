//! Content-IDs of attachments: names of files in a form that every MIME reader and XML Id takes.

use std::collections::HashSet;

/// Longest Content-ID made of a name.
const LONGEST: usize = 80;

/// One Content-ID per name, in their order: letters, digits and `- _ .`, unique whatever the case of letters.
pub(crate) fn content_ids<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut taken = HashSet::new();
    let unique = |name: &str| {
        let safe = safe(name);
        let (stem, ending) = match safe.rsplit_once('.') {
            Some((stem, ending)) if !stem.is_empty() && ending.len() <= 8 => (stem, format!(".{ending}")),
            _ => (safe.as_str(), String::new()),
        };
        let stem = &stem[..stem.len().min(LONGEST - 16)];
        let numbered = |number: u32| match number {
            1 => format!("{stem}{ending}"),
            number => format!("{stem}-{number}{ending}"),
        };
        // Ends: there are more numbers than names.
        let id = (1..).map(numbered).find(|id| taken.insert(id.to_ascii_lowercase()));
        id.unwrap_or_else(|| "anlage".to_owned())
    };
    names.map(unique).collect()
}

fn safe(name: &str) -> String {
    let mut safe = String::with_capacity(name.len());
    for letter in name.trim().chars() {
        match letter {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' | '.' => safe.push(letter),
            'ä' => safe.push_str("ae"),
            'ö' => safe.push_str("oe"),
            'ü' => safe.push_str("ue"),
            'Ä' => safe.push_str("Ae"),
            'Ö' => safe.push_str("Oe"),
            'Ü' => safe.push_str("Ue"),
            'ß' => safe.push_str("ss"),
            _ => safe.push('_'),
        }
    }
    let start = safe.trim_start_matches('.');
    if start.is_empty() { "anlage".to_owned() } else { start.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_safe_and_stay_apart() {
        let names = ["Größe.pdf", "groesse.PDF", "groesse.pdf", "", "../../etc", "Foto (1).jpg", "a\r\nX: y"];
        let ids = content_ids(names.into_iter());
        let expected =
            ["Groesse.pdf", "groesse-2.PDF", "groesse-3.pdf", "anlage", "_.._etc", "Foto__1_.jpg", "a__X__y"];
        assert_eq!(ids, expected);
    }

    #[test]
    fn long_names_stay_apart_too() {
        let long = format!("{}.pdf", "x".repeat(300));
        let ids = content_ids([long.as_str(), long.as_str()].into_iter());
        assert!(ids.iter().all(|id| id.len() <= LONGEST && id.ends_with(".pdf")), "{ids:?}");
        assert_ne!(ids[0], ids[1]);
    }
}
