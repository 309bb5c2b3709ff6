//! `clawos licences`: the wallet's licences as the chain has them. The server only tells the names of their skills.

use std::collections::BTreeMap;

use clawos_client::api::skills::SkillQuery;
use clawos_client::key::to_base58;
use clawos_interface::accounts::Licence;
use clawos_interface::rules::validity::is_expired;
use clawos_interface::{Currency, ExitKind, Key, Kind, LicenceStatus, Tier, skill_id};
use serde_json::{Value, json};

use crate::amount;
use crate::context::{Context, now_secs, rfc3339};
use crate::error::Result;
use crate::table;

/// The most pages of the server's list that are searched for names, of [`PAGE`] skills each.
const MAX_PAGES: usize = 20;
/// Skills in a page: the most that the server gives.
const PAGE: u32 = 100;

/// Lists them.
///
/// # Errors
/// When the chain cannot be read.
pub async fn run(context: &Context) -> Result<()> {
    let (chain, owner) = (context.chain(), context.wallet()?.key());
    let mut licences = chain.licences(&owner).await?;
    licences.sort_by_key(|(_, licence)| licence.created_slot());
    let mut ids = BTreeMap::new();
    for (_, licence) in &licences {
        if let Some(skill) = chain.skill(&licence.skill).await?.value {
            ids.insert(licence.skill, skill.skill_id);
        }
    }
    let names = names(&ids, context).await;
    let (rows, values): (Vec<_>, Vec<_>) =
        licences.iter().map(|(address, licence)| entry(address, licence, names.get(&licence.skill))).unzip();
    context.out.result(&json!({ "licences": values }), || {
        table::columns(&["skill", "kind", "tier", "state", "credit", "expires"], &rows)
    })?;
    if licences.is_empty() {
        context.out.note("this wallet has no licences; `clawos search` finds skills");
    }
    Ok(())
}

/// The names of skill accounts whose hashed ids are `ids`, as far as the server lists them. A name counts only when its
/// hash is the one on chain.
async fn names(ids: &BTreeMap<Key, Key>, context: &Context) -> BTreeMap<Key, String> {
    let mut names = BTreeMap::new();
    let Ok(client) = context.public() else { return names };
    let mut query = SkillQuery { limit: Some(PAGE), ..SkillQuery::default() };
    for _ in 0..MAX_PAGES {
        if names.len() == ids.len() {
            break;
        }
        let Ok(page) = client.search(&query).await else { break };
        for skill in page.items {
            let hash = skill_id(&skill.id);
            names.extend(ids.iter().filter(|(_, id)| **id == hash).map(|(account, _)| (*account, skill.id.clone())));
        }
        query.cursor = page.next_cursor;
        if query.cursor.is_none() {
            break;
        }
    }
    names
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
