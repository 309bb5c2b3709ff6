//! What every account and event layout has in common: packed `repr(C)`, a discriminator before it, and checked
//! decoding.

/// Why bytes are not the account or event they were taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// Fewer bytes than the layout has, or (for an account) more.
    Length {
        /// Bytes the layout has, discriminator included.
        expected: usize,
        /// Bytes given.
        found: usize,
    },
    /// The first eight bytes belong to something else.
    Discriminator,
    /// The layout's version is not one this crate knows.
    Version {
        /// Version found in the bytes.
        found: u8,
    },
}

impl core::fmt::Display for DecodeError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Length { expected, found } => {
                write!(f, "expected {expected} bytes, found {found}: read the whole account")
            }
            Self::Discriminator => {
                f.write_str("the discriminator is another one: check that the address is of this kind of account")
            }
            Self::Version { found } => write!(f, "layout version {found} is unknown: use a newer client"),
        }
    }
}

impl core::error::Error for DecodeError {}

/// Bytes of the discriminator that precedes every account, instruction and event.
pub const DISCRIMINATOR_LEN: usize = 8;

/// Declares a layout: the struct, its discriminator and length, `blank`, `decode`, `encode`, and one accessor per field
/// that returns plain integers.
macro_rules! layout {
    ($(#[$doc:meta])* $name:ident = $discriminator:expr, version $version:expr, at $version_field:ident {
        $($(#[$field_doc:meta])* $field:ident: $ty:ty),* $(,)?
    }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug, bytemuck::Pod, bytemuck::Zeroable)]
        #[repr(C)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $ty,)*
        }

        impl $name {
            /// First eight bytes, as Anchor derives them from the name.
            pub const DISCRIMINATOR: [u8; 8] = $discriminator;
            /// Length in bytes, discriminator included.
            pub const LEN: usize = $crate::layout::DISCRIMINATOR_LEN + core::mem::size_of::<Self>();
            /// The layout version this crate reads and writes.
            pub const VERSION: u8 = $version;

            /// All zeros but the version, for what fills in the rest.
            pub fn blank() -> Self {
                Self { $version_field: Self::VERSION, ..bytemuck::Zeroable::zeroed() }
            }

            /// Reads the layout from bytes that begin with its discriminator.
            ///
            /// # Errors
            /// [`DecodeError`](crate::DecodeError) when discriminator, length or version differ.
            pub fn decode(bytes: &[u8]) -> Result<Self, $crate::DecodeError> {
                use $crate::DecodeError;
                let (Some(head), Some(body)) = (bytes.get(..8), bytes.get(8..)) else {
                    return Err(DecodeError::Length { expected: Self::LEN, found: bytes.len() });
                };
                if head != Self::DISCRIMINATOR {
                    return Err(DecodeError::Discriminator);
                }
                let value: Self = bytemuck::try_pod_read_unaligned(body)
                    .map_err(|_| DecodeError::Length { expected: Self::LEN, found: bytes.len() })?;
                if value.$version_field != Self::VERSION {
                    return Err(DecodeError::Version { found: value.$version_field });
                }
                Ok(value)
            }

            /// Discriminator and layout, as they stand in the account or log.
            pub fn encode(&self) -> [u8; Self::LEN] {
                let mut bytes = [0; Self::LEN];
                bytes[..8].copy_from_slice(&Self::DISCRIMINATOR);
                bytes[8..].copy_from_slice(bytemuck::bytes_of(self));
                bytes
            }

            $(
                $(#[$field_doc])*
                // Two events have a field named `new`: not a constructor.
                #[allow(clippy::new_ret_no_self)]
                #[inline(always)]
                pub fn $field(&self) -> <$ty as $crate::integers::Field>::Plain {
                    $crate::integers::Field::plain(&self.$field)
                }
            )*
        }
    };
}
pub(crate) use layout;
