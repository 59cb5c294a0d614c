//! A small depot of invented areas, as text like a package author writes it, only in JSON.

#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test file uses its part")]

use dds_depot::{Contents, Filed, Files, Release};
use dds_message::{Facts, Problem};
use dds_xml::Limits;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

pub const DAY: &str = "2026-11-22";
pub const CITY: &str = "146120000000";
pub const VILLAGE: &str = "145215103040";
pub const SEAT: &str = "145215103120";
pub const DISTRICT: &str = "145210000000";

pub struct Depot {
    pub contents: Contents,
    pub files: Files,
}

fn filed<T: DeserializeOwned>(file: &str, value: Value) -> Filed<T> {
    Filed { file: file.to_owned(), value: serde_json::from_value(value).unwrap() }
}

impl Depot {
    pub fn new() -> Self {
        let mut depot = Self { contents: Contents::default(), files: Files::new() };
        depot.rule("hundesteuer", "1.0", json!({}));
        depot.rule("bauantrag", "1.0", json!({ "level": "district" }));
        depot.rule("beteiligung", "1.0", json!({ "fan_out": true }));
        depot.product("fv-steuerwerk", "rest", "fachverfahren");
        depot.product("fv-ordnungsamt", "mailbox", "fachverfahren");
        depot.product("dms-aktenhof", "folder", "dms");
        depot.product("fv-kleinstadt", "mail", "fachverfahren");
        depot.profile(
            "stadt",
            json!({
                "steueramt": { "name": "Steueramt", "procedures": ["hundesteuer"], "fachverfahren": "fv-steuerwerk@1.0",
                    "dms": "dms-aktenhof@1.0", "mail": true },
                "planung": { "procedures": ["beteiligung"], "fachverfahren": "fv-ordnungsamt@1.0" },
            }),
        );
        let bau = json!({ "bauaufsicht": { "procedures": ["bauantrag"], "dms": "dms-aktenhof@1.0" } });
        depot.profile("landkreis", bau);
        depot.profile(
            "klein",
            json!({ "kasse": { "procedures": [], "fachverfahren": "fv-ordnungsamt@1.0" } }),
        );
        depot.area(CITY, "stadt", json!({}));
        depot.area(SEAT, "stadt", json!({}));
        depot.area(VILLAGE, "klein", json!({ "delegate": { "hundesteuer": SEAT } }));
        depot.area(DISTRICT, "landkreis", json!({}));
        depot.contents.sources.push(filed(
            "config/sources/amt24.toml",
            json!({ "id": "amt24", "name": "Amt24", "tokens": ["1".repeat(64)], "procedures": ["hundesteuer"], "municipalities": ["146*"],
                "answers": { "kind": "callback", "url": "https://amt24.example/r" } }),
        ));
        depot
    }

    pub fn rule(&mut self, procedure: &str, version: &str, extra: Value) {
        let mut rule = json!({
            "procedure": procedure, "version": version, "title": procedure, "owner": "Muster", "valid_from": "2026-01-01",
            "namespaces": { "x": format!("urn:{procedure}") },
            "message": [{ "name": format!("{procedure}.antrag"), "version": version, "root": "x:antrag",
                "canonical": "xslt/to-vorgang.xsl",
                "keys": { "municipality": "/x:antrag/x:ars", "addressee": "/x:antrag/x:an", "case": "/x:antrag/@vorgang",
                    "participants": "/x:antrag/x:beteiligter" } }],
        });
        merge(&mut rule, extra);
        let folder = format!("rules/{procedure}/{version}");
        self.file(&format!("{folder}/xslt/to-vorgang.xsl"), "<x/>");
        self.file(&format!("{folder}/cases/klein/input.xml"), "<x/>");
        self.file(&format!("{folder}/cases/klein/expected.xml"), "<x/>");
        self.file(
            &format!("{folder}/rule.toml"),
            &format!(
                "procedure = \"{procedure}\"\nname = \"{procedure}.antrag\"\nvalid_from = {}\n",
                rule["valid_from"]
            ),
        );
        self.contents.rules.push(filed(&format!("{folder}/rule.toml"), rule));
    }

    pub fn product(&mut self, product: &str, adapter: &str, kind: &str) {
        let value = json!({ "product": product, "version": "1.0", "kind": kind, "title": product, "adapter": adapter,
            "stylesheet": "x.xsl", "output": "xml", "media_type": "application/xml", "file_name": "x.xml",
            "options": { "path": "/eingang" } });
        for file in ["x.xsl", "cases/klein/input.xml", "cases/klein/expected.xml"] {
            self.file(&format!("rules/products/{product}/1.0/{file}"), "<x/>");
        }
        self.contents.products.push(filed(&format!("rules/products/{product}/1.0/product.toml"), value));
    }

    pub fn profile(&mut self, name: &str, offices: Value) {
        let text = serde_json::to_string_pretty(&offices).unwrap();
        self.file(&format!("config/profiles/{name}.toml"), &text);
        let value = json!({ "title": name, "office": offices });
        self.contents.profiles.push(filed(&format!("config/profiles/{name}.toml"), value));
    }

    pub fn area(&mut self, ars: &str, profile: &str, extra: Value) {
        let mut value = json!({ "ars": ars, "name": format!("Muster {ars}"), "profile": profile,
            "endpoint": format!("https://x.example/{ars}/"), "secret": format!("env:X_{ars}"),
            "mail": format!("a-{ars}@x.example"),
            "folder": format!("/srv/{ars}") });
        merge(&mut value, extra);
        self.file(
            &format!("config/municipalities/{ars}.toml"),
            &format!(
                "ars = \"{ars}\"\ndelegate = {}\nfolder = {}\nprofile = \"{profile}\"\n",
                value["delegate"], value["folder"]
            ),
        );
        self.contents.municipalities.retain(|area| area.value.ars.as_str() != ars);
        self.contents.municipalities.push(filed(&format!("config/municipalities/{ars}.toml"), value));
    }

    pub fn source(&mut self, id: &str, text: &str, value: Value) {
        let file = format!("config/sources/{id}.toml");
        self.file(&file, text);
        let mut source = json!({ "id": id, "name": id });
        merge(&mut source, value);
        self.contents.sources.push(filed(&file, source));
    }

    pub fn defaults(&mut self, value: Value) {
        self.contents.defaults = Some(filed("config/defaults.toml", value));
    }

    pub fn file(&mut self, path: &str, text: &str) {
        self.files.insert(path.to_owned(), text.as_bytes().into());
    }

    pub fn build(self) -> Release {
        Release::build(self.contents, self.files).unwrap_or_else(|findings| panic!("{findings:#?}"))
    }

    pub fn errors(self) -> Vec<String> {
        let findings = Release::build(self.contents, self.files).err().unwrap_or_default();
        findings.iter().map(ToString::to_string).collect()
    }
}

fn merge(value: &mut Value, extra: Value) {
    for (key, inner) in extra.as_object().unwrap() {
        value[key] = inner.clone();
    }
}

/// A message of [`Depot::rule`]'s shape.
pub fn message(procedure: &str, inner: &str) -> String {
    format!("<antrag xmlns=\"urn:{procedure}\" vorgang=\"V-1\">{inner}</antrag>")
}

pub fn recognise(
    release: &Release,
    document: &str,
    day: &str,
) -> Result<(Facts, dds_depot::Recognised), Problem> {
    let extracted = dds_xml::extract(document.as_bytes(), release.key_plan(), &Limits::default()).unwrap();
    release.recognise(&extracted, day)
}
