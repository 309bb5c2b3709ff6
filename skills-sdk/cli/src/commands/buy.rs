//! `clawos buy`: buys a licence, and pays for `clawos renew`. The transaction is built from the chain; the server's is only
//! compared.

use clap::Args;
use clawos_client::api::Money;
use clawos_client::api::market::PurchaseRequest;
use clawos_client::key::{self, to_base58};
use clawos_client::solana::purchase::{Listing, Order, Purchase};
use clawos_client::solana::send::Confirmed;
use clawos_interface::accounts::Licence;
use clawos_interface::rules::usage::Caps;
use clawos_interface::{Currency, Kind, Tier};
use serde_json::{Value, json};

use crate::amount;
use crate::args::{Fees, kinds, tiers};
use crate::commands::caps;
use crate::context::{Context, rfc3339};
use crate::error::{CliError, Result};
use crate::listing::SkillArg;
use crate::table;

/// Flags of `clawos buy`.
#[derive(Debug, Args)]
pub struct BuyArgs {
    /// The skill to license.
    #[command(flatten)]
    pub skill: SkillArg,
    /// The kind of licence [default: the first kind the skill offers].
    #[arg(long, value_parser = kinds())]
    pub kind: Option<String>,
    /// The tier of the licence: who will use the skill.
    #[arg(long, default_value = "personal", value_parser = tiers())]
    pub tier: String,
    /// The most to pay, like "5 USDC": for the licence, the period, or one unit of usage.
    #[arg(long, value_name = "AMOUNT")]
    pub max_price: Option<String>,
    /// The key that may record usage and spend credit, if you trust another one than the marketplace's.
    #[arg(long, value_name = "KEY")]
    pub meter: Option<String>,
    /// Your own cap on units in total; 0 for no cap [default: that of your licence which has ended, else none].
    #[arg(long, value_name = "UNITS")]
    pub limit: Option<u64>,
    /// Your own cap on units in one settlement; 0 for no cap [default: as with --limit].
    #[arg(long, value_name = "UNITS")]
    pub per_batch: Option<u64>,
    /// Your own cap on units in a day; 0 for no cap [default: as with --limit].
    #[arg(long, value_name = "UNITS")]
    pub per_day: Option<u64>,
    /// Show the purchase without signing anything.
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask for confirmation.
    #[arg(long, short)]
    pub yes: bool,
    /// Of the transaction.
    #[command(flatten)]
    pub fees: Fees,
}

/// Buys or renews.
///
/// # Errors
/// When the buyer's own cap in total is used up, the price is above `--max-price`, the server's transaction differs from ours, or the chain refuses.
pub async fn run(args: &BuyArgs, context: &Context) -> Result<()> {
    let wallet = context.wallet()?;
    let chain = context.paying_chain(args.fees);
    let listing = args.skill.listing(context).await?;
    let currency = listing.currency()?;
    let licence = chain.licence(&listing.address, &wallet.key()).await?.value;
    let order = order(args, &listing, licence.as_ref())?;
    // The program judges by the chain's clock whether a licence has ended, so that it can be bought anew.
    let purchase = listing.purchase(&wallet.key(), &order, licence.as_ref(), chain.clock().await?)?;
    if purchase.renewal && licence.is_some_and(|licence| order.caps != Caps::for_spending(&licence)) {
        let caps = format!("a renewal leaves the caps as they are; `clawos caps {}` sets others", args.skill.id);
        return Err(CliError::Usage(caps));
    }
    check_limit(&args.skill.id, &order.caps, licence.as_ref(), purchase.renewal)?;
    check_price(args, &purchase, currency)?;
    let made: &[usize] = if licence.is_none() { &[Licence::LEN] } else { &[] };
    let rent_and_fees = chain.rent_and_fees(&purchase.instructions, made).await?;
    let compared = compare(args, context, &purchase, &order, &wallet.key()).await?;
    let mut deal = Deal {
        skill: &args.skill.id,
        order,
        purchase,
        currency,
        rent_and_fees,
        compared,
        confirmed: None,
        expires_at: None,
    };
    if args.dry_run {
        context.out.result(&deal.json(), || deal.text())?;
        context.out.note("dry run: nothing was signed");
        return Ok(());
    }
    chain.check_lamports(&wallet.key(), deal.lamports()).await?;
    let (price, more) = (deal.money(deal.purchase.price), amount::money(rent_and_fees, Currency::Sol));
    context.out.confirm(
        &format!("pay {price} (and {more} for rent and fees) for a {} licence of {}?", order.kind, args.skill.id),
        args.yes,
    )?;
    let progress = context.out.progress("waiting for the chain");
    deal.confirmed = Some(chain.buy(&wallet, &deal.purchase).await?);
    let bought = chain.licence(&listing.address, &wallet.key()).await?.value;
    drop(progress);
    deal.expires_at = bought.map(|licence| licence.expires_at()).filter(|secs| *secs != 0).map(rfc3339);
    context.out.result(&deal.json(), || deal.text())?;
    if order.kind == Kind::Usage {
        context.out.note(format!("next: clawos credit deposit {} AMOUNT", args.skill.id));
    }
    Ok(())
}

/// What is bought. The licence account, where there is one, keeps the buyer's caps, unless others are named: a purchase after
/// its end would lift them.
fn order(args: &BuyArgs, listing: &Listing, licence: Option<&Licence>) -> Result<Order> {
    let offered = |kind: &&Kind| listing.skill.kinds & kind.bit() != 0;
    let kind = match &args.kind {
        Some(name) => Kind::from_name(name),
        None => Kind::ALL.iter().find(offered).copied(),
    };
    let kind = kind.ok_or_else(|| CliError::invalid("this skill is not for sale"))?;
    let tier =
        Tier::from_name(&args.tier).ok_or_else(|| CliError::Usage(format!("there is no tier `{}`", args.tier)))?;
    let caps =
        caps::changed(licence.map(Caps::for_spending).unwrap_or_default(), args.limit, args.per_batch, args.per_day);
    let meter = args.meter.as_deref().map(key::parse).transpose()?;
    Ok(Order { kind, tier, caps, meter })
}

/// Checks that the buyer's own cap leaves units to use. The account counts what was used under its earlier licences too.
fn check_limit(id: &str, caps: &Caps, licence: Option<&Licence>, renewal: bool) -> Result<()> {
    let used = licence.map_or(0, |licence| licence.usage_total());
    if caps.usage_limit == 0 || used < caps.usage_limit {
        return Ok(());
    }
    let other = if renewal { "" } else { ", or buy with `--limit UNITS`" };
    Err(CliError::invalid(format!(
        "your own cap of {} units in total is used up ({used} used), so what you pay for could not be used; set another first with `clawos caps {id} --limit UNITS` (0 for none){other}",
        caps.usage_limit
    )))
}

fn check_price(args: &BuyArgs, purchase: &Purchase, currency: Currency) -> Result<()> {
    let Some(text) = &args.max_price else { return Ok(()) };
    let (asked, most) = (purchase.price.max(purchase.unit_price), amount::parse(text, currency)?);
    if asked <= most {
        return Ok(());
    }
    Err(CliError::PriceAboveMax { price: amount::money(asked, currency), max: amount::money(most, currency) })
}

/// Compares the server's transaction with ours. A renewal is not asked of the server, and with `--creator` there is
/// none to ask; nor is one whose meter the user named, which the server would refuse if it is not its own.
async fn compare(
    args: &BuyArgs,
    context: &Context,
    purchase: &Purchase,
    order: &Order,
    buyer: &[u8; 32],
) -> Result<bool> {
    if purchase.renewal || args.skill.creator.is_some() || args.meter.is_some() {
        return Ok(false);
    }
    let client = context.signed_in().await?;
    let request = PurchaseRequest {
        skill: args.skill.id.clone(),
        kind: order.kind.to_string(),
        tier: order.tier.to_string(),
        max_price: Some(purchase.price.max(purchase.unit_price)),
        caps: Some(caps::view(&order.caps)),
    };
    let offer = client.purchase_offer(&request).await?;
    purchase.check_offer(buyer, &offer)?;
    Ok(true)
}

/// A purchase as it is reported.
struct Deal<'a> {
    skill: &'a str,
    order: Order,
    purchase: Purchase,
    currency: Currency,
    /// What the wallet pays beside the price, in lamports.
    rent_and_fees: u64,
    /// Whether the server's transaction was compared, and equal.
    compared: bool,
    confirmed: Option<Confirmed>,
    /// RFC 3339; none for what does not end.
    expires_at: Option<String>,
}

impl Deal<'_> {
    fn money(&self, units: u64) -> Money {
        amount::money(units, self.currency)
    }

    /// All that the wallet pays in SOL.
    fn lamports(&self) -> u64 {
        let price = if self.currency == Currency::Sol { self.purchase.price } else { 0 };
        price.saturating_add(self.rent_and_fees)
    }

    fn is_usage(&self) -> bool {
        self.order.kind == Kind::Usage
    }

    fn json(&self) -> Value {
        let purchase = &self.purchase;
        json!({
            "skill": self.skill,
            "licence": to_base58(&purchase.licence),
            "kind": self.order.kind.as_str(),
            "tier": self.order.tier.as_str(),
            "price": self.money(purchase.price),
            "fee": self.money(purchase.fee),
            "seller_receives": self.money(purchase.price - purchase.fee),
            "rent_and_fees": amount::money(self.rent_and_fees, Currency::Sol),
            "unit_price": self.is_usage().then(|| self.money(purchase.unit_price)),
            "terms_hash": hex::encode(purchase.terms_hash),
            "meter": to_base58(&purchase.meter),
            "caps": caps::view(&self.order.caps),
            "renewal": purchase.renewal,
            "server_transaction_equal": self.compared,
            "expires_at": self.expires_at,
            "transaction": self.confirmed.as_ref().map(|confirmed| &confirmed.signature),
            "slot": self.confirmed.as_ref().map(|confirmed| confirmed.slot.to_string()),
            "dry_run": self.confirmed.is_none(),
        })
    }

    fn text(&self) -> String {
        let purchase = &self.purchase;
        let money = |units| self.money(units).to_string();
        let renewal = if purchase.renewal { " (renewal)" } else { "" };
        let paid = if self.confirmed.is_some() { "paid" } else { "to pay" };
        table::fields(&[
            ("licence", Some(to_base58(&purchase.licence))),
            ("kind", Some(format!("{}, {}{renewal}", self.order.kind, self.order.tier))),
            (paid, Some(money(purchase.price))),
            ("seller", (purchase.price > 0).then(|| money(purchase.price - purchase.fee))),
            ("platform", (purchase.price > 0).then(|| money(purchase.fee))),
            ("rent and fees", Some(amount::money(self.rent_and_fees, Currency::Sol).to_string())),
            ("per unit", self.is_usage().then(|| money(purchase.unit_price))),
            ("meter", Some(to_base58(&purchase.meter))),
            ("own caps", (self.order.caps != Caps::default()).then(|| caps::line(&self.order.caps))),
            ("expires", self.expires_at.clone()),
            ("transaction", self.confirmed.as_ref().map(|confirmed| confirmed.signature.clone())),
        ])
    }
}
