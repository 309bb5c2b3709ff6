//! Steps 2 to 5 of a call: which version, on what right, at which price, with what input. Nothing is changed yet, so a
//! dry run ends here.

use std::sync::Arc;

use bytes::Bytes;
use clawos_api::Money;
use clawos_api::execution::{ExecuteRequest, LicenceUsed};
use clawos_identity::Caller;
use clawos_interface::rules::bill;
use clawos_interface::rules::usage::Caps;
use clawos_interface::{Currency, Key, Kind, ProgramError, Tier, Unit};
use clawos_licensing::{Admission, skill_account};
use clawos_manifest::limits::MAX_INPUT_BYTES;
use clawos_receipts::text::to_base58;
use clawos_registry::SkillVersion;

use crate::Execution;
use crate::account::Account;
use crate::error::ExecutionError;
use crate::reserve::Allowance;
use crate::schemas::CompiledSchemas;
use crate::settle;

/// A call as asked for.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    /// `publisher.name`
    pub skill: &'a str,
    pub endpoint: String,
    /// The input, byte for byte.
    pub payload: Bytes,
    /// The most the caller is ready to pay, base units.
    pub max_cost: Option<u64>,
    /// A pinned version.
    pub version: Option<String>,
}

impl<'a> Request<'a> {
    pub(crate) fn new(skill: &'a str, request: ExecuteRequest) -> Request<'a> {
        let ExecuteRequest { endpoint, payload, max_cost, version } = request;
        let payload = Bytes::from(Box::<[u8]>::from(Box::<str>::from(payload)));
        Request { skill, endpoint, payload, max_cost, version }
    }
}

/// A call that may be made.
#[derive(Debug)]
pub(crate) struct Plan {
    pub version: Arc<SkillVersion>,
    pub schemas: Arc<CompiledSchemas>,
    pub right: Right,
    pub tariff: Tariff,
    max_cost: Option<u64>,
}

/// What a call rests on.
#[derive(Debug)]
pub(crate) enum Right {
    /// The skill costs nothing.
    Free,
    /// One of the wallet's free calls of a skill that costs something.
    Trial,
    /// The skill is the caller's own: it costs nothing and needs no licence, which its seller cannot buy.
    Own,
    /// A licence.
    Licence(Box<LicenceRight>),
}

/// A licence that allows the call, and what receipts say about it.
#[derive(Debug)]
pub(crate) struct LicenceRight {
    pub admission: Admission,
    pub facts: LicenceFacts,
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

impl Tariff {
    /// How a call of this version is counted on this right.
    fn of(version: &SkillVersion, right: &Right) -> Result<Tariff, ExecutionError> {
        let (unit, unit_price, currency) = match right {
            Right::Free => (Unit::Call, 0, None),
            Right::Trial | Right::Own => {
                (Unit::Call, 0, version.manifest.prices.as_ref().map(|prices| prices.currency))
            }
            Right::Licence(right) => {
                let licence = &right.admission.licence;
                (known(licence.unit_kind)?, licence.unit_price(), Some(known(licence.currency)?))
            }
        };
        let most_units = bill::units(unit, true, version.manifest.limits.fuel);
        Ok(Tariff { unit, unit_price, currency, most_units })
    }

    /// What the call can cost, at most, in base units.
    pub(crate) fn most(&self) -> Result<u64, ExecutionError> {
        bill::cost(self.most_units, self.unit_price).map_err(ExecutionError::internal)
    }

    /// An amount of it for people. What costs nothing has no currency of its own and is shown in USDC.
    pub(crate) fn money(&self, amount: u64) -> Money {
        Money::new(amount, self.currency.unwrap_or(Currency::Usdc))
    }
}

/// The word behind a licence's number.
fn known<T: TryFrom<u8, Error = ProgramError>>(number: u8) -> Result<T, ExecutionError> {
    T::try_from(number).map_err(ExecutionError::internal)
}

impl LicenceFacts {
    fn of(admission: &Admission, version: &SkillVersion) -> Result<LicenceFacts, ExecutionError> {
        let Admission { licence, listing, .. } = admission;
        Ok(LicenceFacts {
            account: Account { licence: admission.licence_account, opened_slot: licence.created_slot() },
            skill_account: listing.skill_account,
            kind: known(licence.kind)?,
            tier: known(licence.tier)?,
            terms_version: licence.terms_version(),
            slot: admission.slot,
            age_ms: admission.age_ms,
            fee_bps: listing.config.fee_bps(),
            seller: listing.skill.map_or(version.publisher_wallet, |skill| skill.seller),
            batch_cap: Caps::for_spending(licence).max_units_per_batch,
        })
    }
}

impl Right {
    fn licence(admission: Admission, version: &SkillVersion) -> Result<Right, ExecutionError> {
        let facts = LicenceFacts::of(&admission, version)?;
        Ok(Right::Licence(Box::new(LicenceRight { admission, facts })))
    }
}

impl Plan {
    /// A call of this version on this right, if it cannot cost more than its caller is ready to pay.
    fn new(
        version: Arc<SkillVersion>,
        schemas: Arc<CompiledSchemas>,
        right: Right,
        max_cost: Option<u64>,
    ) -> Result<Plan, ExecutionError> {
        let tariff = Tariff::of(&version, &right)?;
        let most = tariff.most()?;
        match max_cost.filter(|max| most > *max) {
            Some(max) => Err(ExecutionError::MaxCostExceeded { most, max }),
            None => Ok(Plan { version, schemas, right, tariff, max_cost }),
        }
    }

    /// The same call on a licence instead of a free call.
    pub(crate) fn on_licence(self, admission: Admission) -> Result<Plan, ExecutionError> {
        let right = Right::licence(admission, &self.version)?;
        Plan::new(self.version, self.schemas, right, self.max_cost)
    }

    /// The same call on its licence as read again. Its price may have changed too, but never above what the caller was
    /// checked for: terms are agreed to by the buyer, and a call keeps its tariff only if it is still the licence's.
    pub(crate) fn on_renewed_licence(self, admission: Admission) -> Result<Plan, ExecutionError> {
        let right = Right::licence(admission, &self.version)?;
        if Tariff::of(&self.version, &right)? != self.tariff {
            return Err(ExecutionError::TermsChanged);
        }
        Ok(Plan { right, ..self })
    }

    /// The licence it rests on, when it does.
    pub(crate) fn licence(&self) -> Option<&LicenceRight> {
        match &self.right {
            Right::Licence(right) => Some(right),
            Right::Free | Right::Trial | Right::Own => None,
        }
    }

    /// The licence as receipts name it.
    pub(crate) fn licence_facts(&self) -> Option<&LicenceFacts> {
        self.licence().map(|right| &right.facts)
    }

    /// The licence as answers name it.
    pub(crate) fn licence_used(&self) -> Option<LicenceUsed> {
        self.licence().map(|LicenceRight { admission, .. }| LicenceUsed {
            key: to_base58(&admission.licence_account),
            slot: admission.slot,
            age_ms: admission.age_ms,
            source: admission.source,
        })
    }
}

impl Execution {
    /// Finds version, right, price and schemas of a call, and checks limits and input.
    pub(crate) async fn plan(&self, caller: &Caller, request: &Request<'_>) -> Result<Plan, ExecutionError> {
        let version = self.ports.registry.resolve(request.skill, request.version.as_deref()).await?;
        let schemas = self.schemas.of(&version, &request.endpoint).await?;
        let right = self.right(&version, &caller.wallet).await?;
        match &right {
            Right::Licence(right) => self.ports.rate_limits.check_licence(&right.admission.licence_account)?,
            // As many as a buyer may make on a licence.
            Right::Own => {
                let account = skill_account(&version.publisher_wallet, &version.skill);
                self.ports.rate_limits.check_licence(&account)?;
            }
            Right::Free | Right::Trial => {}
        }
        self.failures.check_failures(&caller.wallet, &version.skill).await?;
        let plan = Plan::new(version, schemas, right, request.max_cost)?;
        if request.payload.len() as u64 > MAX_INPUT_BYTES {
            return Err(ExecutionError::PayloadTooLarge);
        }
        self.schemas.check_payload(&plan.schemas, &request.payload).await?;
        Ok(plan)
    }

    /// Who published the skill needs no right; for others the listing's free calls come first, then the licence.
    async fn right(&self, version: &SkillVersion, wallet: &Key) -> Result<Right, ExecutionError> {
        let Some(prices) = &version.manifest.prices else { return Ok(Right::Free) };
        if version.publisher_wallet == *wallet {
            return Ok(Right::Own);
        }
        if self.free_calls.left(&version.skill, wallet, u64::from(prices.free_calls)).await? {
            return Ok(Right::Trial);
        }
        Right::licence(self.admit(version, wallet).await?, version)
    }

    /// The buyer's licence, if it allows a call.
    pub(crate) async fn admit(&self, version: &SkillVersion, wallet: &Key) -> Result<Admission, ExecutionError> {
        let account = skill_account(&version.publisher_wallet, &version.skill);
        Ok(self.ports.licensing.admit(account, wallet).await?)
    }

    /// What the licence allows at the slot it was read at.
    pub(crate) fn allowance(&self, admission: &Admission) -> Allowance {
        let delay = u64::from(admission.listing.config.settle_delay());
        let spare = delay.saturating_sub(self.ports.licensing.delay_secs());
        let batches = settle::full_batches(&self.settle_config, spare);
        Allowance::of(&admission.licence, admission.now_secs, batches)
    }
}
