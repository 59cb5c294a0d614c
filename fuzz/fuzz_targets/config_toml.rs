//! `drehscheibe.toml`: an error names file, line and column; what is accepted can be written and read again.
#![no_main]

use dds_config::ProcessConfig;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    match ProcessConfig::parse("drehscheibe.toml", text) {
        Ok(config) => {
            let again = toml::to_string(&config).expect("what is read can be written");
            assert_eq!(ProcessConfig::parse("again.toml", again.as_bytes()).expect("and read again"), config);
        }
        Err(finding) => {
            assert_eq!(finding.file, "drehscheibe.toml");
            assert!(!finding.remedy.german.is_empty() && !finding.remedy.english.is_empty());
        }
    }
});
