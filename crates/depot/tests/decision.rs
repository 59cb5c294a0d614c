//! Who is responsible: each step of the fallback order, with its reasons.

#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests may fail loudly"
)]

mod support;

use dds_depot::{Decision, Plan, Release};
use dds_message::{
    Ars, AuthorityId, CaseHolder, CaseRef, Code, DecisionStep, LeikaKey, Problem, ProcedureId, Reason,
    SourceId, TargetId,
};
use serde_json::json;
use support::{CITY, DAY, DISTRICT, Depot, SEAT, VILLAGE, message, recognise};

fn decide(release: &Release, procedure: &str, inner: &str) -> Decision {
    decide_case(release, procedure, inner, &[])
}

fn decide_case(release: &Release, procedure: &str, inner: &str, holders: &[CaseHolder]) -> Decision {
    let (mut facts, rule) = recognise(release, &message(procedure, inner), DAY).unwrap();
    facts.case = Some(CaseRef::parse("HST-1").unwrap());
    release.decide(&facts, rule, holders, DAY)
}

/// An earlier message of the case went to `authority`.
fn holder(authority: &str, procedure: &str, municipality: Option<&str>) -> CaseHolder {
    CaseHolder {
        authority: AuthorityId::parse(authority).unwrap(),
        procedure: ProcedureId::parse(procedure).unwrap(),
        municipality: municipality.map(|ars| Ars::parse(ars).unwrap()),
    }
}

fn case_reasons(decision: &Decision) -> Vec<String> {
    let (Decision::Route(Plan { reasons, .. }) | Decision::Park { reasons, .. }) = decision;
    reasons.iter().filter(|it| it.step == DecisionStep::Case).map(|it| it.because.english.clone()).collect()
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
    assert_eq!(plan.deliveries[0].stylesheet.as_deref(), Some("rules/products/fv-steuerwerk/1.0/x.xsl"));
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
    let chain: Vec<&str> = plan
        .reasons
        .iter()
        .filter(|it| it.step == DecisionStep::Delegation)
        .map(|it| it.because.english.as_str())
        .collect();
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
    let inner = format!("{}<an>sn:{SEAT}-steueramt</an>", ars(VILLAGE));
    let city = [holder("sn:146120000000-steueramt", "hundesteuer", Some(CITY))];
    let to_seat = plan(decide_case(&release, "hundesteuer", &inner, &city));
    assert_eq!(to_seat.authority.as_str(), format!("sn:{SEAT}-steueramt"));
    let to_case = plan(decide_case(&release, "hundesteuer", "", &city));
    assert_eq!(to_case.authority.as_str(), "sn:146120000000-steueramt");
    let by_ags = plan(decide(&release, "hundesteuer", "<an>ags:14612000</an>"));
    assert_eq!(by_ags.authority.as_str(), "sn:146120000000-steueramt");
    let foreign = plan(decide(&release, "hundesteuer", &format!("{}<an>bab:0815</an>", ars(CITY))));
    assert_eq!(foreign.authority.as_str(), "sn:146120000000-steueramt");
}

#[test]
fn a_case_stays_with_its_authority_when_the_municipality_delegates_elsewhere() {
    // The case began while the village had delegated to the seat.
    let mut depot = Depot::new();
    depot.area(VILLAGE, "klein", json!({ "delegate": { "hundesteuer": CITY } }));
    let release = depot.build();
    let seat = format!("sn:{SEAT}-steueramt");
    let held = [holder(&seat, "hundesteuer", Some(VILLAGE))];
    assert_eq!(plan(decide_case(&release, "hundesteuer", &ars(VILLAGE), &held)).authority.as_str(), seat);
    let new = plan(decide_case(&release, "hundesteuer", &ars(VILLAGE), &[]));
    assert_eq!(new.authority.as_str(), "sn:146120000000-steueramt");
    // An authority named by a delegation has the procedure by that line alone.
    let mut depot = Depot::new();
    depot.area(VILLAGE, "klein", json!({ "delegate": { "hundesteuer": "sn:146120000000-planung" } }));
    let held = [holder("sn:146120000000-planung", "hundesteuer", Some(VILLAGE))];
    let named = plan(decide_case(&depot.build(), "hundesteuer", "", &held));
    assert_eq!(named.authority.as_str(), "sn:146120000000-planung");
}

#[test]
fn a_case_decides_nothing_where_it_contradicts_the_message_and_the_reason_is_told() {
    let mut depot = Depot::new();
    depot.area(DISTRICT, "stadt", json!({ "delegate": { "hundesteuer": CITY } }));
    let release = depot.build();
    let city = "sn:146120000000-steueramt";
    let table = [
        (
            holder(city, "hundesteuer", Some(CITY)),
            "there it concerns municipality 146120000000, not 145215103120",
        ),
        (
            holder(city, "hundesteuer", None),
            "there it names no municipality, this message names 145215103120",
        ),
        (holder(city, "beteiligung", Some(SEAT)), "there it is a case of beteiligung, not of hundesteuer"),
        (holder("sn:146120000000-weg", "hundesteuer", Some(SEAT)), "that authority is not in this release"),
        (
            holder("sn:145215103120-planung", "hundesteuer", Some(SEAT)),
            "that authority does not handle hundesteuer in this release",
        ),
        // Its own office lost the procedure to a delegation.
        (
            holder("sn:145210000000-steueramt", "hundesteuer", Some(SEAT)),
            "that authority does not handle hundesteuer in this release",
        ),
    ];
    for (held, why) in table {
        let told = format!("case HST-1 is with {}, which does not count, because {why}", held.authority);
        let decision = decide_case(&release, "hundesteuer", &ars(SEAT), &[held]);
        assert_eq!(case_reasons(&decision), [told]);
        assert_eq!(plan(decision).authority.as_str(), format!("sn:{SEAT}-steueramt"));
    }
    // A municipality that is not connected parks, whoever has the case.
    let held = [holder(city, "hundesteuer", Some(CITY))];
    let (problem, _) = parked(decide_case(&release, "hundesteuer", &ars("099999999999"), &held));
    assert_eq!(problem.code, Code::NO_MUNICIPALITY);
}

#[test]
fn a_case_at_several_authorities_needs_the_municipality() {
    let release = Depot::new().build();
    let seat = format!("sn:{SEAT}-steueramt");
    let held = [
        holder(&seat, "hundesteuer", Some(SEAT)),
        holder("sn:146120000000-steueramt", "hundesteuer", Some(CITY)),
    ];
    let decision = decide_case(&release, "hundesteuer", "", &held);
    let told = format!("several authorities have case HST-1: {seat}, sn:146120000000-steueramt");
    assert_eq!(case_reasons(&decision), [told]);
    assert_eq!(parked(decision).0.code, Code::NO_MUNICIPALITY);
    assert_eq!(plan(decide_case(&release, "hundesteuer", &ars(SEAT), &held)).authority.as_str(), seat);
}

/// What goes elsewhere than the municipality it names must have a reason in the configuration.
#[test]
fn an_addressee_that_does_nothing_for_the_municipality_parks() {
    let release = Depot::new().build();
    for elsewhere in [format!("sn:{SEAT}-steueramt"), format!("ars:{SEAT}"), "ags:14521120".to_owned()] {
        let inner = format!("{}<an>{elsewhere}</an>", ars(CITY));
        let (problem, reasons) = parked(decide(&release, "hundesteuer", &inner));
        assert_eq!(problem.code, Code::WRONG_ADDRESSEE, "{elsewhere}");
        let last = reasons.last().unwrap();
        assert_eq!((last.code, last.chosen.as_deref()), (Some(Code::WRONG_ADDRESSEE), None));
        assert!(last.because.english.contains(SEAT) && last.because.english.contains(CITY), "{last:?}");
    }
    // The authority that has the case has it, whatever the configuration says now.
    let seat = format!("sn:{SEAT}-steueramt");
    let mut depot = Depot::new();
    depot.area(VILLAGE, "klein", json!({ "delegate": { "hundesteuer": CITY } }));
    let inner = format!("{}<an>{seat}</an>", ars(VILLAGE));
    let release = depot.build();
    assert_eq!(parked(decide(&release, "hundesteuer", &inner)).0.code, Code::WRONG_ADDRESSEE);
    let held = [holder(&seat, "hundesteuer", Some(VILLAGE))];
    assert_eq!(plan(decide_case(&release, "hundesteuer", &inner, &held)).authority.as_str(), seat);
}

#[test]
fn an_addressee_may_be_the_delegation_the_level_the_association_or_the_default() {
    let association = "145215103000";
    let mut depot = Depot::new();
    depot.area(association, "stadt", json!({}));
    depot.defaults(json!({ "procedure": { "hundesteuer": "sn:146120000000-steueramt" } }));
    let release = depot.build();
    for (procedure, municipality, addressee) in [
        ("hundesteuer", VILLAGE, format!("sn:{SEAT}-steueramt")),
        ("hundesteuer", VILLAGE, format!("sn:{association}-steueramt")),
        ("bauantrag", VILLAGE, format!("sn:{DISTRICT}-bauaufsicht")),
        // Not connected, so nobody but the default is responsible.
        ("hundesteuer", "145230000000", "sn:146120000000-steueramt".to_owned()),
    ] {
        let inner = format!("{}<an>{addressee}</an>", ars(municipality));
        assert_eq!(plan(decide(&release, procedure, &inner)).authority.as_str(), addressee);
    }
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
    let inner = format!("{}{}{}{}", ars(CITY), named(SEAT), named("sn:1-x"), named(DISTRICT));
    let (problem, _) = parked(decide(&release, "beteiligung", &inner));
    assert_eq!(problem.code, Code::UNKNOWN_ADDRESSEE);
    assert!(problem.detail.english.contains("participant 2 of the message"), "{problem}");
}

/// Reasons stay in the journal for ever, and where a sender names an office it may have written a person.
#[test]
fn an_addressee_that_nobody_knows_is_not_repeated_in_the_reasons() {
    let release = Depot::new().build();
    let told = |procedure: &str, inner: &str| {
        let decision = decide(&release, procedure, inner);
        let (Decision::Route(Plan { reasons, .. }) | Decision::Park { reasons, .. }) = &decision;
        let problem =
            if let Decision::Park { problem, .. } = &decision { problem.to_string() } else { String::new() };
        let told = format!("{}{problem}", serde_json::to_string(reasons).unwrap());
        (told.contains("addressee named") || told.contains("participant 1"), told.contains("beispiel"), told)
    };
    for (procedure, inner) in [
        ("hundesteuer", format!("{}<an>dvdv:erika.beispiel</an>", ars(CITY))),
        ("hundesteuer", format!("{}<an>sn:erika-beispiel</an>", ars(CITY))),
        ("beteiligung", format!("{}<beteiligter>dvdv:erika.beispiel</beteiligter>", ars(CITY))),
        (
            "beteiligung",
            format!(
                "{}<beteiligter>sn:erika-beispiel</beteiligter><beteiligter>{SEAT}</beteiligter>",
                ars(CITY)
            ),
        ),
    ] {
        let (said, named, told) = told(procedure, &inner);
        assert!(said && !named, "{told}");
    }
}

#[test]
fn a_leika_key_of_another_procedure_is_told_and_decides_nothing() {
    let mut depot = Depot::new();
    let key = |text: &str| LeikaKey::parse(text).unwrap();
    let (dog, build, nobody) = (key("99102008060000"), key("99012070001000"), key("99999999999999"));
    depot.rule("hundesteuer", "0.9", json!({ "leika": ["99102008060001"] }));
    for rule in &mut depot.contents.rules {
        match rule.value.name().as_str() {
            "hundesteuer@1.0" => rule.value.leika = vec![dog.clone()],
            "bauantrag@1.0" => rule.value.leika = vec![build.clone()],
            _ => {}
        }
    }
    let release = depot.build();
    let told = |named: &LeikaKey, procedure: &str| {
        let (mut facts, rule) = recognise(&release, &message(procedure, &ars(CITY)), DAY).unwrap();
        facts.leika = Some(named.clone());
        let reasons = plan(release.decide(&facts, rule, &[], DAY)).reasons;
        let warned = reasons.into_iter().filter(|it| it.because.english.contains("LeiKa"));
        warned.map(|it| it.because.english).collect::<Vec<_>>()
    };
    let none: [&str; 0] = [];
    assert_eq!(told(&dog, "hundesteuer"), none);
    assert_eq!(told(&key("99102008060001"), "hundesteuer"), none, "of another version");
    assert_eq!(told(&build, "beteiligung"), none, "whose rule names none");
    assert_eq!(
        told(&build, "hundesteuer"),
        ["warning: the LeiKa key of the message is that of bauantrag, not of hundesteuer"]
    );
    assert_eq!(
        told(&nobody, "hundesteuer"),
        ["warning: the LeiKa key of the message is none of hundesteuer"]
    );
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
    assert!(problem.detail.english.contains("catalogue:xbau@2.6#a.xsd"), "{problem}");
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
    assert_eq!(
        (steuer.url().as_deref(), steuer.pull),
        (Some("https://x.example/146120000000/eingang"), false)
    );
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

#[test]
fn a_source_addresses_only_whom_its_municipalities_have_to_do_with() {
    let mut depot = Depot::new();
    depot.source("dorf", "", json!({ "procedures": ["*"], "municipalities": [VILLAGE] }));
    depot.source("alle", "", json!({ "procedures": ["*"], "municipalities": ["*"] }));
    let release = depot.build();
    let may = |source: &str, municipality: &str, addressee: &str| {
        let source = release.source(&SourceId::parse(source).unwrap()).unwrap();
        let inner = format!("{}<an>{addressee}</an>", ars(municipality));
        let (facts, rule) = recognise(&release, &message("hundesteuer", &inner), DAY).unwrap();
        source.may_send(&facts).unwrap();
        release.may_address(source, &facts, rule, DAY).map_err(|problem| problem.code)
    };
    let seat = format!("sn:{SEAT}-steueramt");
    for elsewhere in [seat.as_str(), &format!("ars:{SEAT}"), "ags:14521120"] {
        assert_eq!(may("amt24", CITY, elsewhere), Err(Code::NOT_ALLOWED), "{elsewhere}");
        assert_eq!(may("alle", CITY, elsewhere), Ok(()), "{elsewhere}");
    }
    assert_eq!(may("amt24", CITY, "sn:146120000000-steueramt"), Ok(()));
    assert_eq!(may("dorf", VILLAGE, &seat), Ok(()), "it does the village's dog tax");
    assert_eq!(may("dorf", VILLAGE, "sn:146120000000-steueramt"), Err(Code::NOT_ALLOWED));
    assert_eq!(may("dorf", VILLAGE, "bab:0815"), Ok(()), "another directory decides nothing");
}

#[test]
fn a_source_answers_only_for_its_procedures_and_municipalities() {
    let mut depot = Depot::new();
    let answering = |procedures: &[&str]| json!({ "procedures": procedures, "municipalities": [CITY], "may_answer": true });
    depot.source("steuer", "", answering(&["hundesteuer"]));
    depot.source("stadt", "", answering(&[]));
    let release = depot.build();
    let may = |source: &str, procedure: &str, ars: &str| {
        let source = release.source(&SourceId::parse(source).unwrap()).unwrap();
        let procedure = ProcedureId::parse(procedure).unwrap();
        let authority = AuthorityId::parse(&format!("sn:{ars}-steueramt")).unwrap();
        source.may_answer_for(Some(&procedure), &authority).map_err(|problem| problem.code)
    };
    assert_eq!(may("steuer", "hundesteuer", CITY), Ok(()));
    assert_eq!(may("steuer", "bauantrag", CITY), Err(Code::NOT_ALLOWED));
    assert_eq!(may("steuer", "hundesteuer", SEAT), Err(Code::NOT_ALLOWED));
    // One that sends no applications lists no procedures.
    assert_eq!(may("stadt", "bauantrag", CITY), Ok(()));
    assert_eq!(may("stadt", "bauantrag", SEAT), Err(Code::NOT_ALLOWED));
}
