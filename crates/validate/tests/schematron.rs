//! Each feature of Schematron that is offered, and each that is refused.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "test code; clippy.toml covers test functions, not their helpers"
)]

use dds_message::Severity;
use dds_validate::{Files, MAX_FINDINGS, Schematron, Tree, ValidateError};

fn schema(attributes: &str, content: &str) -> String {
    format!(
        "<schema xmlns='http://purl.oclc.org/dsdl/schematron' queryBinding='xslt2' {attributes}><ns prefix='p' uri='urn:p'/>{content}</schema>"
    )
}

fn compile(text: &str, phase: &str) -> Result<Schematron, ValidateError> {
    let files: Files = [("sch/main.sch", text.as_bytes())].into_iter().collect();
    Schematron::compile_phase("sch/main.sch", &files, phase)
}

/// `rule location text` of each finding.
fn found(content: &str, document: &str) -> Vec<String> {
    let rules = compile(&schema("", content), "#DEFAULT").unwrap();
    rules
        .run(&Tree::parse(document.as_bytes()).unwrap())
        .into_iter()
        .map(|f| format!("{} {} {}", f.rule, f.location, f.text))
        .collect()
}

/// Locations at which a rule with this context fires.
fn fires(context: &str, document: &str) -> Vec<String> {
    let content =
        format!("<pattern><rule context=\"{context}\"><report id='r' test='true()'/></rule></pattern>");
    found(&content, document).into_iter().map(|line| line["r ".len()..].trim().to_owned()).collect()
}

const DOCUMENT: &str =
    "<a x='1'><b n='1'><c/></b><b n='2'>t<c y='2'/><c/></b><p:b xmlns:p='urn:p'><c/></p:b></a>";

#[test]
fn contexts() {
    for (context, expected) in [
        ("a", "/a"),
        ("b", "/a/b[1] /a/b[2]"),
        ("p:b", "/a/b[1]"),
        ("*:b", "/a/b[1] /a/b[2] /a/b[1]"),
        ("p:*", "/a/b[1]"),
        ("/a/*", "/a/b[1] /a/b[2] /a/b[1]"),
        ("/b", ""),
        ("//b", "/a/b[1] /a/b[2]"),
        ("b/c", "/a/b[1]/c[1] /a/b[2]/c[1] /a/b[2]/c[2]"),
        ("a//c", "/a/b[1]/c[1] /a/b[2]/c[1] /a/b[2]/c[2] /a/b[1]/c[1]"),
        ("/a//p:b/c | a", "/a /a/b[1]/c[1]"),
        ("b[@n = 2]", "/a/b[2]"),
        ("b[@n='2']/c[@y]", "/a/b[2]/c[1]"),
        ("b[c[@y]]", "/a/b[2]"),
        ("b[2]/c[2]", "/a/b[2]/c[2]"),
        ("b[c][2]", "/a/b[2]"),
        ("b[position() = 2]", "/a/b[2]"),
        ("c[last()]", "/a/b[1]/c[1] /a/b[2]/c[2] /a/b[1]/c[1]"),
        ("@n", "/a/b[1]/@n /a/b[2]/@n"),
        ("b/@*", "/a/b[1]/@n /a/b[2]/@n"),
        ("@*[. = 2]", "/a/b[2]/@n /a/b[2]/c[1]/@y"),
        ("b/text()", "/a/b[2]"),
        ("/", ""),
        ("child::b/attribute::n", "/a/b[1]/@n /a/b[2]/@n"),
        ("(b | a)/c", "/a/b[1]/c[1] /a/b[2]/c[1] /a/b[2]/c[2]"),
        ("b[text() = ']']|c[. = '|']", ""),
    ] {
        assert_eq!(fires(context, DOCUMENT).join(" "), expected, "{context}");
    }
    assert_eq!(fires("/", DOCUMENT).len(), 1);
    assert_eq!(fires("comment()", "<a><!--c--></a>").len(), 1);
    assert_eq!(fires("processing-instruction()", "<a><?p?></a>").len(), 1);
}

#[test]
fn the_first_rule_of_a_pattern_that_matches_wins() {
    let content = "<pattern><rule context='b[@n=1]'><assert id='one' test='false()'/></rule>
        <rule context='*'><assert id='rest' test='not(self::b)'/></rule></pattern>
        <pattern><rule context='b'><assert id='other' test='@n > 1'/></rule></pattern>";
    assert_eq!(found(content, DOCUMENT), ["one /a/b[1] ", "other /a/b[1] ", "rest /a/b[2] "]);
}

#[test]
fn variables_of_schema_pattern_and_rule() {
    let content = "<let name='all' value='count(//b)'/><let name='word'>zwei</let>
        <pattern><let name='limit' value='$all - 1'/>
          <rule context='b'><let name='n' value='number(@n)'/><let name='double' value='$n * 2'/>
            <assert id='v' test='$double &lt; $limit + 1'><value-of select='$all'/> <value-of select='$double'/> <value-of select='$word'/></assert>
          </rule></pattern>
        <pattern><let name='limit' value='99'/><rule context='a'><let name='all' value='$all + 1'/>
            <report id='s' test='$limit = 99 and $all = 3'>shadowed</report></rule></pattern>";
    assert_eq!(found(content, DOCUMENT), ["s /a shadowed", "v /a/b[1] 2 2 zwei", "v /a/b[2] 2 4 zwei"]);
}

#[test]
fn messages_quote_values_and_names() {
    let content = "<pattern><rule context='b'><assert id='m' test='@n = 1' diagnostics='d1 d2'>
          Wert <value-of select='@n'/> in   <name/>, <emph>erstes</emph> Kind <name path='c[1]/@y'/>, alle: <value-of select='../b/@n'/>.
        </assert></rule></pattern>
        <diagnostics><diagnostic id='d1'>Statt <value-of select='1'/></diagnostic><diagnostic id='d2'>bitte</diagnostic></diagnostics>";
    assert_eq!(
        found(content, DOCUMENT),
        ["m /a/b[2] Wert 2 in b, erstes Kind y, alle: 1 2. – Statt 1 – bitte"]
    );
    let prefixed = "<pattern><rule context='p:b'><report id='n' test='c'><name/></report></rule></pattern>";
    assert_eq!(found(prefixed, DOCUMENT), ["n /a/b[1] p:b"]);
}

#[test]
fn abstract_rules_and_patterns() {
    let content = "<pattern><rule abstract='true' id='base'><let name='k' value='count(c)'/><assert id='kids' test='$k = 1'><value-of select='$k'/></assert></rule>
          <rule context='b'><extends rule='base'/><assert id='own' test='$k &lt; 2'/></rule></pattern>
        <pattern abstract='true' id='required'><param name='where' value='a'/>
          <rule context='$where'><assert id='req' test='$what'>missing</assert></rule></pattern>
        <pattern is-a='required' id='p1'><param name='where' value='b'/><param name='what' value='@n = 1'/></pattern>
        <pattern is-a='required'><param name='what' value='@z'/></pattern>";
    assert_eq!(
        found(content, DOCUMENT),
        ["req /a missing", "kids /a/b[2] 2", "own /a/b[2] ", "req /a/b[2] missing"]
    );
}

#[test]
fn phases() {
    let text = schema(
        "defaultPhase='first'",
        "<phase id='first'><let name='x' value='1'/><active pattern='one'/></phase><phase id='second'><let name='x' value='2'/><active pattern='two'/></phase>
         <pattern id='one'><rule context='a'><report test='true()'/></rule></pattern>
         <pattern id='two'><rule context='a'><report test='true()'/></rule></pattern>",
    );
    let ids = |phase| -> Vec<String> {
        compile(&text, phase)
            .unwrap()
            .run(&Tree::parse(b"<a/>").unwrap())
            .into_iter()
            .map(|f| f.rule)
            .collect()
    };
    assert_eq!(ids("#DEFAULT"), ["one"]);
    assert_eq!(ids("second"), ["two"]);
    assert_eq!(ids("#ALL"), ["one", "two"]);
    assert!(compile(&text, "third").is_err());
}

#[test]
fn roles_and_flags_give_the_severity() {
    let content =
        "<pattern><rule context='a' role='warning'><report test='true()'/><report test='true()' role='info'/>
        <report test='true()' flag='fatal'/><report test='true()' role='ERROR'/></rule>
        <rule context='b' flag='hint'><assert test='false()' role='caption'/></rule></pattern>";
    let rules = compile(&schema("", content), "#ALL").unwrap();
    let severities: Vec<_> = rules
        .run(&Tree::parse(b"<a><b/></a>").unwrap())
        .into_iter()
        .map(|finding| finding.severity)
        .collect();
    assert_eq!(
        severities,
        [Severity::Warning, Severity::Info, Severity::Error, Severity::Error, Severity::Info]
    );
}

#[test]
fn includes_and_extensions_from_files() {
    let main = schema(
        "",
        "<include href='teile/muster.sch'/><pattern><extends href='teile/regeln.sch#r'/></pattern>",
    );
    let part = "<pattern xmlns='http://purl.oclc.org/dsdl/schematron'><rule context='a'><report id='i' test='true()'/></rule></pattern>";
    let rules = "<rules xmlns='http://purl.oclc.org/dsdl/schematron'><pattern id='r'><rule context='b'><report id='e' test='true()'/></rule></pattern></rules>";
    let mut files = Files::new();
    files.insert("sch/main.sch", main.clone().into_bytes());
    files.insert("sch/teile/muster.sch", part.as_bytes());
    assert!(matches!(Schematron::compile("sch/main.sch", &files), Err(ValidateError::Missing { .. })));
    files.insert("sch/teile/regeln.sch", rules.as_bytes());
    let ids: Vec<_> = Schematron::compile("sch/main.sch", &files)
        .unwrap()
        .run(&Tree::parse(b"<a><b/></a>").unwrap())
        .into_iter()
        .map(|f| f.rule)
        .collect();
    assert_eq!(ids, ["i", "e"]);

    let circle = schema("", "<include href='main.sch'/>");
    files.insert("sch/main.sch", circle.into_bytes());
    assert!(Schematron::compile("sch/main.sch", &files).is_err());
}

#[test]
fn xpath_2_and_the_bindings() {
    let tests = "<pattern><rule context='a'><assert id='x' test=\"every $b in b satisfies matches($b/@n, '^\\d$')\"/>
        <assert id='y' test=\"xs:date('2026-11-22') gt xs:date('2026-01-01') and (if (b) then true() else false())\"/>
        <assert id='q' test=\"node-name(*[3]) = xs:QName('p:b')\"/>
        <assert id='z' test=\"count(b[@n = current()/@x]) = 1 and 'current()' = 'current()'\"/></rule></pattern>";
    assert_eq!(found(tests, DOCUMENT), [""; 0]);
    let old =
        schema("", "<pattern><rule context='a'><assert test=\"substring(b/@n, 1) = '1'\"/></rule></pattern>");
    assert_eq!(
        compile(&old.replace("xslt2", "xslt"), "#ALL")
            .unwrap()
            .run(&Tree::parse(DOCUMENT.as_bytes()).unwrap()),
        []
    );
    // XPath 2.0 refuses more than one node here: a finding about the rule, and the rest goes on.
    let two = compile(&old, "#ALL").unwrap().run(&Tree::parse(DOCUMENT.as_bytes()).unwrap());
    assert!(two.len() == 1 && two[0].text.contains("nicht anwenden"), "{two:?}");
    assert!(compile(&old.replace("xslt2", "xquery"), "#ALL").is_err());
}

#[test]
fn mistakes_are_placed_and_dangerous_things_refused() {
    let place = |content: &str| match compile(&schema("", content), "#ALL") {
        Err(ValidateError::Rule { file, line, text, .. }) => {
            assert_eq!(file, "sch/main.sch");
            (line, text)
        }
        other => panic!("{content}: {other:?}"),
    };
    let test = |xpath: &str| {
        place(&format!("\n<pattern>\n<rule context='a'>\n<assert test=\"{xpath}\"/></rule></pattern>"))
    };
    for xpath in [
        "foo(",
        "unknown(1)",
        "$undeclared",
        "q:a",
        "current-date() gt xs:date('2026-01-01')",
        "doc('file:///etc/passwd')",
        "collection()",
        "doc-available('x')",
        "unparsed-text('x')",
        "document('x')",
    ] {
        let (line, text) = test(xpath);
        assert_eq!(line, 4, "{text}");
        assert!(text.contains("XPath"), "{text}");
    }
    for content in [
        "<pattern><rule><assert test='1'/></rule></pattern>",
        "<pattern><rule context='q:a'/></pattern>",
        "<pattern><rule context='a['/></pattern>",
        "<pattern><rule context='a'><extends rule='none'/></rule></pattern>",
        "<pattern><rule abstract='true' id='r'><extends rule='r'/></rule><rule context='a'><extends rule='r'/></rule></pattern>",
        "<pattern is-a='none'/>",
        "<pattern documents=\"'x'\"/>",
        "<pattern><rule context='a'><assert test='1' diagnostics='none'/></rule></pattern>",
        "<pattern><rule context='a'><aassert test='1'/></rule></pattern>",
        "<pattern><rule context='a'><assert id='cvc-1' test='1'/></rule></pattern>",
        "<patern/>",
        "<xsl:function xmlns:xsl='http://www.w3.org/1999/XSL/Transform' name='f'/>",
    ] {
        place(content);
    }
    assert!(matches!(compile("<a", "#ALL"), Err(ValidateError::Xml { .. })));
    assert!(compile("<a/>", "#ALL").is_err());
}

#[test]
fn findings_are_bounded() {
    let rules = compile(
        &schema("", "<pattern><rule context='b'><report test='true()'>x</report></rule></pattern>"),
        "#ALL",
    )
    .unwrap();
    let document = format!("<a>{}</a>", "<b/>".repeat(1000));
    assert_eq!(rules.run(&Tree::parse(document.as_bytes()).unwrap()).len(), MAX_FINDINGS);
    assert_eq!(Tree::parse(b"<a").unwrap_err().rule, "dds-well-formed");
}

mod no_bytes_panic {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn in_rules_and_documents(
            bytes in prop::collection::vec(any::<u8>(), 0..100),
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
            xpath in "[a-c@/\\[\\]()$'\"|.*:=1-3, ]{0,20}",
        ) {
            let content = format!("<let name='v' value='1'/><pattern><rule context='b[c]'><assert test='@n = $v'>x<name/></assert></rule></pattern><!-- {xpath} -->");
            let mut text = schema("", &content).into_bytes();
            let rules = compile(std::str::from_utf8(&text).unwrap(), "#ALL");
            if let Ok(rules) = &rules {
                drop(Tree::parse(&bytes).map(|tree| rules.run(&tree)));
                let mut document = DOCUMENT.as_bytes().to_vec();
                let place = at.index(document.len());
                document[place] = byte;
                drop(Tree::parse(&document).map(|tree| rules.run(&tree)));
            }
            let place = at.index(text.len());
            text[place] = byte;
            if let Ok(text) = std::str::from_utf8(&text) {
                drop(compile(text, "#ALL").map(|rules| rules.run(&Tree::parse(DOCUMENT.as_bytes()).unwrap())));
            }
            let quoted = xpath.replace('"', "&quot;");
            let context = schema("", &format!("<pattern><rule context=\"{quoted}\"><assert test=\"{quoted}\"/></rule></pattern>"));
            drop(compile(&context, "#ALL").map(|rules| rules.run(&Tree::parse(DOCUMENT.as_bytes()).unwrap())));
        }
    }
}
