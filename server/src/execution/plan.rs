//! Steps 2 to 5 of a call: which version, on what right, at which price, with what input. Nothing is changed yet, so a
//! dry run ends here.

use std::sync::Arc;

use clawos_interface::accounts::Licence;
use clawos_interface::rules::bill;
use clawos_interface::rules::usage::Caps;
use clawos_interface::{Currency, Key, Kind, Tier, Unit};
use clawos_manifest::Prices;

use super::Execution;
use super::reserve::{Account, Allowance};
use super::schemas::CompiledSchemas;
use super::types::{ExecuteRequest, LicenceUsed};
use crate::error::{ApiError, Code};
use crate::http::{Caller, Money};
use crate::licensing::{Admission, skill_account};
use crate::registry::SkillVersion;

/// A call that may be made.
#[derive(Debug)]
pub(crate) struct Plan {
    pub version: Arc<SkillVersion>,
    pub schemas: Arc<CompiledSchemas>,
    pub right: Right,
    pub tariff: Tariff,
    /// The most the caller is ready to pay, base units.
    pub max_cost: Option<u64>,
}

/// What a call rests on.
#[derive(Debug)]
pub(crate) enum Right {
    /// The skill costs nothing.
    Free,
    /// One of the wallet's free calls of a skill that costs something.
    Trial,
    /// A licence.
    Licence(Box<Admission>),
}

/// How a call is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tariff {
    pub unit: Unit,
    /// Base units per unit; 0 when nothing is paid per unit.
    pub unit_price: u64,
    /// None for a skill that is free.
    pub currency: Option<Currency>,
    /// Units the call can use, at most.
    pub most_units: u64,
}

impl Tariff {
    /// What the call can cost, at most, in base units.
    pub(crate) fn most(&self) -> Result<u64, ApiError> {
        bill::cost(self.most_units, self.unit_price).map_err(ApiError::internal)
    }

    /// An amount of it for people. What costs nothing has no currency of its own and is shown in USDC.
    pub(crate) fn money(&self, amount: u64) -> Money {
        Money::new(amount, self.currency.unwrap_or(Currency::Usdc))
    }
}

/// What a receipt says about the licence it rests on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LicenceFacts {
    pub account: Account,
    pub skill_account: Key,
    pub kind: Kind,
    pub tier: Tier,
    pub terms_version: u32,
    pub slot: u64,
    pub age_ms: u64,
    pub fee_bps: u16,
    pub seller: Key,
    /// Most units of one batch; 0 = no cap.
    pub batch_cap: u64,
}

impl Plan {
    /// Refuses a call that could cost more than its caller is ready to pay.
    pub(crate) fn check_max_cost(&self) -> Result<(), ApiError> {
        let most = self.tariff.most()?;
        match self.max_cost.filter(|max| most > *max) {
            None => Ok(()),
            Some(max) => {
                let detail = format!("The call could cost {most} base units and max_cost is {max}; nothing ran.");
                Err(ApiError::new(Code::MaxCostExceeded, detail))
            }
        }
    }

    /// What the licence says, when there is one.
    pub(crate) fn licence(&self) -> Option<(&Licence, &Admission)> {
        match &self.right {
            Right::Licence(admission) => admission.reading.snapshot.value.licence.as_ref().map(|l| (l, &**admission)),
            Right::Free | Right::Trial => None,
        }
    }

    /// The licence as receipts name it.
    pub(crate) fn facts(&self) -> Option<LicenceFacts> {
        let (licence, admission) = self.licence()?;
        let state = &admission.reading.snapshot.value;
        Some(LicenceFacts {
            account: Account { licence: state.licence_account, opened_slot: licence.created_slot() },
            skill_account: state.listing.skill_account,
            kind: Kind::try_from(licence.kind).ok()?,
            tier: Tier::try_from(licence.tier).ok()?,
            terms_version: licence.terms_version(),
            slot: admission.reading.snapshot.slot,
            age_ms: admission.reading.age_ms,
            fee_bps: state.listing.config.fee_bps(),
            seller: state.listing.skill.map_or(self.version.publisher_wallet, |skill| skill.seller),
            batch_cap: Caps::for_spending(licence).max_units_per_batch,
        })
    }

    /// The licence as answers name it.
    pub(crate) fn licence_used(&self) -> Option<LicenceUsed> {
        let (_, admission) = self.licence()?;
        let reading = &admission.reading;
        Some(LicenceUsed {
            key: clawos_receipts::text::to_base58(&reading.snapshot.value.licence_account),
            slot: reading.snapshot.slot,
            age_ms: reading.age_ms,
            source: reading.source,
        })
    }
}

impl Execution {
    /// Finds version, right, price and schemas of a call, and checks limits and input.
    pub(crate) async fn plan(&self, caller: &Caller, skill: &str, request: &ExecuteRequest) -> Result<Plan, ApiError> {
        let version = self.ports.registry.resolve(skill, request.version.as_deref()).await?;
        let schemas = self.schemas.of(&version, &request.endpoint).await?;
        let right = self.right(&version, &caller.wallet).await?;
        if let Right::Licence(admission) = &right {
            self.ports.rate_limits.check_licence(&admission.reading.snapshot.value.licence_account)?;
        }
        self.failures.check(&caller.wallet, &version.skill).await?;
        let tariff = tariff(&version, &right)?;
        let plan = Plan { version, schemas, right, tariff, max_cost: request.max_cost };
        plan.check_max_cost()?;
        let payload = request.payload.get().as_bytes();
        if payload.len() as u64 > clawos_manifest::limits::MAX_INPUT_BYTES {
            let detail = format!("A payload has at most {} bytes.", clawos_manifest::limits::MAX_INPUT_BYTES);
            return Err(ApiError::new(Code::PayloadTooLarge, detail));
        }
        self.schemas.check_payload(&plan.schemas, payload).await?;
        Ok(plan)
    }

    /// The listing's free calls come first, then the licence.
    async fn right(&self, version: &SkillVersion, wallet: &Key) -> Result<Right, ApiError> {
        let Some(prices) = &version.manifest.prices else { return Ok(Right::Free) };
        if self.free_calls.left(&version.skill, wallet, u64::from(prices.free_calls)).await? {
            return Ok(Right::Trial);
        }
        Ok(Right::Licence(Box::new(self.admit(version, wallet).await?)))
    }

    /// The buyer's licence, if it allows a call.
    pub(crate) async fn admit(&self, version: &SkillVersion, wallet: &Key) -> Result<Admission, ApiError> {
        let account = skill_account(&version.publisher_wallet, &version.skill);
        Ok(self.ports.licensing.admit(account, wallet).await?)
    }
}

/// How a call of this version is counted on this right.
pub(crate) fn tariff(version: &SkillVersion, right: &Right) -> Result<Tariff, ApiError> {
    let fuel = version.manifest.limits.fuel;
    let counted =
        |unit, unit_price, currency| Tariff { unit, unit_price, currency, most_units: bill::units(unit, true, fuel) };
    Ok(match right {
        Right::Free => counted(Unit::Call, 0, None),
        Right::Trial => counted(Unit::Call, 0, version.manifest.prices.as_ref().map(|prices: &Prices| prices.currency)),
        Right::Licence(admission) => {
            let licence = admission.reading.snapshot.value.licence.as_ref();
            let licence = licence.ok_or_else(|| ApiError::internal("an admitted licence is there"))?;
            let unit = Unit::try_from(licence.unit_kind).map_err(ApiError::internal)?;
            let currency = Currency::try_from(licence.currency).map_err(ApiError::internal)?;
            counted(unit, licence.unit_price(), Some(currency))
        }
    })
}

impl Execution {
    /// What the licence allows at the slot it was read at, and its last batch then; none without a licence.
    pub(crate) fn allowance(&self, plan: &Plan) -> Option<(Allowance, u64)> {
        let (licence, admission) = plan.licence()?;
        let delay = u64::from(admission.reading.snapshot.value.listing.config.settle_delay());
        let batches = self.settle_config.full_batches(delay.saturating_sub(self.ports.licensing.delay_secs()));
        Some((Allowance::of(licence, admission.now_secs, batches), licence.usage_seq()))
    }
}
