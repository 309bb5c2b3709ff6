//! Checksummed frames in a file: `length u32 ‖ sequence u64 ‖ CRC of the payload u32 ‖ CRC of these 16 bytes u32 ‖ payload`.
//!
//! All little-endian. The header has its own checksum, so that a frame can be recognised anywhere in a file.

/// Bytes before a payload.
const HEADER: usize = 20;

/// A frame around `payload`.
pub(crate) fn seal(seq: u64, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a record is far smaller than 4 GiB");
    let mut frame = Vec::with_capacity(HEADER + payload.len());
    frame.extend_from_slice(&length.to_le_bytes());
    frame.extend_from_slice(&seq.to_le_bytes());
    frame.extend_from_slice(&crc32fast::hash(payload).to_le_bytes());
    frame.extend_from_slice(&crc32fast::hash(&frame).to_le_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// How a file ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tail {
    /// With a whole frame.
    Clean,
    /// With the beginning of a frame, or with rubbish, from this byte on.
    Torn(usize),
    /// There is an unreadable stretch from this byte on, and readable frames after it.
    Damaged(usize),
}

/// Calls `visit(sequence, payload)` for each frame and says how the bytes end. An error of `visit` ends the scan.
pub(crate) fn scan<E>(bytes: &[u8], mut visit: impl FnMut(u64, &[u8]) -> Result<(), E>) -> Result<Tail, E> {
    let mut at = 0;
    while at < bytes.len() {
        let Some((seq, payload)) = read(&bytes[at..]) else {
            // A kill tears the last frame only. Whole frames further on mean that something else happened, and
            // cutting here would lose them.
            let later = (at + 1..bytes.len()).any(|from| read(&bytes[from..]).is_some());
            return Ok(if later { Tail::Damaged(at) } else { Tail::Torn(at) });
        };
        visit(seq, payload)?;
        at += HEADER + payload.len();
    }
    Ok(Tail::Clean)
}

fn read(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (header, rest) = bytes.split_at_checked(HEADER)?;
    let word = |at: usize| u32::from_le_bytes(header[at..at + 4].try_into().expect("4 bytes"));
    let length = word(0) as usize;
    // A length beyond the file is told cheaply, before any checksum.
    if length > rest.len() || crc32fast::hash(&header[..16]) != word(16) {
        return None;
    }
    let payload = &rest[..length];
    let seq = u64::from_le_bytes(header[4..12].try_into().expect("8 bytes"));
    (crc32fast::hash(payload) == word(12)).then_some((seq, payload))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(bytes: &[u8]) -> (Vec<(u64, Vec<u8>)>, Tail) {
        let mut seen = Vec::new();
        let tail = scan(bytes, |seq, payload| {
            seen.push((seq, payload.to_vec()));
            Ok::<(), ()>(())
        })
        .unwrap();
        (seen, tail)
    }

    fn three() -> (Vec<u8>, usize) {
        let mut bytes = [seal(1, b"one"), seal(2, b"")].concat();
        let last = bytes.len();
        bytes.extend(seal(3, b"the third"));
        (bytes, last)
    }

    #[test]
    fn whole_frames_are_read_in_order() {
        let (bytes, _) = three();
        let (seen, tail) = frames(&bytes);
        let expected = vec![(1, b"one".to_vec()), (2, Vec::new()), (3, b"the third".to_vec())];
        assert_eq!((seen, tail), (expected, Tail::Clean));
    }

    #[test]
    fn a_frame_cut_anywhere_is_a_torn_tail() {
        let (bytes, last) = three();
        for end in last + 1..bytes.len() {
            let (seen, tail) = frames(&bytes[..end]);
            assert_eq!((seen.len(), tail), (2, Tail::Torn(last)), "cut at {end}");
        }
    }

    #[test]
    fn any_flipped_bit_is_found() {
        let (bytes, last) = three();
        for at in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[at] ^= 1;
            let (seen, tail) = frames(&bad);
            let whole = tail != Tail::Clean && seen.len() < 3;
            assert!(whole, "a flip at {at} went unseen");
            assert_eq!(matches!(tail, Tail::Torn(_)), at >= last, "a flip at {at}: {tail:?}");
        }
    }

    #[test]
    fn zeros_after_the_last_frame_are_a_torn_tail() {
        let (mut bytes, _) = three();
        let end = bytes.len();
        bytes.extend([0; 4096]);
        let (seen, tail) = frames(&bytes);
        // A header of zeros would be a frame of length 0 with checksum 0, if the checksum of zeros were 0.
        assert_eq!((seen.len(), tail), (3, Tail::Torn(end)));
    }
}
