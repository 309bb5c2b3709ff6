//! Random numbers that a replay gets too.
//!
//! They are well distributed and derived from the call, so they are no source for keys. On the host each thread
//! has its own fixed sequence, so that tests repeat.

/// The next `n` random bytes.
pub fn bytes(n: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(n);
    while bytes.len() < n {
        let piece = (n - bytes.len()).min(PIECE);
        bytes.extend(source::next(piece));
    }
    bytes
}

/// A random number, any of the 2^64.
pub fn u64() -> u64 {
    bytes(8).into_iter().fold(0, |number, byte| number << 8 | u64::from(byte))
}

/// The most bytes that the host gives at a time.
const PIECE: usize = 65_536;

#[cfg(target_family = "wasm")]
mod source {
    //! The host's stream.

    pub(super) fn next(n: usize) -> Vec<u8> {
        crate::bindings::clawos::skill::random::bytes(u32::try_from(n).expect("a piece is at most 65,536 bytes"))
    }
}

#[cfg(not(target_family = "wasm"))]
mod source {
    //! SplitMix64 from a fixed seed.

    use std::cell::Cell;

    thread_local! {
        static STATE: Cell<u64> = const { Cell::new(0) };
    }

    pub(super) fn next(n: usize) -> impl Iterator<Item = u8> {
        std::iter::repeat_with(word).flat_map(u64::to_le_bytes).take(n)
    }

    fn word() -> u64 {
        let state = STATE.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        STATE.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
