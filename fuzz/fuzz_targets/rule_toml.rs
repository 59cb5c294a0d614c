//! Packages and definitions as their authors write them, up to the check of a whole release made of one of each.
#![no_main]

use dds_depot::{Municipality, ProductPackage, Profile, RulePackage, Source};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(rule) = toml::from_str::<RulePackage>(text) {
        let again = toml::to_string(&rule).expect("what is read can be written");
        assert_eq!(toml::from_str::<RulePackage>(&again).expect("and read again"), rule);
        let _valid = (rule.name(), rule.window(), rule.valid_on("2026-11-22"));
    }
    let _product = toml::from_str::<ProductPackage>(text).map(|product| product.name());
    let _profile = toml::from_str::<Profile>(text);
    let _municipality = toml::from_str::<Municipality>(text);
    let _source = toml::from_str::<Source>(text);
});
