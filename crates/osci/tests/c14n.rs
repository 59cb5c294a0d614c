//! Canonicalisation against libxml2: golden files made by `golden/c14n/make.py`.

#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what it saw and fails loudly"
)]

use std::path::Path;

use dds_osci::algorithm::{DigestAlgorithm, Hasher};
use dds_osci::c14n::{canonical_bytes, canonicalize};
use dds_osci::xml::{Document, base64_of, limits};

fn canonical(document: Vec<u8>) -> Vec<u8> {
    let document = Document::parse(document, &limits()).unwrap();
    canonical_bytes(document.by_id("target").unwrap())
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/c14n")
}

#[test]
fn written_cases() {
    let mut count = 0;
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "xml") {
            let expected = std::fs::read_to_string(path.with_extension("c14n")).unwrap();
            let seen = String::from_utf8(canonical(std::fs::read(&path).unwrap())).unwrap();
            assert_eq!(seen, expected, "{}", path.display());
            count += 1;
        }
    }
    assert!(count >= 4);
}

#[test]
fn generated_cases() {
    let cases = std::fs::read_to_string(folder().join("random.tsv")).unwrap();
    for (number, line) in cases.lines().enumerate() {
        let (document, expected) = line.split_once('\t').unwrap();
        let document = base64_of(document).unwrap();
        let seen = canonical(document.clone());
        let digest: String = Hasher::digest(DigestAlgorithm::Sha256, &seen)
            .unwrap()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(
            digest,
            expected,
            "case {number}: {}\n{}",
            String::from_utf8_lossy(&document),
            String::from_utf8_lossy(&seen)
        );
    }
}

#[test]
fn the_canonical_form_is_stable() {
    let cases = std::fs::read_to_string(folder().join("random.tsv")).unwrap();
    for line in cases.lines() {
        let once = canonical(base64_of(line.split_once('\t').unwrap().0).unwrap());
        assert_eq!(canonical(once.clone()), once);
    }
}

/// A long text and many elements come in pieces that add up to the same.
#[test]
fn pieces_add_up() {
    let text = format!("<a Id='target'>{}<b>{}</b></a>", "x&amp;".repeat(20_000), "<c d='e'/>".repeat(5_000));
    let document = Document::parse(text.into_bytes(), &limits()).unwrap();
    let (mut pieces, mut longest, mut whole) = (0, 0, Vec::new());
    canonicalize(document.root(), &mut |bytes| {
        pieces += 1;
        longest = longest.max(bytes.len());
        whole.extend_from_slice(bytes);
    });
    assert_eq!(whole, canonical_bytes(document.root()));
    assert!(pieces > 10 && longest <= 8 << 10, "{pieces} pieces, the longest of {longest} bytes");
}
