//! Exits: ready after the delay, never blocked by a pause, delayed anew by a resumption.

use clawos_interface::rules::exit::{eta, ready_at, MAX_SETTLE_DELAY_SECS};
use clawos_interface::{ExitKind, ProgramError};

use crate::samples::{config, licence};

#[test]
fn is_ready_after_the_delay() {
    let config = config();
    let mut account = licence();
    assert_eq!(ready_at(&account, &config), Err(ProgramError::NoExitPending));
    account.exit_kind = ExitKind::Close as u8;
    account.exit_at.set(eta(&config, 10_000).expect("in time"));
    assert_eq!(ready_at(&account, &config), Ok(10_600));
    assert_eq!(eta(&config, i64::MAX), Err(ProgramError::MathOverflow));
}

#[test]
fn a_resumption_after_the_request_starts_the_delay_again() {
    let mut config = config();
    let mut account = licence();
    account.exit_kind = ExitKind::Withdraw as u8;
    account.exit_requested_at.set(10_000);
    account.exit_at.set(10_600);
    for (resumed_at, ready) in [(0, 10_600), (9_999, 10_600), (10_000, 10_600), (10_001, 10_601), (20_000, 20_600)] {
        config.usage_resumed_at.set(resumed_at);
        assert_eq!(ready_at(&account, &config), Ok(ready), "resumed at {resumed_at}");
    }
}

#[test]
fn resumptions_cannot_postpone_it_without_end() {
    let mut config = config();
    let mut account = licence();
    account.exit_kind = ExitKind::Close as u8;
    account.exit_requested_at.set(10_000);
    account.exit_at.set(10_600);
    let latest = 10_600 + i64::from(MAX_SETTLE_DELAY_SECS);
    for (resumed_at, ready) in [(latest - 601, latest - 1), (latest - 600, latest), (latest + 99_999, latest)] {
        config.usage_resumed_at.set(resumed_at);
        assert_eq!(ready_at(&account, &config), Ok(ready), "resumed at {resumed_at}");
    }
}

#[test]
fn a_delay_that_is_changed_later_does_not_move_it() {
    let mut config = config();
    let mut account = licence();
    account.exit_kind = ExitKind::Close as u8;
    account.exit_requested_at.set(10_000);
    account.exit_at.set(10_600);
    // Recording was resumed just before the request, and the delay has become longer since.
    config.usage_resumed_at.set(9_900);
    config.settle_delay.set(86_400);
    assert_eq!(ready_at(&account, &config), Ok(10_600));
}
