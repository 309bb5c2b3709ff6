//! Little-endian integers of alignment 1, so that an account can be read in place at any address.

use bytemuck::{Pod, Zeroable};

macro_rules! little_endian {
    ($($(#[$doc:meta])* $name:ident, $plain:ty, $bytes:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Default, Pod, Zeroable)]
        #[repr(transparent)]
        pub struct $name([u8; $bytes]);

        impl $name {
            /// Stores `value`.
            pub const fn new(value: $plain) -> Self {
                Self(value.to_le_bytes())
            }
            /// The stored value.
            #[inline(always)]
            pub const fn get(&self) -> $plain {
                <$plain>::from_le_bytes(self.0)
            }
            /// Replaces the stored value.
            #[inline(always)]
            pub fn set(&mut self, value: $plain) {
                self.0 = value.to_le_bytes();
            }
        }

        impl From<$plain> for $name {
            fn from(value: $plain) -> Self {
                Self::new(value)
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                core::fmt::Debug::fmt(&self.get(), f)
            }
        }
    )*};
}

little_endian! {
    /// An unsigned 16-bit integer.
    U16, u16, 2;
    /// An unsigned 32-bit integer.
    U32, u32, 4;
    /// An unsigned 64-bit integer.
    U64, u64, 8;
    /// A signed 64-bit integer.
    I64, i64, 8;
}

/// How a stored field is handed out: integers as plain ones, the rest as it is.
pub trait Field {
    /// What the accessor returns.
    type Plain;
    /// The plain value.
    fn plain(&self) -> Self::Plain;
}

macro_rules! plain_integers {
    ($($stored:ty => $plain:ty;)*) => {$(
        impl Field for $stored {
            type Plain = $plain;
            #[inline(always)]
            fn plain(&self) -> $plain {
                self.get()
            }
        }
        impl<const N: usize> Field for [$stored; N] {
            type Plain = [$plain; N];
            #[inline(always)]
            fn plain(&self) -> [$plain; N] {
                self.map(|stored| stored.get())
            }
        }
    )*};
}

plain_integers! { U16 => u16; U32 => u32; U64 => u64; I64 => i64; }

impl Field for u8 {
    type Plain = u8;
    #[inline(always)]
    fn plain(&self) -> u8 {
        *self
    }
}

impl<const N: usize> Field for [u8; N] {
    type Plain = [u8; N];
    #[inline(always)]
    fn plain(&self) -> [u8; N] {
        *self
    }
}
