//! "No 16th package is needed": every procedure reaches every product. Ten Fachverfahren and five DMS make fifty pairs,
//! and what a citizen wrote arrives in each of them, whole and unharmed (`docs/products.md`, "Nothing lost").

#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may end by panic, also in its helpers"
)]

mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use dds_config::{SourcePaths, read_release};
use dds_depot::{CANONICAL_SCHEMA, ProductKind, Release};
use dds_message::{Format, OutputForm, Severity};
use dds_worker::{Job, JobResult, Pool, PoolOptions, TargetJob};
use dds_xml::Limits;
use roxmltree::{Document, Node};
use support::{PROGRAM, root};

/// On this day all rules are valid.
const DAY: &str = "2026-11-22";
const VORGANG: &str = "urn:datendrehscheibe:vorgang:1";
/// What the router adds for each target.
const SENDUNG: &str = r#"<sendung xmlns="urn:datendrehscheibe:vorgang:1" nachricht="019aa001-0000-7000-8000-000000000001" zustellung="019aa001-0000-7000-8000-000000000002" angenommen="2026-11-22T08:00:00.000Z" quelle="pruefportal" release="a4d451ec23463726f72c43d64c710968f6b602cd653b4de8adee1b556240a829" regel="pruefung@1.0"><behoerde kennung="sn:146120000000-amt" name="Prüfamt"/><kommune ars="146120000000" name="Dresden, Stadt"/><anlage name="nachweis.pdf" medientyp="application/pdf" bytes="4711" sha256="c2c79c73689ecae6a673a7ec940ebd56f1d39a65cdaa1eba123b84ed4001e2c3"/></sendung>"#;

/// A product as the test sees it.
struct Product {
    name: String,
    output: OutputForm,
    stylesheet: Option<String>,
    /// This product writes German dates.
    german_dates: bool,
    /// This product is a letter for people: decimal comma, Ja and Nein.
    letter: bool,
}

fn release() -> Release {
    let root = root();
    let schemas = support::schemas();
    read_release(&SourcePaths { rules: root.join("rules"), config: root.join("config"), schemas }).unwrap()
}

fn products(release: &Release) -> Vec<Product> {
    let all = release.contents().products.iter();
    all.map(|product| {
        let id = product.value.product.as_str();
        Product {
            name: product.value.name(),
            output: product.value.output,
            stylesheet: release.stylesheet_of(product),
            german_dates: ["fv-gewerberegister", "fv-kleinstadt"].contains(&id),
            letter: id == "fv-kleinstadt",
        }
    })
    .collect()
}

/// Valid fixtures of every procedure.
fn fixtures() -> Vec<PathBuf> {
    let folders = fs::read_dir(root().join("fixtures")).unwrap().map(|entry| entry.unwrap().path());
    let files = folders.flat_map(|folder| fs::read_dir(folder).unwrap()).map(|entry| entry.unwrap().path());
    let mut valid: Vec<_> = files.filter(|file| !name(file).starts_with("ungueltig")).collect();
    valid.sort();
    valid
}

fn name(file: &Path) -> &str {
    file.file_name().unwrap().to_str().unwrap()
}

#[test]
fn fifteen_packages_make_the_fifty_pairs_that_saxony_uses() {
    let release = release();
    let of = |kind| release.products().filter(|product| product.kind == kind).count();
    assert_eq!((of(ProductKind::Fachverfahren), of(ProductKind::Dms)), (10, 5));

    let contents = release.contents();
    let mut pairs = BTreeSet::new();
    for area in &contents.municipalities {
        let profile = contents.profiles.iter().find(|profile| profile.stem() == area.value.profile).unwrap();
        for (short, office) in &profile.value.offices {
            let office = match area.value.offices.get(short) {
                Some(exception) => exception.over(office),
                None => office.clone(),
            };
            pairs.extend(office.fachverfahren.zip(office.dms));
        }
    }
    assert_eq!(pairs.len(), 50, "{pairs:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_valid_fixture_reaches_every_product_without_loss() {
    let release = Arc::new(release());
    let products = Arc::new(products(&release));
    let options = PoolOptions { program: PROGRAM.into(), ..PoolOptions::default() };
    assert_eq!(options.args, ["worker"]);
    let pool = Pool::start(options).await.unwrap();
    assert_eq!(pool.load(dds_config::bundle(&release)).await.unwrap(), []);

    let mut procedures = BTreeMap::<String, usize>::new();
    let mut values = 0;
    for file in fixtures() {
        let result = transform(&release, &pool, &products, &file).await;
        let vorgang = std::str::from_utf8(result.canonical.as_deref().unwrap()).unwrap();
        let vorgang = Document::parse(vorgang).unwrap();
        let procedure = vorgang.root_element().attribute("verfahren").unwrap();
        *procedures.entry(procedure.to_owned()).or_default() += 1;
        assert_eq!(result.outputs.len(), 15);
        for (product, output) in products.iter().zip(&result.outputs) {
            let lost = lost(&vorgang, product, output);
            assert!(lost.is_empty(), "{} → {} loses {lost:#?}", file.display(), product.name);
            values += vorgang.descendants().filter(|node| node.has_tag_name((VORGANG, "angabe"))).count();
        }
    }
    let expected: BTreeSet<_> = release.rules().map(|rule| rule.procedure.to_string()).collect();
    assert_eq!(procedures.keys().cloned().collect::<BTreeSet<_>>(), expected, "procedures with fixtures");
    assert!(procedures.values().all(|count| *count >= 3), "{procedures:?}");
    assert!(values > 10_000, "only {values} values were looked for");
}

async fn transform(release: &Release, pool: &Pool, products: &[Product], file: &Path) -> JobResult {
    let document = Bytes::from(fs::read(file).unwrap());
    let (format, xml) = if name(file).ends_with(".json") {
        (Format::Json, dds_xml::json::to_xml(&document, &Limits::default()).unwrap())
    } else {
        (Format::Xml, document.to_vec())
    };
    let extracted = dds_xml::extract(&xml, release.key_plan(), &Limits::default()).unwrap();
    let (_, recognised) = release.recognise(&extracted, DAY).unwrap();
    let checks = release.checks(recognised);
    let target = |product: &Product| TargetJob {
        stylesheet: product.stylesheet.clone(),
        output: product.output,
        sendung: Bytes::from_static(SENDUNG.as_bytes()),
    };
    let job = Job {
        bundle: release.id().0,
        document,
        format,
        schema: checks.schema,
        schematrons: checks.schematrons,
        canonical: Some(checks.canonical),
        canonical_schema: Some(CANONICAL_SCHEMA.to_owned()),
        procedure: None,
        targets: products.iter().map(target).collect(),
    };
    let result = pool.run(job).await.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let errors: Vec<_> =
        result.findings.iter().filter(|finding| finding.severity == Severity::Error).collect();
    assert!(errors.is_empty(), "{}: {errors:#?}", file.display());
    result
}

/// The values of the Vorgang that the output lacks, with their titles.
fn lost(vorgang: &Document<'_>, product: &Product, output: &[u8]) -> Vec<String> {
    let found = Found::read(product, std::str::from_utf8(output).unwrap());
    let mut lost = Vec::new();
    // As often as the Vorgang says a value, the output must say it.
    let mut wanted = BTreeMap::<Vec<String>, usize>::new();
    for forms in values(vorgang).flat_map(|value| forms(value, product)) {
        *wanted.entry(forms).or_default() += 1;
    }
    for (forms, times) in wanted {
        let seen: usize = forms.iter().map(|form| found.times(form)).sum();
        if seen < times {
            lost.push(format!("{forms:?}: {seen} of {times}"));
        }
    }
    for angabe in vorgang.descendants().filter(|node| node.has_tag_name((VORGANG, "angabe"))) {
        let title = angabe.attribute("titel").unwrap();
        if !found.mentions(title) {
            lost.push(format!("title {title:?}"));
        }
        if let Some(list) = angabe.attribute("liste").filter(|list| !found.mentions(list)) {
            lost.push(format!("code list {list:?}"));
        }
    }
    for said in ["nachweis.pdf", "019aa001-0000-7000-8000-000000000002"] {
        if !found.mentions(said) {
            lost.push(said.to_owned());
        }
    }
    lost
}

/// Elements with a value: every `angabe`, every part of a participant, every line of the head.
fn values<'a>(vorgang: &'a Document<'_>) -> impl Iterator<Item = Node<'a, 'a>> {
    vorgang.descendants().filter(|node| {
        node.is_element()
            && !node.children().any(|child| child.is_element())
            && node.text().is_some_and(|text| !text.trim().is_empty())
    })
}

/// What an output must say of a value, each in one of several forms (`docs/products.md`, "Nothing lost").
fn forms(value: Node<'_, '_>, product: &Product) -> Vec<Vec<String>> {
    let text = value.text().unwrap();
    let date = ["erstellt", "geburtsdatum"].contains(&value.tag_name().name());
    let kind = if date { "datum" } else { value.attribute("typ").unwrap_or("text") };
    let as_it_is = text.to_owned();
    match kind {
        "datum" if product.german_dates => {
            let (day, time) = text.split_once('T').unwrap_or((text, ""));
            let day = day.rsplit('-').collect::<Vec<_>>().join(".");
            match time {
                "" => vec![vec![as_it_is, day]],
                // Day and time apart, in two attributes.
                time if date && !product.letter => vec![vec![day], vec![time.to_owned()]],
                time => vec![vec![as_it_is, format!("{day}, {} Uhr", time.trim_end_matches('Z'))]],
            }
        }
        "zahl" | "betrag" if product.letter && text.contains('.') => {
            vec![vec![as_it_is, text.replace('.', ",")]]
        }
        "ja-nein" if product.letter => vec![vec![(if text == "true" { "Ja" } else { "Nein" }).to_owned()]],
        _ => vec![vec![as_it_is]],
    }
}

/// What stands in an output.
enum Found {
    /// Values apart from each other: texts, attributes, members, cells.
    Leaves(BTreeMap<String, usize>),
    /// A letter: its lines, without the bars that mark quoted lines.
    Letter(Vec<String>),
}

impl Found {
    fn read(product: &Product, output: &str) -> Self {
        match product.output {
            OutputForm::Xml => Self::leaves(xml_leaves(output)),
            OutputForm::Json => Self::leaves(json_leaves(&serde_json::from_str(output).unwrap())),
            OutputForm::Text if product.letter => Self::Letter(
                output.lines().map(|line| line.trim().trim_start_matches('|').trim().to_owned()).collect(),
            ),
            OutputForm::Text => Self::leaves(csv_leaves(output)),
        }
    }

    fn leaves(leaves: Vec<String>) -> Self {
        let mut counted = BTreeMap::new();
        for leaf in leaves {
            *counted.entry(leaf).or_default() += 1;
        }
        Self::Leaves(counted)
    }

    fn times(&self, value: &str) -> usize {
        match self {
            Self::Leaves(leaves) => leaves.get(value).copied().unwrap_or(0),
            Self::Letter(lines) => {
                let first = value.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
                let says = |line: &&String| {
                    *line == first
                        || line.split_once(": ").is_some_and(|(_, rest)| rest.starts_with(first))
                        || line.contains(&format!(": {first}"))
                };
                let times = lines.iter().filter(says).count();
                let rest = value.lines().map(str::trim).filter(|line| !line.is_empty()).skip(1);
                if rest.into_iter().all(|line| lines.iter().any(|one| one == line)) { times } else { 0 }
            }
        }
    }

    fn mentions(&self, text: &str) -> bool {
        match self {
            Self::Leaves(leaves) => leaves.contains_key(text),
            Self::Letter(lines) => lines.iter().any(|line| line.contains(text)),
        }
    }
}

fn xml_leaves(output: &str) -> Vec<String> {
    dds_xml::check(output.as_bytes(), &Limits::default()).unwrap();
    let document = Document::parse(output).unwrap();
    let texts = document.descendants().filter(Node::is_text).filter_map(|node| node.text());
    let attributes = document.descendants().flat_map(|node| node.attributes()).map(|one| one.value());
    texts.chain(attributes).map(str::to_owned).collect()
}

fn json_leaves(value: &serde_json::Value) -> Vec<String> {
    use serde_json::Value::{Array, Bool, Null, Number, Object, String};
    match value {
        Null => Vec::new(),
        Bool(value) => vec![value.to_string()],
        Number(value) => vec![value.to_string()],
        String(value) => vec![value.clone()],
        Array(items) => items.iter().flat_map(json_leaves).collect(),
        Object(members) => members.values().flat_map(json_leaves).collect(),
    }
}

/// Cells of a CSV file in which every cell is quoted and a quote is written twice (RFC 4180).
fn csv_leaves(output: &str) -> Vec<String> {
    let mut cells = Vec::new();
    let mut rest = output;
    while let Some(inside) = rest.strip_prefix('"') {
        let mut cell = String::new();
        let mut characters = inside.char_indices();
        let end = loop {
            match characters.next() {
                Some((at, '"')) if !inside[at + 1..].starts_with('"') => break at,
                Some((_, '"')) => {
                    cell.push('"');
                    characters.next();
                }
                Some((_, character)) => cell.push(character),
                None => panic!("a cell is not closed: {cell:?}"),
            }
        };
        cells.push(cell);
        rest = inside[end + 1..].trim_start_matches([';', '\r', '\n']);
    }
    assert_eq!(rest, "", "a cell without quotes");
    cells
}

#[test]
fn the_test_sees_a_loss() {
    let vorgang = format!(
        r#"<vorgang xmlns="{VORGANG}"><gegenstand><angabe titel="Kaltmiete" typ="betrag">512.40</angabe><angabe titel="Seit" typ="datum">2026-11-01</angabe></gegenstand></vorgang>"#
    );
    let vorgang = Document::parse(&vorgang).unwrap();
    let product = |output, letter| Product {
        name: String::new(),
        output,
        stylesheet: None,
        german_dates: letter,
        letter,
    };
    let ids = r#""nachweis.pdf", "019aa001-0000-7000-8000-000000000002", "Kaltmiete", "Seit""#;
    let whole = format!(r#"[{ids}, "512.40", "2026-11-01"]"#);
    assert_eq!(lost(&vorgang, &product(OutputForm::Json, false), whole.as_bytes()), [""; 0]);
    // An amount as a JSON number loses its last digit.
    let number = whole.replace("\"512.40\"", "512.40");
    assert_eq!(lost(&vorgang, &product(OutputForm::Json, false), number.as_bytes()).len(), 1);
    let letter = format!("{ids}\n  Kaltmiete: 512,40 €\n  Seit: 01.11.2026\n");
    assert_eq!(lost(&vorgang, &product(OutputForm::Text, true), letter.as_bytes()), [""; 0]);
    let wrong = letter.replace("01.11", "11.01");
    assert_eq!(lost(&vorgang, &product(OutputForm::Text, true), wrong.as_bytes()).len(), 1);
}
