//! What the compiler expects of a C library, as Solana syscalls. Only for the upstream BPF target; Solana's own
//! compiler brings its own.
//!
//! A syscall is a call of a constant: the Murmur3 hash of its name, which the loader resolves.

use core::mem::transmute;

/// `abort`
const ABORT: usize = 0xb6fc_1a11;
/// `sol_memcpy_`
const MEMCPY: usize = 0x717c_c4a3;
/// `sol_memmove_`
const MEMMOVE: usize = 0x4343_71f8;
/// `sol_memset_`
const MEMSET: usize = 0x3770_fb22;
/// `sol_memcmp_`
const MEMCMP: usize = 0x5fdc_de31;

#[no_mangle]
extern "C" fn __bpf_trap() -> ! {
    // SAFETY: the syscall has this signature and does not return.
    unsafe { transmute::<usize, extern "C" fn() -> !>(ABORT)() }
}

// SAFETY (all below): the syscalls have the signatures of their namesakes in C, and the caller keeps C's contract.

#[no_mangle]
unsafe extern "C" fn memcpy(dst: *mut u8, src: *const u8, n: u64) -> *mut u8 {
    transmute::<usize, extern "C" fn(*mut u8, *const u8, u64)>(MEMCPY)(dst, src, n);
    dst
}

#[no_mangle]
unsafe extern "C" fn memmove(dst: *mut u8, src: *const u8, n: u64) -> *mut u8 {
    transmute::<usize, extern "C" fn(*mut u8, *const u8, u64)>(MEMMOVE)(dst, src, n);
    dst
}

#[no_mangle]
unsafe extern "C" fn memset(dst: *mut u8, byte: i32, n: u64) -> *mut u8 {
    transmute::<usize, extern "C" fn(*mut u8, u8, u64)>(MEMSET)(dst, byte as u8, n);
    dst
}

#[no_mangle]
unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, n: u64) -> i32 {
    let mut order = 0;
    transmute::<usize, extern "C" fn(*const u8, *const u8, u64, *mut i32)>(MEMCMP)(a, b, n, &mut order);
    order
}

#[no_mangle]
unsafe extern "C" fn bcmp(a: *const u8, b: *const u8, n: u64) -> i32 {
    memcmp(a, b, n)
}
