//! Content-IDs of attachments. The intermediary reads them, so they say nothing but which attachment and what kind of
//! file.

/// Endings that a Content-ID may show: a closed list, because anything may stand behind the last point of a name.
const ENDINGS: [&str; 18] = [
    "pdf", "xml", "json", "txt", "csv", "jpg", "jpeg", "png", "tif", "tiff", "zip", "doc", "docx", "odt",
    "xls", "xlsx", "ods", "p7s",
];

/// Content-ID of an attachment, counted from 1.
pub(crate) fn content_id(number: usize, name: &str) -> String {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    match ending.filter(|ending| ENDINGS.contains(&ending.as_str())) {
        Some(ending) => format!("anlage-{number}.{ending}"),
        None => format!("anlage-{number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_id_shows_the_kind_of_file_at_most() {
        let names = ["Ausweis Müller.PDF", "Erika.mustermann", "ohne", "..", "a.pdf\r\nX: y", "x.tar.zip"];
        let ids: Vec<_> = names.iter().enumerate().map(|(place, name)| content_id(place + 1, name)).collect();
        assert_eq!(ids, ["anlage-1.pdf", "anlage-2", "anlage-3", "anlage-4", "anlage-5", "anlage-6.zip"]);
    }
}
