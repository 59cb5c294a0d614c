//! The router as its operator meets it: a real process, asked with the commands of the same program.

#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may end by panic, also in its helpers"
)]

mod support;

use std::{collections::BTreeSet, fs, path::Path, time::Duration};

use dds_config::{ReleaseStore, SourcePaths, read_release};
use dds_message::{Clock, Digest, Timestamp};
use dds_telemetry::SystemClock;
use dds_testbench::Fault;
use serde_json::Value;
use support::{
    command, edit, root, run,
    stage::{PATIENCE, Router, Stage},
};

fn events(story: &Value) -> Vec<&str> {
    story["journal"].as_array().unwrap().iter().map(|row| row["event"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_travels_and_its_story_can_be_told() {
    let stage = Stage::new().await;
    let router = Router::start(&stage).await;
    assert_eq!(&stage.operations("/live").await.unwrap().body[..], b"live\n");
    // Its memory holds keys and applications.
    let image: Vec<_> = router.limit("Max core file size").split_whitespace().map(str::to_owned).collect();
    assert_eq!(image[4..6], ["0", "0"], "{image:?}");
    assert!(run(["health", "--admin", &stage.admin(), "--language", "en"]).good().out.contains("ready"));

    let fixture = root().join("fixtures/hundesteuer/gewoehnlich.xml");
    let answer = stage.send(&fixture).good().json();
    let id = answer["id"].as_str().unwrap().to_owned();
    assert!(stage.systems.inbox().wait_for(2, PATIENCE).await);
    let story = stage.until(&id, "completed").await;
    let told = events(&story);
    assert_eq!(told.first(), Some(&"message.accepted"), "{told:?}");
    assert_eq!(told.last(), Some(&"message.completed"), "{told:?}");
    assert_eq!(told.iter().filter(|event| **event == "delivery.delivered").count(), 2, "{told:?}");
    let places: BTreeSet<_> = stage.systems.inbox().all().into_iter().map(|one| one.place).collect();
    assert_eq!(places.len(), 2, "{places:?}");

    // The same once more is the same message (I8).
    assert_eq!(stage.send(&fixture).good().json()["id"], *id);
    assert_eq!((stage.systems.inbox().len(), stage.systems.inbox().repeats()), (2, 0));

    // For people: German, with the reasons of the decision.
    let mut german = support::command(["explain", &id, "--language", "de", "--config"]);
    let german = support::Said::from(german.arg(stage.config()).output().unwrap()).good();
    for words in ["Laufzettel der Nachricht", "Stand: vollständig zugestellt", "hundesteuer@1.0", "zuständig"]
    {
        assert!(german.out.contains(words), "{words}: {}", german.out);
    }
    // What the target gave for it, and what made the bytes.
    for words in ["Quittung des Zielsystems: ", "SHA-256 über alle seine Dateien: "] {
        assert!(german.out.contains(words), "{words}: {}", german.out);
    }
    let full = stage.ask(&["explain", "--full", &id]).good().out;
    let document = Digest::of(&fs::read(&fixture).unwrap()).to_string();
    assert!(full.contains(&document) && !german.out.contains(&document), "{full}");
    // The reasons too.
    for words in ["Erkennung", "Wurzelelement {", "bearbeitet hundesteuer", "gültig ab 20"] {
        assert!(german.out.contains(words), "{words}: {}", german.out);
    }
    for words in ["recognise", "covers", "handles", "uses it", "names no"] {
        assert!(!german.out.contains(words), "{words}: {}", german.out);
    }

    let metrics = String::from_utf8(stage.operations("/metrics").await.unwrap().body.to_vec()).unwrap();
    assert!(metrics.ends_with("# EOF\n"), "{metrics}");
    for line in [
        r#"dds_message_completed_seconds_count{procedure="hundesteuer"} 1"#,
        r#"dds_step_seconds_count{step="transform",procedure="hundesteuer"} 1"#,
        r#"dds_attempt_seconds_count{product="fv-steuerwerk@3.2",outcome="delivered"} 1"#,
    ] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }

    let verified = stage.ask(&["journal", "verify", "--json"]).good().json();
    let entries = verified["checked"].as_u64().unwrap();
    assert!(entries as usize > told.len() && verified["broken"].is_null(), "{verified}");
    let found = stage.ask(&["journal", "search", "--json", "--case", "HST-2026-000117"]).good().json();
    assert_eq!(found["rows"][0]["message"], *id, "{found}");
    // Times are RFC 3339 in UTC wherever JSON is printed.
    let built = stage.ask(&["depot", "list", "--json"]).good().json();
    for at in [&found["rows"][0]["at"], &story["journal"][0]["at"], &built[0]["built"]] {
        assert!(at.as_str().is_some_and(|at| at.starts_with("20") && at.ends_with('Z')), "{at}");
    }
    let spoken = stage.ask(&["journal", "search", "--event", "message.accepted"]).good().out;
    assert!(spoken.contains("message.accepted") && spoken.contains("  channel=rest"), "{spoken}");
    assert!(!spoken.contains("null"), "{spoken}");
    let none = stage.ask(&["journal", "search", "--json", "--case", "HST-2026-000118"]).good().json();
    assert_eq!(none["rows"], Value::Array(Vec::new()));
    let exported = stage.ask(&["journal", "export"]).good().out;
    assert_eq!(exported.lines().count() as u64, entries);
    assert!(exported.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
    // No personal data reaches the journal (I9); the fixture is full of it.
    let document = fs::read_to_string(&fixture).unwrap();
    for secret in ["Erika", "1984-05-17"] {
        assert!(document.contains(secret) && !exported.contains(secret), "{secret}");
    }

    // What an operator names and nobody has is the operator's to mend.
    let nobody = "00000000-0000-7000-8000-000000000000";
    for unknown in [
        &["explain", nobody][..],
        &["deliver", "cancel", nobody],
        &["deliver", "release", nobody],
        &["deliver", "reject", nobody, "--reason", "Zurückgezogen"],
        &["deliver", "redirect", nobody, "146120000000/steueramt/fv", "--force"],
    ] {
        let said = stage.ask(unknown).bad();
        assert!(said.err.contains("DDS-C016"), "{unknown:?}: {}", said.err);
    }
    assert_eq!(router.terminate().await, Some(0));
    // The evidence outlives the process.
    let after = stage.ask(&["journal", "verify", "--json"]).good().json();
    assert!(after["checked"].as_u64().unwrap() >= entries);
    // An anchor that somebody kept proves that nothing was cut off behind it, and nothing exchanged.
    let anchor = format!("{}:{}", after["anchor"]["seq"], after["anchor"]["hash"].as_str().unwrap());
    stage.ask(&["journal", "verify", "--anchor", &anchor]).good();
    let (seq, hash) = anchor.split_once(':').unwrap();
    let cut = format!("{}:{hash}", seq.parse::<u64>().unwrap() + 20);
    let other = format!("{seq}:{}", "0".repeat(64));
    for lost in [cut, other] {
        assert!(
            stage.ask(&["journal", "verify", "--anchor", &lost]).bad().err.contains("DDS-S006"),
            "{lost}"
        );
    }
    // Nothing looked at is no good news.
    for nothing in [
        &["journal", "verify", "--from", "9999"][..],
        &["journal", "verify", "--from", "5", "--to", "3"],
        &["journal", "verify", "--anchor", "neulich"],
        &["journal", "search", "--state", "quatsch"],
        &["journal", "search", "--code", "XX"],
        &["journal", "search", "--from", "gestern"],
        &["explain", "nope"],
        &["deliver", "again", "nope"],
        &["deliver", "release", "nope"],
    ] {
        let said = stage.ask(nothing).bad();
        assert!(said.err.contains("DDS-C013"), "{nothing:?}: {}", said.err);
    }
    // An export is proved without configuration, store and key, by this program and by a script of a page.
    let export = stage.path("journal.jsonl");
    stage.ask(&["journal", "export", "--output", export.to_str().unwrap()]).good();
    let by_file =
        |anchor: &str| run(["journal", "verify", "--file", export.to_str().unwrap(), "--anchor", anchor]);
    by_file(&anchor).good();
    reference_script(&export, true);
    let text = fs::read_to_string(&export).unwrap();
    fs::write(&export, text.replacen("pruefportal", "anderswo", 1)).unwrap();
    assert!(by_file(&anchor).bad().err.contains("DDS-S006"));
    reference_script(&export, false);
    // Nor does the journal of the store need the key, unless payloads are to be opened.
    let opened = stage.ask(&["journal", "verify", "--payloads", "--json"]).good().json();
    assert!(opened["content"]["opened"].as_u64().unwrap() >= 3, "{opened}");
    assert_eq!(opened["content"]["differences"], 0, "{opened}");
    fs::remove_file(stage.path("master.key")).unwrap();
    for keyless in [&["journal", "verify"][..], &["journal", "export"], &["journal", "search"]] {
        stage.ask(keyless).good();
    }
    assert!(stage.ask(&["journal", "verify", "--payloads"]).bad().err.contains("DDS-S004"));
    // The router has ended.
    let health = run(["health", "--admin", &stage.admin(), "--language", "de"]).bad();
    assert!(health.err.contains("DDS-C014") && health.err.contains("Wer handelt: Betrieb"), "{}", health.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_is_built_compared_activated_and_confirmed() {
    let stage = Stage::new().await;
    let router = Router::start(&stage).await;
    let first = active(&stage);
    edit(&stage.path("config/profiles/stadt.toml"), "dms = \"dms-dokuma@6.0\"\n", "");
    let built = stage.ask(&["depot", "build", "--json"]).good().json();
    let second = built["release"].as_str().unwrap().to_owned();
    assert_ne!(first, second);
    assert_eq!(active(&stage), first, "building activates nothing");
    let diff = stage.ask(&["depot", "diff", "--json", &first[..8], &second[..8]]).good().json();
    assert!(diff["profiles"]["changed"].to_string().contains("stadt"), "{diff}");
    assert!(diff["targets"]["removed"].to_string().contains("dms-dokuma"), "{diff}");
    assert_eq!(diff["rules"]["changed"], Value::Array(Vec::new()), "{diff}");

    let before = stage.send_variant(1);
    let story = stage.until(&before, "completed").await;
    assert_eq!(story["message"]["release"], *first);
    let activated = stage.ask(&["depot", "activate", "--json", &second]).good().json();
    assert_eq!(
        (&activated["release"], &activated["confirmed"]),
        (&second.as_str().into(), &"pruefung".into())
    );
    assert_eq!(active(&stage), second);
    let after = stage.send_variant(2);
    let story = stage.until(&after, "completed").await;
    assert_eq!(story["message"]["release"], *second);
    assert_eq!(story["message"]["deliveries"].as_array().unwrap().len(), 1);
    // A message keeps the release it was matched with (I4).
    assert_eq!(stage.until(&before, "completed").await["message"]["release"], *first);
    let unknown = stage.ask(&["depot", "activate", "ffffffffffff"]).bad();
    assert!(unknown.err.starts_with("DDS-C006 "), "{}", unknown.err);
    assert_eq!(router.terminate().await, Some(0));
}

/// What waits for a target is held when a release lacks it, and can be sent elsewhere: whoever makes such a release is
/// told.
#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_lacks_a_target_with_a_backlog_is_told_of() {
    let stage = Stage::new().await;
    let router = Router::start(&stage).await;
    let before = active(&stage);
    stage.systems.faults().plan("/", Fault::RefuseFor(503, 3_600), 2);
    let id = stage.send_variant(7);
    stage.until(&id, "routed").await;
    let metrics = async |line: &str| {
        let page = stage.operations("/metrics").await.unwrap();
        let page = String::from_utf8(page.body.to_vec()).unwrap();
        assert!(page.contains(line), "{line}\n{page}");
    };
    metrics(r#"dds_backlog{product="dms-dokuma@6.0",procedure="hundesteuer"} 1"#).await;
    edit(&stage.path("config/profiles/stadt.toml"), "dms = \"dms-dokuma@6.0\"\n", "");
    let after = stage.ask(&["depot", "build", "--json"]).good().json();
    let after = after["release"].as_str().unwrap();
    let held = |found: &Value| {
        assert_eq!(found["held"].as_array().unwrap().len(), 1, "{found}");
        let held = &found["held"][0];
        assert_eq!((&held["code"], &held["severity"]), (&"DDS-D007".into(), &"warning".into()), "{found}");
        assert!(held["text"].to_string().contains("dms-dokuma"), "{found}");
    };
    held(&stage.ask(&["depot", "diff", "--json", &before, after]).good().json());
    let same = stage.ask(&["depot", "diff", "--json", after, &before]).good().json();
    assert_eq!(same["held"], Value::Array(Vec::new()));
    // Whoever activates needs no master key for that.
    fs::rename(stage.path("master.key"), stage.path("away.key")).unwrap();
    let refused = stage.ask(&["depot", "activate", after]);
    fs::rename(stage.path("away.key"), stage.path("master.key")).unwrap();
    assert!(refused.code == Some(1) && refused.err.starts_with("DDS-D007 "), "{refused:?}");
    assert!(refused.err.contains("deliveries still wait (1); --force"), "{refused:?}");
    assert!(refused.out.contains("for which deliveries wait (1)"), "{refused:?}");
    assert_eq!(active(&stage), before, "nothing was switched");
    held(&stage.ask(&["depot", "activate", "--json", "--force", after]).good().json());
    // The release in force lacks the target already: nobody has to insist again.
    let said = stage.ask(&["depot", "activate", after]).good().out;
    assert!(
        said.contains("for which deliveries wait (1)") && said.contains("active and confirmed"),
        "{said}"
    );
    let mut check = support::command(["check", "--language", "en", "--rules"]);
    check.arg(stage.path("rules")).arg("--config-dir").arg(stage.path("config"));
    let checked = support::Said::from(check.output().unwrap());
    assert!(checked.out.contains("for which deliveries wait (1)"), "{}", checked.out);

    metrics(r#"dds_backlog{product="other",procedure="hundesteuer"} 1"#).await;
    metrics(r#"dds_target_backlog{target="other"} 1"#).await;

    let story = stage.ask(&["explain", "--json", &id]).good().json();
    let of = |what: &str| {
        let deliveries = story["message"]["deliveries"].as_array().unwrap();
        let one = deliveries.iter().find(|one| one["product"].as_str().unwrap().starts_with(what)).unwrap();
        (one["id"].as_str().unwrap().to_owned(), one["target"].as_str().unwrap().to_owned())
    };
    // The Fachverfahren gets the message already: once more only if somebody means it.
    let twice = ["deliver", "redirect", &of("dms").0, &of("fv").1];
    let refused = stage.ask(&twice);
    assert!(refused.code == Some(1) && refused.err.contains("DDS-C017"), "{refused:?}");
    let said = stage.ask(&[&twice[..], &["--force"]].concat()).good().out;
    assert!(said.contains(&format!("Steueramt ({}, fv-steuerwerk@3.2)", of("fv").1)), "{said}");
    assert_eq!(router.terminate().await, Some(0));
}

/// A delivery keeps the way it was planned with, so one that waits to be sent is stranded where its target fetches now.
#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_changes_the_way_of_a_target_with_a_backlog_is_told_of() {
    let stage = Stage::new().await;
    let router = Router::start(&stage).await;
    let before = active(&stage);
    stage.systems.faults().plan("/", Fault::RefuseFor(503, 3_600), 2);
    let id = stage.send_variant(8);
    stage.until(&id, "routed").await;
    let product = stage.path("rules/dms/dms-dokuma/6.0/product.toml");
    edit(&product, "adapter = \"rest\"", "adapter = \"mailbox\"");
    edit(&product, "path = \"/dokuma/v6/objects\"\nattachments = \"multipart\"\n", "");
    let after = stage.ask(&["depot", "build", "--json"]).good().json();
    let after = after["release"].as_str().unwrap();
    let refused = stage.ask(&["depot", "activate", after]);
    assert!(refused.code == Some(1) && refused.err.starts_with("DDS-D007 "), "{refused:?}");
    assert!(refused.err.contains("deliveries still wait (1); --force"), "{refused:?}");
    let said = "steueramt/dms-dokuma fetches now, and deliveries wait on the old way (1)";
    assert!(refused.out.contains(said), "{refused:?}");
    assert_eq!(active(&stage), before, "nothing was switched");
    assert!(stage.ask(&["depot", "activate", "--force", after]).good().out.contains(said));

    let story = stage.ask(&["explain", "--json", &id]).good().json();
    let deliveries = story["message"]["deliveries"].as_array().unwrap();
    let stranded = deliveries.iter().find(|one| one["target"].as_str().unwrap().contains("dokuma")).unwrap();
    let (old, target) = (stranded["id"].as_str().unwrap(), stranded["target"].as_str().unwrap());
    stage.ask(&["deliver", "redirect", old, target]).good();
    // What waits for its target to fetch it is served, and held by going back instead.
    let back = stage.ask(&["depot", "diff", "--json", after, &before]).good().json();
    assert!(back["held"][0]["text"].to_string().contains("fetches no more"), "{back}");
    let there = stage.ask(&["depot", "diff", "--json", &before, after]).good().json();
    assert_eq!(there["held"], Value::Array(Vec::new()));
    assert_eq!(router.terminate().await, Some(0));
}

/// Nobody is there to insist, so the log names the target; what waits for it stays.
#[tokio::test(flavor = "multi_thread")]
async fn a_target_lost_while_files_are_watched_is_named_in_the_log() {
    let stage = Stage::new().await;
    let log = stage.path("router.log");
    let router = Router::start_logging(&stage, &["--watch"], fs::File::create(&log).unwrap()).await;
    let before = confirmed(&stage);
    stage.systems.faults().plan("/", Fault::RefuseFor(503, 3_600), 2);
    let id = stage.send_variant(9);
    stage.until(&id, "routed").await;
    let told = || fs::read_to_string(&log).unwrap();
    // A change that takes no target away, though deliveries wait.
    let profile = stage.path("config/profiles/stadt.toml");
    edit(&profile, "title = \"Stadt\"", "title = \"Große Stadt\"");
    becomes("in force", || confirmed(&stage) != before).await;
    let between = confirmed(&stage);
    assert!(!told().contains("release.target_lost"), "{}", told());
    edit(&profile, "dms = \"dms-dokuma@6.0\"\n", "");
    becomes("in force", || confirmed(&stage) != between).await;
    let told = told();
    let lost: Vec<&str> = told.lines().filter(|line| line.contains("release.target_lost")).collect();
    assert_eq!(lost.len(), 1, "{told}");
    for fact in ["WARN", "146120000000/steueramt/dms-dokuma", "deliveries=1", "DDS-D007"] {
        assert!(lost[0].contains(fact), "{fact}: {lost:?}");
    }
    assert_eq!(router.terminate().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn releases_that_were_never_in_force_are_pruned_and_evidence_stays() {
    let stage = Stage::new().await;
    let router = Router::start(&stage).await;
    let first = active(&stage);
    let id = stage.send_variant(11);
    stage.until(&id, "completed").await;
    let build = |number: u32| {
        let profile = stage.path("config/profiles/stadt.toml");
        edit(&profile, "title = \"", &format!("title = \"{number}. "));
        let built = stage.ask(&["depot", "build", "--json"]).good().json();
        built["release"].as_str().unwrap().to_owned()
    };
    let never = [1, 2, 3].map(build);
    let second = build(4);
    stage.ask(&["depot", "activate", &second]).good();
    let newest = build(5);
    let stored = || -> BTreeSet<String> {
        let list = stage.ask(&["depot", "list", "--json"]).good().json();
        list.as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    };
    let all = stored();
    assert_eq!(all.len(), 6);

    let said = stage.ask(&["depot", "prune"]).good().out;
    assert!(said.ends_with("nothing to remove\n"), "the five newest may still be wanted: {said}");
    let plan = stage.ask(&["depot", "prune", "--keep", "1", "--dry-run", "--json"]).good().json();
    assert_eq!(plan["dry_run"], true);
    let kept = |release: &str| {
        let one = plan["releases"].as_array().unwrap().iter().find(|one| one["release"] == release).unwrap();
        one["kept"].clone()
    };
    assert_eq!([&first, &second, &newest].map(|one| kept(one)), ["in_journal", "in_force", "newest"]);
    assert!(never.iter().all(|one| kept(one).is_null()), "{plan}");
    assert_eq!(stored(), all, "only said");

    // Another node's journal cannot be asked.
    let other = stage.path("releases/confirmed-anderswo");
    fs::write(&other, &first).unwrap();
    let refused = stage.ask(&["depot", "prune", "--keep", "1"]).bad();
    assert!(refused.err.starts_with("DDS-C019 ") && refused.err.contains("anderswo"), "{}", refused.err);
    assert_eq!(stored(), all);
    fs::remove_file(&other).unwrap();

    let said = stage.ask(&["depot", "prune", "--keep", "1"]).good().out;
    for line in [
        format!("{first} "),
        "stays: named by the journal".to_owned(),
        "stays: in force".to_owned(),
        "\n3 removed (".to_owned(),
    ] {
        assert!(said.contains(&line), "{line}: {said}");
    }
    assert_eq!(stored(), BTreeSet::from([first.clone(), second, newest]));
    // What the message was matched with can be looked at, and put in force again by the same router.
    let story = stage.ask(&["explain", "--json", &id]).good().json();
    assert_eq!(story["message"]["release"], Value::String(first.clone()));
    stage.ask(&["depot", "show", &first]).good();
    stage.ask(&["depot", "activate", &first]).good();
    assert_eq!(router.terminate().await, Some(0));
}

/// Its files were not there for a moment, or the workers were busy: nobody has to ask again.
#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_could_not_be_loaded_is_tried_again() {
    let stage = Stage::new().await;
    let router = Router::start(&stage).await;
    edit(&stage.path("config/profiles/stadt.toml"), "dms = \"dms-dokuma@6.0\"\n", "");
    let built = stage.ask(&["depot", "build", "--json"]).good().json();
    let release = built["release"].as_str().unwrap().to_owned();
    let (content, away) = (stage.path(&format!("releases/{release}/content")), stage.path("content"));
    fs::rename(&content, &away).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&content).status().unwrap().success());
    fs::write(stage.path("releases/active"), format!("{release}\n")).unwrap();
    // Written once the router reads it.
    let damaged = content.clone();
    tokio::task::spawn_blocking(move || fs::write(damaged, "damaged")).await.unwrap().unwrap();
    fs::remove_file(&content).unwrap();
    fs::rename(&away, &content).unwrap();
    becomes("tried again", || confirmed(&stage) == release).await;
    assert_eq!(router.terminate().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_package_never_disturbs_the_running_release() {
    let stage = Stage::new().await;
    let router = Router::start(&stage).await;
    let good = active(&stage);

    let stylesheet = stage.path("rules/hundesteuer/1.0/xslt/to-vorgang.xsl");
    edit(&stylesheet, "count(h:hund)", "count(h:hund");
    for command in [&["depot", "build"][..], &["depot", "activate"]] {
        let refused = stage.ask(command).bad();
        assert!(refused.err.starts_with("DDS-T001 "), "{}", refused.err);
        assert!(refused.err.contains("rules/hundesteuer/1.0/xslt/to-vorgang.xsl:"), "{}", refused.err);
    }

    // Past the proof, straight into the store: the router itself refuses it, and it is not confirmed.
    let paths = SourcePaths { rules: stage.path("rules"), config: stage.path("config"), schemas: None };
    let bad = read_release(&paths).unwrap();
    ReleaseStore::new(stage.path("releases")).save(&bad, now()).unwrap();
    let refused = stage.ask(&["depot", "activate", &bad.id().to_string(), "--timeout", "3"]).bad();
    assert!(refused.err.starts_with("DDS-C008 "), "{}", refused.err);

    // Damaged on disk: not even switched.
    let folder = stage.path("releases").join(bad.id().to_string());
    fs::write(folder.join("manifest.json"), "{}").unwrap_or_else(|_| fs::remove_dir_all(&folder).unwrap());
    stage.ask(&["depot", "activate", &bad.id().to_string()]).bad();

    assert_eq!(active(&stage), good, "the pointer is back for the next start");
    assert!(stage.operations("/ready").await.unwrap().status.is_success());
    let id = stage.send_variant(3);
    let story = stage.until(&id, "completed").await;
    assert_eq!(story["message"]["release"], *good);
    assert_eq!(router.terminate().await, Some(0));
    assert_eq!(Router::start(&stage).await.terminate().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_lets_what_is_under_way_end() {
    let stage = Stage::new().await;
    let mut router = Router::start(&stage).await;
    stage.systems.faults().plan("/", Fault::Slow(Duration::from_secs(2)), 2);
    let id = stage.send_variant(4);
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    loop {
        tick.tick().await;
        let story = stage.ask(&["explain", "--json", &id]).good().json();
        if story["message"]["state"] == "routed" {
            break;
        }
        assert_ne!(story["message"]["state"], "completed", "the systems answer too soon for this test");
    }
    router.signal().await;
    assert_eq!(router.ended().await, Some(0));
    let story = stage.ask(&["explain", "--json", &id]).good().json();
    let states: Vec<_> =
        story["message"]["deliveries"].as_array().unwrap().iter().map(|one| &one["state"]).collect();
    // Delivered before the end or still prepared, but never in between: the next start goes on without a repeat.
    assert!(states.iter().all(|state| *state == "delivered" || *state == "prepared"), "{states:?}");
    let router = Router::start(&stage).await;
    stage.until(&id, "completed").await;
    assert_eq!((stage.systems.inbox().len(), stage.systems.inbox().repeats()), (2, 0));
    assert_eq!(router.terminate().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn while_it_drains_senders_are_told_and_operations_can_be_watched() {
    let stage = Stage::new().await;
    let mut router = Router::start(&stage).await;
    stage.systems.faults().plan("/", Fault::Slow(Duration::from_secs(6)), 2);
    let id = stage.send_variant(5);
    stage.until(&id, "routed").await;
    router.signal().await;
    // The systems hold the drain up for some seconds.
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    let ready = loop {
        tick.tick().await;
        let answer = stage.operations("/ready").await.expect("operations answer while it drains");
        if !answer.status.is_success() {
            break answer;
        }
    };
    assert_eq!(&ready.body[..], "nicht bereit: Annahme · not ready: serving\n".as_bytes());
    assert_eq!(&stage.operations("/live").await.unwrap().body[..], b"live\n");
    assert!(stage.operations("/metrics").await.unwrap().status.is_success());
    let refused = stage.post("<a/>").await.expect("REST answers while it drains");
    assert_eq!((refused.status.as_u16(), refused.json()["code"].as_str()), (503, Some("DDS-I008")));
    assert!(refused.headers.contains_key("retry-after"));
    assert_eq!(refused.headers["connection"], "close");
    assert_eq!(router.ended().await, Some(0));
    assert!(stage.operations("/live").await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn ready_is_true_only_while_store_and_workers_answer() {
    let stage = Stage::new().await;
    let router = Router::start(&stage).await;
    let ready = async || {
        let answer = stage.operations("/ready").await.unwrap();
        (answer.status.as_u16(), String::from_utf8(answer.body.to_vec()).unwrap())
    };
    assert_eq!(ready().await, (200, "bereit · ready\n".to_owned()));
    fs::rename(stage.path("store/tmp"), stage.path("store/weg")).unwrap();
    assert_eq!(ready().await, (503, "nicht bereit: Ablage · not ready: store\n".to_owned()));
    fs::rename(stage.path("store/weg"), stage.path("store/tmp")).unwrap();
    assert_eq!(ready().await, (200, "bereit · ready\n".to_owned()));
    let workers = router.workers().await;
    assert!(!workers.is_empty());
    for worker in &workers {
        kill(worker, "-STOP");
    }
    assert_eq!(ready().await, (503, "nicht bereit: Arbeitsprozesse · not ready: workers\n".to_owned()));
    for worker in &workers {
        kill(worker, "-CONT");
    }
    assert_eq!(ready().await, (200, "bereit · ready\n".to_owned()));
    let lost = async || {
        let page = stage.operations("/metrics").await.unwrap();
        let page = String::from_utf8(page.body.to_vec()).unwrap();
        let line = page.lines().find_map(|line| line.strip_prefix("dds_workers_lost_total "));
        line.and_then(|count| count.parse::<usize>().ok()).expect("a count of lost workers")
    };
    assert_eq!(lost().await, 0);
    for worker in &workers {
        kill(worker, "-KILL");
    }
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    while lost().await < workers.len() {
        tick.tick().await;
    }
    assert_eq!(router.terminate().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn drop_folders_follow_the_active_release() {
    let stage = Stage::new().await;
    edit(&stage.config(), "[worker]", "[folders]\ninbox = \"../eingang\"\ninterval = \"1s\"\n[worker]");
    let router = Router::start(&stage).await;
    assert!(!stage.path("eingang/neu").exists());
    let source = stage.path("config/sources/pruefportal.toml");
    edit(&source, "name = ", "folder = \"neu\"\nname = ");
    activate(&stage);
    let fixture = fs::read(root().join("fixtures/hundesteuer/gewoehnlich.xml")).unwrap();
    drop_into(&stage, "eins", &fixture);
    appears(&stage.path("eingang/neu/angenommen/eins.xml")).await;
    // Its limits too.
    let mut text = fs::read_to_string(&source).unwrap();
    text.push_str("[limits]\ndocument_bytes = 10\n");
    fs::write(&source, text).unwrap();
    activate(&stage);
    drop_into(&stage, "zwei", &fixture);
    appears(&stage.path("eingang/neu/abgelehnt/zwei.xml/fehler.txt")).await;
    // And its end.
    edit(&source, "folder = \"neu\"\n", "");
    activate(&stage);
    assert_eq!(router.terminate().await, Some(0));
}

/// Whether `packaging/verify-journal.py` finds the export whole, where there is a Python.
fn reference_script(export: &Path, whole: bool) {
    let script = root().join("packaging/verify-journal.py");
    match std::process::Command::new("python3").arg(script).arg(export).output() {
        Ok(said) => assert_eq!(said.status.success(), whole, "{said:?}"),
        Err(error) => eprintln!("no python3, the reference script is not tried: {error}"),
    }
}

/// Builds and activates a release of what stands in the files now.
#[track_caller]
fn activate(stage: &Stage) {
    let built = stage.ask(&["depot", "build", "--json"]).good().json();
    stage.ask(&["depot", "activate", built["release"].as_str().unwrap()]).good();
}

fn drop_into(stage: &Stage, name: &str, document: &[u8]) {
    // It is not made by the router, which takes it up when it appears.
    let inbox = stage.path("eingang/neu/in");
    fs::create_dir_all(&inbox).unwrap();
    fs::write(inbox.join(format!("{name}.xml")), document).unwrap();
    fs::write(inbox.join(format!("{name}.xml.fertig")), "").unwrap();
}

async fn appears(file: &Path) {
    becomes(&format!("{} is there", file.display()), || file.exists()).await;
}

async fn becomes(what: &str, is: impl Fn() -> bool) {
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    let so = async {
        while !is() {
            tick.tick().await;
        }
    };
    tokio::time::timeout(PATIENCE, so).await.unwrap_or_else(|_| panic!("never: {what}"));
}

fn kill(process: &str, signal: &str) {
    assert!(std::process::Command::new("kill").args([signal, process]).status().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_on_which_port_it_listens() {
    let stage = Stage::new().await;
    edit(&stage.config(), "rest = \"127.0.0.1:", "rest = \"127.0.0.1:0\" # ");
    let said = Router::first_line(&stage, &[]).await;
    let port = said.rsplit(':').next().and_then(|port| port.trim().parse::<u16>().ok());
    assert!(said.starts_with("ready on 127.0.0.1:") && port.is_some_and(|port| port != 0), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn for_programs_it_says_all_its_addresses_on_one_line() {
    let stage = Stage::new().await;
    edit(&stage.config(), "rest = \"127.0.0.1:", "soap = \"127.0.0.1:0\"\nrest = \"127.0.0.1:0\" # ");
    let said: Value = serde_json::from_str(&Router::first_line(&stage, &["--json"]).await).unwrap();
    let ready = said["ready"].as_object().unwrap();
    assert_eq!(ready.keys().collect::<Vec<_>>(), ["rest", "admin", "soap"]);
    for (name, address) in ready {
        let address: std::net::SocketAddr = address.as_str().unwrap().parse().unwrap();
        assert_ne!(address.port(), 0, "{name}");
    }
    assert_eq!(ready["admin"], stage.admin().strip_prefix("http://").unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_is_told_when_it_is_ready() {
    let stage = Stage::new().await;
    let socket = stage.config().with_file_name("notify");
    let supervisor = tokio::net::UnixDatagram::bind(&socket).unwrap();
    let mut serve = tokio::process::Command::from(command(["serve"]));
    serve
        .env("NOTIFY_SOCKET", &socket)
        .arg("--config")
        .arg(stage.config())
        .stdout(std::process::Stdio::null());
    let _router = serve.kill_on_drop(true).spawn().unwrap();
    let mut told = [0; 64];
    let length =
        tokio::time::timeout(PATIENCE, supervisor.recv(&mut told)).await.expect("told in time").unwrap();
    assert_eq!(&told[..length], b"READY=1");
    assert!(stage.operations("/ready").await.unwrap().status.is_success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_cannot_be_says_why() {
    let stage = Stage::new().await;
    let router = Router::start(&stage).await;
    let second = stage.ask(&["serve"]).bad();
    assert!(second.err.contains("DDS-S007 Store is already in use"), "{}", second.err);
    assert!(second.err.contains("What to do: "), "{}", second.err);
    assert!(stage.operations("/ready").await.unwrap().status.is_success(), "the first goes on");
    assert_eq!(router.terminate().await, Some(0));

    let key = stage.path("master.key");
    let right = fs::read_to_string(&key).unwrap();
    let wrong = right.replace("00010203", "ff010203");
    for (what, text) in [("wrong", wrong.as_str()), ("short", &right[..62]), ("empty", "")] {
        fs::write(&key, text).unwrap();
        let said = stage.ask(&["serve"]).bad();
        assert!(said.err.contains("DDS-S004 Master key missing or wrong"), "{what}: {}", said.err);
        assert!(!said.err.contains(&right[8..]), "{what}: the message shows the key");
    }
    fs::remove_file(&key).unwrap();
    let said = stage.ask(&["serve"]).bad();
    assert!(said.err.contains("DDS-S004") && said.err.contains("master.key"), "{}", said.err);
    edit(&stage.config(), "master_key = \"file:", "master_key = \"env:DDS_NO_SUCH_KEY\" # ");
    let said = stage.ask(&["serve"]).bad();
    assert!(said.err.contains("DDS-S004") && said.err.contains("DDS_NO_SUCH_KEY"), "{}", said.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_master_key_opens_what_was_stored_under_the_former_one() {
    let stage = Stage::new().await;
    let new = stage.path("new.key");
    fs::write(&new, stage_key(&command(["key"]).output().unwrap())).unwrap();
    let to = format!("file:{}", new.display());
    let change = ["key", "change", "--to", &to];

    let router = Router::start(&stage).await;
    let id = stage.send_variant(1);
    assert!(stage.systems.inbox().wait_for(2, PATIENCE).await);
    let refused = stage.ask(&change).bad();
    assert!(refused.err.contains("DDS-S007"), "a router has the store open: {}", refused.err);
    assert_eq!(router.terminate().await, Some(0));

    // The likeliest mistake: the new key stands in the place of the former one already.
    fs::rename(stage.path("master.key"), stage.path("former.key")).unwrap();
    fs::copy(&new, stage.path("master.key")).unwrap();
    let refused = stage.ask(&change).bad();
    assert!(
        refused.err.contains("DDS-S004") && refused.err.contains("another master key"),
        "{}",
        refused.err
    );
    let secret = fs::read_to_string(&new).unwrap();
    let refused = stage.ask(&["key", "change", "--to", secret.trim()]).bad();
    assert!(refused.err.contains("env:NAME") && !refused.err.contains(secret.trim()), "{}", refused.err);

    let from = format!("file:{}", stage.path("former.key").display());
    let changed = stage.ask(&["key", "change", "--from", &from, "--to", &to]).good();
    assert!(changed.out.contains("the new master key only"), "{}", changed.out);
    let refused = stage.ask(&change).bad();
    assert!(refused.err.contains("already"), "{}", refused.err);

    let router = Router::start(&stage).await;
    let verified = stage.ask(&["journal", "verify", "--payloads", "--json"]).good().json();
    assert_eq!(verified["broken"], serde_json::Value::Null, "{verified}");
    assert!(stage.ask(&["explain", &id]).good().out.contains("hundesteuer"));
    assert_eq!(router.terminate().await, Some(0));
}

/// What `drehscheibe key` printed.
fn stage_key(output: &std::process::Output) -> String {
    let key = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(key.trim().len(), 64, "{key}");
    key
}

/// A router that cannot start any more must not be needed to mend it.
#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_active_release_is_replaced_without_a_running_router() {
    let stage = Stage::new().await;
    let router = Router::start(&stage).await;
    let first = active(&stage);
    let refused = stage.ask(&["depot", "activate", "--offline"]).bad();
    assert!(refused.err.contains("DDS-C013"), "{}", refused.err);
    assert_eq!(router.terminate().await, Some(0));
    // The one it confirmed last is no proof that it runs.
    for wish in [&["depot", "activate", &first][..], &["depot", "activate"]] {
        let refused = stage.ask(wish).bad();
        assert!(refused.err.contains("DDS-C014") && refused.err.contains("--offline"), "{}", refused.err);
    }
    // Without ids: the active one against the files as they are.
    edit(&stage.path("config/profiles/stadt.toml"), "dms = \"dms-dokuma@6.0\"\n", "");
    let diff = stage.ask(&["depot", "diff", "--json"]).good().json();
    assert!(diff["targets"]["removed"].to_string().contains("dms-dokuma"), "{diff}");

    let content = stage.path("releases").join(&first).join("content");
    let mut bytes = fs::read(&content).unwrap();
    bytes[100] ^= 1;
    fs::remove_file(&content).unwrap();
    fs::write(&content, bytes).unwrap();
    let said = stage.ask(&["serve"]).bad();
    assert!(said.err.contains("DDS-C010") && said.err.contains("--offline"), "{}", said.err);
    let list = stage.ask(&["depot", "list"]).good().out;
    assert!(list.contains("active, damaged"), "{list}");
    let said = stage.ask(&["depot", "activate", "--offline"]).good();
    assert!(said.out.contains("in force from the next start"), "{}", said.out);
    let router = Router::start(&stage).await;
    let second = active(&stage);
    assert_ne!(first, second);
    assert_eq!(router.terminate().await, Some(0));
    fs::write(stage.path("releases/active"), "hallo\n").unwrap();
    stage.ask(&["depot", "activate", "--offline", &second]).good();
    assert_eq!(active(&stage), second);

    // Any file of a release can be read again, and all of them with their digests.
    let path = "rules/hundesteuer/1.0/xslt/to-vorgang.xsl";
    let shown = stage.ask(&["depot", "show", &second[..10], path]).good().out;
    assert_eq!(shown, fs::read_to_string(stage.path(path)).unwrap());
    let listed = stage.ask(&["depot", "show", &second[..10]]).good().out;
    assert!(listed.contains(&format!("{}  {path}\n", Digest::of(shown.as_bytes()))), "{listed}");
    assert!(stage.ask(&["depot", "show", &second, "rules/none"]).bad().err.contains("DDS-C013"));
}

/// An empty store in the place of a lost one would accept repeats again and delete what a backup needs.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_store_is_not_replaced_by_an_empty_one() {
    let stage = Stage::new().await;
    assert_eq!(Router::start(&stage).await.terminate().await, Some(0));
    // The database alone, then the whole folder, as when its disk is not mounted.
    fs::remove_file(stage.path("store/store.db")).unwrap();
    let said = stage.ask(&["serve"]).bad();
    assert!(said.err.contains("DDS-S003") && said.err.contains("--new-store"), "{}", said.err);
    fs::remove_dir_all(stage.path("store")).unwrap();
    let said = stage.ask(&["serve"]).bad();
    assert!(said.err.contains("DDS-S003") && said.err.contains("--new-store"), "{}", said.err);
    assert!(!stage.path("store/store.db").exists());
    let router = Router::start_with(&stage, &["--new-store"]).await;
    assert_eq!(router.terminate().await, Some(0));
    assert_eq!(Router::start(&stage).await.terminate().await, Some(0));
}

/// What a failed first start made would be taken for the store, or the release, of one that ran.
#[tokio::test(flavor = "multi_thread")]
async fn a_first_start_that_fails_leaves_nothing_behind() {
    let stage = Stage::new().await;
    let left = || ["store", "releases"].map(|folder| stage.path(folder).exists());
    let config = fs::read_to_string(stage.config()).unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap();
    let osci = "[osci.identities.stadt]\ncipher = { key = \"stadt.key\", certificate = \"stadt.pem\" }\n\
                signature = { key = \"stadt.key\", certificate = \"stadt.pem\" }\n";
    for (what, broken, code) in [
        ("REST", config.replace("rest = \"", &format!("rest = \"{taken}\" # \"")), "DDS-C015"),
        ("operations", config.replace("admin = \"", &format!("admin = \"{taken}\" # \"")), "DDS-C015"),
        ("SOAP", config.replace("[listen]", &format!("[listen]\nsoap = \"{taken}\"")), "DDS-C015"),
        ("keys of OSCI", format!("{config}{osci}"), "DDS-O013"),
    ] {
        fs::write(stage.config(), broken).unwrap();
        let said = stage.ask(&["serve", "--attended"]).bad();
        assert!(said.err.contains(code), "{what}: {}", said.err);
        assert_eq!(left(), [false, false], "{what}");
    }
    fs::write(stage.config(), config).unwrap();
    assert_eq!(Router::start(&stage).await.terminate().await, Some(0));
    assert_eq!(left(), [true, true]);
}

/// The active release, which the node must have confirmed.
#[track_caller]
fn active(stage: &Stage) -> String {
    let list = stage.ask(&["depot", "list", "--json"]).good().json();
    let active: Vec<_> = list.as_array().unwrap().iter().filter(|one| one["active"] == true).collect();
    assert_eq!(active.len(), 1, "{list}");
    assert_eq!(active[0]["nodes"], serde_json::json!(["pruefung"]), "{list}");
    active[0]["id"].as_str().unwrap().to_owned()
}

/// The release that the router really runs.
fn confirmed(stage: &Stage) -> String {
    fs::read_to_string(stage.path("releases/confirmed-pruefung")).unwrap().trim().to_owned()
}

fn now() -> Timestamp {
    SystemClock.now()
}

/// The certificate that is shown on the address of REST, and what `/metrics` says of its end.
async fn served(stage: &Stage) -> (Vec<u8>, String) {
    let _already = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let client = reqwest::Client::builder().danger_accept_invalid_certs(true).tls_info(true).no_proxy();
    let answer = client.build().unwrap().get(stage.rest_url("https") + "/openapi.json").send().await.unwrap();
    let shown =
        answer.extensions().get::<reqwest::tls::TlsInfo>().unwrap().peer_certificate().unwrap().to_vec();
    let page = stage.operations("/metrics").await.unwrap();
    let page = String::from_utf8(page.body.to_vec()).unwrap();
    let begin = "dds_certificate_not_after_seconds{served=\"listen.tls\"} ";
    (shown, page.lines().find_map(|line| line.strip_prefix(begin)).unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_certificate_is_taken_up_on_sighup_and_a_damaged_one_is_not() {
    let stage = Stage::new().await;
    let renew = |year: i32| {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut parameters = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        parameters.not_after = rcgen::date_time_ymd(year, 1, 1);
        let certificate = parameters.self_signed(&key).unwrap();
        fs::write(stage.path("server.key"), key.serialize_pem()).unwrap();
        fs::write(stage.path("server.pem"), certificate.pem()).unwrap();
        certificate.der().to_vec()
    };
    let first = renew(2040);
    let (pem, key) = (stage.path("server.pem"), stage.path("server.key"));
    let tls =
        format!("[listen.tls]\ncertificate = \"{}\"\nkey = \"{}\"\n[worker]", pem.display(), key.display());
    edit(&stage.config(), "[worker]", &tls);
    let router = Router::start(&stage).await;
    assert_eq!(served(&stage).await, (first.clone(), "2208988800".to_owned()));

    // Damaged, then good: each is looked at, and while it is damaged the old one is shown.
    fs::write(&pem, "-----BEGIN CERTIFICATE-----\n").unwrap();
    router.hang_up().await;
    assert_eq!(served(&stage).await.0, first);
    let second = renew(2041);
    let taken_up = async {
        let mut tick = tokio::time::interval(Duration::from_millis(50));
        loop {
            tick.tick().await;
            // Signals of one kind that come together are one: asked again until it was heard.
            router.hang_up().await;
            let (shown, end) = served(&stage).await;
            if shown == second {
                return end;
            }
            assert_eq!(shown, first);
        }
    };
    assert_eq!(tokio::time::timeout(PATIENCE, taken_up).await.expect("renewed in time"), "2240611200");
    assert_eq!(router.terminate().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_sends_with_its_client_certificate() {
    let stage = Stage::new().await;
    let mut parameters = rcgen::CertificateParams::new(Vec::<String>::new()).unwrap();
    parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority =
        rcgen::CertifiedIssuer::self_signed(parameters, rcgen::KeyPair::generate().unwrap()).unwrap();
    let file = |name: &str| stage.path(name).display().to_string();
    let issue = |name: &str, subject: &str| {
        let key = rcgen::KeyPair::generate().unwrap();
        let parameters = rcgen::CertificateParams::new(vec![subject.to_owned()]).unwrap();
        let certificate = parameters.signed_by(&key, &authority).unwrap();
        fs::write(file(&format!("{name}.key")), key.serialize_pem()).unwrap();
        fs::write(file(&format!("{name}.pem")), certificate.pem()).unwrap();
        Digest::of(certificate.der())
    };
    fs::write(file("ca.pem"), authority.pem()).unwrap();
    issue("server", "127.0.0.1");
    let known = issue("portal", "pruefportal");
    issue("stranger", "fremd");
    let (certificate, key, ca) = (file("server.pem"), file("server.key"), file("ca.pem"));
    let tls =
        format!("[listen.tls]\ncertificate = {certificate:?}\nkey = {key:?}\nclient_ca = {ca:?}\n[worker]");
    edit(&stage.config(), "[worker]", &tls);
    let source = stage.path("config/sources/pruefportal.toml");
    edit(&source, "procedures = ", &format!("certificates = [\"{known}\"]\nprocedures = "));
    let router = Router::start(&stage).await;

    let fixture = root().join("fixtures/hundesteuer/gewoehnlich.xml");
    let send = |name: &str| {
        let (certificate, key) = (file(&format!("{name}.pem")), file(&format!("{name}.key")));
        let to = stage.rest_url("https");
        let mut command =
            support::command(["send", "--json", "--to", &to, "--ca", &ca, "--cert", &certificate]);
        support::Said::from(command.arg("--cert-key").arg(key).arg(&fixture).output().unwrap())
    };
    let id = send("portal").good().json()["id"].as_str().unwrap().to_owned();
    stage.until(&id, "completed").await;
    assert_eq!(send("stranger").bad().json()["code"], "DDS-I001");
    // The key of another certificate.
    fs::copy(file("server.key"), file("portal.key")).unwrap();
    let unfit = send("portal").bad();
    assert!(unfit.err.contains("DDS-C012") && unfit.err.contains("portal.key"), "{}", unfit.err);
    assert_eq!(router.terminate().await, Some(0));
}

/// A bad `--ca` is named itself, also beside a good certificate, and before anything is sent.
#[test]
fn a_file_of_authorities_that_is_unusable_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let file = folder.path().join(name);
        fs::write(&file, text).unwrap();
        file.display().to_string()
    };
    let good = rcgen::generate_simple_self_signed(["pruefportal".to_owned()]).unwrap();
    let (certificate, key) =
        (file("portal.pem", &good.cert.pem()), file("portal.key", &good.signing_key.serialize_pem()));
    let fixture = root().join("fixtures/hundesteuer/gewoehnlich.xml");
    for (text, german) in [
        // Well-formed PEM, of which the content is no certificate.
        ("-----BEGIN CERTIFICATE-----\nMAAA\n-----END CERTIFICATE-----\n", "das nicht lesbar ist"),
        ("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n", "das nicht lesbar ist"),
        ("", "kein Zertifikat"),
        (good.signing_key.serialize_pem().as_str(), "kein Zertifikat"),
    ] {
        let ca = file("ca.pem", text);
        for identity in [&[][..], &["--cert", &certificate, "--cert-key", &key]] {
            let mut command = support::command([
                "send",
                "--json",
                "--language",
                "de",
                "--to",
                "https://127.0.0.1:1",
                "--ca",
                &ca,
            ]);
            let command = command.env("DDS_TOKEN", "x").args(identity).arg(&fixture);
            let error = support::Said::from(command.output().unwrap()).bad();
            let error: Value = serde_json::from_str(&error.err).unwrap_or_else(|_| panic!("{error:?}"));
            assert_eq!(error["error"], "DDS-C012", "{text:?} {error}");
            let detail = error["detail"].as_str().unwrap();
            assert!(detail.contains("ca.pem") && !detail.contains("portal"), "{detail}");
            assert!(detail.contains(german), "{detail}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_everybody_knows_are_good_for_loopback_only() {
    let stage = Stage::new().await;
    let source = stage.path("config/sources/pruefportal.toml");
    let known = Digest::of(b"demo-fachverfahren-sim").to_string();
    edit(&source, &Digest::of(support::stage::TOKEN.as_bytes()).to_string(), &known);
    let release = stage.ask(&["depot", "build", "--json"]).good().json();
    edit(&stage.config(), "admin = \"127.0.0.1", "admin = \"0.0.0.0");
    let place = support::place_of(&source, &known);
    let line = format!("pruefportal.toml:{}:{}: DDS-C018: ", place.0, place.1);
    // One that started would end at once, since nobody attends it.
    let refused = |arguments: &[&str]| {
        let said = stage.ask(arguments).bad();
        assert!(said.err.contains("DDS-C018 Publicly") && said.err.contains(&line), "{said:?}");
        assert!(said.err.contains("demo-fachverfahren-sim") && said.err.contains("sha256sum"), "{said:?}");
    };
    refused(&["serve", "--attended"]);
    assert!(!stage.path("store").exists(), "a first start that is refused leaves no store");
    refused(&["depot", "build"]);
    refused(&["depot", "activate", "--offline", release["release"].as_str().unwrap()]);
    refused(&["depot", "activate", "--offline"]);
    // A release that was put in force while the listeners were on loopback.
    edit(&stage.config(), "admin = \"0.0.0.0", "admin = \"127.0.0.1");
    stage.ask(&["depot", "activate", "--offline"]).good();
    edit(&stage.config(), "admin = \"127.0.0.1", "admin = \"0.0.0.0");
    refused(&["serve", "--attended"]);
    edit(&stage.config(), "admin = \"0.0.0.0", "admin = \"127.0.0.1");
    Router::start(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_activation_tells_the_warnings_of_the_check_in_few_lines() {
    let stage = Stage::new().await;
    let warnings = |said: &str| {
        said.lines().filter(|line| line.contains(": DDS-")).map(str::to_owned).collect::<Vec<_>>()
    };
    let before = stage.ask(&["depot", "build"]).good().out;
    // Two municipalities whose Fachverfahren nobody can reach: one line.
    let file = stage.path(&format!("config/municipalities/{}-dresden.toml", support::stage::CITY));
    let endpoint = format!("endpoint = \"{}\"\n", stage.systems.url());
    edit(&file, &endpoint, "");
    let said = stage.ask(&["depot", "activate", "--offline"]).good().out;
    let new: Vec<String> =
        warnings(&said).into_iter().filter(|line| !before.contains(line.as_str())).collect();
    assert_eq!(new.len(), 1, "{said}");
    assert!(
        new[0].contains("needs \"endpoint\"") && new[0].ends_with("shows 1 more of this kind)"),
        "{said}"
    );
    let json = stage.ask(&["depot", "activate", "--offline", "--json"]).good().json();
    let findings = json["findings"].as_array().unwrap();
    let lacking =
        findings.iter().filter(|one| one["text"]["en"].as_str().unwrap().contains("needs \"endpoint\""));
    assert_eq!(lacking.count(), 2, "{json:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_needs_a_running_router_says_so_where_none_has_run() {
    let stage = Stage::new().await;
    let id = "00000000-0000-4000-8000-000000000000";
    for wish in [&["deliver", "again", id][..], &["osci", "aside", "list"]] {
        let said = stage.ask(wish).bad();
        assert!(said.err.starts_with("DDS-C014 ") && said.err.contains("no router runs"), "{said:?}");
    }
}
