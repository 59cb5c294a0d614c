//! What the tests of the pool share.
#![allow(dead_code, reason = "each test file uses its part")]

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use dds_message::{Digest, Format, OutputForm};
use dds_worker::{Bundle, Job, Pool, PoolOptions, TargetJob};

pub(crate) const BUNDLE: Digest = Digest([1; 32]);

/// Options for the probe of this crate with two processes.
pub(crate) fn options() -> PoolOptions {
    PoolOptions {
        program: env!("CARGO_BIN_EXE_dds-worker-probe").into(),
        processes: 2,
        memory_bytes: 512 << 20,
        // Generous: the machine that runs the tests may be busy with others.
        job_time: Duration::from_secs(60),
        ..PoolOptions::default()
    }
}

pub(crate) fn sheet(body: &str) -> String {
    format!(
        r#"<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
        xmlns:exsl="http://exslt.org/common" exclude-result-prefixes="exsl">{body}</xsl:stylesheet>"#
    )
}

pub(crate) fn template(body: &str) -> String {
    sheet(&format!(
        r#"<xsl:output omit-xml-declaration="yes"/><xsl:template match="/">{body}</xsl:template>"#
    ))
}

pub(crate) fn bundle(sheets: &[(&str, String)]) -> Bundle {
    let good = template("<r><xsl:value-of select='count(//*)'/></r>");
    let sheets = sheets.iter().cloned().chain([("good", good)]);
    let files: BTreeMap<String, Bytes> =
        sheets.map(|(name, text)| (name.to_owned(), Bytes::from(text))).collect();
    let stylesheets = files.keys().cloned().collect();
    Bundle { id: BUNDLE, files, stylesheets, schemas: Vec::new(), schematrons: Vec::new() }
}

pub(crate) fn job(sheet: &str, document: &str) -> Job {
    Job {
        bundle: BUNDLE,
        document: Bytes::copy_from_slice(document.as_bytes()),
        format: Format::Xml,
        schema: None,
        schematrons: Vec::new(),
        canonical: None,
        canonical_schema: None,
        procedure: None,
        targets: vec![target(sheet, "")],
    }
}

pub(crate) fn target(sheet: &str, sendung: &str) -> TargetJob {
    TargetJob {
        stylesheet: Some(sheet.to_owned()),
        output: OutputForm::Xml,
        sendung: Bytes::copy_from_slice(sendung.as_bytes()),
    }
}

/// The pool is as good as new: an ordinary job on every process.
pub(crate) async fn works(pool: &Pool) {
    for _ in 0..4 {
        let result = pool.run(job("good", "<a><b/></a>")).await.unwrap();
        assert_eq!(result.outputs, [Bytes::from_static(b"<r>2</r>\n")]);
    }
}
