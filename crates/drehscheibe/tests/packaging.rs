//! What is shipped beside the program: its files parse, and fit each other.

#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may end by panic, also in its helpers"
)]

mod support;

use std::{fs, path::Path, process::Command};

use dds_config::{Listen, ProcessConfig};
use dds_depot::SecretRef;
use support::{command, root, run};

const CONFIG: &str = "/etc/drehscheibe/drehscheibe.toml";
const STATE: &str = "/var/lib/drehscheibe";

fn shipped(name: &str) -> ProcessConfig {
    ProcessConfig::load(&root().join("packaging").join(name)).unwrap_or_else(|finding| panic!("{finding}"))
}

fn lines(path: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join(path)).unwrap();
    text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

/// The values of a key of the unit.
fn unit(key: &str) -> Vec<String> {
    let value = |line: String| line.strip_prefix(&format!("{key}=")).map(str::to_owned);
    lines("packaging/drehscheibe.service").into_iter().filter_map(value).collect()
}

#[test]
fn the_unit_and_its_configuration_fit_each_other() {
    let config = shipped("drehscheibe.toml");
    assert!(unit("ExecStart")[0].ends_with(&format!("serve --config {CONFIG}")));
    assert_eq!(
        (unit("StateDirectory"), unit("ProtectSystem")),
        (vec!["drehscheibe".into()], vec!["strict".into()])
    );
    // Under ProtectSystem=strict nothing else can be written.
    for path in [&config.store, &config.releases, config.folders.inbox.as_ref().unwrap()] {
        assert!(path.starts_with(STATE), "{}", path.display());
    }
    // Folders of targets, as docs and example municipalities have them, lie outside the state directory.
    let manual = fs::read_to_string(root().join("docs/operations.md")).unwrap();
    assert_eq!(unit("ReadWritePaths"), ["-/srv/transfer"]);
    assert!(manual.contains("`/srv/transfer`") && manual.contains("ReadWritePaths"));
    let secrets = &unit("EnvironmentFile")[0];
    assert!(manual.contains(secrets.strip_prefix('-').unwrap()), "{secrets} is not in the manual");
    let credential = unit("LoadCredential")[0].split(':').next().unwrap().to_owned();
    let expected = format!("/run/credentials/drehscheibe.service/{credential}");
    assert_eq!(config.master_key, SecretRef::File(expected));
    // A variable that nobody reads looks as if it did something.
    for variable in unit("Environment") {
        let name = variable.split('=').next().unwrap();
        assert_eq!(config.master_key, SecretRef::Env(name.to_owned()), "{name} is read by nobody");
    }
    assert_eq!((unit("KillMode"), unit("KillSignal")), (vec!["mixed".into()], vec!["SIGTERM".into()]));
    assert_eq!(unit("Type"), ["notify"], "it says when it is ready");
    // Workers enter a filter of their own; @system-service of systemd 252 lacks the call for it.
    assert!(unit("SystemCallFilter")[0].split(' ').any(|call| call == "seccomp"));
    let patience: u64 = unit("TimeoutStopSec")[0].parse().unwrap();
    assert!(patience > config.delivery.drain.0.as_secs() + 10, "killed before the drain is over");
}

#[test]
fn the_manual_installs_what_the_unit_names() {
    let config = shipped("drehscheibe.toml");
    let manual = fs::read_to_string(root().join("docs/operations.md")).unwrap();
    let (_, rest) = manual.split_once("\nuseradd ").unwrap();
    let (page, _) = rest.split_once("```").unwrap();
    let first = |key: &str| unit(key).remove(0);
    let program = first("ExecStart").split(' ').next().unwrap().to_owned();
    let (_, key) =
        first("LoadCredential").split_once(':').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let handbook = first("Documentation").strip_prefix("file:").unwrap().to_owned();
    for told in [
        format!("{}\n", first("User")),
        format!("--home-dir {STATE} "),
        format!("install target/release/drehscheibe {program}\n"),
        format!("cp -r README.md docs {}/\n", Path::new(&handbook).parent().unwrap().display()),
        format!("cp -r rules {}/\n", config.rules.parent().unwrap().display()),
        format!(
            "cp packaging/drehscheibe.toml config/catalogue.toml {}/\n",
            Path::new(CONFIG).parent().unwrap().display()
        ),
        format!("drehscheibe key > {key})\n"),
        "cp packaging/drehscheibe.service /etc/systemd/system/\n".to_owned(),
    ] {
        assert!(page.contains(&told), "{told}{page}");
    }
}

/// systemd reads over what it does not understand, with a warning that nobody sees.
#[test]
fn systemd_understands_every_line_of_the_unit() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("drehscheibe.service");
    let program = unit("ExecStart")[0].split(' ').next().unwrap().to_owned();
    let text = fs::read_to_string(root().join("packaging/drehscheibe.service")).unwrap();
    fs::write(&file, text.replace(&program, "/bin/true")).unwrap();
    match Command::new("systemd-analyze").arg("verify").arg(&file).output() {
        Ok(said) => {
            let said = String::from_utf8(said.stderr).unwrap();
            assert!(!said.contains("drehscheibe.service"), "{said}");
        }
        Err(error) => eprintln!("!!! systemd-analyze: {error}: the unit was not verified !!!"),
    }
}

#[test]
fn the_container_starts_with_what_is_copied_into_it() {
    let config = shipped("container.toml");
    let dockerfile = lines("Dockerfile");
    let copied: Vec<(String, String)> = dockerfile
        .iter()
        .filter_map(|line| line.strip_prefix("COPY "))
        .filter(|rest| !rest.starts_with("--from") && *rest != ". .")
        .map(|rest| rest.split_once(' ').map(|(from, to)| (from.to_owned(), to.to_owned())).unwrap())
        .collect();
    for (from, _) in &copied {
        assert!(root().join(from).exists(), "{from}");
    }
    assert!(copied.contains(&("packaging/container.toml".to_owned(), CONFIG.to_owned())));
    assert!(copied.iter().any(|(from, to)| from == "rules" && Path::new(to) == config.rules));
    let line = |start: &str| dockerfile.iter().find(|line| line.starts_with(start)).unwrap();
    assert!(line("CMD").contains(CONFIG) && line("HEALTHCHECK").contains(CONFIG));
    let exposed = format!("EXPOSE {} {}", config.listen.rest.port(), config.listen.admin.port());
    assert_eq!(*line("EXPOSE"), exposed);
    for address in [config.listen.rest, config.listen.admin] {
        assert!(address.ip().is_unspecified(), "{address} is not reachable from outside the container");
    }
    assert!(config.store.starts_with(STATE) && config.releases.starts_with(STATE));
}

#[test]
fn health_asks_where_the_configuration_listens() {
    let folder = tempfile::tempdir().unwrap();
    let ask = |arguments: &[&str]| {
        let mut health = command(["health", "--language", "en"]);
        let said = support::Said::from(health.args(arguments).current_dir(folder.path()).output().unwrap());
        said.bad().err
    };
    // Nobody listens on port 1, so what it says names the address it asked.
    let file = folder.path().join("eigene.toml");
    fs::write(&file, "[listen]\nadmin = \"0.0.0.0:1\"\n").unwrap();
    let said = ask(&["--config", file.to_str().unwrap()]);
    assert!(said.contains("http://127.0.0.1:1/ready"), "{said}");
    // Without a word it is the default of the configuration, from the same constant.
    assert_eq!(ProcessConfig::default().listen, Listen::default());
    let dockerfile = fs::read_to_string(root().join("Dockerfile")).unwrap();
    assert!(dockerfile.contains(&format!("EXPOSE 8443 {}", Listen::default().admin.port())));
}

/// The page for vendors, its configuration and the fixtures it sends belong together.
#[test]
fn the_folder_to_try_a_system_with_is_a_release_and_the_page_tells_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("versuch");
    support::copy(&root().join("packaging/try-your-system"), &config);
    let file = config.join("drehscheibe.toml");
    let rules = format!("rules = \"{}\"", root().join("rules").display());
    support::edit(&file, "rules = \"../../rules\"", &rules);
    let process = ProcessConfig::load(&file).unwrap_or_else(|finding| panic!("{finding}"));
    assert!(process.is_local());
    let SecretRef::File(key) = &process.master_key else { panic!("the page writes the key into a file") };
    fs::create_dir_all(Path::new(key).parent().unwrap()).unwrap();
    fs::write(key, run(["key"]).good().out).unwrap();

    let ask = |arguments: &[&str]| {
        let mut command = command(arguments);
        command.args(["--language", "en", "--config"]).arg(&file);
        support::Said::from(command.output().unwrap()).good()
    };
    let built = ask(&["--json", "depot", "build"]).json();
    // Other procedures of the municipality are gaps; what is there lacks nothing.
    let lacking = built["findings"].as_array().unwrap().iter().filter(|one| {
        let of_ours = one["file"].as_str().unwrap().starts_with("config/");
        of_ours && one["code"] != "DDS-C009" && one["severity"] != "info"
    });
    assert_eq!(lacking.collect::<Vec<_>>(), [&serde_json::Value::Null; 0]);

    // The documents of the page reach the targets of the page.
    let page = fs::read_to_string(root().join("docs/try-your-system.md")).unwrap();
    let fixtures = folder.path().join("fixtures");
    for name in ["hundesteuer/gewoehnlich.xml", "gewerbeanzeige/gewoehnlich.xml"] {
        assert!(page.contains(&format!("@fixtures/{name} ")), "{name}");
        let copy = fixtures.join(name);
        fs::create_dir_all(copy.parent().unwrap()).unwrap();
        fs::copy(root().join("fixtures").join(name), copy).unwrap();
    }
    let told = ask(&["replay", "--fixtures", fixtures.to_str().unwrap()]).out;
    for (message, targets) in [
        ("hundesteuer/gewoehnlich", &["steueramt/dms-archivar", "steueramt/fv-steuerwerk"][..]),
        ("gewerbeanzeige/gewoehnlich", &["ordnungsamt/fv-ordnungsamt"]),
    ] {
        let targets: Vec<String> = targets.iter().map(|target| format!("146120000000/{target}")).collect();
        assert!(told.contains(&format!("{message}: {}", targets.join(", "))), "{message}: {told}");
        for target in targets {
            assert!(page.contains(&target), "{target}");
        }
    }
    // What else the page names.
    let token = fs::read_to_string(config.join("token")).unwrap();
    let source = fs::read_to_string(config.join("sources/versuchsportal.toml")).unwrap();
    assert!(source.contains(&dds_message::Digest::of(token.as_bytes()).to_string()));
    let town = fs::read_to_string(config.join("municipalities/146120000000-dresden.toml")).unwrap();
    for named in [format!("Bearer {token}\""), format!("http://{}/v1/messages", process.listen.rest)] {
        assert!(page.contains(&named), "{named}");
    }
    for (product, path) in [
        ("dms/dms-archivar/3.3", "/archivar/ws/Aufnahme"),
        ("products/fv-steuerwerk/3.2", "/api/v3/vorgaenge"),
    ] {
        let package = root().join("rules").join(product).join("product.toml");
        let package = fs::read_to_string(package).unwrap();
        assert!(package.contains(&format!("path = \"{path}\"")) && page.contains(path), "{product}");
    }
    assert!(town.contains("http://127.0.0.1:18999") && page.contains("http://127.0.0.1:18999"));
}
