//! One message of scenario V in this process, stage by stage, for counting instructions:
//!
//! ```text
//! valgrind --tool=callgrind --toggle-collect='*Bench*message*' target/release/dds-worker-probe message rules \
//!     fixtures/sondernutzung/zehn-kilobyte.xml 20 >/dev/null && callgrind_annotate --inclusive=yes callgrind.out.*
//! ```
//! The stages are those of a job (`src/engine.rs`) and functions of their own, so that a profile names them.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write},
    path::Path,
};

use dds_message::Severity;
use dds_transform::{Budget, Document, OwnSchema, Stylesheet};
use dds_validate::{Files, Schema, Schematron, Tree};

/// What scenario V of `drehscheibe bench` runs.
const RULE: &str = "sondernutzung/1.0";
const PRODUCT: &str = "products/fv-gewerberegister/5.0";
const VORGANG: &str = "vorgang/1/vorgang.xsd";
const SENDUNG: &str = r#"<sendung xmlns="urn:datendrehscheibe:vorgang:1" nachricht="0195f000-0000-7000-8000-000000000001" zustellung="0195f000-0000-7000-8000-000000000002" angenommen="2026-11-22T08:00:00.000Z" quelle="amt24" release="5d41402abc4b2a76" regel="sondernutzung@1.0"><behoerde kennung="sn:147305311310-ordnungsamt" name="Ordnungsamt"/><kommune ars="147305311310" name="Torgau, Stadt"/></sendung>"#;

/// `dds-worker-probe message RULES DOCUMENT [TIMES]`: the last results go to the standard output.
pub(crate) fn run() -> io::Result<()> {
    let mut arguments = std::env::args().skip(2);
    let mut next = || arguments.next().ok_or_else(|| io::Error::other("message RULES DOCUMENT [TIMES]"));
    let (rules, document) = (next()?, fs::read(next()?)?);
    let times = next().ok().and_then(|times| times.parse().ok()).unwrap_or(1);
    let mut files = BTreeMap::new();
    collect(Path::new(&rules), "", &mut files)?;
    let bench = Bench::compile(&files)?;
    let mut results = (Vec::new(), Vec::new());
    for _ in 0..times {
        results = bench.message(&document)?;
    }
    let mut out = io::stdout().lock();
    out.write_all(&results.0)?;
    out.write_all(&results.1)
}

struct Bench {
    limits: dds_xml::Limits,
    budget: Budget,
    schema: Schema,
    schematron: Schematron,
    rule: Stylesheet,
    strict: Schema,
    vorgang: OwnSchema,
    product: Stylesheet,
}

impl Bench {
    fn compile(files: &BTreeMap<String, Vec<u8>>) -> io::Result<Self> {
        let own: Files = files.iter().map(|(path, bytes)| (path, bytes.as_slice())).collect();
        let read = |path: &str| files.get(path).cloned();
        let stylesheet = |path: String| Stylesheet::compile(&path, &read).map_err(io::Error::other);
        let schema = |path: &str| Schema::compile(path, &own).map_err(io::Error::other);
        let of_vorgang = read(VORGANG).and_then(|bytes| OwnSchema::compile(VORGANG, &bytes));
        let rules = format!("{RULE}/schematron/sondernutzung.sch");
        Ok(Self {
            limits: dds_xml::Limits::default(),
            budget: Budget::default(),
            schema: schema(&format!("{RULE}/schema/sondernutzung.xsd"))?,
            schematron: Schematron::compile(&rules, &own).map_err(io::Error::other)?,
            rule: stylesheet(format!("{RULE}/xslt/to-vorgang.xsl"))?,
            strict: schema(VORGANG)?,
            vorgang: of_vorgang.ok_or_else(|| io::Error::other("the schema of the Vorgang"))?,
            product: stylesheet(format!("{PRODUCT}/xslt/from-vorgang.xsl"))?,
        })
    }

    #[inline(never)]
    fn message(&self, document: &[u8]) -> io::Result<(Vec<u8>, Vec<u8>)> {
        self.stage_gate(document)?;
        let tree = stage_tree(document)?;
        self.stage_schema(&tree)?;
        self.stage_schematron(&tree)?;
        let source = self.stage_source(document)?;
        let (bytes, tree) = self.stage_rule(source)?;
        let mut vorgang = tree.ok_or_else(|| io::Error::other("the result must be parsed again"))?;
        self.stage_vorgang(&vorgang, &bytes)?;
        let sendung = stage_sendung()?;
        vorgang.set_first_child(Some(&sendung)).map_err(io::Error::other)?;
        let output = self.stage_product(&vorgang)?;
        Ok((bytes, output))
    }

    #[inline(never)]
    fn stage_gate(&self, document: &[u8]) -> io::Result<()> {
        dds_xml::check(document, &self.limits).map_err(io::Error::other)
    }

    #[inline(never)]
    fn stage_schema(&self, tree: &Tree<'_>) -> io::Result<()> {
        if self.schema.accepts(tree) { Ok(()) } else { Err(io::Error::other("not valid")) }
    }

    #[inline(never)]
    fn stage_schematron(&self, tree: &Tree<'_>) -> io::Result<()> {
        passed(&self.schematron.run(tree))
    }

    #[inline(never)]
    fn stage_source(&self, document: &[u8]) -> io::Result<Document> {
        self.rule.parse(document, "document").map_err(io::Error::other)
    }

    #[inline(never)]
    fn stage_rule(&self, source: Document) -> io::Result<(Vec<u8>, Option<Document>)> {
        let (output, tree) = self.rule.convert(source, &self.budget).map_err(io::Error::other)?;
        Ok((output.bytes, tree))
    }

    #[inline(never)]
    fn stage_vorgang(&self, tree: &Document, bytes: &[u8]) -> io::Result<()> {
        if self.vorgang.accepts(tree) { Ok(()) } else { passed(&self.strict.validate(bytes)) }
    }

    #[inline(never)]
    fn stage_product(&self, vorgang: &Document) -> io::Result<Vec<u8>> {
        Ok(self.product.run(vorgang, &self.budget).map_err(io::Error::other)?.bytes)
    }
}

#[inline(never)]
fn stage_tree(document: &[u8]) -> io::Result<Tree<'_>> {
    Tree::parse(document).map_err(|finding| io::Error::other(finding.text))
}

#[inline(never)]
fn stage_sendung() -> io::Result<Document> {
    Document::parse(SENDUNG.as_bytes(), "sendung").map_err(io::Error::other)
}

fn passed(findings: &[dds_message::Finding]) -> io::Result<()> {
    match findings.iter().find(|finding| finding.severity == Severity::Error) {
        None => Ok(()),
        Some(finding) => Err(io::Error::other(format!("{finding:?}"))),
    }
}

/// All files of the rules that may be compiled, by their path.
fn collect(folder: &Path, prefix: &str, files: &mut BTreeMap<String, Vec<u8>>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{path}/"), files)?;
        } else {
            files.insert(path, fs::read(entry.path())?);
        }
    }
    Ok(())
}
