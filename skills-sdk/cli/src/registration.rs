//! Registers or updates a skill's terms on chain: compares the account with the manifest and sends what differs.

use clawos_client::Wallet;
use clawos_client::api::Money;
use clawos_client::key::to_base58;
use clawos_client::solana::actions::skill_address;
use clawos_client::solana::purchase::Listing;
use clawos_client::solana::send::Confirmed;
use clawos_client::solana::{Chain, ChainError};
use clawos_interface::accounts::Skill;
use clawos_interface::rules::terms::Terms;
use clawos_interface::{Currency, Key, Kind, NO_KEY, Unit};
use clawos_manifest::Prices;
use serde::Serialize;

use crate::amount;
use crate::context::Context;
use crate::error::Result;

/// What has to be done on chain, `snake_case` in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The skill has no account on chain yet.
    Register,
    /// The terms on chain differ from the manifest.
    Update,
    /// The terms on chain equal the manifest.
    None,
}

impl Action {
    /// `register`, `update` or `none`, as in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Action::Register => "register",
            Action::Update => "update",
            Action::None => "none",
        }
    }
}

/// A registration as it is reported.
#[derive(Debug, Serialize)]
pub struct RegistrationReport {
    /// What has to be done, or was done.
    pub action: Action,
    /// The skill's account, base58.
    pub skill_account: String,
    /// Who receives the money, base58.
    pub payout: String,
    /// Rent and fees.
    pub cost: Money,
    /// Whether the wallet has that much.
    pub affordable: bool,
    /// The transaction's signature, base58, once it is sent.
    pub transaction: Option<String>,
    /// The slot of the transaction, as a decimal string.
    pub slot: Option<String>,
}

/// The planned change on chain, before it is sent.
#[derive(Debug)]
pub struct Registration {
    address: Key,
    terms: Terms,
    /// The listing as it stands; none before it is registered.
    before: Option<Listing>,
    /// Rent and fees, in lamports.
    cost: u64,
    /// What the wallet lacks for that.
    lacking: Option<ChainError>,
}

impl Registration {
    /// Compares the manifest's prices with the chain. Payout and meter are not in the manifest: they stay as they are on
    /// chain, so that publishing a version moves nobody's income; `payout` names another one.
    ///
    /// # Errors
    /// When the chain cannot be read.
    pub async fn plan(
        chain: &Chain,
        creator: &Key,
        id: &str,
        prices: &Prices,
        payout: Option<Key>,
    ) -> Result<Registration> {
        let address = skill_address(creator, id);
        let before = match chain.skill(&address).await?.value {
            Some(_) => Some(chain.listing(&address).await?),
            None => None,
        };
        let present = before.as_ref().map(|listing| terms_on_chain(&listing.skill));
        let payout = payout.or(present.map(|terms| terms.payout)).unwrap_or(*creator);
        let terms = prices.terms(payout, present.map_or(NO_KEY, |terms| terms.meter));
        let mut plan = Registration { address, terms, before, cost: 0, lacking: None };
        plan.cost = match (plan.action(), &plan.before) {
            (Action::Register, _) => {
                chain.rent_and_fees(&chain.registration(creator, id, &terms).await?, &[Skill::LEN]).await?
            }
            (Action::Update, Some(listing)) => {
                chain.rent_and_fees(&chain.update(creator, listing, &terms).await?, &[]).await?
            }
            _ => return Ok(plan),
        };
        plan.lacking = match chain.check_lamports(creator, plan.cost).await {
            Err(lacking @ ChainError::Funds(_)) => Some(lacking),
            checked => checked.map(|()| None)?,
        };
        Ok(plan)
    }

    /// What the wallet lacks to pay rent and fees, if it does.
    pub fn lacking(&self) -> Option<ChainError> {
        self.lacking.clone()
    }

    fn money(&self) -> Money {
        amount::money(self.cost, Currency::Sol)
    }

    fn action(&self) -> Action {
        match &self.before {
            None => Action::Register,
            Some(listing) if terms_on_chain(&listing.skill) == self.terms => Action::None,
            Some(_) => Action::Update,
        }
    }

    /// Says what will change and asks a person to confirm it.
    ///
    /// # Errors
    /// [`CliError::Usage`](crate::error::CliError::Usage) when the answer is no.
    pub fn confirm(&self, id: &str, yes: bool, context: &Context) -> Result<()> {
        let action = self.action();
        if action == Action::None {
            return Ok(());
        }
        context.out.note(format!("{} {id} on chain: {} for rent and fees", action.as_str(), self.money()));
        let Some(listing) = &self.before else { return Ok(()) };
        for (what, from, to) in changes(&terms_on_chain(&listing.skill), &self.terms) {
            context.out.note(format!("  {what}: {from} -> {to}"));
        }
        context.out.confirm(&format!("change the terms of {id}?"), yes)
    }

    /// Sends the transaction, if one is needed.
    ///
    /// # Errors
    /// What the program refuses.
    pub async fn send(&self, chain: &Chain, wallet: &Wallet, id: &str) -> Result<Option<Confirmed>> {
        Ok(match (self.action(), &self.before) {
            (Action::Register, _) => Some(chain.register_skill(wallet, id, &self.terms).await?),
            (Action::Update, Some(listing)) => Some(chain.update_skill(wallet, listing, &self.terms).await?),
            _ => None,
        })
    }

    /// The registration as it is reported; `confirmed` once it was sent.
    pub fn report(&self, confirmed: Option<&Confirmed>) -> RegistrationReport {
        RegistrationReport {
            action: self.action(),
            skill_account: to_base58(&self.address),
            payout: to_base58(&self.terms.payout),
            cost: self.money(),
            affordable: self.lacking.is_none(),
            transaction: confirmed.map(|confirmed| confirmed.signature.clone()),
            slot: confirmed.map(|confirmed| confirmed.slot.to_string()),
        }
    }
}

/// The terms as they were registered (with the meter of the registration, not the effective one).
fn terms_on_chain(skill: &Skill) -> Terms {
    Terms { meter: skill.meter, ..skill.terms(&NO_KEY) }
}

/// The fields that differ between two terms: name, old value, new value.
fn changes(from: &Terms, to: &Terms) -> Vec<(&'static str, String, String)> {
    let words = |terms: &Terms| {
        let currency = Currency::try_from(terms.currency).ok();
        let money = |units| match currency {
            Some(currency) => amount::money(units, currency).to_string(),
            None => format!("{units} base units"),
        };
        [
            ("payout", to_base58(&terms.payout)),
            ("price once", money(terms.price_once)),
            ("price per period", money(terms.price_period)),
            ("price per unit", money(terms.price_unit)),
            ("period", format!("{} s", terms.period_secs)),
            ("refund window", format!("{} s", terms.refund_window)),
            ("tier multipliers", terms.tier_bps.map(|bps| (f64::from(bps) / 10_000.0).to_string()).join(", ")),
            ("sold as", kinds(terms.kinds)),
            ("unit", Unit::try_from(terms.unit_kind).map_or_else(|_| "unknown".to_owned(), |kind| kind.to_string())),
        ]
    };
    let pairs = words(from).into_iter().zip(words(to));
    pairs.filter(|(old, new)| old.1 != new.1).map(|((what, old), (_, new))| (what, old, new)).collect()
}

/// The names of the licence kinds in a bit mask, such as `one_time, usage`.
fn kinds(mask: u8) -> String {
    let sold = Kind::ALL.iter().filter(|kind| mask & kind.bit() != 0);
    sold.map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changes_is_listed() {
        let before = Terms {
            payout: [1; 32],
            meter: NO_KEY,
            price_once: 5_000_000,
            price_period: 0,
            price_unit: 0,
            period_secs: 0,
            refund_window: 0,
            tier_bps: [10_000; 3],
            currency: Currency::Usdc as u8,
            kinds: 1,
            unit_kind: 0,
        };
        let after = Terms { payout: [2; 32], price_once: 6_000_000, kinds: 5, ..before };
        let told = changes(&before, &after);
        assert_eq!(told[0], ("payout", to_base58(&[1; 32]), to_base58(&[2; 32])));
        assert_eq!(told[1], ("price once", "5 USDC".to_owned(), "6 USDC".to_owned()));
        assert_eq!(told[2], ("sold as", "one_time".to_owned(), "one_time, usage".to_owned()));
        assert_eq!(told.len(), 3);
        assert!(changes(&before, &before).is_empty());
    }
}
