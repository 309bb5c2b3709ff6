//! Step 6 of a call: what it may use is set aside, in units, in money, in free calls. Dropped, all of it is free again.

use std::time::Duration;

use super::free_calls::FreeCall;
use super::plan::{Plan, Right};
use super::reserve::{Promise, ReserveError};
use super::spending::{CapError, Reserved, Spend};
use super::{Execution, plan};
use crate::error::{ApiError, Code};
use crate::http::Caller;

/// When a caller whose units are busy is told to come back: about when a batch has landed.
const COME_BACK: Duration = Duration::from_secs(2);

/// What is set aside for one call.
#[derive(Debug, Default)]
pub(crate) struct Reservation {
    units: Option<Promise>,
    money: Option<Reserved>,
    trial: Option<FreeCall>,
}

/// What a finished call takes of it, to be written with its receipt.
#[derive(Debug)]
pub(crate) struct Taken {
    /// What the API key spent.
    pub spend: Option<Spend>,
    /// Whether the units came from a lease.
    pub leased: bool,
}

impl Reservation {
    /// What a call for `amount` base units takes. It stays set aside until [`Execution::settle`].
    pub(crate) fn taken(&self, amount: u64) -> Taken {
        Taken {
            spend: self.money.as_ref().map(|reserved| reserved.spend(amount)).filter(|spend| spend.amount > 0),
            leased: self.units.as_ref().is_some_and(Promise::leased),
        }
    }
}

impl Execution {
    /// Sets aside what the call may use. A refusal is never based on a stale licence: it is read again first, and the
    /// plan then rests on the new reading.
    pub(crate) async fn reserve(&self, caller: &Caller, plan: &mut Plan) -> Result<Reservation, ApiError> {
        if matches!(plan.right, Right::Trial) {
            if let Some(trial) = self.take_trial(caller, plan).await? {
                return Ok(Reservation { trial: Some(trial), ..Reservation::default() });
            }
            self.go_without_trial(caller, plan).await?;
        }
        let units = match self.promise(plan).await {
            Err(ReserveError::Database(error)) => return Err(error.into()),
            Err(_) => {
                self.renew(caller, plan).await?;
                self.promise(plan).await.map_err(refusal)?
            }
            Ok(promise) => promise,
        };
        let money = self.reserve_money(caller, plan).await?;
        Ok(Reservation { units, money, trial: None })
    }

    /// Whether [`Execution::reserve`] would set aside what the call may use: for a dry run. Changes nothing.
    pub(crate) async fn check_reserve(&self, caller: &Caller, plan: &mut Plan) -> Result<(), ApiError> {
        if matches!(plan.right, Right::Trial) {
            if self.free_calls.left_today(&plan.version.skill).await? {
                return Ok(());
            }
            self.go_without_trial(caller, plan).await?;
        }
        match self.check_units(plan).await {
            Err(ReserveError::Database(error)) => return Err(error.into()),
            Err(_) => {
                self.renew(caller, plan).await?;
                self.check_units(plan).await.map_err(refusal)?;
            }
            Ok(()) => {}
        }
        // Counted in memory only, and free again at once.
        self.reserve_money(caller, plan).await.map(drop)
    }

    /// The wallet's last free call, or today's last of the skill, went to another call: it needs a licence after all.
    async fn go_without_trial(&self, caller: &Caller, plan: &mut Plan) -> Result<(), ApiError> {
        plan.right = Right::Licence(Box::new(self.admit(&plan.version, &caller.wallet).await?));
        plan.tariff = plan::tariff(&plan.version, &plan.right)?;
        plan.check_max_cost()
    }

    async fn take_trial(&self, caller: &Caller, plan: &Plan) -> Result<Option<FreeCall>, ApiError> {
        let offered = plan.version.manifest.prices.as_ref().map_or(0, |prices| u64::from(prices.free_calls));
        Ok(self.free_calls.take(&plan.version.skill, &caller.wallet, offered).await?)
    }

    async fn promise(&self, plan: &Plan) -> Result<Option<Promise>, ReserveError> {
        let (Some((allowance, usage_seq)), Some(facts)) = (self.allowance(plan), plan.facts()) else { return Ok(None) };
        self.pools.promise(facts.account, allowance, usage_seq, plan.tariff.most_units).await.map(Some)
    }

    async fn check_units(&self, plan: &Plan) -> Result<(), ReserveError> {
        let (Some((allowance, usage_seq)), Some(facts)) = (self.allowance(plan), plan.facts()) else { return Ok(()) };
        self.pools.check(facts.account, allowance, usage_seq, plan.tariff.most_units).await
    }

    /// Reads the licence anew. Its price may have changed too, but never above what the caller was checked for: terms are
    /// agreed to by the buyer, and the plan keeps its tariff only if it is still the licence's.
    async fn renew(&self, caller: &Caller, plan: &mut Plan) -> Result<(), ApiError> {
        let Right::Licence(admission) = &plan.right else { return Ok(()) };
        let account = admission.reading.snapshot.value.listing.skill_account;
        let fresh = self.ports.licensing.admit_fresh(account, &caller.wallet).await?;
        let right = Right::Licence(Box::new(fresh));
        if plan::tariff(&plan.version, &right)? != plan.tariff {
            return Err(ApiError::new(Code::TermsChanged, "The licence's price changed just now; call again."));
        }
        plan.right = right;
        Ok(())
    }

    async fn reserve_money(&self, caller: &Caller, plan: &Plan) -> Result<Option<Reserved>, ApiError> {
        let cost = plan.tariff.most()?;
        let (Some(cap), true) = (caller.daily_cap, cost > 0) else { return Ok(None) };
        let currency = plan.tariff.currency.ok_or_else(|| ApiError::internal("what costs something has a currency"))?;
        let reserved = self.spending.reserve(&caller.family, cap, currency, cost).await?;
        reserved.map(Some).map_err(|error: CapError| ApiError::new(Code::SpendingCap, format!("Nothing ran: {error}.")))
    }

    /// Ends the reservation of a call whose receipt is stored and that used `units` for `amount` base units. What it did
    /// not use is free again.
    pub(crate) async fn settle(&self, reservation: Reservation, ok: bool, units: u64, amount: u64) {
        let Reservation { units: promise, money, trial } = reservation;
        if let Some(promise) = promise {
            promise.capture(units);
        }
        if let Some(reserved) = money {
            reserved.capture(amount);
        }
        if !ok {
            self.give_back(trial).await;
        }
    }

    /// Undoes the reservation of a call that did not take place.
    pub(crate) async fn undo(&self, reservation: Reservation) {
        self.give_back(reservation.trial).await;
    }

    async fn give_back(&self, trial: Option<FreeCall>) {
        let Some(trial) = trial else { return };
        if let Err(error) = self.free_calls.give_back(&trial).await {
            tracing::warn!(%error, "a free call of a failed run could not be given back");
        }
    }
}

fn refusal(error: ReserveError) -> ApiError {
    let code = match error {
        ReserveError::Database(error) => return error.into(),
        ReserveError::SetAside | ReserveError::Unrecorded { .. } => {
            return ApiError::new(Code::UnitsBusy, format!("Nothing ran: {error}.")).retry_after(COME_BACK);
        }
        ReserveError::Exhausted { credit: true, .. } => Code::InsufficientCredit,
        ReserveError::Exhausted { .. } | ReserveError::AboveBatchCap { .. } => Code::UnitsExhausted,
    };
    ApiError::new(code, format!("Nothing ran: {error}."))
}
