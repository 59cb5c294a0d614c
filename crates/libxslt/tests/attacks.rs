//! What a hostile stylesheet or document tries, on the bare binding: no check of ours stands before it here.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

use std::collections::BTreeMap;

use dds_libxslt::{Document, Error, ErrorKind, Limits, Stylesheet};

const LIMITS: Limits =
    Limits { operations: 20_000_000, depth: 3000, variables: 15_000, output_bytes: 1 << 20 };

const HEAD: &str = r#"<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
    xmlns:exsl="http://exslt.org/common" xmlns:str="http://exslt.org/strings" xmlns:func="http://exslt.org/functions"
    xmlns:my="urn:my" exclude-result-prefixes="exsl str func my" extension-element-prefixes="exsl func">"#;

fn compile(body: &str, others: &[(&str, &str)]) -> Result<Stylesheet, Error> {
    let mut files: BTreeMap<String, Vec<u8>> =
        others.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
    files.insert("rules/a/main.xsl".to_owned(), format!("{HEAD}{body}</xsl:stylesheet>").into_bytes());
    Stylesheet::compile("rules/a/main.xsl", files)
}

fn run_with(body: &str, input: &str, limits: &Limits) -> Result<String, Error> {
    let document = Document::parse(input.as_bytes(), "input.xml")?;
    let result = compile(body, &[])?.run(&document, &[("name", "O'Hara \"x\"")], limits)?;
    Ok(String::from_utf8(result).unwrap())
}

fn run(body: &str) -> Result<String, Error> {
    run_with(body, "<a><b>1</b><b>2</b></a>", &LIMITS)
}

fn template(body: &str) -> String {
    format!(r#"<xsl:output omit-xml-declaration="yes"/><xsl:template match="/">{body}</xsl:template>"#)
}

#[track_caller]
fn refused(body: &str) -> Error {
    let error = run(body).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused, "{error}");
    error
}

#[test]
fn a_plain_stylesheet_runs_with_parameters_and_exslt() {
    let body = format!(
        r#"<xsl:param name="name"/><func:function name="my:twice"><xsl:param name="x"/>
        <func:result select="$x * 2"/></func:function>{}"#,
        template(
            r#"<r n="{$name}" t="{my:twice(4)}"><xsl:value-of select="sum(//b)"/>
            <xsl:for-each select="str:split('x,y', ',')"><i><xsl:value-of select="."/></i></xsl:for-each></r>"#
        )
    );
    assert_eq!(run(&body).unwrap().trim(), "<r n=\"O'Hara &quot;x&quot;\" t=\"8\">3<i>x</i><i>y</i></r>");
}

#[test]
fn document_of_a_file_is_refused() {
    refused(&template("<r><xsl:copy-of select=\"document('/etc/passwd')\"/></r>"));
    refused(&template("<r><xsl:copy-of select=\"document('file:///etc/passwd')\"/></r>"));
    refused(&template("<r><xsl:copy-of select=\"document('')\"/></r>"));
}

#[test]
fn document_over_http_is_refused() {
    refused(&template("<r><xsl:copy-of select=\"document('http://127.0.0.1:9/x')\"/></r>"));
}

#[test]
fn import_of_a_file_is_refused() {
    let error = refused(r#"<xsl:import href="/etc/passwd"/>"#);
    assert_eq!(error.file, "rules/a/main.xsl", "{error}");
    refused(r#"<xsl:include href="../../../../etc/passwd"/>"#);
}

#[test]
fn import_over_http_is_refused() {
    refused(r#"<xsl:import href="http://127.0.0.1:9/x.xsl"/>"#);
}

#[test]
fn import_of_a_given_file_works_also_twice_and_nested() {
    let common = format!(r#"{HEAD}<xsl:include href="deep/x.xsl"/></xsl:stylesheet>"#);
    let deep = format!(
        r#"{HEAD}<xsl:template match="b">[<xsl:value-of select="."/>]</xsl:template></xsl:stylesheet>"#
    );
    let body = format!(
        r#"<xsl:import href="../common/c.xsl"/>{}"#,
        template("<r><xsl:apply-templates select='//b'/></r>")
    );
    let style = compile(
        &body,
        &[("rules/common/c.xsl", common.as_str()), ("rules/common/deep/x.xsl", deep.as_str())],
    );
    let style = style.unwrap();
    let mut document = Document::parse(b"<a><b>1</b></a>", "input").unwrap();
    assert_eq!(style.run(&document, &[], &LIMITS).unwrap(), b"<r>[1]</r>\n");
    let guest = Document::parse(b"<b>0</b>", "guest").unwrap();
    document.set_first_child(Some(&guest)).unwrap();
    assert_eq!(style.run(&document, &[], &LIMITS).unwrap(), b"<r>[0][1]</r>\n");
    document.set_first_child(None).unwrap();
    assert_eq!(style.run(&document, &[], &LIMITS).unwrap(), b"<r>[1]</r>\n");
}

#[test]
fn writing_a_file_is_refused() {
    let target = std::env::temp_dir().join(format!("dds-libxslt-{}", std::process::id()));
    let path = target.display();
    refused(&template(&format!(r#"<exsl:document href="{path}">x</exsl:document>"#)));
    refused(&template(&format!(r#"<xsl:document href="{path}">x</xsl:document>"#)));
    assert!(!target.exists());
}

#[test]
fn infinite_recursion_ends_in_the_budget() {
    let body = format!(
        r#"{}<xsl:template name="x"><xsl:choose><xsl:when test="true()"><xsl:for-each select="/">
        <xsl:call-template name="x"/></xsl:for-each></xsl:when></xsl:choose></xsl:template>"#,
        template(r#"<xsl:call-template name="x"/>"#)
    );
    let error = run(&body).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Budget, "{error}");
    assert!(error.line > 0, "{error}");
}

#[test]
fn a_cpu_bomb_ends_in_the_budget() {
    let input = format!("<a>{}</a>", "<b/>".repeat(300));
    let body = template(
        r#"<r><xsl:value-of select="count(//b[count(//b[count(//b[count(//b) &gt; 1]) &gt; 1]) &gt; 1])"/></r>"#,
    );
    let error = run_with(&body, &input, &LIMITS).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Budget, "{error}");
}

#[test]
fn a_loop_of_instructions_ends_in_the_budget() {
    let input = format!("<a>{}</a>", "<b/>".repeat(300));
    let each = |inner: &str| format!(r#"<xsl:for-each select="//b">{inner}</xsl:for-each>"#);
    let body = template(&each(&each(&each(&each(r#"<xsl:if test="false()">x</xsl:if>"#)))));
    let error = run_with(&body, &input, &LIMITS).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Budget, "{error}");
}

#[test]
fn a_result_beyond_the_limit_ends_in_the_budget() {
    let input = format!("<a>{}</a>", "<b/>".repeat(300));
    let body = template(
        r#"<r><xsl:for-each select="//b"><xsl:for-each select="//b">xxxxxxxxxxxxxxxx</xsl:for-each></xsl:for-each></r>"#,
    );
    let error = run_with(&body, &input, &LIMITS).unwrap_err();
    assert_eq!(
        (error.kind, error.message.as_str()),
        (ErrorKind::Budget, "result of more than 1048576 bytes")
    );
}

#[test]
fn a_doctype_is_refused_before_any_entity_is_seen() {
    let many = format!("<!DOCTYPE a [<!ENTITY x '{}'>]><a>{}</a>", "y".repeat(50_000), "&x;".repeat(50_000));
    for input in [
        "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>",
        "<!DOCTYPE a [<!ENTITY l 'lol'><!ENTITY m '&l;&l;&l;&l;'>]><a>&m;</a>",
        "<!DOCTYPE a SYSTEM 'http://127.0.0.1:9/a.dtd'><a/>",
        "<!DOCTYPE a><a/>",
        &many,
    ] {
        let error = Document::parse(input.as_bytes(), "input.xml").err().unwrap();
        assert_eq!(error.message, "DOCTYPE is not allowed");
    }
    let error =
        Stylesheet::compile("a.xsl", BTreeMap::from([("a.xsl".into(), b"<!DOCTYPE a><a/>".to_vec())]));
    assert_eq!(error.unwrap_err().message, "DOCTYPE is not allowed");
}

#[test]
fn a_very_deep_document_is_an_error() {
    let input = format!("{}{}", "<a>".repeat(200_000), "</a>".repeat(200_000));
    assert!(Document::parse(input.as_bytes(), "input.xml").is_err());
}

#[test]
fn errors_name_file_and_line() {
    let error = compile("\n\n<xsl:template/>", &[]).unwrap_err();
    assert_eq!((error.file.as_str(), error.line > 0), ("rules/a/main.xsl", true), "{error}");
    let error = run(&format!("\n\n{}", template("\n<xsl:value-of select='$unknown'/>"))).unwrap_err();
    assert_eq!((error.file.as_str(), error.line), ("rules/a/main.xsl", 6), "{error}");
    let error = Document::parse(b"<a>\n<b></a>", "input.xml").err().unwrap();
    assert_eq!((error.file.as_str(), error.line), ("input.xml", 2), "{error}");
}

#[test]
fn the_text_of_a_message_instruction_is_not_kept() {
    let body =
        template(r#"<xsl:message terminate="yes">Geburtsdatum <xsl:value-of select="//b"/></xsl:message>"#);
    let error = run(&body).unwrap_err();
    assert!(!error.message.contains("Geburtsdatum"), "{error}");
    let told = (error.kind, error.file.as_str(), error.line, error.message.as_str());
    assert_eq!(told, (ErrorKind::Ended, "rules/a/main.xsl", 3, "stopped by xsl:message"));
    // One that says something and goes on is not to blame for what happens afterwards.
    let body = template("<xsl:message>a</xsl:message><xsl:value-of select='$unknown'/>");
    assert_eq!(run(&body).unwrap_err().kind, ErrorKind::Failed);
}

#[test]
fn the_encoding_of_the_result_is_the_one_asked_for() {
    let output = |encoding: &str| {
        let body = format!(
            r#"<xsl:output method="xml" encoding="{encoding}"/><xsl:template match="/"><r>ä</r></xsl:template>"#
        );
        let document = Document::parse(b"<a/>", "input").unwrap();
        compile(&body, &[]).unwrap().run(&document, &[], &LIMITS)
    };
    assert!(output("ISO-8859-1").unwrap().windows(4).any(|bytes| bytes == b">\xe4</"));
    assert!(output("ISO-8859-15").unwrap().windows(4).any(|bytes| bytes == b">\xe4</"));
    assert!(output("UTF-8").unwrap().windows(5).any(|bytes| bytes == ">ä</".as_bytes()));
    assert!(output("x-nonsense").is_err());
}

#[test]
fn stripping_space_leaves_the_document_as_it_was() {
    let strip =
        compile(&format!(r#"<xsl:strip-space elements="*"/>{}"#, template("<xsl:copy-of select='/'/>")), &[]);
    let keep = compile(&template("<xsl:copy-of select='/'/>"), &[]).unwrap();
    let document = Document::parse(b"<a> <b/> </a>", "input").unwrap();
    assert_eq!(strip.unwrap().run(&document, &[], &LIMITS).unwrap(), b"<a><b/></a>\n");
    assert_eq!(keep.run(&document, &[], &LIMITS).unwrap(), b"<a> <b/> </a>\n");
}

#[test]
fn threads_share_a_stylesheet_and_keep_their_errors_apart() {
    let good = compile(&template("<r><xsl:value-of select='//b'/></r>"), &[]).unwrap();
    let bad = compile(&template("<xsl:value-of select='$unknown'/>"), &[]).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (good, bad) = (&good, &bad);
            scope.spawn(move || {
                for round in 0..200 {
                    let input = format!("<a><b>{thread}-{round}</b></a>");
                    let document = Document::parse(input.as_bytes(), "input").unwrap();
                    let result = good.run(&document, &[], &LIMITS).unwrap();
                    assert_eq!(String::from_utf8(result).unwrap(), format!("<r>{thread}-{round}</r>\n"));
                    assert_eq!(bad.run(&document, &[], &LIMITS).unwrap_err().kind, ErrorKind::Failed);
                }
            });
        }
    });
}
