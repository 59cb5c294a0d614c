//! A depot of any size (scenario B).

use std::{collections::BTreeMap, sync::Arc};

use dds_depot::{
    AdapterKind, Contents, Filed, Files, Keys, Level, MessageRule, Municipality, Office, Options, Order,
    Policy, ProductKind, ProductLimits, ProductPackage, Profile, Release, RulePackage, Span,
};
use dds_message::{Ars, OutputForm};

use crate::Failure;

/// Offices the procedures are spread over.
const OFFICES: usize = 10;
/// Namespaces the procedures are spread over.
const NAMESPACES: usize = 16;
const STYLESHEET: &str = "rules/synthetisch/identity.xsl";
const IDENTITY: &str = r#"<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
<xsl:template match="@*|node()"><xsl:copy><xsl:apply-templates select="@*|node()"/></xsl:copy></xsl:template>
</xsl:stylesheet>
"#;

/// A release with so many rules and municipalities. All share one stylesheet, so that only the depot grows.
pub(super) fn synthetic(rules: usize, municipalities: usize) -> Result<Release, Failure> {
    let ours = |error: String| Failure::unexpected(error);
    let mut files = Files::new();
    files.insert(STYLESHEET.to_owned(), Arc::from(IDENTITY.as_bytes()));
    let mut contents = Contents::default();
    let mut duties: Vec<Vec<dds_message::ProcedureId>> = vec![Vec::new(); OFFICES.min(rules.max(1))];
    for number in 0..rules {
        let value = rule(number).map_err(ours)?;
        let office = number % duties.len();
        duties[office].push(value.procedure.clone());
        contents.rules.push(Filed { file: format!("rules/{}/1.0/rule.toml", value.procedure), value });
    }
    contents.products.push(Filed {
        file: "rules/products/fv-synthetisch/1.0/product.toml".to_owned(),
        value: product().map_err(ours)?,
    });
    let office = |(number, procedures)| {
        let office = Office {
            procedures: Some(procedures),
            fachverfahren: Some("fv-synthetisch@1.0".to_owned()),
            ..Office::default()
        };
        (format!("amt-{number}"), office)
    };
    let offices: BTreeMap<String, Office> = duties.into_iter().enumerate().map(office).collect();
    let profile = Profile { title: "synthetisch".to_owned(), offices };
    contents.profiles.push(Filed { file: "config/profiles/synthetisch.toml".to_owned(), value: profile });
    for number in 0..municipalities {
        let ars = ars(number);
        let value = Municipality {
            ars: Ars::parse(&ars).map_err(|error| ours(error.to_string()))?,
            name: format!("Musterkommune {number}"),
            profile: "synthetisch".to_owned(),
            endpoint: Some("http://127.0.0.1:9".to_owned()),
            secret: None,
            mail: None,
            delegate: BTreeMap::new(),
            folder: None,
            offices: BTreeMap::new(),
            participants: BTreeMap::new(),
        };
        contents.municipalities.push(Filed { file: format!("config/municipalities/{ars}.toml"), value });
    }
    Ok(Release::build(contents, files)?)
}

/// A message for procedure number `rule` and municipality number `municipality` of [`synthetic`], with `padding` bytes
/// of further text.
#[must_use]
pub(super) fn synthetic_message(rule: usize, municipality: usize, padding: usize) -> String {
    format!(
        "<antrag xmlns=\"{}\"><kopf><verfahren>{}</verfahren><ars>{}</ars></kopf><inhalt>{}</inhalt></antrag>",
        namespace(rule),
        procedure(rule),
        ars(municipality),
        "x".repeat(padding),
    )
}

fn procedure(number: usize) -> String {
    format!("verfahren-{number:05}")
}

fn namespace(number: usize) -> String {
    format!("urn:datendrehscheibe:synthetisch:{}", number % NAMESPACES)
}

/// Land 99 does not exist: 9990 municipalities per Kreis number.
fn ars(number: usize) -> String {
    format!("990{:02}{:04}{:03}", number / 900_000 % 100, number / 900 % 1_000, number % 900 + 1)
}

fn rule(number: usize) -> Result<RulePackage, String> {
    let message = MessageRule {
        name: procedure(number),
        version: "1.0".to_owned(),
        root: "s:antrag".to_owned(),
        schema: None,
        schematron: Vec::new(),
        canonical: "../../synthetisch/identity.xsl".to_owned(),
        when: BTreeMap::from([("/s:antrag/s:kopf/s:verfahren".to_owned(), procedure(number))]),
        keys: Keys { municipality: Some("/s:antrag/s:kopf/s:ars".to_owned()), ..Keys::default() },
    };
    Ok(RulePackage {
        procedure: dds_message::ProcedureId::parse(&procedure(number)).map_err(|error| error.to_string())?,
        version: "1.0".to_owned(),
        title: format!("Synthetisches Verfahren {number}"),
        leika: Vec::new(),
        owner: "synthetisch".to_owned(),
        valid_from: "2000-01-01".to_owned().try_into()?,
        valid_until: None,
        level: Level::Municipality,
        deadline: Span(std::time::Duration::from_secs(3_600)),
        order: Order::None,
        fan_out: false,
        schema_optional: false,
        namespaces: BTreeMap::from([("s".to_owned(), namespace(number))]),
        messages: vec![message],
    })
}

fn product() -> Result<ProductPackage, String> {
    Ok(ProductPackage {
        product: dds_message::ProductId::parse("fv-synthetisch").map_err(|error| error.to_string())?,
        version: "1.0".to_owned(),
        kind: ProductKind::Fachverfahren,
        title: "Synthetisches Produkt".to_owned(),
        vendor: None,
        adapter: AdapterKind::Rest,
        stylesheet: Some("../../../synthetisch/identity.xsl".to_owned()),
        output: OutputForm::Xml,
        media_type: "application/xml".to_owned(),
        file_name: "vorgang.xml".to_owned(),
        deduplicates: true,
        options: Options { path: Some("/eingang".to_owned()), ..Options::default() },
        limits: ProductLimits::default(),
        policy: Policy::default(),
    })
}
