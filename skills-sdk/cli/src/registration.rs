//! A skill's price on chain: what stands there, what the manifest says, and the transaction that makes them equal.

use clawos_client::Wallet;
use clawos_client::api::Money;
use clawos_client::key::to_base58;
use clawos_client::solana::Chain;
use clawos_client::solana::actions::skill_address;
use clawos_client::solana::purchase::Listing;
use clawos_client::solana::send::Confirmed;
use clawos_interface::accounts::Skill;
use clawos_interface::rules::terms::Terms;
use clawos_interface::{Currency, Key, NO_KEY};
use clawos_manifest::Prices;
use serde_json::{Value, json};

use crate::amount;
use crate::context::Context;
use crate::error::Result;

/// Lamports per signature: Solana's base fee.
const FEE_PER_SIGNATURE: u64 = 5_000;

/// What is to be done on chain, before it is.
#[derive(Debug)]
pub struct Registration {
    address: Key,
    terms: Terms,
    /// The listing as it stands; none before it is registered.
    before: Option<Listing>,
    cost: Money,
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
        let mut plan = Registration { address, terms, before, cost: amount::money(0, Currency::Sol) };
        let lamports = match plan.action() {
            "register" => chain.rent(Skill::LEN).await?.saturating_add(FEE_PER_SIGNATURE),
            "update" => FEE_PER_SIGNATURE,
            _ => 0,
        };
        plan.cost = amount::money(lamports, Currency::Sol);
        Ok(plan)
    }

    /// `register`, `update`, or `none` when the chain has these terms already.
    pub fn action(&self) -> &'static str {
        match &self.before {
            None => "register",
            Some(listing) if terms_on_chain(&listing.skill) == self.terms => "none",
            Some(_) => "update",
        }
    }

    /// Says what will change and asks a person whether it shall.
    ///
    /// # Errors
    /// [`CliError::Usage`](crate::error::CliError::Usage) when the answer is no.
    pub fn confirm(&self, id: &str, yes: bool, context: &Context) -> Result<()> {
        let action = self.action();
        if action == "none" {
            return Ok(());
        }
        context.out.note(format!("{action} {id} on chain: about {}", self.cost));
        let Some(listing) = &self.before else { return Ok(()) };
        for (what, from, to) in changes(&terms_on_chain(&listing.skill), &self.terms) {
            context.out.note(format!("  {what}: {from} -> {to}"));
        }
        context.out.confirm(&format!("change the terms of {id}?"), yes)
    }

    /// Sends what is to be done, if anything is.
    ///
    /// # Errors
    /// What the program refuses.
    pub async fn send(&self, chain: &Chain, wallet: &Wallet, id: &str) -> Result<Option<Confirmed>> {
        Ok(match (self.action(), &self.before) {
            ("register", _) => Some(chain.register_skill(wallet, id, &self.terms).await?),
            ("update", Some(listing)) => Some(chain.update_skill(wallet, listing, &self.terms).await?),
            _ => None,
        })
    }

    /// The registration as it is told; `confirmed` once it was sent.
    pub fn json(&self, confirmed: Option<&Confirmed>) -> Value {
        json!({
            "action": self.action(),
            "skill_account": to_base58(&self.address),
            "payout": to_base58(&self.terms.payout),
            "cost": self.cost,
            "transaction": confirmed.map(|confirmed| &confirmed.signature),
            "slot": confirmed.map(|confirmed| confirmed.slot.to_string()),
        })
    }
}

/// The terms as they were registered (with the meter of the registration, not the effective one).
fn terms_on_chain(skill: &Skill) -> Terms {
    Terms { meter: skill.meter, ..skill.terms(&NO_KEY) }
}

/// What differs between two terms, in words.
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
            ("tiers", format!("{:?} basis points", terms.tier_bps)),
            ("kinds", format!("{:#05b}", terms.kinds)),
            ("unit", terms.unit_kind.to_string()),
        ]
    };
    let pairs = words(from).into_iter().zip(words(to));
    pairs.filter(|(old, new)| old.1 != new.1).map(|((what, old), (_, new))| (what, old, new)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_is_told_and_nothing_else() {
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
        let after = Terms { payout: [2; 32], price_once: 6_000_000, ..before };
        let told = changes(&before, &after);
        assert_eq!(told[0], ("payout", to_base58(&[1; 32]), to_base58(&[2; 32])));
        assert_eq!(told[1], ("price once", "5 USDC".to_owned(), "6 USDC".to_owned()));
        assert_eq!(told.len(), 2);
        assert!(changes(&before, &before).is_empty());
    }
}
