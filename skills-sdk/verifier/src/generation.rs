//! Which generation of its licence a receipt is from: the current one, or one before a renewal, purchase or closing.
//!
//! A licence is renewed, bought again, closed and opened anew; what its account says now must not be held against what
//! was right before. But the receipt itself names the slot its licence was read at, and the receipt is the server's word:
//! it excuses nothing that the chain contradicts.

use clawos_interface::accounts::Licence;
use clawos_interface::{Key, Kind};
use clawos_receipts::Receipt;

/// The generation of its licence that a receipt is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Generation {
    /// What the account says now.
    Current,
    /// A subscription that was renewed, maybe since: another terms version, another meter, all else the same.
    Renewed,
    /// The same account, before the licence was bought again.
    EarlierPurchase,
    /// An earlier account, closed since.
    EarlierOpening,
}

impl Generation {
    /// The generation that `receipt` is from. `settled` says that it was proven to be in a batch of the account's own hash
    /// chain.
    ///
    /// Errors when the receipt claims an earlier account and the chain contradicts it.
    pub(crate) fn of(receipt: &Receipt, licence: &Licence, settled: bool) -> Result<Self, String> {
        if let Some(slot) = receipt.licence_slot.filter(|slot| *slot < licence.created_slot()) {
            let claim = format!("the licence is said to be read at slot {slot}, before {}", licence.created_slot());
            if settled {
                return Err(format!("{claim} when its account was made, which has the receipt in its hash chain"));
            }
            if !is_before(receipt, licence.created_at()) {
                return Err(format!("{claim} when its account was made, for a call after that"));
            }
            return Ok(Self::EarlierOpening);
        }
        if licence.purchases() <= 1 {
            return Ok(Self::Current);
        }
        // The right of an earlier purchase has ended before the next one begins; only a subscription is renewed within it.
        if is_before(receipt, licence.starts_at()) {
            Ok(Self::EarlierPurchase)
        } else if licence.kind == Kind::Subscription as u8 {
            Ok(Self::Renewed)
        } else {
            Ok(Self::Current)
        }
    }

    /// Why a certificate by another meter than the account's is not held against the receipt, if so.
    pub(crate) fn excuses_meter(self) -> Option<&'static str> {
        match self {
            Self::Current => None,
            Self::Renewed | Self::EarlierPurchase => {
                Some("the licence has been bought again, maybe under another meter")
            }
            Self::EarlierOpening => Some(EARLIER_OPENING),
        }
    }

    /// Whether terms that differ from the account's can have been right. Within one opening the currency stays and the
    /// terms version only grows.
    pub(crate) fn excuses_terms(self, receipt: &Receipt, licence: &Licence) -> bool {
        let older = receipt.terms_version.is_some_and(|version| version <= licence.terms_version())
            && receipt.currency.is_some_and(|currency| currency as u8 == licence.currency);
        let same_right = receipt.kind.map(|kind| kind as u8) == Some(licence.kind)
            && receipt.tier.map(|tier| tier as u8) == Some(licence.tier)
            && receipt.unit_price == licence.unit_price();
        match self {
            Self::Current => false,
            Self::Renewed => older && same_right,
            Self::EarlierPurchase => older,
            Self::EarlierOpening => true,
        }
    }
}

/// The meters that may have recorded the call: the licence's own first and, for a call made before that had to be settled,
/// the one before it.
pub(crate) fn meters(receipt: &Receipt, licence: &Licence) -> Vec<Key> {
    let mut meters = vec![licence.meter];
    if is_before(receipt, licence.meter_until()) {
        meters.push(licence.previous_meter);
    }
    meters
}

/// Why the account is not compared with the receipt.
pub(crate) const EARLIER_OPENING: &str =
    "the receipt says it is from before the licence's account was closed and opened again";

/// Whether the call was admitted before `secs` (Unix). Admission counts: a call may end after the right it rests on.
fn is_before(receipt: &Receipt, secs: i64) -> bool {
    i128::from(receipt.time) < i128::from(secs) * 1_000
}
