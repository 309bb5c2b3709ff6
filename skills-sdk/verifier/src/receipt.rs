//! A receipt: what it says, who signed it, where it is anchored, and whether that is what buyer and seller agreed to.

use clawos_interface::accounts::{Config, Licence, Skill};
use clawos_interface::{Key, PROGRAM_ID, pda, skill_id};
use clawos_receipts::batch::Batch;
use clawos_receipts::codes::{Kind, Tier};
use clawos_receipts::merkle::{Step, verify_path};
use clawos_receipts::seal;
use clawos_receipts::signature;
use clawos_receipts::statement::{CertifiedKey, VersionStatement};
use clawos_receipts::text::to_hex;
use clawos_receipts::{Receipt, Signature, SignedReceipt};

use crate::account::{Account, shown};
use crate::batches::{self, PublishedBatch};
use crate::report::{Finding, Report, equal};

/// Where a receipt is said to be anchored.
#[derive(Debug, Clone)]
pub struct Anchor {
    /// The batch it is in.
    pub batch: Batch,
    /// The batch's root as the chain was told it.
    pub anchored_root: [u8; 32],
    /// From the receipt's leaf to the batch's tree root.
    pub path: Vec<Step>,
}

/// What a publisher signed about the version that ran.
#[derive(Debug, Clone)]
pub struct SignedVersion {
    /// The statement.
    pub statement: VersionStatement,
    /// Who is said to have signed it.
    pub publisher: Key,
    /// The signature.
    pub signature: Signature,
}

/// Everything fetched about a receipt. What is absent is reported as skipped.
///
/// Trust comes from the chain: `genesis` is the verifier's own, and the accounts are read from a node the verifier trusts.
/// All else may come from the server. Read the accounts first, then anchor and batches.
#[derive(Debug, Clone)]
pub struct Evidence<'a> {
    /// The genesis hash of the chain that the verifier uses.
    pub genesis: Key,
    /// The receipt.
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
    pub anchor: Option<&'a Anchor>,
    /// Every published batch of the licence, in order.
    pub batches: Option<&'a [PublishedBatch]>,
    /// What the publisher signed.
    pub version: Option<&'a SignedVersion>,
}

/// Accounts after their own checks.
struct OnChain {
    config: Option<Config>,
    licence: Option<Licence>,
    skill: Option<Skill>,
}

/// Makes every check for which there is evidence.
pub fn verify(evidence: &Evidence<'_>) -> Report {
    let mut report = Report::default();
    let receipt = &evidence.signed.receipt;
    check_alone(evidence, &mut report);
    let chain = check_accounts(evidence, &mut report);
    check_key(evidence, &chain, &mut report);
    check_agreement(receipt, &chain, &mut report);
    check_anchor(evidence, &chain, &mut report);
    match (&chain.licence, receipt.licence, evidence.batches) {
        (Some(licence), ..) if is_of_earlier_opening(receipt, licence) => report.skip("hash_chain", EARLIER_OPENING),
        (Some(licence), Some(address), Some(batches)) => batches::verify(&address, licence, batches, &mut report),
        _ => report.skip("hash_chain", "needs the licence account and all published batches"),
    }
    check_version(evidence, &chain, &mut report);
    report
}

/// Why what the account says cannot speak for the receipt.
const EARLIER_OPENING: &str =
    "an earlier opening of this licence: its account was closed and bought again since the receipt";

/// Whether the licence was read for the call before its account was made, as it is now.
fn is_of_earlier_opening(receipt: &Receipt, licence: &Licence) -> bool {
    receipt.licence_slot.is_some_and(|slot| slot < licence.created_slot())
}

/// What the receipt proves by itself: form, arithmetic, chain, path, signature.
fn check_alone(evidence: &Evidence<'_>, report: &mut Report) {
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
    if let Some(finding) = crate::replay::derived(receipt) {
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
            report.skip("licence", format!("nothing was read at {}", shown(&address)));
            None
        }
        (None, _) => {
            report.skip("licence", "a free call has none");
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
            report.skip("skill", format!("nothing was read at {}", shown(&licence.skill)));
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

/// The meter key on chain vouches for the receipt key at the time the receipt was made.
fn check_key(evidence: &Evidence<'_>, chain: &OnChain, report: &mut Report) {
    let receipt = &evidence.signed.receipt;
    // A licence keeps the meter it was bought under; without one the platform's own speaks.
    let meter = match (receipt.licence, &chain.licence, &chain.config) {
        (Some(_), Some(licence), _) => licence.meter,
        (None, _, Some(config)) => config.meter,
        _ => {
            return report
                .skip("key", "needs the licence account (or Config's, for a free call) to know the meter key");
        }
    };
    // A licence that was bought again has its present meter only; what an earlier one signed is then still of use.
    let excuse = chain.licence.as_ref().and_then(|licence| {
        let again =
            (licence.purchases() > 1).then_some("the licence has been bought again since, maybe under another meter");
        if is_of_earlier_opening(receipt, licence) { Some(EARLIER_OPENING) } else { again }
    });
    let published: Vec<_> = evidence.keys.iter().filter(|each| each.key == receipt.key).collect();
    let holds = |each: &&&CertifiedKey| {
        let statement = each.statement(receipt.genesis, receipt.program);
        each.covers(receipt.issued_at) && statement.verify(&meter, &each.certificate).is_ok()
    };
    let key = shown(&receipt.key);
    let finding = match published.iter().find(holds) {
        Some(each) => {
            Ok(format!("{key} certified by meter {} from {} to {} ms", shown(&meter), each.from_ms, each.to_ms))
        }
        None if excuse.is_some() && published.iter().any(|each| each.covers(receipt.issued_at)) => {
            return report.skip("key", excuse.unwrap_or_default());
        }
        None if published.is_empty() => Err(format!("no certificate is published for {key}")),
        None => Err(format!(
            "no certificate of {key} is signed by meter {} and covers {} ms",
            shown(&meter),
            receipt.issued_at
        )),
    };
    report.add("key", finding);
}

/// The receipt bills under the terms of the licence.
fn check_agreement(receipt: &Receipt, chain: &OnChain, report: &mut Report) {
    let Some(licence) = &chain.licence else {
        return report.skip("terms", "needs the licence account");
    };
    if is_of_earlier_opening(receipt, licence) {
        return report.skip("terms", EARLIER_OPENING);
    }
    let words = |kind: Option<Kind>, tier: Option<Tier>, terms: Option<u32>| {
        let kind = kind.map_or("none", Kind::as_str);
        let tier = tier.map_or("none", Tier::as_str);
        format!("{kind}, {tier}, {}", terms.map_or("none".to_owned(), |terms| terms.to_string()))
    };
    let billed = words(receipt.kind, receipt.tier, receipt.terms_version);
    let (kind, tier) = (Kind::from_code(licence.kind), Tier::from_code(licence.tier));
    let agreed = words(kind, tier, Some(licence.terms_version()));
    if billed != agreed && licence.purchases() > 1 {
        return report.skip("terms", "the licence has been bought again since, its account has the new terms");
    }
    let finding = equal("kind, tier and terms version", billed, agreed).and_then(|same| {
        let currency = receipt.currency.map_or("none".to_owned(), |currency| currency.code().to_string());
        equal("currency", currency, licence.currency.to_string())?;
        equal("unit", receipt.unit.code(), licence.unit_kind)?;
        let price = equal("unit price", receipt.unit_price, licence.unit_price())?;
        Ok(format!("{same}, {price}: as the account has them"))
    });
    report.add("terms", finding);
}

/// The receipt is in the batch, and the batch's root is the hash of its totals.
fn check_anchor(evidence: &Evidence<'_>, chain: &OnChain, report: &mut Report) {
    let receipt = &evidence.signed.receipt;
    let Some(anchor) = evidence.anchor else {
        return report
            .skip("anchor", "the receipt is not in a batch yet, or never will be (free and failed calls are not)");
    };
    let batch = &anchor.batch;
    let recorded = chain.licence.as_ref().is_some_and(|licence| batch.seq <= licence.usage_seq());
    report.add("anchor", in_batch(receipt, anchor));
    let root = to_hex(&anchor.anchored_root);
    report.add("anchored_root", equal("the batch's root", root, to_hex(&batch.anchored_root())));
    let earlier = chain.licence.as_ref().is_some_and(|licence| is_of_earlier_opening(receipt, licence));
    match evidence.batches {
        _ if earlier => report.skip("anchored", EARLIER_OPENING),
        _ if !recorded => report.skip("anchored", format!("batch {} is not on chain at the account's slot", batch.seq)),
        None => report.skip("anchored", "needs all published batches"),
        Some(batches) => {
            let published =
                batches.iter().any(|each| each.batch == *batch && each.anchored_root == anchor.anchored_root);
            let finding = if published {
                Ok(format!("batch {} is one of those that lead to the root on chain", batch.seq))
            } else {
                Err(format!("batch {} of the proof is not the one published for the chain", batch.seq))
            };
            report.add("anchored", finding);
        }
    }
}

fn in_batch(receipt: &Receipt, anchor: &Anchor) -> Finding {
    let batch = &anchor.batch;
    let licence = receipt.licence.map_or_else(|| "none".to_owned(), |key| shown(&key));
    equal("the batch's licence", shown(&batch.licence), licence)?;
    if receipt.units > batch.units || receipt.amount > batch.amount || batch.count == 0 {
        return Err(format!(
            "the batch bills {} units for {}, less than this receipt alone",
            batch.units, batch.amount
        ));
    }
    let leaf = receipt.leaf_hash();
    if !verify_path(leaf, &anchor.path, batch.tree_root) {
        return Err(format!("leaf {} does not lead to the batch's tree {}", to_hex(&leaf), to_hex(&batch.tree_root)));
    }
    Ok(format!("leaf {} is in batch {}, tree {}", to_hex(&leaf), batch.seq, to_hex(&batch.tree_root)))
}

/// The publisher signed exactly the module that ran, and the chain says that he is the skill's.
fn check_version(evidence: &Evidence<'_>, chain: &OnChain, report: &mut Report) {
    let Some(version) = evidence.version else {
        return report.skip("publisher", "needs the publisher's signature of the version");
    };
    let finding = published(&evidence.signed.receipt, version, chain);
    match finding {
        Ok(signed) if chain.skill.is_none() => {
            report.skip("publisher", format!("{signed}; only the server names this publisher"));
        }
        finding => report.add("publisher", finding),
    }
}

fn published(receipt: &Receipt, version: &SignedVersion, chain: &OnChain) -> Finding {
    let SignedVersion { statement, publisher, signature } = version;
    equal("the signed skill", &statement.skill, &receipt.skill)?;
    equal("the signed version", &statement.version, &receipt.version)?;
    equal("the signed module", to_hex(&statement.module_sha256), to_hex(&receipt.module_sha256))?;
    statement.verify(publisher, signature).map_err(|error| error.to_string())?;
    // A skill's creator goes on publishing it after he passed its sale on to another seller.
    let creates = match (&chain.skill, &chain.licence) {
        (Some(skill), _) => *publisher == skill.creator,
        (None, Some(licence)) => pda::skill(publisher, &skill_id(&receipt.skill)).0 == licence.skill,
        (None, None) => false,
    };
    if !creates {
        equal("the publisher", shown(publisher), shown(&receipt.seller))?;
        if chain.skill.as_ref().is_some_and(|skill| *publisher != skill.seller) {
            return Err(format!(
                "{} signed, who is neither creator nor seller of the skill on chain",
                shown(publisher)
            ));
        }
    }
    Ok(format!("module {} signed by {}", to_hex(&receipt.module_sha256), shown(publisher)))
}
