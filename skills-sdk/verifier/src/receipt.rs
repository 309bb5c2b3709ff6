//! A receipt: what it says, who signed it, and whether that is what buyer and seller agreed to.

use clawos_interface::accounts::{Config, Licence, Skill};
use clawos_interface::{Key, Kind, PROGRAM_ID, Tier, pda, skill_id};
use clawos_manifest::ResolvedManifest;
use clawos_receipts::merkle::verify_path;
use clawos_receipts::seal;
use clawos_receipts::signature;
use clawos_receipts::statement::CertifiedKey;
use clawos_receipts::text::to_hex;
use clawos_receipts::{Receipt, SignedReceipt};

use crate::account::{Account, shown};
use crate::anchor::{self, Placement, in_batch, is_published, is_recorded};
use crate::batches::{self, PublishedBatch};
use crate::generation::{self, EARLIER_OPENING, Generation};
use crate::report::{Finding, Report, Verdict, equal};
use crate::version::{self, SignedVersion};

/// Everything fetched about a receipt. What is absent is reported as skipped.
///
/// Trust comes from the chain: `genesis` is the verifier's own, and the accounts are read from a node the verifier trusts.
/// All else may come from the server. Read the accounts first, then anchor and batches.
#[derive(Debug, Clone)]
pub struct Evidence<'a> {
    /// The genesis hash of the chain that the verifier uses.
    pub genesis: Key,
    /// The receipt to check.
    pub signed: &'a SignedReceipt,
    /// The receipt keys the server publishes, with their certificates.
    pub keys: &'a [CertifiedKey],
    /// The Config account: its meter vouches for receipts without a licence.
    pub config: Option<Account<'a>>,
    /// The account at the receipt's licence.
    pub licence: Option<Account<'a>>,
    /// The Skill account of that licence.
    pub skill: Option<Account<'a>>,
    /// Where the receipt is anchored.
    pub placement: &'a Placement,
    /// Every published batch of the licence, in order.
    pub batches: Option<&'a [PublishedBatch]>,
    /// What the publisher signed.
    pub version: Option<&'a SignedVersion>,
}

/// Accounts after their own checks.
pub(crate) struct OnChain {
    pub(crate) config: Option<Config>,
    pub(crate) licence: Option<Licence>,
    pub(crate) skill: Option<Skill>,
}

/// Makes every check for which there is evidence.
pub fn verify(evidence: &Evidence<'_>) -> Report {
    let mut report = Report::default();
    let receipt = &evidence.signed.receipt;
    let manifest = evidence.version.map(|signed| version::manifest_of(receipt, &signed.manifest));
    check_alone(evidence, manifest.as_ref().and_then(|manifest| manifest.as_ref().ok()), &mut report);
    let chain = check_accounts(evidence, &mut report);
    let history = check_history(evidence, &chain);
    let generation = generation_of(evidence, &chain, history.as_ref(), &mut report);
    check_key(evidence, &chain, generation, &mut report);
    check_agreement(receipt, &chain, generation, &mut report);
    let Evidence { placement, batches, .. } = *evidence;
    anchor::check(receipt, placement, batches, chain.licence.as_ref(), generation, &mut report);
    match history {
        _ if is_in_no_batch(evidence) => report.not_applicable("hash_chain", "the receipt is in no batch"),
        _ if generation == Generation::EarlierOpening => report.skip("hash_chain", EARLIER_OPENING),
        Some(history) => report.checks.extend(history.checks),
        None => report.skip("hash_chain", "needs the licence account and all published batches"),
    }
    version::check(receipt, evidence.version, manifest.as_ref(), &chain, &mut report);
    report
}

/// Whether there is no batch whose place on chain could be checked.
fn is_in_no_batch(evidence: &Evidence<'_>) -> bool {
    match evidence.placement {
        Placement::InBatch(_) => false,
        Placement::Pending | Placement::NeverCharged(_) => true,
        Placement::Unknown(_) => !anchor::is_settled(&evidence.signed.receipt),
    }
}

/// Whether the report shows that the licence's meter, or for a call without licence the platform's, stands behind the
/// receipt. Without that anybody could have made it, however well its own parts fit together.
pub fn is_proven(report: &Report) -> bool {
    report.passed() && report.check(KEY).is_some_and(|check| check.verdict == Verdict::Ok)
}

/// The check that the receipt's key is certified.
const KEY: &str = "key";

/// What the receipt proves by itself: form, arithmetic, chain, path, signature.
fn check_alone(evidence: &Evidence<'_>, manifest: Option<&ResolvedManifest>, report: &mut Report) {
    let signed = evidence.signed;
    let receipt = &signed.receipt;
    report.add(
        "form",
        receipt.check().map(|()| format!("version {} receipt {}", receipt.v, receipt.id)).map_err(|e| e.to_string()),
    );
    let bill = format!(
        "{} {} × {} = {} for outcome {} and {} fuel",
        receipt.units,
        receipt.unit.as_str(),
        receipt.unit_price,
        receipt.amount,
        receipt.outcome.as_str(),
        receipt.fuel
    );
    report.add("arithmetic", receipt.check_arithmetic().map(|()| bill).map_err(|error| error.to_string()));
    if let Some(finding) = crate::replay::derived(receipt, manifest) {
        report.add("replayable", finding);
    }
    let place = equal("genesis", shown(&receipt.genesis), shown(&evidence.genesis)).and_then(|genesis| {
        Ok(format!("{genesis}, {}", equal("program", shown(&receipt.program), shown(&PROGRAM_ID))?))
    });
    report.add("chain", place);

    let proof = &signed.evidence;
    let (leaf, root) = (receipt.leaf_hash(), to_hex(&proof.root));
    let path = if verify_path(leaf, &proof.path, proof.root) {
        Ok(format!("leaf {} leads in {} steps to {root}", to_hex(&leaf), proof.path.len()))
    } else {
        Err(format!("leaf {} does not lead to {root}", to_hex(&leaf)))
    };
    report.add("path", path);
    let message = seal::message(&receipt.genesis, &receipt.program, &proof.root);
    let signature = signature::verify(&receipt.key, &message, &proof.signature);
    report.add(
        "signature",
        signature.map(|()| format!("root {root} signed by {}", shown(&receipt.key))).map_err(|error| error.to_string()),
    );
}

/// Decodes the accounts and checks that they are what the receipt speaks of.
fn check_accounts(evidence: &Evidence<'_>, report: &mut Report) -> OnChain {
    let receipt = &evidence.signed.receipt;
    let config = evidence.config.map(|account| account.config());
    if let Some(Err(error)) = &config {
        report.add("config", Err(error.clone()));
    }
    let licence = match (receipt.licence, evidence.licence) {
        (Some(address), Some(account)) => {
            let found = account.licence().and_then(|licence| belongs(receipt, &address, &account, licence));
            let shows =
                |_: &Licence| format!("{} of {} at slot {}", shown(&address), shown(&receipt.buyer), account.slot);
            report.add("licence", found.as_ref().map(shows).map_err(Clone::clone));
            found.ok()
        }
        (Some(address), None) => {
            report.skip("licence", format!("no account was read at {}", shown(&address)));
            None
        }
        (None, _) => {
            let own = receipt.buyer == receipt.seller;
            let why = if own { "the seller's own call: free, and no sale" } else { "a free call has none" };
            report.not_applicable("licence", why);
            None
        }
    };
    let skill = licence.as_ref().and_then(|licence| check_skill(evidence, licence, report));
    OnChain { config: config.and_then(Result::ok), licence, skill }
}

fn belongs(receipt: &Receipt, address: &Key, account: &Account<'_>, licence: Licence) -> Result<Licence, String> {
    equal("the licence's address", shown(&account.address), shown(address))?;
    equal("the licence's buyer", shown(&licence.buyer), shown(&receipt.buyer))?;
    Ok(licence)
}

/// The licence is for the skill that the receipt names.
fn check_skill(evidence: &Evidence<'_>, licence: &Licence, report: &mut Report) -> Option<Skill> {
    let receipt = &evidence.signed.receipt;
    let id = skill_id(&receipt.skill);
    let Some(account) = evidence.skill else {
        // Most sellers are their skills' creators, and then the address says it all.
        if pda::skill(&receipt.seller, &id).0 == licence.skill {
            report.add(
                "skill",
                Ok(format!("{} is {} of {}", shown(&licence.skill), receipt.skill, shown(&receipt.seller))),
            );
        } else {
            report.skip("skill", format!("no account was read at {}", shown(&licence.skill)));
        }
        return None;
    };
    let found = account.skill().and_then(|skill| {
        equal("the licence's skill", shown(&licence.skill), shown(&account.address))?;
        equal("the skill's id", to_hex(&skill.skill_id), to_hex(&id))?;
        Ok(skill)
    });
    let shows =
        |skill: &Skill| format!("{} is {} of {}", shown(&account.address), receipt.skill, shown(&skill.creator));
    report.add("skill", found.as_ref().map(shows).map_err(Clone::clone));
    found.ok()
}

/// The published batches against the account.
fn check_history(evidence: &Evidence<'_>, chain: &OnChain) -> Option<Report> {
    let mut report = Report::default();
    let address = evidence.signed.receipt.licence?;
    batches::verify(&address, chain.licence.as_ref()?, evidence.batches?, &mut report);
    Some(report)
}

/// The generation of the licence that the receipt is from. Comes after the history: what the server says excuses
/// nothing where the receipt is on chain.
fn generation_of(
    evidence: &Evidence<'_>,
    chain: &OnChain,
    history: Option<&Report>,
    report: &mut Report,
) -> Generation {
    let Some(licence) = &chain.licence else { return Generation::Current };
    let receipt = &evidence.signed.receipt;
    let settled = history.is_some_and(Report::passed)
        && evidence.placement.anchor().zip(evidence.batches).is_some_and(|(anchor, batches)| {
            in_batch(receipt, anchor).is_ok() && is_recorded(licence, anchor) && is_published(batches, anchor)
        });
    match Generation::of(receipt, licence, settled) {
        Ok(generation) => generation,
        Err(contradiction) => {
            report.add("opening", Err(contradiction));
            Generation::Current
        }
    }
}

/// The meter key on chain vouches for the receipt key at the time the receipt was made.
fn check_key(evidence: &Evidence<'_>, chain: &OnChain, generation: Generation, report: &mut Report) {
    let receipt = &evidence.signed.receipt;
    // A licence keeps the meter it was bought under; without one the platform's own speaks.
    let meters = match (receipt.licence, &chain.licence, &chain.config) {
        (Some(_), Some(licence), _) => generation::meters(receipt, licence),
        (None, _, Some(config)) => vec![config.meter],
        _ => {
            return report.skip(KEY, "needs the licence account (or Config's, for a free call) to know the meter key");
        }
    };
    let published: Vec<_> = evidence.keys.iter().filter(|each| each.key == receipt.key).collect();
    let signer = |each: &CertifiedKey| {
        let statement = each.statement(receipt.genesis, receipt.program);
        meters.iter().find(|meter| statement.verify(meter, &each.certificate).is_ok())
    };
    let key = shown(&receipt.key);
    let certified = published.iter().filter(|each| each.covers(receipt.issued_at)).find_map(|each| {
        let meter = shown(signer(each)?);
        Some(format!("{key} certified by meter {meter} from {} to {} ms", each.from_ms, each.to_ms))
    });
    // The account knows its last two meters only; what an earlier one signed is not proven, but not wrong either.
    let excuse = generation.excuses_meter().filter(|_| published.iter().any(|each| each.covers(receipt.issued_at)));
    match (certified, excuse) {
        (Some(certified), _) => report.add(KEY, Ok(certified)),
        (None, Some(excuse)) => report.skip(KEY, excuse),
        (None, None) if published.is_empty() => report.add(KEY, Err(format!("no certificate is published for {key}"))),
        (None, None) => {
            let (meter, issued_at) = (shown(&meters[0]), receipt.issued_at);
            report
                .add(KEY, Err(format!("no certificate of {key} is signed by meter {meter} and covers {issued_at} ms")));
        }
    }
}

/// The receipt bills under the terms of the licence.
fn check_agreement(receipt: &Receipt, chain: &OnChain, generation: Generation, report: &mut Report) {
    if receipt.licence.is_none() {
        return report.not_applicable("terms", "a free call has none");
    }
    let Some(licence) = &chain.licence else {
        return report.skip("terms", "needs the licence account");
    };
    if generation == Generation::EarlierOpening {
        return report.skip("terms", EARLIER_OPENING);
    }
    match agreed(receipt, licence) {
        Err(_) if generation.excuses_terms(receipt, licence) => {
            report.skip("terms", "the licence has been bought again since, its account has the new terms");
        }
        finding => report.add("terms", finding),
    }
}

fn agreed(receipt: &Receipt, licence: &Licence) -> Finding {
    let words = |kind: Option<Kind>, tier: Option<Tier>, terms: Option<u32>| {
        let kind = kind.map_or("none", Kind::as_str);
        let tier = tier.map_or("none", Tier::as_str);
        format!("{kind}, {tier}, {}", terms.map_or("none".to_owned(), |terms| terms.to_string()))
    };
    let (kind, tier) = (Kind::try_from(licence.kind).ok(), Tier::try_from(licence.tier).ok());
    let same = equal(
        "kind, tier and terms version",
        words(receipt.kind, receipt.tier, receipt.terms_version),
        words(kind, tier, Some(licence.terms_version())),
    )?;
    let currency = receipt.currency.map_or("none".to_owned(), |currency| (currency as u8).to_string());
    equal("currency", currency, licence.currency.to_string())?;
    equal("unit", receipt.unit as u8, licence.unit_kind)?;
    let price = equal("unit price", receipt.unit_price, licence.unit_price())?;
    Ok(format!("{same}, {price}: as the account has them"))
}
