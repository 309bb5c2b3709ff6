//! Compaction, and a crash between its two steps.

use std::path::Path;

use solana_account::{AccountSharedData, ReadableAccount};
use solana_pubkey::Pubkey;
use tempfile::TempDir;

use super::*;
use crate::pace::Timeline;

const PACE: Pace = Pace { at_ms: 5, at_slot: 0, slot_ms: 400, ahead_secs: 0 };

fn key(number: u8) -> Pubkey {
    Pubkey::from([number; 32])
}

fn lamports(amount: u64) -> AccountSharedData {
    AccountSharedData::new(amount, 0, &Pubkey::default())
}

fn payment(number: u8, amount: u64) -> Record {
    let transaction = StoredTransaction {
        signature: [number; 64],
        slot: u64::from(number),
        position: 0,
        unix_timestamp: 1_000 + i64::from(number),
        wire: vec![number; 3],
        error: None,
        meta: "{}".into(),
        memo: None,
        accounts: vec![[number; 32]],
    };
    let accounts = vec![AccountState::new(&key(number), &lamports(amount))];
    Record::Transaction { transaction, accounts }
}

fn open(folder: &Path) -> (Ledger, LedgerState) {
    let (ledger, state) = Ledger::open(folder, true).unwrap();
    (ledger, state.expect("a snapshot was written"))
}

/// A new ledger with one snapshot and two payments in the journal.
fn ledger(folder: &Path) -> Ledger {
    let (mut ledger, state) = Ledger::open(folder, false).unwrap();
    assert!(state.is_none());
    ledger.compact(Header::new([7; 32], Timeline::new(PACE), 0, 0), std::iter::empty(), std::iter::empty()).unwrap();
    ledger.append(&payment(1, 10)).unwrap();
    ledger.append(&payment(2, 20)).unwrap();
    ledger
}

fn check(state: &LedgerState, slots: &[u64]) {
    assert_eq!(state.transactions.iter().map(|found| found.slot).collect::<Vec<_>>(), slots);
    for slot in slots {
        let account = &state.accounts[&key(u8::try_from(*slot).unwrap())];
        assert_eq!(account.lamports(), slot * 10);
    }
    let newest = slots.last().copied().unwrap_or(0);
    assert_eq!((state.header.slot, state.header.unix_timestamp), (newest, 1_000 + newest as i64));
}

fn compact(ledger: &mut Ledger, state: &LedgerState) {
    ledger.compact(state.header.clone(), state.accounts.iter(), state.transactions.iter()).unwrap();
}

#[test]
fn a_snapshot_replaces_the_journal_and_more_can_follow() {
    let folder = TempDir::new().unwrap();
    drop(ledger(folder.path()));
    let (mut ledger, state) = open(folder.path());
    check(&state, &[1, 2]);
    compact(&mut ledger, &state);
    assert_eq!(std::fs::metadata(folder.path().join("journal")).unwrap().len(), 0);
    ledger.append(&payment(3, 30)).unwrap();
    drop(ledger);
    check(&open(folder.path()).1, &[1, 2, 3]);
}

#[test]
fn a_kill_between_snapshot_and_emptied_journal_applies_nothing_twice() {
    let folder = TempDir::new().unwrap();
    drop(ledger(folder.path()));
    let journal = folder.path().join("journal");
    let full = std::fs::read(&journal).unwrap();
    let (mut ledger, state) = open(folder.path());
    compact(&mut ledger, &state);
    drop(ledger);
    std::fs::write(&journal, full).unwrap();
    let (mut ledger, state) = open(folder.path());
    check(&state, &[1, 2]);
    ledger.append(&payment(3, 30)).unwrap();
    drop(ledger);
    check(&open(folder.path()).1, &[1, 2, 3]);
}

#[test]
fn a_half_written_snapshot_is_never_read() {
    let folder = TempDir::new().unwrap();
    drop(ledger(folder.path()));
    std::fs::write(folder.path().join("snapshot.tmp"), b"half").unwrap();
    check(&open(folder.path()).1, &[1, 2]);
}

#[test]
fn a_closed_account_and_a_new_pace_are_replayed() {
    let folder = TempDir::new().unwrap();
    let mut ledger = ledger(folder.path());
    ledger.append(&Record::Accounts(vec![AccountState::new(&key(1), &lamports(0))])).unwrap();
    let pace = Pace { at_ms: 9, at_slot: 40, slot_ms: 10, ahead_secs: 3 };
    ledger.append(&Record::Pace(pace)).unwrap();
    drop(ledger);
    let (_ledger, state) = open(folder.path());
    assert_eq!(state.accounts[&key(1)].lamports(), 0);
    assert_eq!((*state.header.timeline.pace(), state.header.slot), (pace, 40));
    assert_eq!([5, 39, 40].map(|slot| state.header.timeline.time_of(slot)), [2, 15, 3], "slots keep the time they had");
}

#[test]
fn an_account_of_ten_megabytes_survives() {
    let folder = TempDir::new().unwrap();
    let mut ledger = ledger(folder.path());
    let large = AccountSharedData::new(1, 10 << 20, &key(9));
    ledger.append(&Record::Accounts(vec![AccountState::new(&key(3), &large)])).unwrap();
    drop(ledger);
    let (_ledger, state) = open(folder.path());
    assert_eq!(state.accounts[&key(3)], large);
}

#[test]
fn a_newer_format_is_refused_by_name() {
    let folder = TempDir::new().unwrap();
    let (mut ledger, _) = Ledger::open(folder.path(), false).unwrap();
    let newer = Header { version: record::FORMAT_VERSION + 1, ..Header::new([7; 32], Timeline::new(PACE), 0, 0) };
    ledger.compact(newer, std::iter::empty(), std::iter::empty()).unwrap();
    drop(ledger);
    let refused = Ledger::open(folder.path(), false).err().unwrap().to_string();
    assert!(refused.contains(&format!("format {}", record::FORMAT_VERSION + 1)), "{refused}");
}

/// A snapshot of format 2, which had one pace where there is a list of them now.
fn format_2() -> Vec<u8> {
    let mut header = vec![0; 4];
    header.extend(2_u32.to_le_bytes());
    header.extend([7; 32]);
    for number in [1_763_769_600_000_u64, 0, 400, 0, 12_345, 1_763_774_538] {
        header.extend(number.to_le_bytes());
    }
    let mut end = 4_u32.to_le_bytes().to_vec();
    end.extend(1_u64.to_le_bytes());
    [frame::seal(0, &header), frame::seal(0, &end)].concat()
}

#[test]
fn a_ledger_of_an_older_format_is_refused_by_its_version_and_left_as_it_is() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("snapshot");
    std::fs::write(&path, format_2()).unwrap();
    let refused = Ledger::open(folder.path(), true).err().expect("it cannot be read").to_string();
    assert!(refused.contains("format 2, but this localnet reads format 3"), "{refused}");
    assert!(refused.contains("Delete the data folder to start over"), "{refused}");
    assert_eq!(std::fs::read(&path).unwrap(), format_2());
}
