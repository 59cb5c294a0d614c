//! Who is responsible: each step of the fallback order, with its reasons.

#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests may fail loudly"
)]

mod support;

use dds_depot::{Decision, Plan, Release};
use dds_message::{AuthorityId, Code, Problem, Reason, SourceId, TargetId};
use serde_json::json;
use support::{CITY, DAY, DISTRICT, Depot, SEAT, VILLAGE, message, recognise};

fn decide(release: &Release, procedure: &str, inner: &str) -> Decision {
    decide_case(release, procedure, inner, None)
}

fn decide_case(release: &Release, procedure: &str, inner: &str, case: Option<&str>) -> Decision {
    let (facts, rule) = recognise(release, &message(procedure, inner), DAY).unwrap();
    let case = case.map(|id| AuthorityId::parse(id).unwrap());
    release.decide(&facts, rule, case.as_ref(), DAY)
}

fn plan(decision: Decision) -> Plan {
    match decision {
        Decision::Route(plan) => plan,
        Decision::Park { problem, reasons } => panic!("parked: {problem} {reasons:#?}"),
    }
}

fn parked(decision: Decision) -> (Problem, Vec<Reason>) {
    match decision {
        Decision::Route(plan) => panic!("routed: {plan:#?}"),
        Decision::Park { problem, reasons } => (problem, reasons),
    }
}

fn ars(ars: &str) -> String {
    format!("<ars>{ars}</ars>")
}

#[test]
fn the_own_office_gets_fachverfahren_dms_and_mail_and_all_steps_are_told() {
    let plan = plan(decide(&Depot::new().build(), "hundesteuer", &ars(CITY)));
    assert_eq!(plan.rule, "hundesteuer@1.0");
    assert_eq!(plan.authority.as_str(), "sn:146120000000-steueramt");
    assert_eq!(plan.authority_name, "Steueramt");
    let targets: Vec<&str> = plan.deliveries.iter().map(|delivery| delivery.target.as_str()).collect();
    let expected = [
        "146120000000/steueramt/fv-steuerwerk",
        "146120000000/steueramt/dms-aktenhof",
        "146120000000/steueramt/mail",
    ];
    assert_eq!(targets, expected);
    assert_eq!(plan.deliveries[2].product, "fv-kleinstadt@1.0");
    assert_eq!(plan.deliveries[0].stylesheet, "rules/products/fv-steuerwerk/1.0/x.xsl");
    assert_eq!(plan.canonical, "rules/hundesteuer/1.0/xslt/to-vorgang.xsl");
    let steps: Vec<&str> = plan.reasons.iter().map(|reason| reason.step.as_str()).collect();
    assert_eq!(
        steps,
        ["recognise", "rule", "addressee", "case", "authority", "product", "product", "product"]
    );
}

#[test]
fn one_line_delegates_and_chains_are_followed_and_told() {
    let mut depot = Depot::new();
    depot.area(SEAT, "stadt", json!({ "delegate": { "hundesteuer": CITY } }));
    let plan = plan(decide(&depot.build(), "hundesteuer", &ars(VILLAGE)));
    assert_eq!(plan.authority.as_str(), "sn:146120000000-steueramt");
    let chain: Vec<&str> =
        plan.reasons.iter().filter(|it| it.step == "delegation").map(|it| it.because.as_str()).collect();
    assert_eq!(chain.len(), 2);
    assert!(chain[1].contains("its own office steueramt therefore lost"), "{}", chain[1]);
}

#[test]
fn a_delegation_may_name_an_authority() {
    let mut depot = Depot::new();
    depot.area(VILLAGE, "klein", json!({ "delegate": { "hundesteuer": "sn:146120000000-planung" } }));
    assert_eq!(
        plan(decide(&depot.build(), "hundesteuer", &ars(VILLAGE))).authority.as_str(),
        "sn:146120000000-planung"
    );
}

#[test]
fn the_addressee_comes_first_then_the_case() {
    let release = Depot::new().build();
    let inner = format!("{}<an>sn:{SEAT}-steueramt</an>", ars(CITY));
    let to_seat = plan(decide_case(&release, "hundesteuer", &inner, Some("sn:146120000000-planung")));
    assert_eq!(to_seat.authority.as_str(), format!("sn:{SEAT}-steueramt"));
    let to_case = plan(decide_case(&release, "hundesteuer", &ars(SEAT), Some("sn:146120000000-planung")));
    assert_eq!(to_case.authority.as_str(), "sn:146120000000-planung");
    let gone = plan(decide_case(&release, "hundesteuer", &ars(SEAT), Some("sn:146120000000-weg")));
    assert_eq!(gone.authority.as_str(), format!("sn:{SEAT}-steueramt"));
    let by_ags = plan(decide(&release, "hundesteuer", "<an>ags:14612000</an>"));
    assert_eq!(by_ags.authority.as_str(), "sn:146120000000-steueramt");
    let foreign = plan(decide(&release, "hundesteuer", &format!("{}<an>bab:0815</an>", ars(CITY))));
    assert_eq!(foreign.authority.as_str(), "sn:146120000000-steueramt");
}

#[test]
fn an_addressee_of_ours_that_is_wrong_parks_and_never_goes_elsewhere() {
    let release = Depot::new().build();
    for wrong in ["sn:146120000000-weg", "sn:999999999999-steueramt", "sn:146120000000-planung"] {
        let (problem, reasons) =
            parked(decide(&release, "hundesteuer", &format!("{}<an>{wrong}</an>", ars(CITY))));
        assert_eq!(problem.code, Code::UNKNOWN_ADDRESSEE, "{wrong}");
        assert_eq!(reasons.last().unwrap().code, Some(Code::UNKNOWN_ADDRESSEE));
    }
}

#[test]
fn the_level_of_the_rule_then_the_default_then_parking() {
    let release = Depot::new().build();
    let by_level = plan(decide(&release, "bauantrag", &ars(VILLAGE)));
    assert_eq!(by_level.authority.as_str(), format!("sn:{DISTRICT}-bauaufsicht"));
    let (problem, _) = parked(decide(&release, "bauantrag", &ars(CITY)));
    assert_eq!(problem.code, Code::NO_AUTHORITY);
    let (problem, reasons) = parked(decide(&release, "hundesteuer", &ars("099999999999")));
    assert_eq!(problem.code, Code::NO_MUNICIPALITY);
    assert_eq!(reasons.last().unwrap().code, Some(Code::NO_MUNICIPALITY));
    assert_eq!(parked(decide(&release, "hundesteuer", "")).0.code, Code::NO_MUNICIPALITY);

    let mut depot = Depot::new();
    depot.defaults(json!({ "authority": format!("sn:{CITY}-steueramt"), "procedure": { "bauantrag": format!("sn:{CITY}-planung") } }));
    let release = depot.build();
    assert_eq!(plan(decide(&release, "bauantrag", &ars(CITY))).authority.as_str(), "sn:146120000000-planung");
    assert_eq!(plan(decide(&release, "hundesteuer", "")).authority.as_str(), "sn:146120000000-steueramt");
}

#[test]
fn an_authority_without_target_parks() {
    let mut depot = Depot::new();
    let none = json!({ "office": { "steueramt": { "fachverfahren": "", "dms": "", "mail": false } } });
    depot.area(CITY, "stadt", none);
    assert_eq!(parked(decide(&depot.build(), "hundesteuer", &ars(CITY))).0.code, Code::NO_TARGET);
}

#[test]
fn an_exception_overlays_one_office_only() {
    let mut depot = Depot::new();
    depot.area(
        CITY,
        "stadt",
        json!({ "office": { "steueramt": { "mail": false, "endpoint": "https://eigen.example" },
        "planung": { "procedures": ["beteiligung", "bauantrag"] } } }),
    );
    let release = depot.build();
    let steuer = plan(decide(&release, "hundesteuer", &ars(CITY)));
    assert_eq!(steuer.deliveries.len(), 2);
    let target = release.target(&steuer.deliveries[0].target).unwrap();
    assert_eq!(target.url().unwrap(), "https://eigen.example/eingang");
    assert_eq!(plan(decide(&release, "bauantrag", &ars(CITY))).authority.as_str(), "sn:146120000000-planung");
}

#[test]
fn participants_fan_out_once_each_and_an_unknown_one_parks() {
    let mut depot = Depot::new();
    depot.area(
        CITY,
        "stadt",
        json!({ "participants": { "beteiligung": [format!("sn:{DISTRICT}-bauaufsicht")] } }),
    );
    let release = depot.build();
    let named = |id: &str| format!("<beteiligter>{id}</beteiligter>");
    let inner = format!(
        "{}{}{}{}",
        ars(CITY),
        named(SEAT),
        named(&format!("sn:{SEAT}-planung")),
        named("ags:14612000")
    );
    let plan = plan(decide(&release, "beteiligung", &inner));
    let receivers: Vec<&str> = plan.deliveries.iter().map(|it| it.authority.as_str()).collect();
    let expected =
        [format!("sn:{CITY}-planung"), format!("sn:{SEAT}-planung"), format!("sn:{DISTRICT}-bauaufsicht")];
    assert_eq!(receivers, expected);
    let (problem, _) = parked(decide(&release, "beteiligung", &format!("{}{}", ars(CITY), named("sn:1-x"))));
    assert_eq!(problem.code, Code::UNKNOWN_ADDRESSEE);
    assert!(problem.detail.contains("sn:1-x"));
}

#[test]
fn a_missing_third_party_schema_parks_unless_the_rule_says_optional() {
    let depot = |extra: serde_json::Value| {
        let mut depot = Depot::new();
        depot.rule("xbauantrag", "1.0", extra);
        depot.contents.rules.last_mut().unwrap().value.messages[0].schema =
            Some("catalogue:xbau@2.6#a.xsd".to_owned());
        depot.contents.catalogue =
            serde_json::from_value(json!({ "file": "config/catalogue.toml", "value": { "schema": [{
            "name": "xbau", "version": "2.6", "namespace": "urn:x", "folder": "xbau",
            "file": [{ "path": "xsd/a.xsd", "sha256": "0".repeat(64) }] }] } }))
            .unwrap();
        depot.area(CITY, "stadt", json!({ "office": { "steueramt": { "procedures": ["xbauantrag"] } } }));
        depot
    };
    let (problem, _) = parked(decide(&depot(json!({})).build(), "xbauantrag", &ars(CITY)));
    assert_eq!(problem.code, Code::SCHEMA_MISSING);
    assert!(problem.detail.contains("catalogue:xbau@2.6#a.xsd"), "{problem}");
    assert_eq!(
        plan(decide(&depot(json!({ "schema_optional": true })).build(), "xbauantrag", &ars(CITY))).schema,
        None
    );
    let mut whole = depot(json!({}));
    whole.file("catalogue/xbau@2.6/xsd/a.xsd", "<x/>");
    let schema = plan(decide(&whole.build(), "xbauantrag", &ars(CITY))).schema;
    assert_eq!(schema.as_deref(), Some("catalogue/xbau@2.6/xsd/a.xsd"));
}

#[test]
fn targets_are_found_by_id_and_listed_alike() {
    let release = Depot::new().build();
    let find = |id: &str| release.target(&TargetId::parse(id).unwrap());
    let steuer = find("146120000000/steueramt/fv-steuerwerk").unwrap();
    assert_eq!((steuer.url().as_deref(), steuer.pull), (Some("https://x.example/base/eingang"), false));
    assert!(find("146120000000/planung/fv-ordnungsamt").unwrap().pull);
    let answers = find("source/amt24").unwrap();
    assert_eq!(
        (answers.url().as_deref(), answers.source),
        (Some("https://amt24.example/r"), SourceId::parse("amt24").ok())
    );
    for none in [
        "source/weg",
        "source/amt24/x",
        "146120000000/steueramt",
        "146120000000/steueramt/fv-bauakte",
        "x/y/z",
        "146120000000/planung/mail",
        "146120000000/steueramt/mail/x",
    ] {
        assert!(find(none).is_none(), "{none}");
    }
    let all: Vec<_> = release.targets().collect();
    assert_eq!(all.len(), 1 + 2 * 4 + 1 + 1);
    assert!(all.iter().all(|target| release.target(&target.id).as_ref() == Some(target)));
}

#[test]
fn a_source_sends_only_what_it_may() {
    let release = Depot::new().build();
    let source = release.source(&SourceId::parse("amt24").unwrap()).unwrap();
    let facts =
        |procedure: &str, inner: &str| recognise(&release, &message(procedure, inner), DAY).unwrap().0;
    assert!(source.may_send(&facts("hundesteuer", &ars(CITY))).is_ok());
    for refused in
        [facts("hundesteuer", &ars(SEAT)), facts("bauantrag", &ars(CITY)), facts("hundesteuer", "")]
    {
        assert_eq!(source.may_send(&refused).unwrap_err().code, Code::NOT_ALLOWED);
    }
}
