//! Every row of the attack table in the evaluation of the engines: what it costs the attacker's message, and that the
//! next message goes through.
#![allow(clippy::print_stderr, clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{bundle, job, options, sheet, template, works};
use dds_message::{Code, Problem};
use dds_worker::Pool;

/// Runs a hostile stylesheet on `document`; answers the problem of the job.
async fn attack(stylesheet: String, document: &str) -> Problem {
    let pool = Pool::start(options()).await.unwrap();
    pool.load(bundle(&[("bad", stylesheet)])).await.unwrap();
    let problem = pool.run(job("bad", document)).await.unwrap_err().problem;
    works(&pool).await;
    problem
}

/// Sends a hostile document to an ordinary stylesheet.
async fn hostile_document(document: &str) {
    let pool = Pool::start(options()).await.unwrap();
    pool.load(bundle(&[])).await.unwrap();
    let problem = pool.run(job("good", document)).await.unwrap_err().problem;
    assert_eq!(problem.code, Code::NOT_WELL_FORMED, "{problem}");
    works(&pool).await;
}

#[tokio::test]
async fn document_of_a_file() {
    let problem = attack(template("<xsl:copy-of select=\"document('file:///etc/passwd')\"/>"), "<a/>").await;
    assert_eq!(problem.code, Code::ACCESS_REFUSED, "{problem}");
}

#[tokio::test]
async fn document_over_http() {
    let problem =
        attack(template("<xsl:copy-of select=\"document('http://127.0.0.1:9/x')\"/>"), "<a/>").await;
    assert_eq!(problem.code, Code::ACCESS_REFUSED, "{problem}");
}

#[tokio::test]
async fn import_of_a_file() {
    let problem = attack(sheet("<xsl:import href='/etc/passwd'/>"), "<a/>").await;
    assert_eq!(problem.code, Code::ACCESS_REFUSED, "{problem}");
}

#[tokio::test]
async fn import_over_http() {
    let problem = attack(sheet("<xsl:import href='http://127.0.0.1:9/x.xsl'/>"), "<a/>").await;
    assert_eq!(problem.code, Code::ACCESS_REFUSED, "{problem}");
}

#[tokio::test]
async fn exsl_document_write() {
    let target = std::env::temp_dir().join(format!("dds-worker-{}", std::process::id()));
    let body = format!(
        "<r xsl:extension-element-prefixes='exsl'><exsl:document href='{}'>x</exsl:document></r>",
        target.display()
    );
    let problem = attack(template(&body), "<a/>").await;
    assert_eq!(problem.code, Code::ACCESS_REFUSED, "{problem}");
    assert!(!target.exists());
}

#[tokio::test]
async fn infinite_recursion() {
    let body = "<xsl:template match='/'><xsl:call-template name='x'/></xsl:template>\
        <xsl:template name='x'><xsl:for-each select='/'><r><xsl:call-template name='x'/></r></xsl:for-each></xsl:template>";
    let problem = attack(sheet(body), "<a/>").await;
    assert_eq!(problem.code, Code::BUDGET_EXCEEDED, "{problem}");
}

#[tokio::test]
async fn cpu_bomb() {
    let nested = "count(//b[count(//b[count(//b[count(//b) &gt; 1]) &gt; 1]) &gt; 1])";
    let body = format!("<r><xsl:value-of select='{nested}'/></r>");
    let document = format!("<a>{}</a>", "<b/>".repeat(300));
    let problem = attack(template(&body), &document).await;
    assert_eq!(problem.code, Code::BUDGET_EXCEEDED, "{problem}");
}

#[tokio::test]
async fn memory_bomb_by_doubling_a_string() {
    // 2^40 characters: no limit of libxslt sees them, the address space of the process does.
    let mut body = "<xsl:variable name='v0' select=\"'xxxxxxxxxxxxxxxx'\"/>".to_owned();
    for step in 1..36 {
        let last = step - 1;
        body += &format!("<xsl:variable name='v{step}' select='concat($v{last}, $v{last})'/>");
    }
    let problem = attack(template(&format!("{body}<r><xsl:value-of select='$v35'/></r>")), "<a/>").await;
    assert_eq!(problem.code, Code::BUDGET_EXCEEDED, "{problem}");
}

#[tokio::test]
async fn external_entity() {
    hostile_document("<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>").await;
}

#[tokio::test]
async fn billion_laughs() {
    let mut entities = "<!ENTITY e0 'lol'>".to_owned();
    for step in 1..10 {
        entities += &format!("<!ENTITY e{step} '{}'>", format!("&e{};", step - 1).repeat(10));
    }
    hostile_document(&format!("<!DOCTYPE a [{entities}]><a>&e9;</a>")).await;
}

#[tokio::test]
async fn quadratic_entities() {
    let (content, uses) = ("y".repeat(50_000), "&x;".repeat(50_000));
    hostile_document(&format!("<!DOCTYPE a [<!ENTITY x '{content}'>]><a>{uses}</a>")).await;
}

#[tokio::test]
async fn two_hundred_thousand_levels() {
    hostile_document(&format!("{}{}", "<a>".repeat(200_000), "</a>".repeat(200_000))).await;
}
