//! The life of the pool: jobs, several releases, lost processes, and what they cost.
#![allow(clippy::print_stderr, clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::{process::Command, time::Duration};

use bytes::Bytes;
use common::{BUNDLE, bundle, job, options, target, template, works};
use dds_message::{Code, Digest};
use dds_transform::Budget;
use dds_worker::{Job, JobError, JobResult, Pool, PoolOptions, TargetJob};

/// Runs for a second or so and then answers.
fn slow() -> (String, String) {
    let each = |inner: &str| format!("<xsl:for-each select='//b'>{inner}</xsl:for-each>");
    let sheet = template(&format!("<r>{}done</r>", each(&each("<xsl:if test='count(//b) = 0'>x</xsl:if>"))));
    (sheet, format!("<a>{}</a>", "<b/>".repeat(400)))
}

/// Runs longer than anybody waits.
fn forever() -> String {
    let each = |inner: &str| format!("<xsl:for-each select='//b'>{inner}</xsl:for-each>");
    template(&each(&each(&each(&each(&each("<xsl:if test='false()'>x</xsl:if>"))))))
}

fn unbounded() -> PoolOptions {
    let budget = Budget { operations: u64::MAX, ..Budget::default() };
    PoolOptions { budget, ..options() }
}

#[tokio::test]
async fn a_message_becomes_a_vorgang_and_that_a_document_per_target() {
    let pool = Pool::start(options()).await.unwrap();
    let vorgang = template("<v><k><xsl:value-of select='/m/@n'/></k></v>");
    let product = template("<p to=\"{/v/*[1]/@z}\"><xsl:value-of select='/v/k'/></p>");
    let errors = pool.load(bundle(&[("vorgang", vorgang), ("product", product)])).await.unwrap();
    assert_eq!(errors, []);
    let mut job = job("product", "<m n='7'/>");
    job.canonical = Some("vorgang".to_owned());
    let as_it_is = |sendung| TargetJob { stylesheet: None, ..target("", sendung) };
    job.targets = vec![
        target("product", "<s z='1'/>"),
        as_it_is("<s z='ü'/>"),
        target("product", "<s z='2'/>"),
        target("product", ""),
        as_it_is(""),
    ];
    let result = pool.run(job).await.unwrap();
    assert_eq!(result.canonical.as_deref(), Some(&b"<v><k>7</k></v>\n"[..]));
    let outputs: Vec<&[u8]> = result.outputs.iter().map(AsRef::as_ref).collect();
    let declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    let [with, without] =
        ["<s z=\"ü\"/>", ""].map(|sendung| format!("{declaration}<v>{sendung}<k>7</k></v>\n"));
    let expected = ["<p to=\"1\">7</p>\n", &with, "<p to=\"2\">7</p>\n", "<p to=\"\">7</p>\n", &without];
    assert_eq!(outputs, expected.map(str::as_bytes));
}

#[tokio::test]
async fn a_vorgang_that_grows_beyond_the_budget_is_an_error_of_its_own() {
    // Enough for what the rule writes, not for the same with a declaration and the sendung.
    let budget = Budget { output_bytes: 30, ..Budget::default() };
    let pool = Pool::start(PoolOptions { budget, ..options() }).await.unwrap();
    pool.load(bundle(&[("vorgang", template("<v><k>7</k></v>"))])).await.unwrap();
    let mut job = job("good", "<m/>");
    job.canonical = Some("vorgang".to_owned());
    job.targets = vec![TargetJob { stylesheet: None, ..target("", "<s z='1'/>") }];
    let problem = pool.run(job).await.unwrap_err().problem;
    assert_eq!(problem.code, Code::BUDGET_EXCEEDED);
    assert!(
        problem.to_string().contains("the Vorgang cannot be written: result of more than 30 bytes"),
        "{problem}"
    );
    works(&pool).await;
}

#[tokio::test]
async fn errors_of_compilation_name_their_place_and_leave_the_rest_usable() {
    let pool = Pool::start(options()).await.unwrap();
    let errors = pool.load(bundle(&[("bad", template("\n<xsl:nonsense/>"))])).await.unwrap();
    let [error] = &errors[..] else { panic!("{errors:?}") };
    assert_eq!((error.code, error.file.as_str(), error.line), (Code::NOT_XSLT_1, "bad", 3), "{error}");
    assert_eq!(pool.run(job("bad", "<a/>")).await.unwrap_err().problem.code, Code::NOT_XSLT_1);
    works(&pool).await;
}

#[tokio::test]
async fn releases_live_side_by_side_until_unloaded() {
    let pool = Pool::start(options()).await.unwrap();
    pool.load(bundle(&[])).await.unwrap();
    let mut second = bundle(&[("good", template("<new/>"))]);
    second.id = Digest([2; 32]);
    second.files.insert("good".to_owned(), template("<new/>").into());
    pool.load(second).await.unwrap();
    works(&pool).await;
    let mut newer = job("good", "<a/>");
    newer.bundle = Digest([2; 32]);
    assert_eq!(pool.run(newer).await.unwrap().outputs, [Bytes::from_static(b"<new/>\n")]);
    pool.unload(BUNDLE);
    assert_eq!(pool.run(job("good", "<a/>")).await.unwrap_err().problem.code, Code::INTERNAL);
}

/// Somebody goes back to the release before while it is still kept for the jobs under way.
#[tokio::test]
async fn a_release_that_is_loaded_again_is_not_retired() {
    let pool = Pool::start(options()).await.unwrap();
    pool.load(bundle(&[])).await.unwrap();
    let pause = Duration::from_millis(200);
    let (_, again) = tokio::join!(pool.retire(BUNDLE, pause), pool.load(bundle(&[])));
    again.unwrap();
    works(&pool).await;
    pool.retire(BUNDLE, Duration::ZERO).await;
    assert_eq!(pool.run(job("good", "<a/>")).await.unwrap_err().problem.code, Code::INTERNAL);
}

#[tokio::test]
async fn a_worker_killed_in_a_job_costs_one_retry() {
    let pool = Pool::start(unbounded()).await.unwrap();
    let (sheet, document) = slow();
    pool.load(bundle(&[("slow", sheet)])).await.unwrap();
    let running = start(&pool, job("slow", &document));
    let killed = kill_next_busy(&pool, 0, &running).await;
    assert_eq!(running.await.unwrap().unwrap().outputs, [Bytes::from_static(b"<r>done</r>\n")]);
    assert!(
        pool.status().iter().all(|status| status.pid != killed),
        "the killed process still stands in the list"
    );
    works(&pool).await;
}

#[tokio::test]
async fn a_message_that_loses_two_workers_ends_and_the_next_goes_through() {
    let pool = Pool::start(unbounded()).await.unwrap();
    let (sheet, document) = slow();
    pool.load(bundle(&[("slow", sheet)])).await.unwrap();
    let running = start(&pool, job("slow", &document));
    let first = kill_next_busy(&pool, 0, &running).await;
    kill_next_busy(&pool, first, &running).await;
    let problem = running.await.unwrap().unwrap_err().problem;
    assert_eq!(problem.code, Code::WORKER_DIED, "{problem}");
    works(&pool).await;
}

type Running = tokio::task::JoinHandle<Result<JobResult, JobError>>;

fn start(pool: &Pool, job: Job) -> Running {
    let pool = pool.clone();
    tokio::spawn(async move { pool.run(job).await })
}

/// Kills the next process at work but `before`.
async fn kill_next_busy(pool: &Pool, before: u32, running: &Running) -> u32 {
    loop {
        assert!(!running.is_finished(), "the job ended before it could be disturbed");
        if let Some(status) = pool.status().into_iter().find(|status| status.busy && status.pid != before) {
            kill(status.pid);
            return status.pid;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_pool_whose_workers_stand_still_does_not_respond_until_they_are_replaced() {
    let options = PoolOptions { processes: 2, job_time: Duration::from_millis(1500), ..options() };
    let pool = Pool::start(options).await.unwrap();
    pool.load(bundle(&[])).await.unwrap();
    let patience = Duration::from_secs(20);
    assert!(pool.responds(patience).await);
    let stopped: Vec<u32> = pool.status().iter().map(|status| status.pid).filter(|pid| *pid != 0).collect();
    assert!(!stopped.is_empty());
    for pid in &stopped {
        signal(*pid, "-STOP");
    }
    assert!(!pool.responds(Duration::from_millis(100)).await, "nobody is there");
    // The ping that was not answered gets them replaced.
    works(&pool).await;
    assert!(pool.responds(patience).await);
    // The first may be back while the time of the second still runs.
    let replaced = async {
        while pool.status().iter().any(|status| stopped.contains(&status.pid)) {
            tokio::join!(works(&pool), works(&pool));
        }
    };
    tokio::time::timeout(patience, replaced).await.expect("both are replaced");
}

#[tokio::test]
async fn what_ends_the_service_does_not_reach_its_workers() {
    let pool = Pool::start(PoolOptions { processes: 1, ..options() }).await.unwrap();
    pool.load(bundle(&[])).await.unwrap();
    let before = pool.status()[0].pid;
    for name in ["-TERM", "-INT"] {
        signal(before, name);
        works(&pool).await;
    }
    assert_eq!(pool.status()[0].pid, before);
}

#[tokio::test]
async fn a_worker_killed_while_idle_costs_nothing() {
    let pool = Pool::start(PoolOptions { processes: 1, ..options() }).await.unwrap();
    pool.load(bundle(&[])).await.unwrap();
    let before = pool.status()[0].pid;
    kill(before);
    works(&pool).await;
    assert_ne!(pool.status()[0].pid, before);
}

#[tokio::test]
async fn a_hung_rule_ends_as_timeout_and_the_next_message_goes_through() {
    let pool =
        Pool::start(PoolOptions { job_time: Duration::from_millis(1500), ..unbounded() }).await.unwrap();
    pool.load(bundle(&[("forever", forever())])).await.unwrap();
    let document = format!("<a>{}</a>", "<b/>".repeat(400));
    let problem = pool.run(job("forever", &document)).await.unwrap_err().problem;
    assert_eq!(problem.code, Code::WORKER_TIMEOUT, "{problem}");
    works(&pool).await;
}

/// Even with one process for all: each hung message costs one retry, the others only wait.
#[tokio::test]
async fn messages_that_hang_one_after_the_other_harm_no_other() {
    let options = PoolOptions { processes: 1, job_time: Duration::from_millis(1500), ..unbounded() };
    let pool = Pool::start(options).await.unwrap();
    pool.load(bundle(&[("forever", forever())])).await.unwrap();
    let document = format!("<a>{}</a>", "<b/>".repeat(400));
    let sent = ["forever", "forever", "forever", "good", "good", "forever", "good"];
    let jobs = sent.map(|sheet| (sheet, start(&pool, job(sheet, &document))));
    for (sheet, job) in jobs {
        let ended = job.await.unwrap().map_err(|error| error.problem.code);
        match sheet {
            "good" => assert_eq!(ended.unwrap().outputs, [Bytes::from_static(b"<r>401</r>\n")]),
            _ => assert_eq!(ended.unwrap_err(), Code::WORKER_TIMEOUT),
        }
    }
    assert_eq!(pool.lost(), 8, "each of four messages is tried twice");
    works(&pool).await;
}

#[tokio::test]
async fn a_process_is_replaced_after_its_share_of_jobs() {
    let pool = Pool::start(PoolOptions { processes: 1, jobs_per_process: 2, ..options() }).await.unwrap();
    pool.load(bundle(&[])).await.unwrap();
    let first = pool.status()[0].pid;
    works(&pool).await;
    assert_ne!(pool.status()[0].pid, first);
}

#[tokio::test]
async fn more_jobs_than_places_in_the_queue_wait_their_turn() {
    let pool = Pool::start(PoolOptions { queue: 1, ..options() }).await.unwrap();
    pool.load(bundle(&[])).await.unwrap();
    let jobs: Vec<_> = (0..50).map(|_| start(&pool, job("good", "<a/>"))).collect();
    for job in jobs {
        assert!(job.await.unwrap().is_ok());
    }
}

#[tokio::test]
async fn a_program_that_is_no_worker_is_a_clear_error() {
    for program in ["/nonexistent/drehscheibe", "/bin/true"] {
        let options = PoolOptions { program: program.into(), ..options() };
        let problem = Pool::start(options).await.err().unwrap();
        assert_eq!(problem.code, Code::WORKER_UNAVAILABLE);
        assert!(problem.detail.english.contains(program), "{problem}");
    }
}

#[tokio::test]
async fn memory_of_a_worker_stays_flat() {
    let pool = Pool::start(PoolOptions { processes: 1, ..options() }).await.unwrap();
    pool.load(bundle(&[("bad", template("<xsl:value-of select='$unknown'/>"))])).await.unwrap();
    let pid = pool.status()[0].pid;
    let document = format!("<a>{}</a>", "<b>some text</b>".repeat(500));
    let round = async |count: usize| {
        for _ in 0..count {
            pool.run(job("good", &document)).await.unwrap();
            pool.run(job("bad", &document)).await.unwrap_err();
            pool.run(job("good", "<a><b></a>")).await.unwrap_err();
        }
    };
    round(200).await;
    let before = resident(pid);
    round(1500).await;
    assert_eq!(pool.status()[0].pid, pid, "the process was replaced");
    let grown = resident(pid).saturating_sub(before);
    assert!(grown < 1 << 20, "grew by {grown} bytes");
}

fn resident(pid: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/statm")).unwrap();
    text.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

fn kill(pid: u32) {
    signal(pid, "-9");
}

fn signal(pid: u32, signal: &str) {
    assert!(Command::new("kill").args([signal, &pid.to_string()]).status().unwrap().success());
}
