//! Everybody in the world, by name. Keys are fixed, so addresses, bumps and compute units repeat.

use clawos_interface::Key;
use solana_keypair::Keypair;
use solana_signer::Signer;

/// The plain key of a keypair.
pub fn key(keypair: &Keypair) -> Key {
    keypair.pubkey().to_bytes()
}

/// A fixed keypair; those of [`PEOPLE`] have money from the start, and 11 is the mint.
pub fn keypair(n: u8) -> Keypair {
    Keypair::new_from_array([n; 32])
}

/// The numbers of the keypairs below.
pub const PEOPLE: std::ops::RangeInclusive<u8> = 1..=10;

macro_rules! people {
    ($($(#[$doc:meta])* $name:ident = $n:literal;)*) => {
        $($(#[$doc])* pub fn $name() -> Keypair { keypair($n) })*
    };
}

people! {
    /// The program's upgrade authority; also mints and freezes USDC.
    deployer = 1;
    /// Config's authority.
    authority = 2;
    /// Config's guardian.
    guardian = 3;
    /// Config's arbiter.
    arbiter = 4;
    /// The platform's wallet.
    treasury = 5;
    /// Config's meter.
    meter = 6;
    /// Sells skills.
    seller = 7;
    /// The seller's receiving wallet.
    payout = 8;
    /// Buys licences.
    buyer = 9;
    /// Somebody with money and no rights.
    attacker = 10;
    /// Buys licences beside [`buyer`]; has nothing unless a test gives it something.
    second_buyer = 12;
}
