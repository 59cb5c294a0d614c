//! What the documents show as configuration is configuration: every example of `[osci]` is read by what reads
//! drehscheibe.toml.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may end by panic, also in its helpers"
)]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use dds_config::{ProcessConfig, SourcePaths, read_release};
use dds_depot::{AuthorRule, Office, OsciMode};
use dds_message::TargetId;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The blocks marked as TOML.
fn blocks(text: &str) -> Vec<&str> {
    text.split("```toml\n").skip(1).map(|after| after.split("```").next().unwrap()).collect()
}

/// All examples of a document make one file together, as its reader would write it.
fn example(document: &Path) -> Option<String> {
    let text = fs::read_to_string(document).unwrap();
    let blocks: Vec<_> = blocks(&text).into_iter().filter(|block| block.contains("[osci")).collect();
    (!blocks.is_empty()).then(|| blocks.concat())
}

fn parse(name: &str, text: &str) -> ProcessConfig {
    ProcessConfig::parse(name, text.as_bytes()).unwrap_or_else(|finding| panic!("{finding}\n{text}"))
}

/// Numbers that pages for senders and operators name are the defaults.
#[test]
fn the_limits_in_the_documentation_are_the_defaults() {
    let limits = dds_config::ProcessConfig::default().limits;
    let mib = |bytes: u64| format!("{} MiB", bytes >> 20);
    let gib = |bytes: u64| format!("{} GiB", bytes >> 30);
    let page = |name: &str| fs::read_to_string(root().join("docs").join(name)).unwrap().replace('\n', " ");
    let rest = page("interface-rest.md");
    for text in [
        format!("Dokument {}", mib(limits.document_bytes)),
        format!("eine Anlage {}", gib(limits.attachment_bytes)),
        format!("{} Anlagen", limits.attachments),
        format!("zusammen {}", gib(limits.message_bytes)),
        format!("{} Kopffelder", limits.headers),
        format!("Tiefe {}", limits.depth),
        format!("steht {} s still", limits.idle.0.as_secs()),
    ] {
        assert!(rest.contains(&text), "interface-rest.md lacks {text:?}");
    }
    let operators = page("configuration.md");
    for text in [
        format!("{} document", mib(limits.document_bytes)),
        format!("{} attachments", limits.attachments),
        format!("{} message", gib(limits.message_bytes)),
        format!("`headers` ({})", limits.headers),
        format!("`depth` ({})", limits.depth),
    ] {
        assert!(operators.contains(&text), "configuration.md lacks {text:?}");
    }
}

#[test]
fn every_example_of_osci_is_a_configuration() {
    let pages = fs::read_dir(root().join("docs/osci")).unwrap().map(|entry| entry.unwrap().path());
    let others = ["README.md", "docs/configuration.md", "docs/operations.md"].map(|page| root().join(page));
    let mut seen = 0;
    for page in pages.chain(others).filter(|page| page.extension().is_some_and(|end| end == "md")) {
        if let Some(text) = example(&page) {
            assert!(parse(&page.display().to_string(), &text).osci.is_some());
            seen += 1;
        }
    }
    assert!(seen > 0, "no document has an example");
    // The operator's page explains every role.
    let text = example(&root().join("docs/osci/operations.md")).unwrap();
    let osci = parse("operations.md", &text).osci.unwrap();
    assert!(osci.sender.is_some() && osci.recipient.is_some() && osci.intermediary.is_some());
    assert!(!osci.fetch.is_empty() && !osci.trust.crls.is_empty());
}

/// The section of the committed drehscheibe.toml is commented out; without the `# ` it must hold.
#[test]
fn the_section_that_is_commented_out_is_a_configuration() {
    let text = fs::read_to_string(root().join("config/drehscheibe.toml")).unwrap();
    let section =
        text.lines().skip_while(|line| *line != "# [osci]").take_while(|line| line.starts_with('#'));
    let section: String =
        section.map(|line| line.trim_start_matches('#').trim_start().to_owned() + "\n").collect();
    let osci = parse("drehscheibe.toml", &section).osci.unwrap();
    assert!(osci.recipient.is_some() && osci.intermediary.is_some() && !osci.fetch.is_empty());
}

#[test]
fn the_office_reached_by_osci_is_an_office() {
    #[derive(serde::Deserialize)]
    struct Municipality {
        office: BTreeMap<String, Office>,
    }
    let text = fs::read_to_string(root().join("docs/configuration.md")).unwrap();
    let block = blocks(&text).into_iter().find(|block| block.contains(".osci]")).unwrap();
    let municipality: Municipality = toml::from_str(block).unwrap_or_else(|error| panic!("{error}\n{block}"));
    assert!(municipality.office["steueramt"].osci.is_some());
}

/// Copies what a release is read from.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), &to).unwrap();
        }
    }
}

/// The office by OSCI that is commented out in a profile, put where it says it belongs, with certificates; and the
/// source by OSCI.
#[test]
fn the_examples_of_osci_in_config_build_a_release() {
    let profile = fs::read_to_string(root().join("config/profiles/grossstadt.toml")).unwrap();
    let office = profile.split("# [office.steueramt.osci]").nth(1).expect("the example");
    let key = rcgen::KeyPair::generate().unwrap();
    let pem = rcgen::CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap().pem();
    let office = office.replace("\n# ", "\n").replace("\"…\"", &format!("\"\"\"\n{pem}\"\"\""));

    let config = tempfile::tempdir().unwrap();
    copy(&root().join("config"), config.path());
    let dresden = config.path().join("municipalities/146120000000-dresden.toml");
    let text = fs::read_to_string(&dresden).unwrap();
    fs::write(&dresden, format!("{text}\n[office.steueramt.osci]{office}")).unwrap();
    let paths = SourcePaths { rules: root().join("rules"), config: config.path().to_owned(), schemas: None };
    let release = read_release(&paths).unwrap_or_else(|error| panic!("{:#?}", error.findings));

    let target = |office: &str| {
        let id = TargetId::parse(&format!("146120000000/{office}")).unwrap();
        release.target(&id).unwrap()
    };
    let way = target("steueramt/fv-steuerwerk").osci.expect("reached by OSCI");
    assert_eq!((way.mode, way.addressee.trim()), (OsciMode::Store, pem.trim()));
    assert!(target("gewerbeamt/fv-gewerberegister").osci.is_none());

    let source = release.sources().find(|source| source.id.as_str() == "osci-sim").unwrap();
    assert_eq!(source.author, AuthorRule::Required);
    let [certificate] = source.certificates.as_slice() else { panic!("{:?}", source.certificates) };
    assert_eq!(release.source_by_certificate(certificate).unwrap().id, source.id);
}
