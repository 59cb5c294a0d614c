//! What the process border costs, in time and in processor time, which a busy machine distorts less.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    time::Instant,
};

use bytes::Bytes;
use dds_message::{Digest, Format, OutputForm};
use dds_transform::{Budget, Document, Stylesheet};
use dds_worker::{Bundle, Job, Pool, PoolOptions, TargetJob};

const SHEET: &str = r#"<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
<xsl:template match="/"><r><xsl:for-each select="/m/f"><x n="{@n}"><xsl:value-of select="."/></x></xsl:for-each></r>
</xsl:template></xsl:stylesheet>"#;

/// Hardly any work: what is measured is the way there and back.
const IDLE: &str = r#"<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
<xsl:template match="/"><r/></xsl:template></xsl:stylesheet>"#;

pub(crate) fn run() -> io::Result<()> {
    let count = std::env::args().nth(2).and_then(|count| count.parse().ok()).unwrap_or(5000);
    let fields: String = (0..250).map(|n| format!("<f n=\"{n}\">Straße und Hausnummer</f>")).collect();
    let document = format!("<m>{fields}</m>");
    let mut out = io::stdout().lock();
    writeln!(out, "message of {} bytes, {count} times", document.len())?;

    let compile =
        |text: &str| Stylesheet::compile("x", &|_| Some(text.as_bytes().to_vec())).map_err(io::Error::other);
    let limits = dds_xml::Limits::default();
    for (name, text, content) in [("transform", SHEET, document.as_str()), ("idle", IDLE, "<m/>")] {
        let style = compile(text)?;
        let (micros, cpu) = measure(count, || {
            dds_xml::check(content.as_bytes(), &limits).map_err(io::Error::other)?;
            let document = Document::parse(content.as_bytes(), "m").map_err(io::Error::other)?;
            style.run(&document, &Budget::default()).map_err(io::Error::other).map(drop)
        })?;
        writeln!(out, "{name}: in process {micros:.1} µs, CPU {cpu:.1} µs")?;
    }

    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let cores = PoolOptions::default().processes;
    for (name, content) in [("transform", document.as_str()), ("idle", "<m/>")] {
        for (processes, callers) in [(1, 1), (1, 4), (cores, 4 * cores)] {
            let (micros, cpu) = runtime.block_on(through_pool(name, content, processes, callers, count))?;
            writeln!(
                out,
                "{name}: pool of {processes}, {callers} at a time {micros:.1} µs, CPU {cpu:.1} µs"
            )?;
        }
    }
    Ok(())
}

async fn through_pool(
    sheet: &str,
    document: &str,
    processes: usize,
    callers: usize,
    count: u32,
) -> io::Result<(f64, f64)> {
    let pool =
        Pool::start(PoolOptions { processes, ..PoolOptions::default() }).await.map_err(io::Error::other)?;
    let files = BTreeMap::from([("transform", SHEET), ("idle", IDLE)]);
    let bundle = Bundle {
        id: Digest::of(b"bench"),
        files: files
            .into_iter()
            .map(|(name, text)| (name.to_owned(), Bytes::from_static(text.as_bytes())))
            .collect(),
        stylesheets: vec!["transform".to_owned(), "idle".to_owned()],
        schemas: Vec::new(),
        schematrons: Vec::new(),
    };
    let job = Job {
        bundle: bundle.id,
        document: Bytes::copy_from_slice(document.as_bytes()),
        format: Format::Xml,
        schema: None,
        schematrons: Vec::new(),
        canonical: None,
        canonical_schema: None,
        procedure: None,
        targets: vec![TargetJob {
            stylesheet: Some(sheet.to_owned()),
            output: OutputForm::Xml,
            sendung: Bytes::new(),
        }],
    };
    pool.load(bundle).await.map_err(io::Error::other)?;
    let each = count / u32::try_from(callers).unwrap_or(1);
    let processes: Vec<u32> =
        pool.status().iter().map(|status| status.pid).chain([std::process::id()]).collect();
    let (start, cpu) = (now(), processor_micros(&processes));
    let callers: Vec<_> = (0..callers)
        .map(|_| {
            let (pool, job) = (pool.clone(), job.clone());
            tokio::spawn(async move {
                for _ in 0..each {
                    pool.run(job.clone()).await.map_err(io::Error::other)?;
                }
                Ok::<_, io::Error>(())
            })
        })
        .collect();
    let done = f64::from(each) * callers.len() as f64;
    for caller in callers {
        caller.await??;
    }
    let cpu = processor_micros(&processes) - cpu;
    Ok((start.elapsed().as_secs_f64() * 1e6 / done, cpu / done))
}

fn measure(count: u32, mut act: impl FnMut() -> io::Result<()>) -> io::Result<(f64, f64)> {
    let myself = [std::process::id()];
    let (start, cpu) = (now(), processor_micros(&myself));
    for _ in 0..count {
        act()?;
    }
    let cpu = processor_micros(&myself) - cpu;
    Ok((start.elapsed().as_secs_f64() * 1e6 / f64::from(count), cpu / f64::from(count)))
}

/// Processor time of these processes so far (proc(5), `stat`, fields 14 and 15, in hundredths of a second).
fn processor_micros(processes: &[u32]) -> f64 {
    let ticks = |pid: &u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let behind_name = stat.rsplit(')').next().unwrap_or_default();
        behind_name.split(' ').skip(12).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>()
    };
    processes.iter().map(ticks).sum::<f64>() * 10_000.0
}

#[allow(clippy::disallowed_methods, reason = "a measurement")]
fn now() -> Instant {
    Instant::now()
}
