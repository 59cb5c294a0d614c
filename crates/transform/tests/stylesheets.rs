//! What the depot promises of stylesheets, and what it refuses before libxslt sees it.
#![allow(clippy::print_stderr, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use dds_message::Code;
use dds_transform::{Budget, Document, Stylesheet, TransformError};

const XSL: &str = r#"xmlns:xsl="http://www.w3.org/1999/XSL/Transform""#;

fn compile_files(files: &[(&str, String)]) -> Result<Stylesheet, TransformError> {
    Stylesheet::compile("rules/a/main.xsl", &|path| {
        files.iter().find(|(name, _)| *name == path).map(|(_, text)| text.as_bytes().to_vec())
    })
}

fn compile(body: &str) -> Result<Stylesheet, TransformError> {
    compile_files(&[(
        "rules/a/main.xsl",
        format!("<xsl:stylesheet version=\"1.0\" {XSL}>\n{body}\n</xsl:stylesheet>"),
    )])
}

fn template(body: &str) -> String {
    format!("<xsl:template match=\"/\">\n{body}\n</xsl:template>")
}

#[track_caller]
fn fails(body: &str, code: Code, line: u32, part: &str) {
    let error = compile(body).unwrap_err();
    assert_eq!((error.code, error.line, error.file.as_str()), (code, line, "rules/a/main.xsl"), "{error}");
    assert!(error.message.contains(part), "{error}");
}

#[test]
fn only_version_one_is_compiled() {
    for version in ["version=\"2.0\"", "version=\"3.0\"", "version=\"1.1\"", ""] {
        let text = format!("<xsl:stylesheet {version} {XSL}/>");
        let error = compile_files(&[("rules/a/main.xsl", text)]).unwrap_err();
        assert_eq!((error.code, error.line, error.column), (Code::NOT_XSLT_1, 1, 1), "{error}");
    }
    fails(&template("<r xsl:version=\"2.0\"/>"), Code::NOT_XSLT_1, 3, "xsl:version");
    let foreign = compile_files(&[("rules/a/main.xsl", "<html/>".to_owned())]).unwrap_err();
    assert_eq!(foreign.code, Code::NOT_XSLT_1);
}

#[test]
fn elements_of_later_versions_and_of_engines_are_refused() {
    fails(&template("<xsl:result-document href='x'/>"), Code::NOT_XSLT_1, 3, "xsl:result-document");
    fails(&template("<xsl:document href='x'/>"), Code::NOT_XSLT_1, 3, "xsl:document");
    let exsl = "xmlns:exsl='http://exslt.org/common' xsl:extension-element-prefixes='exsl'";
    fails(
        &template(&format!("<r {exsl}><exsl:document href='x'/></r>")),
        Code::ACCESS_REFUSED,
        3,
        "exsl:document",
    );
    fails(&template("<r xmlns:s='http://icl.com/saxon'/>"), Code::NOT_XSLT_1, 3, "saxon");
    fails(&template("<r xmlns:d='http://exslt.org/dynamic'/>"), Code::NOT_XSLT_1, 3, "dynamic");
    fails(&template("<r xmlns:x='urn:x' xsl:extension-element-prefixes='x'/>"), Code::NOT_XSLT_1, 3, "urn:x");
}

#[test]
fn functions_are_checked_before_they_run() {
    fails(
        &template("<xsl:value-of select=\"document('/etc/passwd')\"/>"),
        Code::ACCESS_REFUSED,
        3,
        "document()",
    );
    fails(&template("<r a=\"{concat('x', document('y'))}\"/>"), Code::ACCESS_REFUSED, 3, "document()");
    fails(&template("<xsl:value-of select=\"replace('a', 'b', 'c')\"/>"), Code::NOT_XSLT_1, 3, "replace()");
    fails(&template("<xsl:value-of select=\"x:y()\"/>"), Code::NOT_XSLT_1, 3, "x:y()");
    fails(&template("<xsl:if test=\"x:y()\" xmlns:x='urn:x'/>"), Code::NOT_XSLT_1, 3, "x:y()");
}

#[test]
fn expressions_are_checked_before_they_run() {
    fails(&template("<xsl:value-of select=\"foo(\"/>"), Code::TRANSFORM_FAILED, 3, "foo(");
    fails(&template("<r a=\"{foo\"/>"), Code::TRANSFORM_FAILED, 3, "brace");
    fails(&template("<r a=\"{1 +}\"/>"), Code::TRANSFORM_FAILED, 3, "1 +");
    fails(&template("<xsl:call-template name='nowhere'/>"), Code::TRANSFORM_FAILED, 3, "nowhere");
}

#[test]
fn imports_stay_in_the_bundle() {
    fails("<xsl:import href='/etc/passwd'/>", Code::ACCESS_REFUSED, 2, "not a file of this bundle");
    fails("<xsl:import href='http://127.0.0.1:9/x'/>", Code::ACCESS_REFUSED, 2, "not a file of this bundle");
    fails("<xsl:include href='../../../etc/passwd'/>", Code::ACCESS_REFUSED, 2, "not a file of this bundle");
    let main =
        format!("<xsl:stylesheet version='1.0' {XSL}>\n<xsl:import href='../b/x.xsl'/></xsl:stylesheet>");
    let imported = format!("<xsl:stylesheet version='2.0' {XSL}/>");
    let error =
        compile_files(&[("rules/a/main.xsl", main.clone()), ("rules/b/x.xsl", imported)]).unwrap_err();
    assert_eq!((error.code, error.file.as_str()), (Code::NOT_XSLT_1, "rules/b/x.xsl"));
    let imported = format!(
        "<xsl:stylesheet version='1.0' {XSL}><xsl:template match='/'><r/></xsl:template></xsl:stylesheet>"
    );
    assert!(compile_files(&[("rules/a/main.xsl", main), ("rules/b/x.xsl", imported)]).is_ok());
}

/// A replay must give the same result, and a case must pass tomorrow too.
#[test]
fn what_differs_in_each_run_is_refused() {
    let names = "xmlns:d='http://exslt.org/dates-and-times' xmlns:m='http://exslt.org/math'";
    let dates = [
        "date-time",
        "date",
        "time",
        "year",
        "leap-year",
        "month-in-year",
        "month-name",
        "month-abbreviation",
        "week-in-year",
        "week-in-month",
        "day-in-year",
        "day-in-month",
        "day-of-week-in-month",
        "day-in-week",
        "day-name",
        "day-abbreviation",
        "hour-in-day",
        "minute-in-hour",
        "second-in-minute",
        "seconds",
        "duration",
    ];
    let refused = dates.map(|name| format!("d:{name}()")).into_iter().chain([
        "m:random()".to_owned(),
        "generate-id()".to_owned(),
        "generate-id(.)".to_owned(),
    ]);
    for call in refused {
        for body in [
            format!("<xsl:value-of {names} select=\"concat('x', {call})\"/>"),
            format!("<r {names} a=\"x{{{call}}}\"/>"),
            // On the way to the result.
            format!("<xsl:variable {names} name=\"n\" select=\"{call}\"/>"),
            format!("<xsl:value-of {names} select=\"concat(a[b = 1], {call})\"/>"),
            format!(
                "<xsl:for-each {names} select=\"str:tokenize({call})\" xmlns:str=\"http://exslt.org/strings\"/>"
            ),
        ] {
            fails(&template(&body), Code::NOT_XSLT_1, 3, "a replay must give the same result");
        }
    }
    for call in [
        "d:year(@day)",
        "d:add(@day, 'P1D')",
        "d:date('2026-11-22T10:00:00Z')",
        "m:max(@n)",
        "generate-id() = generate-id(..)",
    ] {
        compile(&template(&format!("<r {names} a=\"{{{call}}}\"/>"))).unwrap();
    }
    compile("<xsl:key name='k' match='a' use='generate-id(..)'/>").unwrap();
}

#[test]
fn a_doctype_is_refused() {
    let text = format!("<!DOCTYPE x [<!ENTITY y 'z'>]><xsl:stylesheet version='1.0' {XSL}/>");
    assert_eq!(compile_files(&[("rules/a/main.xsl", text)]).unwrap_err().code, Code::TRANSFORM_FAILED);
    assert_eq!(Document::parse(b"<!DOCTYPE a><a/>", "x").err().unwrap().code, Code::NOT_WELL_FORMED);
}

#[test]
fn the_promised_part_of_exslt_runs() {
    let body = r#"<xsl:output method="text"/><xsl:template match="/"
        xmlns:exsl="http://exslt.org/common" xmlns:math="http://exslt.org/math" xmlns:set="http://exslt.org/sets"
        xmlns:str="http://exslt.org/strings" xmlns:date="http://exslt.org/dates-and-times"><xsl:variable name="t"><x>3</x><x>5</x></xsl:variable>
        <xsl:value-of select="math:max(exsl:node-set($t)/x)"/>,<xsl:value-of select="count(set:distinct(//b))"/>,<xsl:value-of
        select="str:padding(3, '-')"/>,<xsl:value-of select="date:year('2026-11-22')"/></xsl:template>"#;
    let document = Document::parse(b"<a><b>1</b><b>1</b></a>", "x").unwrap();
    let output = compile(body).unwrap().run(&document, &Budget::default()).unwrap();
    assert_eq!(String::from_utf8(output.bytes).unwrap().trim(), "5,1,---,2026");
}

#[test]
fn an_error_at_run_time_quotes_nothing_of_the_message() {
    let style =
        compile(&template("<xsl:element name=\"{//b}\"/><xsl:value-of select=\"$missing\"/>")).unwrap();
    let document = Document::parse(b"<a><b>Erika Mustermann</b></a>", "x").unwrap();
    let error = style.run(&document, &Budget::default()).unwrap_err();
    assert_eq!(error.code, Code::TRANSFORM_FAILED);
    assert!(!error.to_string().contains("Erika"), "{error}");
    assert_eq!(error.line, 3, "{error}");
}

#[test]
fn one_document_serves_several_targets() {
    let body = "<xsl:output omit-xml-declaration='yes'/><xsl:template match='/'><r><xsl:value-of select='/*/*[1]/@n'/></r></xsl:template>";
    let style = compile(body).unwrap();
    let mut document = Document::parse(b"<a><b n='0'/></a>", "x").unwrap();
    let mut run = |fragment: Option<&str>| {
        let fragment = fragment.map(|text| Document::parse(text.as_bytes(), "sendung").unwrap());
        document.set_first_child(fragment.as_ref()).unwrap();
        String::from_utf8(style.run(&document, &Budget::default()).unwrap().bytes).unwrap()
    };
    assert_eq!(run(Some("<s xmlns='urn:x' n='1'/>")), "<r>1</r>\n");
    assert_eq!(run(Some("<s n='2'><t/></s>")), "<r>2</r>\n");
    assert_eq!(run(None), "<r>0</r>\n");
}

/// What it computes may be content of the message, and is not repeated.
#[test]
fn what_a_stylesheet_says_when_it_ends_itself_is_told_and_what_it_computes_is_not() {
    let message = "<xsl:message\n terminate=\"yes\">Hund <xsl:value-of select=\"//b\"/>\n<xsl:text> ohne Rasse</xsl:text></xsl:message>";
    let stylesheet =
        compile(&template(&format!("<r/><xsl:message>geht weiter</xsl:message>{message}"))).unwrap();
    let document = Document::parse(b"<a><b>Rex</b></a>", "input").unwrap();
    let error = stylesheet.run(&document, &Budget::default()).unwrap_err();
    assert_eq!((error.code, error.file.as_str()), (Code::TRANSFORM_FAILED, "rules/a/main.xsl"));
    assert!((3..=4).contains(&error.line), "{error}");
    assert_eq!(error.message, "stopped by xsl:message: Hund … ohne Rasse");
}
