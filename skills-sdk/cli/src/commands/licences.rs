//! `clawos licences`: the wallet's licences as the chain has them. The server only tells the names of their skills.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;

use clawos_client::api::skills::SkillQuery;
use clawos_client::key::to_base58;
use clawos_client::solana::Chain;
use clawos_client::{Client, ClientError};
use clawos_interface::accounts::Licence;
use clawos_interface::rules::validity::is_expired;
use clawos_interface::{Currency, ExitKind, Key, Kind, LicenceStatus, Tier, skill_id};
use futures::FutureExt;
use futures::stream::{self, StreamExt};
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
    let (names, unanswered) = look_up(skills, |skill| name(skill, &chain, &client)).await?;
    drop(progress);
    if let Some(error) = unanswered {
        context.out.warn(format!("skills are shown by their accounts, since the server does not name them: {error}"));
    }
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

/// The name of the skill at `account`, where the server knows it. It counts only when its hash is the one on chain.
async fn name(account: Key, chain: &Chain, client: &Client) -> Result<Option<String>, ClientError> {
    let Some(skill) = chain.skill(&account).await?.value else { return Ok(None) };
    let query = SkillQuery { account: Some(to_base58(&account)), limit: Some(1), ..SkillQuery::default() };
    let found = client.search(&query).await?.items;
    Ok(found.into_iter().map(|found| found.id).find(|id| skill_id(id) == skill.skill_id))
}

/// Asks for the name of each skill, a few at once. Where the server does not answer, nothing more is asked of it, and the
/// error comes with the names until then: without it the licences are shown all the same, by their skills' addresses.
async fn look_up<F>(
    skills: BTreeSet<Key>,
    name: impl Fn(Key) -> F,
) -> Result<(BTreeMap<Key, String>, Option<ClientError>), ClientError>
where
    F: Future<Output = Result<Option<String>, ClientError>>,
{
    let mut names = BTreeMap::new();
    let lookups = stream::iter(skills).map(|skill| name(skill).map(move |found| (skill, found)));
    let mut lookups = pin!(lookups.buffer_unordered(AT_ONCE));
    while let Some((skill, found)) = lookups.next().await {
        match found {
            Ok(found) => names.extend(found.map(|name| (skill, name))),
            Err(error @ ClientError::Chain(_)) => return Err(error),
            Err(error) => return Ok((names, Some(error))),
        }
    }
    Ok((names, None))
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

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use clawos_client::solana::ChainError;

    use super::*;

    fn skills() -> BTreeSet<Key> {
        (0..100).map(|number| [number; 32]).collect()
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_given_up_after_the_first_lookup_that_fails() {
        let asked = Cell::new(0);
        let silent = |skill: Key| {
            asked.set(asked.get() + 1);
            async move {
                match skill[0] {
                    0 => Ok(Some("acme.first".to_owned())),
                    _ => Err(ClientError::Silent { url: "http://x".to_owned(), secs: 20 }),
                }
            }
        };
        let (names, error) = look_up(skills(), silent).await.expect("the licences are shown all the same");
        assert_eq!(names, BTreeMap::from([([0; 32], "acme.first".to_owned())]));
        assert!(matches!(error, Some(ClientError::Silent { .. })), "{error:?}");
        assert!(asked.get() <= AT_ONCE + 1, "{} skills were looked up", asked.get());
    }

    #[tokio::test]
    async fn a_chain_that_cannot_be_read_is_an_error() {
        let unread = async |_| Err(ChainError::Absent("skill".to_owned()).into());
        assert!(matches!(look_up(skills(), unread).await, Err(ClientError::Chain(_))));
    }
}
