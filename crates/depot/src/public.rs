//! Tokens that everybody knows, because they are published with the examples of this repository.

use dds_message::{Code, Digest};

use crate::{finding::CheckFinding, release::Release};

/// Tokens of `config/sources/` and `packaging/try-your-system/`.
const TOKENS: [&str; 5] = [
    "demo-amt24-sim",
    "demo-fachverfahren-sim",
    "demo-formserver-sim",
    "demo-openrathaus-sim",
    "demo-eigenes-system",
];

impl Release {
    /// An error (DDS-C018) per source that takes a token published with the examples. On loopback they do no harm, so
    /// whoever knows the listeners decides whether they forbid anything.
    #[must_use]
    pub fn public_tokens(&self) -> Vec<CheckFinding> {
        let mut findings = Vec::new();
        for token in TOKENS {
            let digest = Digest::of(token.as_bytes());
            for source in
                self.contents().sources.iter().filter(|source| source.value.tokens.contains(&digest))
            {
                let id = &source.value.id;
                let text = (
                    format!("die Quelle {id} nimmt das öffentlich bekannte Token {token} an"),
                    format!("source {id} takes the publicly known token {token}"),
                );
                let place = self.place(&source.file, "", &digest.to_string());
                findings.push(CheckFinding::error(Code::PUBLIC_TOKEN, &source.file, text).at(place));
            }
        }
        findings
    }
}
