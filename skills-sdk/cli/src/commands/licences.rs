//! `clawos licences`: the wallet's licences as the chain has them. The server only tells the names of their skills.

use std::collections::{BTreeMap, BTreeSet};

use clawos_client::Client;
use clawos_client::api::skills::SkillQuery;
use clawos_client::key::to_base58;
use clawos_client::solana::Chain;
use clawos_interface::accounts::Licence;
use clawos_interface::rules::validity::is_expired;
use clawos_interface::{Currency, ExitKind, Key, Kind, LicenceStatus, Tier, skill_id};
use futures::stream::{self, StreamExt, TryStreamExt};
use serde_json::{Value, json};

use crate::amount;
use crate::context::{Context, now_secs, rfc3339};
use crate::error::Result;
use crate::table;

/// How many skills are looked up at once.
const AT_ONCE: usize = 8;

/// Lists them.
///
/// # Errors
/// When the chain cannot be read.
pub async fn run(context: &Context) -> Result<()> {
    let (chain, owner) = (context.chain(), context.wallet()?.key());
    let mut licences = chain.licences(&owner).await?;
    licences.sort_by_key(|(_, licence)| licence.created_slot());
    let (client, progress) = (context.public()?, context.out.progress("looking up the skills' names"));
    let skills: BTreeSet<Key> = licences.iter().map(|(_, licence)| licence.skill).collect();
    let lookups = stream::iter(skills).map(|skill| name(skill, &chain, &client)).buffer_unordered(AT_ONCE);
    let names: BTreeMap<Key, Option<String>> = lookups.try_collect().await?;
    drop(progress);
    let (rows, values): (Vec<_>, Vec<_>) = licences
        .iter()
        .map(|(address, licence)| entry(address, licence, names.get(&licence.skill).and_then(Option::as_ref)))
        .unzip();
    context.out.result(&json!({ "licences": values }), || {
        table::columns(&["skill", "kind", "tier", "state", "credit", "expires"], &rows)
    })?;
    if licences.is_empty() {
        context.out.note("this wallet has no licences; `clawos search` finds skills");
    }
    Ok(())
}

/// The name of the skill at `account`, where the server knows it. It counts only when its hash is the one on chain.
async fn name(account: Key, chain: &Chain, client: &Client) -> Result<(Key, Option<String>)> {
    let Some(skill) = chain.skill(&account).await?.value else { return Ok((account, None)) };
    let query = SkillQuery { account: Some(to_base58(&account)), limit: Some(1), ..SkillQuery::default() };
    // Without the server the licences are shown all the same, by their skills' addresses.
    let found = client.search(&query).await.map(|page| page.items).unwrap_or_default();
    Ok((account, found.into_iter().map(|found| found.id).find(|id| skill_id(id) == skill.skill_id)))
}

/// A licence as a row and as JSON.
fn entry(address: &Key, licence: &Licence, name: Option<&String>) -> (Vec<String>, Value) {
    let kind = Kind::try_from(licence.kind).map_or_else(|_| "unknown".to_owned(), |kind| kind.to_string());
    let tier = Tier::try_from(licence.tier).map_or_else(|_| "unknown".to_owned(), |tier| tier.to_string());
    let credit = Currency::try_from(licence.currency).ok().map(|currency| amount::money(licence.credit(), currency));
    let expires = (licence.expires_at() != 0).then(|| rfc3339(licence.expires_at()));
    let state = state(licence, now_secs());
    let row = vec![
        name.cloned().unwrap_or_else(|| to_base58(&licence.skill)),
        kind.clone(),
        tier.clone(),
        state.to_owned(),
        credit.as_ref().filter(|money| money.amount > 0).map_or_else(|| "-".to_owned(), |money| money.to_string()),
        expires.clone().unwrap_or_else(|| "never".to_owned()),
    ];
    let value = json!({
        "skill": name,
        "skill_account": to_base58(&licence.skill),
        "licence": to_base58(address),
        "kind": kind,
        "tier": tier,
        "state": state,
        "credit": credit,
        "expires_at": expires,
        "usage_total": licence.usage_total().to_string(),
    });
    (row, value)
}

fn state(licence: &Licence, now_secs: i64) -> &'static str {
    match LicenceStatus::try_from(licence.status) {
        _ if licence.exit_kind == ExitKind::Close as u8 => "closing",
        _ if licence.exit_kind != ExitKind::None as u8 => "withdrawing",
        Ok(LicenceStatus::Active) if is_expired(licence, now_secs) => "expired",
        Ok(status) => status.as_str(),
        Err(_) => "unknown",
    }
}
