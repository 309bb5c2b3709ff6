//! Step 6 of a call: what it may use is set aside, in units, in money, in free calls. Dropped, all of it is free again.

use clawos_identity::Caller;

use crate::Execution;
use crate::error::ExecutionError;
use crate::free_calls::FreeCall;
use crate::plan::{LicenceRight, Plan, Right};
use crate::reserve::{Promise, ReserveError};
use crate::spending::{Reserved, Spend};

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
    /// What a call for `amount` base units takes. It stays set aside until [`Execution::finish`].
    pub(crate) fn taken(&self, amount: u64) -> Taken {
        Taken {
            spend: self.money.as_ref().map(|reserved| reserved.spend(amount)).filter(|spend| spend.amount > 0),
            leased: self.units.as_ref().is_some_and(Promise::leased),
        }
    }
}

impl Reservation {
    /// Leaves all of it set aside for good: nobody knows whether it is used.
    pub(crate) fn keep(self) {
        let Reservation { units, money, trial: _ } = self;
        if let Some(promise) = units {
            promise.capture_all();
        }
        if let Some(reserved) = money {
            reserved.capture_all();
        }
    }
}

impl Execution {
    /// Sets aside what the call may use, and says on which plan it goes on. A refusal is never based on a stale licence: it
    /// is read again first, and the plan then rests on the new reading.
    pub(crate) async fn reserve(&self, caller: &Caller, mut plan: Plan) -> Result<(Plan, Reservation), ExecutionError> {
        if matches!(plan.right, Right::Own) {
            let taken = self.free_calls.take_own(&plan.version.skill, &caller.wallet).await?;
            let own = taken.ok_or_else(|| self.free_calls.used_up())?;
            return Ok((plan, Reservation { trial: Some(own), ..Reservation::default() }));
        }
        if matches!(plan.right, Right::Trial) {
            if let Some(trial) = self.take_trial(caller, &plan).await? {
                return Ok((plan, Reservation { trial: Some(trial), ..Reservation::default() }));
            }
            plan = self.without_trial(caller, plan).await?;
        }
        let units = match self.promise(&plan).await {
            Err(ReserveError::Database(error)) => return Err(error.into()),
            Err(_) => {
                plan = self.renewed(caller, plan).await?;
                self.promise(&plan).await?
            }
            Ok(promise) => promise,
        };
        let money = self.reserve_money(caller, &plan).await?;
        Ok((plan, Reservation { units, money, trial: None }))
    }

    /// On which plan a call would go on if [`Execution::reserve`] would set aside what it may use: for a dry run. Changes
    /// nothing.
    pub(crate) async fn check_reserve(&self, caller: &Caller, mut plan: Plan) -> Result<Plan, ExecutionError> {
        if matches!(plan.right, Right::Own) {
            let left = self.free_calls.left_today(&plan.version.skill, true).await?;
            return if left { Ok(plan) } else { Err(self.free_calls.used_up()) };
        }
        if matches!(plan.right, Right::Trial) {
            if self.free_calls.left_today(&plan.version.skill, false).await? {
                return Ok(plan);
            }
            plan = self.without_trial(caller, plan).await?;
        }
        match self.check_units(&plan).await {
            Err(ReserveError::Database(error)) => return Err(error.into()),
            Err(_) => {
                plan = self.renewed(caller, plan).await?;
                self.check_units(&plan).await?;
            }
            Ok(()) => {}
        }
        // Counted in memory only, and free again at once.
        self.reserve_money(caller, &plan).await?;
        Ok(plan)
    }

    /// The wallet's last free call, or today's last of the skill, went to another call: it needs a licence after all.
    async fn without_trial(&self, caller: &Caller, plan: Plan) -> Result<Plan, ExecutionError> {
        let admission = self.admit(&plan.version, &caller.wallet).await?;
        plan.on_licence(admission)
    }

    /// The plan on its licence as read again.
    async fn renewed(&self, caller: &Caller, plan: Plan) -> Result<Plan, ExecutionError> {
        let Some(facts) = plan.licence_facts() else { return Ok(plan) };
        let fresh = self.ports.licensing.admit_fresh(facts.skill_account, &caller.wallet).await?;
        plan.on_renewed_licence(fresh)
    }

    async fn take_trial(&self, caller: &Caller, plan: &Plan) -> Result<Option<FreeCall>, ExecutionError> {
        let offered = plan.version.manifest.prices.as_ref().map_or(0, |prices| u64::from(prices.free_calls));
        Ok(self.free_calls.take(&plan.version.skill, &caller.wallet, offered).await?)
    }

    async fn promise(&self, plan: &Plan) -> Result<Option<Promise>, ReserveError> {
        let Some(LicenceRight { admission, facts }) = plan.licence() else { return Ok(None) };
        let (allowance, usage_seq) = (self.allowance(admission), admission.licence.usage_seq());
        self.pools.promise(facts.account, allowance, usage_seq, plan.tariff.most_units).await.map(Some)
    }

    async fn check_units(&self, plan: &Plan) -> Result<(), ReserveError> {
        let Some(LicenceRight { admission, facts }) = plan.licence() else { return Ok(()) };
        let (allowance, usage_seq) = (self.allowance(admission), admission.licence.usage_seq());
        self.pools.check_units(facts.account, allowance, usage_seq, plan.tariff.most_units).await
    }

    async fn reserve_money(&self, caller: &Caller, plan: &Plan) -> Result<Option<Reserved>, ExecutionError> {
        let cost = plan.tariff.most()?;
        let (Some(caps), true) = (&caller.daily_caps, cost > 0) else { return Ok(None) };
        let currency = plan.tariff.currency;
        let currency = currency.ok_or_else(|| ExecutionError::internal("what costs something has a currency"))?;
        let reserved = self.spending.reserve(&caller.family, caps.of(currency), currency, cost).await?;
        reserved.map(Some).map_err(ExecutionError::SpendingCap)
    }

    /// Ends the reservation of a call whose receipt is stored and that used `units` for `amount` base units. What it did
    /// not use is free again.
    pub(crate) async fn finish(&self, reservation: Reservation, ok: bool, units: u64, amount: u64) {
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
