//! The account type of receiving accounts in instructions that must not fail because of one, or that ask themselves
//! whether it can be paid.

use anchor_lang::prelude::*;

/// An account that may receive money, unchecked like `UncheckedAccount`; but declared `mut` it also loads where the
/// runtime made it read-only.
///
/// The runtime does so for its own accounts (a sysvar, a program). A seller who names one as payout must not be able to
/// block an exit or to fail other licences' batches; such an account is then one that cannot receive.
pub struct Recipient {
    view: AccountView,
}

impl AnchorAccount for Recipient {
    type Data = AccountView;

    #[inline(always)]
    fn load(view: AccountView) -> Result<Self> {
        Ok(Self { view })
    }

    // Also for `mut`: whether it is writable is asked before money moves.
    #[inline(always)]
    unsafe fn load_mut(view: AccountView) -> Result<Self> {
        Self::load(view)
    }

    #[inline(always)]
    fn account(&self) -> &AccountView {
        &self.view
    }
}

impl core::ops::Deref for Recipient {
    type Target = AccountView;

    #[inline(always)]
    fn deref(&self) -> &AccountView {
        &self.view
    }
}

impl IdlAccountType for Recipient {}
