//! The randomness of one call: the ChaCha20 stream of the receipt's seed, in the order it is asked for.

use std::fmt;

use chacha20::{
    ChaCha20,
    cipher::{KeyIvInit as _, StreamCipher as _},
};

/// One call's random bytes. Every interface that hands out randomness draws from this one stream.
pub(crate) struct Random(ChaCha20);

impl Random {
    /// The stream of `seed`: ChaCha20 (RFC 8439) with the seed as key, a nonce of zeros, from block 0.
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        Self(ChaCha20::new(&seed.into(), &[0; 12].into()))
    }

    /// The next `len` bytes. The caller bounds `len`.
    pub(crate) fn bytes(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        self.0.apply_keystream(&mut bytes);
        bytes
    }

    /// The next eight bytes as a little-endian number.
    pub(crate) fn number(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.0.apply_keystream(&mut bytes);
        u64::from_le_bytes(bytes)
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_published_chacha20_stream_of_an_all_zero_key() {
        // RFC 8439, appendix A.1, test vector 1.
        let expected = "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7";
        assert_eq!(hex::encode(Random::new([0; 32]).bytes(32)), expected);
    }

    #[test]
    fn follows_call_order_whatever_the_sizes() {
        let whole = Random::new([7; 32]).bytes(24);
        let mut random = Random::new([7; 32]);
        let mut parts = random.bytes(3);
        parts.extend(random.bytes(13));
        parts.extend(random.number().to_le_bytes());
        assert_eq!(parts, whole);
    }

    #[test]
    fn differs_by_seed() {
        assert_ne!(Random::new([1; 32]).bytes(32), Random::new([2; 32]).bytes(32));
    }
}
