//! A licence from the chain alone: does it give this buyer access to this skill now?

use clawos_interface::accounts::Licence;
use clawos_interface::rules::validity::{Validity, validity};
use clawos_interface::{Key, Kind, LicenceStatus, Tier, pda};
use clawos_receipts::text::{base58, decimal, hex32};
use serde::Serialize;

use crate::account::{Account, shown};
use crate::report::Report;

/// What the chain says of a licence, and the checks that the answer rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LicenceReport {
    /// Whether it gives access now; false as soon as a check fails.
    pub valid: bool,
    /// Why (not): `ok`, `missing`, `expired`, `suspended`, `refunded`, `closing`, `limit_reached` or `unproven`.
    pub reason: &'static str,
    /// The licence's address.
    #[serde(with = "base58")]
    pub licence: Key,
    /// What it is; absent when there is none.
    pub details: Option<LicenceDetails>,
    /// The checks that the answer rests on.
    #[serde(flatten)]
    pub report: Report,
}

/// What a licence is and holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LicenceDetails {
    /// How it was bought: `one_time`, `subscription` or `usage`.
    pub kind: &'static str,
    /// Its tier: `personal`, `commercial` or `enterprise`.
    pub tier: &'static str,
    /// Its status: `active`, `suspended` or `refunded`.
    pub status: &'static str,
    /// End of the right, Unix seconds; 0 = never.
    pub expires_at: i64,
    /// Units that limit, today's cap and credit leave; absent when nothing bounds them.
    #[serde(with = "decimal::option")]
    pub units_left: Option<u64>,
    /// Prepaid base units.
    #[serde(with = "decimal")]
    pub credit: u64,
    /// Recorded usage not paid yet, base units.
    #[serde(with = "decimal")]
    pub unbilled: u64,
    /// Recorded usage paid so far, base units.
    #[serde(with = "decimal")]
    pub billed_total: u64,
    /// Units recorded so far.
    #[serde(with = "decimal")]
    pub usage_total: u64,
    /// Number of the last recorded batch.
    #[serde(with = "decimal")]
    pub usage_seq: u64,
    /// Hash chain over the recorded batches.
    #[serde(with = "hex32")]
    pub chain_root: [u8; 32],
    /// Who records usage.
    #[serde(with = "base58")]
    pub meter: Key,
}

/// Checks the licence of `buyer` for the skill account `skill` at `now` (Unix seconds; use the later of wall clock and
/// chain clock). `account` is the account at the licence's address, `None` when there is none.
pub fn verify(skill: &Key, buyer: &Key, account: Option<&Account<'_>>, now: i64) -> LicenceReport {
    let (address, _) = pda::licence(skill, buyer);
    let mut report = Report::default();
    let Some(account) = account else {
        report.skip("account", format!("no account at {}", shown(&address)));
        let reason = Validity::MISSING.reason.as_str();
        return LicenceReport { valid: false, reason, licence: address, details: None, report };
    };
    let licence = check_account(skill, buyer, account, &mut report);
    let Some(licence) = licence else {
        return LicenceReport { valid: false, reason: "unproven", licence: address, details: None, report };
    };
    let answer = validity(&licence, now);
    let evidence = format!("{} at {now} (Unix seconds), by the rule the program uses", answer.reason.as_str());
    report.add("validity", if answer.valid { Ok(evidence) } else { Err(evidence) });
    LicenceReport {
        valid: answer.valid,
        reason: answer.reason.as_str(),
        licence: address,
        details: Some(details(&licence, &answer)),
        report,
    }
}

/// The licence, when the account proves to be that buyer's for that skill.
fn check_account(skill: &Key, buyer: &Key, account: &Account<'_>, report: &mut Report) -> Option<Licence> {
    let found = account.licence().and_then(|licence| {
        if (licence.skill, licence.buyer) == (*skill, *buyer) {
            Ok(licence)
        } else {
            Err(format!("the account is the licence of {} for {}", shown(&licence.buyer), shown(&licence.skill)))
        }
    });
    let evidence = |_: &Licence| format!("{} at slot {}", shown(&account.address), account.slot);
    report.add("account", found.as_ref().map(evidence).map_err(Clone::clone));
    found.ok()
}

fn details(licence: &Licence, answer: &Validity) -> LicenceDetails {
    LicenceDetails {
        kind: Kind::try_from(licence.kind).map_or("unknown", Kind::as_str),
        tier: Tier::try_from(licence.tier).map_or("unknown", Tier::as_str),
        status: LicenceStatus::try_from(licence.status).map_or("unknown", LicenceStatus::as_str),
        expires_at: licence.expires_at(),
        units_left: Some(answer.units_left).filter(|units| *units != u64::MAX),
        credit: licence.credit(),
        unbilled: licence.unbilled(),
        billed_total: licence.billed_total(),
        usage_total: licence.usage_total(),
        usage_seq: licence.usage_seq(),
        chain_root: licence.chain_root,
        meter: licence.meter,
    }
}
