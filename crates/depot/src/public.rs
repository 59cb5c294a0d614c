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
        let public = TOKENS.map(|token| (token, Digest::of(token.as_bytes())));
        let sources = self.contents().sources.iter();
        let finding = |(token, digest): &(&str, Digest)| {
            let sources = sources.clone().filter(|source| source.value.tokens.contains(digest));
            let said = sources.map(|source| {
                let id = &source.value.id;
                let text = (
                    format!("die Quelle {id} nimmt das öffentlich bekannte Token {token} an"),
                    format!("source {id} takes the publicly known token {token}"),
                );
                let place = self.place(&source.file, "", &digest.to_string());
                CheckFinding::error(Code::PUBLIC_TOKEN, &source.file, text).at(place)
            });
            said.collect::<Vec<_>>()
        };
        public.iter().flat_map(finding).collect()
    }
}
