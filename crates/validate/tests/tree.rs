//! A schema says of a tree what it says of the text.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "test code; clippy.toml covers test functions, not their helpers"
)]

use std::{fs, path::Path};

use dds_validate::{Files, Schema, Tree};

/// What the rules of the repository do not use: identity, nil, types named in the document, names as values, wildcards,
/// mixed content, defaults.
const SCHEMA: &str = r#"<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="urn:a" xmlns:a="urn:a" targetNamespace="urn:a"
    elementFormDefault="qualified">
  <xs:element name="r">
    <xs:complexType><xs:sequence>
      <xs:element name="n" type="xs:int" nillable="true" maxOccurs="unbounded"/>
      <xs:element name="q" type="xs:QName" minOccurs="0"/>
      <xs:element name="t" type="Basis" minOccurs="0"/>
      <xs:element name="m" minOccurs="0"><xs:complexType mixed="true"><xs:sequence>
        <xs:element name="b" minOccurs="0" type="xs:date"/></xs:sequence></xs:complexType></xs:element>
      <xs:element name="f" type="xs:token" fixed="fest" minOccurs="0"/>
      <xs:element name="i" minOccurs="0" maxOccurs="unbounded"><xs:complexType>
        <xs:attribute name="id" type="xs:ID"/><xs:attribute name="zu" type="xs:IDREF"/>
        <xs:attribute name="d" type="xs:boolean" default="true"/></xs:complexType></xs:element>
      <xs:any namespace="urn:b" processContents="lax" minOccurs="0" maxOccurs="unbounded"/>
    </xs:sequence></xs:complexType>
    <xs:key name="nummern"><xs:selector xpath="a:i"/><xs:field xpath="@id"/></xs:key>
    <xs:unique name="n"><xs:selector xpath="a:n"/><xs:field xpath="."/></xs:unique>
  </xs:element>
  <xs:complexType name="Basis"><xs:sequence><xs:element name="x" type="xs:string"/></xs:sequence></xs:complexType>
  <xs:complexType name="Mehr"><xs:complexContent><xs:extension base="Basis">
    <xs:sequence><xs:element name="y" type="xs:decimal"/></xs:sequence></xs:extension></xs:complexContent></xs:complexType>
</xs:schema>"#;

const DOCUMENT: &str = r#"<r xmlns="urn:a" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:a="urn:a">
<n>1</n>
<n xsi:nil="true"/>
<q>a:name</q>
<t xsi:type="a:Mehr"><x> </x><y>1.5</y></t>
<m>text <b>2026-11-22</b> text</m>
<f> fest </f>
<i id="i1" zu="i2"/>
<i id="i2" d="0"/>
<o xmlns="urn:b" p="1"><c xmlns="">z</c></o>
</r>"#;

fn rules() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn collect(folder: &Path, root: &Path, files: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            collect(&entry.path(), root, files);
        } else {
            let path = entry.path().strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            files.push((path, fs::read(entry.path()).unwrap()));
        }
    }
}

/// Numbers from a fixed seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit.max(1)
    }
}

/// Changes that leave many documents well-formed: on lines (elements), between tags, and on single characters.
fn mutated(text: &str, dice: &mut Dice) -> String {
    const PIECES: &[&str] = &[
        "<!-- c -->",
        "<?p i?>",
        "<![CDATA[ ]]>",
        "<![CDATA[x]]>",
        "&#160;",
        "&#10;",
        "&#32;",
        " ",
        "\t",
        "x",
        "0",
        "-",
        "+",
        ".",
        "ß",
        "24:00:00",
        "0000-00-00",
        "<fremd xmlns='urn:b'/>",
        "<fremd/>",
        "<n xmlns='urn:a'>1</n>",
    ];
    const ATTRIBUTES: &[&str] = &[
        " xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:nil='1'",
        " xml:lang='de'",
        " fremd=''",
        " id='i1'",
        " zu='i9'",
        " xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:type='xs:date'",
        " xmlns=''",
        " xmlns:a='urn:z'",
    ];
    let places =
        |c: char| -> Vec<usize> { text.char_indices().filter(|(_, d)| *d == c).map(|(at, _)| at).collect() };
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    let (one, other) = (dice.below(lines.len()), dice.below(lines.len()));
    match dice.below(6) {
        0 => drop(lines.remove(one)),
        1 => lines.insert(other, lines[one]),
        2 => lines.swap(one, other),
        3 => {
            let ends = places('>');
            let (before, after) = text.split_at(ends[dice.below(ends.len())] + 1);
            return format!("{before}{}{after}", PIECES[dice.below(PIECES.len())]);
        }
        4 => {
            let ends = places('>');
            let (before, after) = text.split_at(ends[dice.below(ends.len())]);
            return format!("{before}{}{after}", ATTRIBUTES[dice.below(ATTRIBUTES.len())]);
        }
        _ => {
            let mut characters: Vec<char> = text.chars().collect();
            let (at, from) = (dice.below(characters.len()), dice.below(characters.len()));
            characters[at] = characters[from];
            return characters.into_iter().collect();
        }
    }
    lines.concat()
}

/// How many of the mutants were valid and invalid.
fn compare(schema: &Schema, text: &str, count: usize) -> (usize, usize) {
    let (mut dice, mut valid, mut invalid) = (Dice(7), 0, 0);
    for _ in 0..count {
        let mutant = mutated(text, &mut dice);
        let mutant = if dice.below(3) == 0 { mutated(&mutant, &mut dice) } else { mutant };
        if dds_xml::check(mutant.as_bytes(), &dds_xml::Limits::default()).is_err() {
            continue;
        }
        let findings = schema.validate(mutant.as_bytes());
        let tree = Tree::parse(mutant.as_bytes()).unwrap();
        assert_eq!(schema.accepts(&tree), findings.is_empty(), "{findings:?}\n{mutant}");
        *(if findings.is_empty() { &mut valid } else { &mut invalid }) += 1;
    }
    (valid, invalid)
}

#[test]
fn a_tree_and_its_text_are_judged_alike() {
    let mut files = Vec::new();
    collect(&rules().join("rules"), &rules(), &mut files);
    let own: Files = files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())).collect();
    let (mut valid, mut invalid) = (0, 0);
    for (path, _) in files.iter().filter(|(path, _)| path.ends_with(".xsd") && path.contains("/schema/")) {
        let schema = Schema::compile(path, &own).unwrap();
        let mut documents = Vec::new();
        collect(&rules().join("fixtures").join(path.split('/').nth(1).unwrap()), &rules(), &mut documents);
        for (_, document) in documents.iter().filter(|(path, _)| path.ends_with(".xml")) {
            let counts = compare(&schema, std::str::from_utf8(document).unwrap(), 60);
            (valid, invalid) = (valid + counts.0, invalid + counts.1);
        }
    }
    assert!(valid > 100 && invalid > 200, "{valid} valid, {invalid} invalid");
}

#[test]
fn what_our_rules_do_not_use_is_judged_alike_too() {
    let schema = Schema::compile("a.xsd", &[("a.xsd", SCHEMA.as_bytes())].into_iter().collect()).unwrap();
    assert_eq!(schema.validate(DOCUMENT.as_bytes()), []);
    let (valid, invalid) = compare(&schema, DOCUMENT, 6000);
    assert!(valid > 200 && invalid > 1000, "{valid} valid, {invalid} invalid");
}

#[test]
fn many_foreign_names_are_left_to_the_text() {
    let schema = Schema::compile("a.xsd", &[("a.xsd", SCHEMA.as_bytes())].into_iter().collect()).unwrap();
    let document = |count: usize| {
        let foreign: String = (0..count).map(|number| format!("<b:o{number} xmlns:b='urn:b'/>")).collect();
        format!("<r xmlns='urn:a'><n>1</n>{foreign}</r>")
    };
    let accepts = |document: String| schema.accepts(&Tree::parse(document.as_bytes()).unwrap());
    assert!(accepts(document(500)));
    assert!(!accepts(document(5000)));
}
