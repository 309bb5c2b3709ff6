//! Anchor's view of the accounts. The layouts are those of `interface::accounts`: each mirror is asserted equal to its
//! original, field by field, and handed out as the original.

use anchor_lang::prelude::*;

mod channel;
mod config;
mod licence;
mod purchase;
mod skill;

pub use channel::Channel;
pub use config::Config;
pub use licence::Licence;
pub use purchase::Purchase;
pub use skill::Skill;

/// Declares a mirror of `interface::accounts::$name`.
macro_rules! mirror {
    ($name:ident { $($field:ident: $ty:tt),* $(,)? }) => {
        #[account]
        pub struct $name { $(pub $field: $ty,)* }

        const _: () = {
            type Layout = interface::accounts::$name;
            assert!(core::mem::size_of::<$name>() == core::mem::size_of::<Layout>());
            assert!(core::mem::align_of::<$name>() == core::mem::align_of::<Layout>());
            $(assert!(core::mem::offset_of!($name, $field) == core::mem::offset_of!(Layout, $field));)*
            let (mut i, ours) = (0, <$name as Discriminator>::DISCRIMINATOR);
            while i < 8 {
                assert!(ours[i] == Layout::DISCRIMINATOR[i]);
                i += 1;
            }
        };

        impl $name {
            /// The account as `interface` knows it.
            ///
            /// # Errors
            /// `VersionUnsupported` when its layout is not the present one.
            #[inline(always)]
            pub fn read(&self) -> Result<&interface::accounts::$name> {
                $crate::errors::ensure!(self.version == interface::accounts::$name::VERSION, VersionUnsupported);
                Ok(anchor_lang::bytemuck::cast_ref(self))
            }

            /// The account as `interface` knows it, to be changed.
            ///
            /// # Errors
            /// `VersionUnsupported` when its layout is not the present one.
            #[inline(always)]
            pub fn write(&mut self) -> Result<&mut interface::accounts::$name> {
                $crate::errors::ensure!(self.version == interface::accounts::$name::VERSION, VersionUnsupported);
                Ok(self.layout_mut())
            }

            /// The bytes of a new account, to be filled.
            #[inline(always)]
            pub fn layout_mut(&mut self) -> &mut interface::accounts::$name {
                anchor_lang::bytemuck::cast_mut(self)
            }
        }
    };
}
pub(crate) use mirror;

/// The plain bytes of an address.
#[inline(always)]
pub fn key(address: &Address) -> &interface::Key {
    address.as_array()
}
