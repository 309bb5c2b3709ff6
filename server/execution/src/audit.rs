//! What settlement writes into the audit log: every change of what is billed that no call made. Buyer and seller of the
//! licence can read it.
//!
//! An entry is written in the transaction of its change. A transaction takes the log's lock after those of all
//! accounts that it locks, so that two never wait for each other in a circle.

use clawos_base::audit;
use clawos_base::database::columns::key_text;
use sqlx::AnyConnection;

use crate::account::Account;

/// The actor of these entries: no agent, the server itself.
pub(crate) const ACTOR: &str = "settlement";

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Receipts will never be charged.
    Waived,
    /// A receipt is not what its signed body says, or is not signed.
    SetAside,
    /// A batch was removed and its receipts waived.
    BatchVoided,
    /// A batch was removed; its receipts go into others.
    BatchReopened,
    /// A batch can never land.
    BatchDead,
    /// Nothing more of the account is settled until its operator has looked at it.
    Stopped,
    /// A batch is not the sum of its signed receipts, so it is not sent.
    BatchWithheld,
    /// A batch waits for a server with the meter key that its receipts were made under.
    BatchWaits,
}

impl Action {
    /// Its name in the log, as `noun.verb`.
    const fn as_str(self) -> &'static str {
        match self {
            Action::Waived => "receipts.waive",
            Action::SetAside => "receipt.set_aside",
            Action::BatchVoided => "batch.void",
            Action::BatchReopened => "batch.reopen",
            Action::BatchDead => "batch.dead",
            Action::Stopped => "account.stop",
            Action::BatchWithheld => "batch.withhold",
            Action::BatchWaits => "batch.wait",
        }
    }
}

/// Notes a change of an account's usage. `target` names the batch or receipt, or is empty for the account as a whole.
pub(crate) async fn append(
    tx: &mut AnyConnection,
    now: i64,
    action: Action,
    account: &Account,
    target: &str,
    detail: &str,
) -> Result<(), sqlx::Error> {
    let account = format!("{}@{}", key_text(&account.licence), account.opened_slot);
    let target = if target.is_empty() { account } else { format!("{account}/{target}") };
    audit::append(tx, now, ACTOR, action.as_str(), &target, detail).await
}
