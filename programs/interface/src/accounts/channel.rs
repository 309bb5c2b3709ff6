//! Channel: a buyer's deposit that signed vouchers draw on, seeds `channel`, licence, authorised signer, mint, salt,
//! opening slot.

use crate::integers::{I64, U32, U64};
use crate::layout::layout;
use crate::Key;

layout! {
    /// A payment channel: cumulative vouchers of the authorised signer move the deposit to the seller.
    Channel = [49, 159, 99, 106, 220, 87, 219, 88], version 1, at version {
        /// The licence whose usage it pays.
        licence: Key,
        /// Who deposited and gets the rest back.
        payer: Key,
        /// Who paid the rent and gets it back.
        rent_payer: Key,
        /// Key that signs vouchers.
        authorized_signer: Key,
        /// Mint of the deposit; zeros for SOL.
        mint: Key,
        /// Base units put in so far.
        deposit: U64,
        /// Highest cumulative amount a voucher has proved.
        settled: U64,
        /// Base units of it already paid out.
        paid: U64,
        /// Chosen by the payer, so that one licence can have several channels.
        salt: U64,
        /// Slot of opening; part of the address, so that an old voucher never fits a new channel.
        open_slot: U64,
        /// When closing was asked for, Unix seconds; 0 = not.
        closing_at: I64,
        /// Seconds the seller has to claim after that.
        grace_secs: U32,
        /// [`Currency`](crate::Currency).
        currency: u8,
        /// 1 = open, 2 = closing, 3 = closed.
        status: u8,
        /// Layout version.
        version: u8,
        /// Bump of the address.
        bump: u8,
        /// For later versions; zeros.
        reserved: [u8; 40],
    }
}
