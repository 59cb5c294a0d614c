//! What this crate does itself for speed against what libxml2 and libxslt do: the same bytes.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;

use dds_libxslt::{Document, ErrorKind, Limits, Stylesheet};

const LIMITS: Limits =
    Limits { operations: 20_000_000, depth: 3000, variables: 15_000, output_bytes: 1 << 20 };

fn compile(top: &str) -> Stylesheet {
    let text = format!(
        r#"<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">{top}
        <xsl:template match="@*|node()"><xsl:copy><xsl:apply-templates select="@*|node()"/></xsl:copy></xsl:template>
        </xsl:stylesheet>"#
    );
    Stylesheet::compile("main.xsl", BTreeMap::from([("main.xsl".to_owned(), text.into_bytes())])).unwrap()
}

fn copy(style: &Stylesheet, document: &str) -> String {
    let document = style.parse(document.as_bytes(), "document").unwrap();
    String::from_utf8(style.convert(document, &LIMITS).unwrap().0).unwrap()
}

/// Documents by a generator with a fixed seed, of the pieces that are treated in some way of their own.
fn documents() -> impl Iterator<Item = String> {
    const TEXTS: &[&str] = &[
        "",
        " ",
        "\n\t ",
        "x",
        "Straße",
        "a b",
        "&lt;",
        "&amp;&gt;",
        "&quot;'",
        "&#13;",
        "&#32;",
        " &#32; ",
        "&#10;x",
        "𝔄\u{a0}",
        "]]&gt;",
        "<![CDATA[ ]]>",
        "<![CDATA[<&]]>",
        " <![CDATA[y]]>",
        "<!-- c -->",
        " <!--c--> ",
        "<?p i?>",
        "  <?p i?>z",
    ];
    const VALUES: &[&str] =
        &["", "x", " a  b ", "Größe &#228;", "&quot;'", "&lt;&amp;>", "&#10;&#13;&#9;", "𝔄"];
    const NAMES: &[&str] = &["a", "b", "p:a", "p:c", "ä"];
    let mut state = 1_u64;
    let mut next = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    (0..3000).map(move |_| {
        let mut out = "<p:r xmlns:p='urn:p'>".to_owned();
        let mut open: Vec<&str> = Vec::new();
        for _ in 0..next(20) {
            match next(6) {
                0 | 1 => {
                    let name = NAMES[next(NAMES.len())];
                    let space =
                        ["", " xmlns='urn:d'", " xml:space='preserve'", " xmlns:q='urn:ü' q:y='1'"][next(4)];
                    out.push_str(&format!("<{name}{space} x=\"{}\">", VALUES[next(VALUES.len())]));
                    open.push(name);
                }
                2 => out.push_str("<e/>"),
                3 => out.push_str(&open.pop().map_or_else(String::new, |name| format!("</{name}>"))),
                _ => out.push_str(TEXTS[next(TEXTS.len())]),
            }
        }
        out.extend(open.iter().rev().map(|name| format!("</{name}>")));
        out + "</p:r>"
    })
}

#[test]
fn plain_results_are_written_as_libxml2_writes_them() {
    let long = format!("<r a='{0}'>{0}</r>", "Langer Text &amp; ".repeat(2000));
    for rest in ["indent='no'", "", "indent='no' omit-xml-declaration='yes'", "version='1.1'"] {
        let ours = compile(&format!("<xsl:output method='xml' encoding='UTF-8' {rest}/>"));
        // What says `standalone` is left to libxml2.
        let theirs = compile(&format!("<xsl:output method='xml' encoding='UTF-8' standalone='yes' {rest}/>"));
        for document in documents().chain([long.clone()]) {
            let expected = copy(&theirs, &document).replace(" standalone=\"yes\"", "");
            assert_eq!(copy(&ours, &document), expected, "{document}");
        }
    }
}

#[test]
fn a_document_that_is_written_reads_back() {
    let style = compile("<xsl:output method='xml' encoding='UTF-8'/>");
    let long = format!("<r a='{0}'>{0}</r>", "Langer Text &amp; ".repeat(2000));
    let mut plain = 0;
    for text in documents().chain([long.clone()]) {
        let document = Document::parse(text.as_bytes(), "document").unwrap();
        let written = document.write(usize::MAX).unwrap();
        let read = Document::parse(&written, "written").unwrap();
        let copies = [&document, &read].map(|tree| style.run(tree, &[], &LIMITS).unwrap());
        assert_eq!(copies[0], copies[1], "{text}");
        assert_eq!(read.write(usize::MAX).unwrap(), written);
        plain += usize::from(!text.contains("<!--") && !text.contains("<?p"));
    }
    assert!((500..2_500).contains(&plain), "{plain}: both ways of writing are wanted");
    for before in ["", "<!-- c -->"] {
        let document = Document::parse(format!("{before}{long}").as_bytes(), "document").unwrap();
        assert_eq!(document.write(1_000).unwrap_err().kind, ErrorKind::Budget);
    }
}

#[test]
fn a_tree_that_is_passed_on_is_the_one_its_bytes_say() {
    let style = compile("<xsl:output method='xml' encoding='UTF-8' indent='no'/>");
    let mut passed_on = 0;
    for document in documents() {
        let document = Document::parse(document.as_bytes(), "document").unwrap();
        let (bytes, tree) = style.convert(document, &LIMITS).unwrap();
        let read = Document::parse(&bytes, "result").unwrap();
        let Some(tree) = tree else { continue };
        passed_on += 1;
        assert_eq!(style.run(&tree, &[], &LIMITS).unwrap(), style.run(&read, &[], &LIMITS).unwrap());
    }
    assert!(passed_on > 500, "{passed_on}");
}

#[test]
fn white_space_is_stripped_as_libxslt_strips_it() {
    let output = "<xsl:output method='xml' encoding='UTF-8'/>";
    let ours = compile(&format!("{output}<xsl:strip-space elements='*'/>"));
    // Another name beside the star, and libxslt does it.
    let theirs = compile(&format!("{output}<xsl:strip-space elements='* nowhere'/>"));
    let mut stripped = 0;
    for document in documents() {
        let expected = copy(&theirs, &document);
        assert_eq!(copy(&ours, &document), expected, "{document}");
        let kept = Document::parse(document.as_bytes(), "document").unwrap();
        assert_eq!(ours.run(&kept, &[], &LIMITS).unwrap(), expected.as_bytes(), "{document}");
        stripped += usize::from(expected != copy(&compile(output), &document));
    }
    assert!(stripped > 500, "{stripped}");
}

#[test]
fn white_space_that_another_declaration_keeps_is_kept() {
    let style = compile("<xsl:strip-space elements='*'/><xsl:preserve-space elements='k'/>");
    assert!(copy(&style, "<r> <k> </k> <s> </s></r>").ends_with("<r><k> </k><s/></r>\n"));
}

#[test]
fn memory_may_be_given_back_in_another_thread() {
    let style = compile("<xsl:output method='xml' encoding='UTF-8'/>");
    let texts: Vec<String> = documents().take(50).collect();
    let expected: Vec<String> = texts.iter().map(|text| copy(&style, text)).collect();
    let (hand_over, take) = std::sync::mpsc::channel::<Document>();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            let (style, texts, expected, hand_over) = (&style, &texts, &expected, hand_over.clone());
            scope.spawn(move || {
                for _ in 0..20 {
                    for (text, expected) in texts.iter().zip(expected) {
                        assert_eq!(copy(style, text), *expected);
                        hand_over.send(Document::parse(text.as_bytes(), "document").unwrap()).unwrap();
                    }
                }
            });
        }
        drop(hand_over);
        assert_eq!(take.iter().count(), 3000);
    });
}
