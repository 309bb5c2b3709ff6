//! Opaque secrets: a prefix, 30 random base62 characters, and a 6-character checksum of them.
//!
//! The checksum (CRC32 in base62, as GitHub's tokens) lets a mistyped or invented token be refused before the database is
//! asked, and lets scanners find leaked ones. Stored is the SHA-256 of the whole text.

use sha2::{Digest, Sha256};

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Random characters: 178 bits.
const RANDOM_LEN: usize = 30;
const CHECKSUM_LEN: usize = 6;

/// What a secret is for; each has its own prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Access,
    Refresh,
    ApiKey,
}

/// A new secret. It is shown once and never stored.
pub(crate) struct Secret {
    pub(crate) text: String,
}

impl Kind {
    const ALL: [Kind; 3] = [Kind::Access, Kind::Refresh, Kind::ApiKey];

    fn prefix(self) -> &'static str {
        match self {
            Kind::Access => "claw_at_",
            Kind::Refresh => "claw_rt_",
            Kind::ApiKey => "claw_sk_",
        }
    }
}

impl Secret {
    /// Draws a secret from the operating system's random generator.
    pub(crate) fn new(kind: Kind) -> Secret {
        let mut random = String::with_capacity(RANDOM_LEN);
        while random.len() < RANDOM_LEN {
            let mut bytes = [0_u8; 2 * RANDOM_LEN];
            getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
            // 248 is the largest multiple of 62 in a byte; above it the characters would not be equally likely.
            let fair = bytes.iter().filter(|byte| **byte < 248).map(|byte| ALPHABET[usize::from(byte % 62)] as char);
            random.extend(fair.take(RANDOM_LEN - random.len()));
        }
        let text = format!("{}{random}{}", kind.prefix(), checksum(&random));
        Secret { text }
    }

    /// What the database holds.
    pub(crate) fn hash(&self) -> String {
        hash(&self.text)
    }

    /// What lists show: the prefix and the last four characters.
    pub(crate) fn hint(&self, kind: Kind) -> String {
        format!("{}…{}", kind.prefix(), &self.text[self.text.len() - 4..])
    }
}

/// The kind of a well-formed secret; `None` for anything else.
pub(crate) fn classify(text: &str) -> Option<Kind> {
    let kind = Kind::ALL.into_iter().find(|kind| text.starts_with(kind.prefix()))?;
    let rest = &text[kind.prefix().len()..];
    let valid = rest.len() == RANDOM_LEN + CHECKSUM_LEN && rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (valid && checksum(&rest[..RANDOM_LEN]) == rest[RANDOM_LEN..]).then_some(kind)
}

/// SHA-256 of a secret, lower-case hex.
pub(crate) fn hash(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

fn checksum(random: &str) -> String {
    let mut rest = crc32fast::hash(random.as_bytes());
    let mut digits = [b'0'; CHECKSUM_LEN];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(rest % 62) as usize];
        rest /= 62;
    }
    digits.iter().map(|digit| *digit as char).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_can_be_asked_about(text in ".{0,100}") {
            prop_assert_eq!(classify(&text), None);
        }

        #[test]
        fn text_of_the_right_shape_is_no_token_without_its_checksum(rest in "[0-9A-Za-z]{36}") {
            prop_assume!(checksum(&rest[..RANDOM_LEN]) != rest[RANDOM_LEN..]);
            prop_assert_eq!(classify(&format!("claw_sk_{rest}")), None);
        }
    }

    #[test]
    fn secrets_are_well_formed_and_distinct() {
        for kind in Kind::ALL {
            let (a, b) = (Secret::new(kind), Secret::new(kind));
            assert_ne!(a.text, b.text);
            assert_eq!(classify(&a.text), Some(kind));
            assert_eq!(a.text.len(), 8 + RANDOM_LEN + CHECKSUM_LEN);
        }
    }

    #[test]
    fn one_changed_character_is_noticed() {
        let secret = Secret::new(Kind::ApiKey).text;
        for at in 8..secret.len() {
            let mut bytes = secret.clone().into_bytes();
            bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
            assert_eq!(classify(&String::from_utf8(bytes).unwrap()), None);
        }
        assert_eq!(classify(&secret[..43]), None);
        assert_eq!(classify("claw_sk_"), None);
        assert_eq!(classify("claw_sk_€€€€€€€€€€€€"), None);
        assert_eq!(classify(""), None);
    }
}
