//! Reading, storing and activating releases: what is broken is named, and never disturbs what runs.

#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests may fail loudly"
)]

use std::{
    fs::{self, TryLockError},
    path::Path,
    sync::mpsc,
    time::Duration,
};

use dds_config::{ReleaseStore, SourcePaths, left_out, read_release};
use dds_depot::Release;
use dds_message::{Code, Digest, Timestamp};

const NOW: Timestamp = Timestamp(1_795_305_600_000);

/// A depot in a folder: one rule, one product, one municipality.
fn folder() -> (tempfile::TempDir, SourcePaths) {
    let root = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| put(root.path(), path, text);
    write(
        "rules/hundesteuer/1.0/rule.toml",
        "procedure = \"hundesteuer\"\nversion = \"1.0\"\ntitle = \"Hundesteuer\"\nowner = \"Muster\"\n\
         valid_from = \"2026-01-01\"\n[namespaces]\nh = \"urn:h\"\n[[message]]\nname = \"hundesteuer.anmeldung\"\n\
         version = \"1.0\"\nroot = \"h:anmeldung\"\ncanonical = \"xslt/to-vorgang.xsl\"\n[message.keys]\n\
         municipality = \"/h:anmeldung/h:ars\"\n",
    );
    write("rules/hundesteuer/1.0/xslt/to-vorgang.xsl", "<x/>");
    write(
        "rules/products/fv-steuerwerk/3.2/product.toml",
        "product = \"fv-steuerwerk\"\nversion = \"3.2\"\nkind = \"fachverfahren\"\ntitle = \"S\"\nadapter = \"rest\"\n\
         stylesheet = \"x.xsl\"\noutput = \"json\"\nmedia_type = \"application/json\"\nfile_name = \"v.json\"\n",
    );
    write("rules/products/fv-steuerwerk/3.2/x.xsl", "<x/>");
    write(
        "config/profiles/stadt.toml",
        "title = \"Stadt\"\n[office.steueramt]\nname = \"Steueramt\"\nprocedures = [\"hundesteuer\"]\n\
         fachverfahren = \"fv-steuerwerk@3.2\"\n",
    );
    write(
        "config/municipalities/146120000000-dresden.toml",
        "ars = \"146120000000\"\nname = \"Dresden, Stadt\"\nprofile = \"stadt\"\nendpoint = \"https://dresden.example\"\n",
    );
    write("config/drehscheibe.toml", "node = \"nicht Teil des Depotstands\"\n");
    let paths =
        SourcePaths { rules: root.path().join("rules"), config: root.path().join("config"), schemas: None };
    (root, paths)
}

fn put(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn errors(paths: &SourcePaths) -> Vec<String> {
    read_release(paths).unwrap_err().findings.iter().map(ToString::to_string).collect()
}

#[test]
fn the_id_depends_on_the_depot_and_not_on_the_process() {
    let (root, paths) = folder();
    let release = read_release(&paths).unwrap();
    put(root.path(), "config/drehscheibe.toml", "node = \"anders\"\n");
    put(root.path(), "rules/.editor.swp", "x");
    assert_eq!(read_release(&paths).unwrap().id(), release.id());
    put(root.path(), "rules/hundesteuer/1.0/xslt/to-vorgang.xsl", "<y/>");
    assert_ne!(read_release(&paths).unwrap().id(), release.id());
}

#[test]
fn every_broken_file_is_named_with_line_column_and_remedy_at_once() {
    let (root, paths) = folder();
    put(root.path(), "rules/katze/1.0/rule.toml", "procedure = \"katze\"\nversio = \"1.0\"\n");
    put(root.path(), "config/profiles/kaputt.toml", "title = \"x\"\n[office.a\n");
    put(root.path(), "config/sources/amt.toml", "id = \"amt24\"\nname = \"x\"\n");
    put(
        root.path(),
        "config/municipalities/1-x.toml",
        "ars = \"145215103040\"\nname = \"x\"\nprofile = \"stadt\"\n",
    );
    let errors = errors(&paths);
    let expected = [
        ("config/municipalities/1-x.toml:1:1: DDS-C002", "Rename it to 145215103040-<name>.toml."),
        ("config/profiles/kaputt.toml:2:", "DDS-C001"),
        ("config/sources/amt.toml:1:1: DDS-C002", "Rename it to amt24.toml."),
        ("rules/katze/1.0/rule.toml:2:1: DDS-C003", "Did you mean \"version\"?"),
    ];
    assert_eq!(errors.len(), expected.len(), "{errors:#?}");
    for (error, (start, part)) in errors.iter().zip(expected) {
        assert!(error.starts_with(start) && error.contains(part), "{error}");
    }
}

/// A file that is silently not there is a municipality that silently loses its messages.
#[test]
fn a_file_that_nothing_would_read_is_named() {
    let area = "ars = \"145215103040\"\nname = \"x\"\nprofile = \"stadt\"\n";
    for misplaced in [
        "config/municipalities/145215103040-x.TOML",
        "config/municipalities/sachsen/145215103040-x.toml",
        "config/sources/alt/amt24.toml",
        "rules/produkte/fv-x/1.0/product.toml",
        "rules/katze/rule.toml",
        "rules/katze/1.0/rules.toml",
        "rules/katze/1.0/RULE.TOML",
    ] {
        let (root, paths) = folder();
        put(root.path(), misplaced, area);
        let errors = errors(&paths);
        assert!(errors.len() == 1 && errors[0].starts_with(&format!("{misplaced}: DDS-C00")), "{errors:#?}");
    }
    for (stray, code) in [
        ("config/default.toml", "DDS-C001"),
        ("config/municipality/145215103040-x.toml", "DDS-C001"),
        ("config/municipalities/145215103040-x.toml.rpmsave", "DDS-C001"),
        ("rules/hundesteuer/1.0/dump.bin", "DDS-C003"),
        ("rules/hundesteuer/1.0/xslt/to-vorgang.XSL", "DDS-C003"),
    ] {
        let (root, paths) = folder();
        put(root.path(), stray, area);
        assert!(!read_release(&paths).unwrap().files().contains_key(stray), "{stray}");
        let findings: Vec<String> = left_out(&paths).iter().map(ToString::to_string).collect();
        assert!(findings.len() == 1 && findings[0].starts_with(&format!("{stray}: {code}")), "{findings:#?}");
    }
    let (root, paths) = folder();
    put(root.path(), "config/municipalities/README.md", "x");
    assert!(left_out(&paths).is_empty());
    put(root.path(), "rules/hundesteuer/1.0/cases/a/input.xml", &"x".repeat((16 << 20) + 1));
    assert!(errors(&paths)[0].contains("is larger than 16 MiB"));
}

/// Volumes of container platforms consist of links; a package must not reach out of itself by one.
#[cfg(unix)]
#[test]
fn links_are_followed_in_the_configuration_and_named_in_packages() {
    use std::os::unix::fs::symlink;
    let (root, paths) = folder();
    let plain = read_release(&paths).unwrap();
    let (areas, hidden) =
        (root.path().join("config/municipalities"), root.path().join("config/municipalities/..data"));
    fs::create_dir(&hidden).unwrap();
    let file = "146120000000-dresden.toml";
    fs::rename(areas.join(file), hidden.join(file)).unwrap();
    symlink(Path::new("..data").join(file), areas.join(file)).unwrap();
    let away = root.path().join("profile");
    fs::rename(root.path().join("config/profiles"), &away).unwrap();
    symlink(&away, root.path().join("config/profiles")).unwrap();
    assert_eq!(read_release(&paths).unwrap().id(), plain.id());
    fs::remove_file(hidden.join(file)).unwrap();
    let broken = errors(&paths);
    assert!(
        broken[0].starts_with(&format!("config/municipalities/{file}: DDS-C001: cannot be read")),
        "{broken:#?}"
    );
    for link in ["rules/hundesteuer/1.0/xslt/felder.xsl", "rules/katze"] {
        let (root, paths) = folder();
        symlink(root.path().join("rules/hundesteuer"), root.path().join(link)).unwrap();
        let errors = errors(&paths);
        assert!(errors[0].starts_with(&format!("{link}: DDS-C003: is not a regular file")), "{errors:#?}");
    }
}

#[test]
fn a_secret_written_down_is_refused_and_not_repeated() {
    let (root, paths) = folder();
    let text = "ars = \"146120000000\"\nname = \"D\"\nprofile = \"stadt\"\nsecret = \"hunter2\"\n";
    put(root.path(), "config/municipalities/146120000000-dresden.toml", text);
    let errors = errors(&paths);
    assert!(errors[0].contains(":4:10: DDS-C001") && errors[0].contains("env:NAME"), "{errors:?}");
    assert!(!errors[0].contains("hunter2"), "{errors:?}");
}

#[test]
fn a_bad_package_does_not_disturb_the_active_release() {
    let (root, paths) = folder();
    let store = ReleaseStore::new(root.path().join("releases"));
    let other = read_release(&paths).unwrap();
    put(root.path(), "rules/hundesteuer/1.0/xslt/to-vorgang.xsl", "<y/>");
    let release = read_release(&paths).unwrap();
    store.save(&release, NOW).unwrap();
    assert_eq!(store.activate(&other).unwrap_err().code, Code::RELEASE_UNKNOWN, "it was never saved");
    store.activate(&release).unwrap();
    put(root.path(), "rules/katze/1.0/rule.toml", "procedure = ");
    assert!(read_release(&paths).is_err());
    assert_eq!(store.active().unwrap(), Some(release.id()));
    assert_eq!(store.load(&release.id()).unwrap().id(), release.id());
}

#[test]
fn a_stored_release_is_verified_byte_by_byte() {
    let (root, paths) = folder();
    let store = ReleaseStore::new(root.path().join("releases"));
    let release = read_release(&paths).unwrap();
    store.save(&release, NOW).unwrap();
    store.save(&release, NOW).unwrap();
    assert_eq!(store.load(&release.id()).unwrap().contents(), release.contents());
    assert_eq!(store.find(&release.id().to_string()[..8]).unwrap(), release.id());
    assert_eq!(store.find("000000").unwrap_err().code, Code::RELEASE_UNKNOWN);
    let folder = root.path().join("releases").join(release.id().to_string());
    let original = fs::read(folder.join("content")).unwrap();
    // The last file is a stylesheet that nothing but its digest protects.
    let mut flipped = original.clone();
    flipped[original.len() - 2] ^= 1;
    let overwrite = |name: &str, bytes: &[u8]| {
        fs::remove_file(folder.join(name)).unwrap();
        fs::write(folder.join(name), bytes).unwrap();
    };
    for damage in [&original[1..], &[&original[..], b"x"].concat(), &flipped] {
        overwrite("content", damage);
        assert_eq!(store.load(&release.id()).unwrap_err().code, Code::RELEASE_DAMAGED);
    }
    assert_eq!(store.active().unwrap(), None);
    // Saving again mends it.
    store.save(&release, NOW).unwrap();
    assert!(store.load(&release.id()).is_ok());
    // Content and its digest exchanged together: only the id gives it away.
    let (whole, changed) =
        (Digest::of(b"<x/>").to_string(), Digest::of(&flipped[original.len() - 4..]).to_string());
    let manifest = fs::read_to_string(folder.join("manifest.json")).unwrap();
    let (before, last) = manifest.split_at(manifest.rfind(&whole).unwrap());
    overwrite("manifest.json", format!("{before}{}", last.replace(&whole, &changed)).as_bytes());
    overwrite("content", &flipped);
    assert_eq!(store.load(&release.id()).unwrap_err().code, Code::RELEASE_DAMAGED);
}

#[tokio::test]
async fn activation_waits_for_the_node_and_goes_back_without_it() {
    let (root, paths) = folder();
    let store = ReleaseStore::new(root.path().join("releases"));
    let old = read_release(&paths).unwrap();
    store.save(&old, NOW).unwrap();
    store.activate(&old).unwrap();
    store.confirm("node-1", &old.id()).unwrap();
    store.await_confirmation("node-1", &old.id(), Duration::ZERO).await.unwrap();
    put(root.path(), "rules/hundesteuer/1.0/xslt/to-vorgang.xsl", "<y/>");
    let new: Release = read_release(&paths).unwrap();
    store.save(&new, Timestamp(NOW.0 + 1)).unwrap();
    store.activate(&new).unwrap();
    assert_eq!(store.active().unwrap(), Some(new.id()));
    let silent = store.await_confirmation("node-1", &new.id(), Duration::ZERO).await.unwrap_err();
    assert_eq!(silent.code, Code::NOT_CONFIRMED);
    assert_eq!(store.active().unwrap(), Some(old.id()));
    let list = store.list().unwrap();
    assert_eq!(
        list.iter().map(|it| (it.id, it.active)).collect::<Vec<_>>(),
        [(new.id(), false), (old.id(), true)]
    );
    assert_eq!(list[1].nodes, ["node-1"]);
}

#[tokio::test]
async fn an_activation_that_fails_leaves_what_somebody_else_activated() {
    let (root, paths) = folder();
    let store = ReleaseStore::new(root.path().join("releases"));
    let build = |text: &str| {
        put(root.path(), "rules/hundesteuer/1.0/xslt/to-vorgang.xsl", text);
        let release = read_release(&paths).unwrap();
        store.save(&release, NOW).unwrap();
        release
    };
    let (first, second, third) = (build("<x/>"), build("<y/>"), build("<z/>"));
    store.activate(&first).unwrap();
    store.confirm("node-1", &first.id()).unwrap();
    // Two at once: the router takes the later one, and the earlier one must not undo it.
    store.activate(&second).unwrap();
    store.activate(&third).unwrap();
    let overtaken = store.await_confirmation("node-1", &second.id(), Duration::MAX).await.unwrap_err();
    assert_eq!(overtaken.code, Code::NOT_CONFIRMED);
    assert!(overtaken.detail.english.contains("meanwhile"), "{overtaken}");
    assert_eq!(store.active().unwrap(), Some(third.id()));
    store.confirm("node-1", &third.id()).unwrap();
    store.await_confirmation("node-1", &third.id(), Duration::ZERO).await.unwrap();
    // The second alone: back to what the node runs.
    store.activate(&second).unwrap();
    store.await_confirmation("node-1", &second.id(), Duration::ZERO).await.unwrap_err();
    assert_eq!(store.active().unwrap(), Some(third.id()));
}

#[tokio::test]
async fn a_damaged_release_or_pointer_is_shown_and_never_gone_back_to() {
    let (root, paths) = folder();
    let store = ReleaseStore::new(root.path().join("releases"));
    let old = read_release(&paths).unwrap();
    store.save(&old, NOW).unwrap();
    store.activate(&old).unwrap();
    let old = old.id();
    store.confirm("node-1", &old).unwrap();
    put(root.path(), "rules/hundesteuer/1.0/xslt/to-vorgang.xsl", "<y/>");
    let new = read_release(&paths).unwrap();
    store.save(&new, NOW).unwrap();
    for name in ["content", "manifest.json"] {
        let file = root.path().join("releases").join(old.to_string()).join(name);
        fs::remove_file(&file).unwrap();
        fs::write(&file, "x").unwrap();
        let list = store.list().unwrap();
        let of = |id| list.iter().find(|one| one.id == id).unwrap();
        assert!(of(old).damaged && of(old).active && !of(new.id()).damaged, "{list:?}");
    }
    store.activate(&new).unwrap();
    store.await_confirmation("node-1", &new.id(), Duration::ZERO).await.unwrap_err();
    assert_eq!(store.active().unwrap(), Some(new.id()), "nobody could start with the old one");
    fs::write(root.path().join("releases/active"), "hallo").unwrap();
    assert!(store.list().unwrap().iter().all(|one| !one.active));
    store.activate(&new).unwrap();
    assert_eq!(store.active().unwrap(), Some(new.id()));
}

#[test]
fn a_release_is_removed_whole_and_not_while_it_is_put_in_force() {
    let (root, paths) = folder();
    let releases = root.path().join("releases");
    let store = ReleaseStore::new(&releases);
    store.pruning().unwrap().remove(&[]).unwrap();
    assert!(!releases.exists());
    let old = read_release(&paths).unwrap();
    store.save(&old, NOW).unwrap();
    store.activate(&old).unwrap();
    put(root.path(), "rules/hundesteuer/1.0/xslt/to-vorgang.xsl", "<y/>");
    let new = read_release(&paths).unwrap();
    store.save(&new, NOW).unwrap();

    let locked = || matches!(fs::File::open(&releases).unwrap().try_lock(), Err(TryLockError::WouldBlock));
    let hold = store.hold();
    assert!(locked(), "nobody may remove");
    drop(hold);
    assert!(!locked());
    let pruning = store.pruning().unwrap();
    assert!(locked());
    // Whoever wants it in force meanwhile waits, and is told that it is gone.
    let (tell, activated) = mpsc::channel();
    std::thread::spawn({
        let (store, new) = (store.clone(), new.clone());
        move || tell.send(store.activate(&new)).unwrap()
    });
    activated.recv_timeout(Duration::from_millis(200)).unwrap_err();
    // As a crash leaves them: half removed, half written.
    for name in [".gone-1234", ".tmp-1234-5"] {
        fs::create_dir(releases.join(name)).unwrap();
        fs::write(releases.join(name).join("content"), "x").unwrap();
    }
    pruning.remove(&[new.id()]).unwrap();
    drop(pruning);
    assert_eq!(activated.recv().unwrap().unwrap_err().code, Code::RELEASE_UNKNOWN);
    let mut names: Vec<_> =
        fs::read_dir(&releases).unwrap().map(|one| one.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    let mut expected = [old.id().to_string(), "active".to_owned()];
    expected.sort_unstable();
    assert_eq!(names, expected);
    assert_eq!(store.active().unwrap(), Some(old.id()));
    assert_eq!(store.load(&new.id()).unwrap_err().code, Code::RELEASE_UNKNOWN);
    store.save(&new, NOW).unwrap();
    store.load(&new.id()).unwrap();
}

#[test]
fn a_large_release_survives_the_way_to_disk_and_back() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let root = tempfile::tempdir().unwrap();
    let store = ReleaseStore::new(root.path());
    let paths =
        SourcePaths { rules: repository.join("rules"), config: repository.join("config"), schemas: None };
    let release = read_release(&paths).unwrap();
    store.save(&release, NOW).unwrap();
    assert_eq!(store.load(&release.id()).unwrap().id(), release.id());
    let targets = release.targets().count();
    assert!(targets > 1_000, "{targets}");
    assert_eq!(store.load(&release.id()).unwrap().targets().count(), targets);
}
