//! What the gate lets through and what it refuses, case by case.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "test code; clippy.toml covers test functions, not their helpers"
)]

use dds_xml::{LimitKind, Limits, Rule, XmlErrorKind, check};

fn rule(document: &[u8]) -> Option<Rule> {
    match check(document, &Limits::default()) {
        Ok(()) => None,
        Err(error) => match error.kind {
            XmlErrorKind::Rule(rule) => Some(rule),
            other @ XmlErrorKind::Limit { .. } => panic!("{other}"),
        },
    }
}

#[test]
fn acceptable_documents() {
    for document in [
        "<a/>",
        "\u{FEFF}<a/>",
        "<?xml version=\"1.0\"?><a/>",
        "<?xml version='1.0' encoding='utf-8' standalone=\"yes\" ?>\r\n<a/>\n",
        "<!-- x - y --><?pi  d?><a\n b = 'x>y'\tc=\"]]>'\"  ><b></b ></a ><!--e--><?p?>",
        "<a>&lt;&gt;&amp;&quot;&apos;&#228;&#xE4;&#0065; ] ]] ]&gt;</a>",
        "<a><![CDATA[<&]] >]]]]></a>",
        "<p:a xmlns:p='u' xmlns:q='v' p:x='1' q:x='2' x='3' xml:lang='de'/>",
        "<a xmlns='u'><b xmlns=''/></a>",
        "<a xmlns:p='u'><b xmlns:p='v' p:c=''/><p:d/></a>",
        "<a xmlns:xml='http://www.w3.org/XML/1998/namespace'/>",
        "<äöü-ß.1·>\u{10000}\u{FFFD}</äöü-ß.1·>",
        "<a>Ņģ̈ ﻿</a>",
    ] {
        assert_eq!(check(document.as_bytes(), &Limits::default()), Ok(()), "{document}");
    }
}

/// libxml2 refuses them above 10 MB: then the message would be accepted and could not be transformed.
#[test]
fn comments_and_instructions_have_the_length_of_a_text() {
    let limits = Limits { text: 8, ..Limits::default() };
    for (document, allowed) in [
        ("<a><!--12345678--></a>", true),
        ("<a><!--123456789--></a>", false),
        ("<a><?p 1234567?></a>", true),
        ("<a><?p 12345678?></a>", false),
    ] {
        assert_eq!(check(document.as_bytes(), &limits).is_ok(), allowed, "{document}");
    }
}

/// What needs a look is found wherever it stands in a long text.
#[test]
fn a_long_text_hides_nothing() {
    for (hidden, found) in [
        ("]]>", Some(Rule::CdataEndInText)),
        ("&unknown;", Some(Rule::Reference)),
        ("\u{1}", Some(Rule::IllegalCharacter)),
        ("\u{FFFE}", Some(Rule::IllegalCharacter)),
        ("\u{FFFD}", None),
        ("]] >", None),
        ("ß", None),
    ] {
        for before in 0..70 {
            let text = format!("<a>{}{hidden}{}</a>", "x".repeat(before), "y".repeat(70));
            assert_eq!(rule(text.as_bytes()), found, "{hidden:?} after {before}");
        }
    }
}

#[test]
fn ill_formed_and_hostile_documents() {
    let cases: &[(&[u8], Rule)] = &[
        (b"", Rule::Empty),
        (b"  \n", Rule::Empty),
        (b"<!-- only -->", Rule::Empty),
        (b"text", Rule::TextOutsideRoot),
        (b"<a/>x", Rule::TextOutsideRoot),
        (b"&#32;<a/>", Rule::TextOutsideRoot),
        (b"<a/><![CDATA[ ]]>", Rule::TextOutsideRoot),
        (b"<a/><b/>", Rule::SecondRoot),
        (b"<a>", Rule::Unclosed),
        (b"<a", Rule::Unclosed),
        (b"<", Rule::Unclosed),
        (b"<a b='", Rule::Unclosed),
        (b"<a><!-- ", Rule::Unclosed),
        (b"<a><!--", Rule::Unclosed),
        (b"<a><![CDATA[ ]]", Rule::Unclosed),
        (b"<a><?p ", Rule::Unclosed),
        (b"<a></a", Rule::Unclosed),
        (b"<a><b></a></b>", Rule::Mismatch),
        (b"<a></ab>", Rule::Mismatch),
        (b"<ab></a>", Rule::Mismatch),
        (b"<p:a xmlns:p='u' xmlns:q='u'></q:a>", Rule::Mismatch),
        (b"<a></ a>", Rule::Mismatch),
        (b"</a>", Rule::StrayEnd),
        (b"<a/></a>", Rule::StrayEnd),
        (b"<1a/>", Rule::Name),
        (b"< a/>", Rule::Name),
        (b"<-a/>", Rule::Name),
        (b"<a:/>", Rule::Name),
        (b"<:a/>", Rule::Name),
        (b"<a:b:c xmlns:a='u'/>", Rule::AttributeSpace),
        ("<a×/>".as_bytes(), Rule::Name),
        (b"<!ELEMENT a ANY><a/>", Rule::Name),
        (b"<a b/>", Rule::AttributeSyntax),
        (b"<a b=c/>", Rule::AttributeSyntax),
        (b"<a b='1'c='2'/>", Rule::AttributeSpace),
        (b"<a/ >", Rule::Tag),
        (b"<a b='<'/>", Rule::LessInAttribute),
        (b"<a b='1' b='1'/>", Rule::DuplicateAttribute),
        (b"<a xmlns='u' xmlns='u'/>", Rule::DuplicateAttribute),
        (b"<a xmlns:p='u' xmlns:p='v'/>", Rule::DuplicateAttribute),
        (b"<a xmlns:p='u' xmlns:q='u' p:x='1' q:x='2'/>", Rule::DuplicateAttribute),
        (b"<a xmlns:p='u&amp;' xmlns:q='u&#38;' p:x='1' q:x='2'/>", Rule::DuplicateAttribute),
        (b"<p:a/>", Rule::UndeclaredPrefix),
        (b"<a p:b='1'/>", Rule::UndeclaredPrefix),
        (b"<a><b xmlns:p='u'/><p:c/></a>", Rule::UndeclaredPrefix),
        (b"<a xmlns:xml='u'/>", Rule::ReservedPrefix),
        (b"<a xmlns:p='http://www.w3.org/XML/1998/namespace'/>", Rule::ReservedPrefix),
        (b"<a xmlns='http://www.w3.org/XML/1998/namespace'/>", Rule::ReservedPrefix),
        (b"<a xmlns:xmlns='u'/>", Rule::ReservedPrefix),
        (b"<a xmlns='http://www.w3.org/2000/xmlns/'/>", Rule::ReservedPrefix),
        (b"<xmlns:a/>", Rule::ReservedPrefix),
        (b"<a xmlns:p=''/>", Rule::EmptyNamespace),
        (b"<a>&nbsp;</a>", Rule::Reference),
        (b"<a>&</a>", Rule::Reference),
        (b"<a>&lt</a>", Rule::Reference),
        (b"<a b='&x;'/>", Rule::Reference),
        (b"<a>&#0;</a>", Rule::Reference),
        (b"<a>&#x1F;</a>", Rule::Reference),
        (b"<a>&#xD800;</a>", Rule::Reference),
        (b"<a>&#xFFFE;</a>", Rule::Reference),
        (b"<a>&#x110000;</a>", Rule::Reference),
        (b"<a>&#+65;</a>", Rule::Reference),
        (b"<a>&#;</a>", Rule::Reference),
        (b"<a>&#x;</a>", Rule::Reference),
        (b"<a>&#6A;</a>", Rule::Reference),
        (b"<a>&#X41;</a>", Rule::Reference),
        (b"<a>]]></a>", Rule::CdataEndInText),
        (b"<a>]]]></a>", Rule::CdataEndInText),
        (b"<a><!-- -- --></a>", Rule::Comment),
        (b"<a><!-- x ---></a>", Rule::Comment),
        (b"<a><?xml version='1.0'?></a>", Rule::Declaration),
        (b" <?xml version='1.0'?><a/>", Rule::Declaration),
        (b"<?xml version='1.0'?><?xml version='1.0'?><a/>", Rule::Declaration),
        (b"<?xml?><a/>", Rule::Declaration),
        (b"<?xml encoding='utf-8'?><a/>", Rule::Declaration),
        (b"<?xml version='1.0' standalone='maybe'?><a/>", Rule::Declaration),
        (b"<?xml version='1.0' x='y'?><a/>", Rule::Declaration),
        (b"<?xml version='1.0'encoding='utf-8'?><a/>", Rule::Declaration),
        (b"<?xml version='1.0'", Rule::Declaration),
        (b"<?xml version='1.1'?><a/>", Rule::Version),
        (b"<?xml version='1.0' encoding='ISO-8859-1'?><a/>", Rule::Encoding),
        (b"<?xml version='1.0' encoding='utf-16'?><a/>", Rule::Encoding),
        (b"<a><?XML x?></a>", Rule::Instruction),
        (b"<a><? x?></a>", Rule::Instruction),
        (b"<a><?a:b x?></a>", Rule::Instruction),
        (b"<!DOCTYPE a><a/>", Rule::Doctype),
        (b"<!doctype a><a/>", Rule::Doctype),
        (b"<a><!DOCTYPE a></a>", Rule::Doctype),
        (b"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>", Rule::Doctype),
        (b"<a>\x00</a>", Rule::IllegalCharacter),
        (b"<a>\x0b</a>", Rule::IllegalCharacter),
        (b"<a b='\x01'/>", Rule::IllegalCharacter),
        (b"<a><!-- \x02 --></a>", Rule::IllegalCharacter),
        (b"<a><?p \x03?></a>", Rule::IllegalCharacter),
        (b"<a><![CDATA[\x04]]></a>", Rule::IllegalCharacter),
        ("<a>\u{FFFF}</a>".as_bytes(), Rule::IllegalCharacter),
        ("<a b='\u{FFFE}'/>".as_bytes(), Rule::IllegalCharacter),
        (b"<a>\xff</a>", Rule::NotUtf8),
        (b"<a>\xc0\x80</a>", Rule::NotUtf8),
        (b"\xff\xfe<\0a\0/\0>\0", Rule::NotUtf8),
        (b"<\0a\0/\0>\0", Rule::Name),
    ];
    for (document, expected) in cases {
        assert_eq!(rule(document), Some(*expected), "{}", String::from_utf8_lossy(document));
    }
}

#[test]
fn limits_hold_exactly() {
    let limits = Limits {
        bytes: 1000,
        depth: 3,
        elements: 5,
        attributes: 2,
        name_length: 8,
        attribute_value: 6,
        text: 7,
        namespaces: 2,
        references: 3,
    };
    let cases = [
        ("<a><b><c/></b></a>", "<a><b><c><d/></c></b></a>", LimitKind::Depth),
        ("<a><b/><b/><b/><b/></a>", "<a><b/><b/><b/><b/><b/></a>", LimitKind::Elements),
        ("<a b='' c=''/>", "<a b='' c='' d=''/>", LimitKind::Attributes),
        ("<abcdefgh/>", "<abcdefghi/>", LimitKind::NameLength),
        ("<a xmlns:p='u'><p:abcdef/></a>", "<a xmlns:p='u'><p:abcdefg/></a>", LimitKind::NameLength),
        ("<a b='123456'/>", "<a b='1234567'/>", LimitKind::AttributeValue),
        ("<a>1234567<b/>1234567</a>", "<a>12345678</a>", LimitKind::Text),
        ("<a><![CDATA[1234567]]></a>", "<a><![CDATA[12345678]]></a>", LimitKind::Text),
        (
            "<a xmlns='u' xmlns:p='v'><b xmlns='u' xmlns:p='v'/></a>",
            "<a xmlns='u' xmlns:p='v'><b xmlns='w'/></a>",
            LimitKind::Namespaces,
        ),
        ("<a b='&lt;'>&gt;<b/>&lt;</a>", "<a b='&lt;'>&gt;<b/>&lt;<b/>&lt;</a>", LimitKind::References),
    ];
    for (within, beyond, what) in cases {
        assert_eq!(check(within.as_bytes(), &limits), Ok(()), "{within}");
        let error = check(beyond.as_bytes(), &limits).unwrap_err();
        assert!(
            matches!(error.kind, XmlErrorKind::Limit { what: found, .. } if found == what),
            "{beyond}: {error}"
        );
    }
    let error = check(&vec![b' '; 1001], &limits).unwrap_err();
    assert!(matches!(error.kind, XmlErrorKind::Limit { what: LimitKind::Bytes, max: 1000 }));
}

#[test]
fn the_place_is_named_and_no_content() {
    let document = "<a>\n  <äb>Erika Musterfrau</äc>\n</a>";
    let error = check(document.as_bytes(), &Limits::default()).unwrap_err();
    assert_eq!((error.line, error.column), (2, 23));
    assert!(!error.to_string().contains("Erika"));
}

#[test]
fn hostile_sizes_end_quickly() {
    // Each would take minutes if a check were quadratic in the document.
    let many = 1 << 20;
    for document in [
        "<a>".repeat(many),
        format!("<a>{}</a>", "&lt;".repeat(many * 2)),
        format!("<a {}/>", "b='' ".repeat(many)),
        format!("<a>{}", "<!--".repeat(many)),
        format!("<a>{}</a>", "]]".repeat(many)),
        format!("<a b='{}'/>", "<".repeat(many)),
        format!("<a>{}</a>", "&".repeat(many)),
        format!("<{}/>", "a".repeat(many)),
    ] {
        drop(check(document.as_bytes(), &Limits::default()));
    }
}

#[test]
fn the_beginning_of_a_document_is_looked_into_up_to_the_cut() {
    use std::ops::ControlFlow;

    let names = |beginning: &str| {
        let mut seen = Vec::new();
        let found =
            dds_xml::peek(beginning.as_bytes(), &dds_xml::Limits::default(), |depth, namespace, local| {
                seen.push(format!("{depth} {namespace} {local}"));
                if local == "halt" { ControlFlow::Break(depth) } else { ControlFlow::Continue(()) }
            });
        (seen.join(", "), found)
    };
    let told = |seen: &str, found| (seen.to_owned(), found);
    assert_eq!(names("<a xmlns='u'><b/><c><d"), told("0 u a, 1 u b, 1 u c", None));
    assert_eq!(names("<a><b/><halt/><c/>"), told("0  a, 1  b, 1  halt", Some(1)));
    assert_eq!(names("<a/>"), told("0  a", None));
    // What the gate refuses ends it: no DTD, no tag that does not match, nothing after it.
    assert_eq!(names("<!DOCTYPE a><a><halt/></a>"), told("", None));
    assert_eq!(names("<a><b></c><halt/></a>"), told("0  a, 1  b", None));
}
