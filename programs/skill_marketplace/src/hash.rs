//! SHA-256 by the runtime's syscall, in the form that `interface`'s rules take.

/// SHA-256 over the concatenation of `parts`.
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    #[cfg(target_os = "solana")]
    {
        let mut digest = [0; 32];
        // SAFETY: a slice of byte slices is what the syscall reads as (pointer, length) pairs; it writes 32 bytes.
        unsafe {
            anchor_lang::pinocchio::syscalls::sol_sha256(
                parts.as_ptr().cast(),
                parts.len() as u64,
                digest.as_mut_ptr(),
            );
        }
        digest
    }
    #[cfg(not(target_os = "solana"))]
    {
        anchor_lang::prelude::sha256(&parts.concat())
    }
}
