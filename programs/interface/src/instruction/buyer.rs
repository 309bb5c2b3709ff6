//! Builders for buyers. All are signed by the buyer, who also pays any rent.

use alloc::vec;
use alloc::vec::Vec;

use super::args::PurchaseArgs;
use super::build::{config, AccountMeta, Data, Instruction, Route, SYSTEM};
use super::discriminator;
use crate::codes::{Currency, ExitKind};
use crate::known::TOKEN_PROGRAM;
use crate::rules::usage::Caps;
use crate::{pda, Key};

/// `purchase_sol` or `purchase_usdc`, as the skill is priced. For USDC the receiving token accounts must exist
/// ([`create_associated_token_idempotent`](super::create_associated_token_idempotent)).
pub fn purchase(buyer: &Key, route: &Route, args: &PurchaseArgs) -> Instruction {
    match route.currency {
        Currency::Sol => purchase_sol(buyer, route, args),
        Currency::Usdc => purchase_usdc(buyer, route, args),
    }
}

/// `purchase_sol`: opens or re-opens the buyer's licence and pays in lamports.
pub fn purchase_sol(buyer: &Key, route: &Route, args: &PurchaseArgs) -> Instruction {
    let route = Route { currency: Currency::Sol, ..*route };
    let mut accounts = head(buyer, &route);
    accounts.extend(route.recipients());
    accounts.push(SYSTEM);
    Instruction::ours(accounts, purchase_data(discriminator::PURCHASE_SOL, args))
}

/// `purchase_usdc`: opens or re-opens the buyer's licence and pays from the buyer's associated token account.
pub fn purchase_usdc(buyer: &Key, route: &Route, args: &PurchaseArgs) -> Instruction {
    let route = Route { currency: Currency::Usdc, ..*route };
    let mut accounts = head(buyer, &route);
    accounts.push(AccountMeta::writable(route.account_of(buyer)));
    accounts.extend(route.recipients());
    accounts.push(AccountMeta::readonly(TOKEN_PROGRAM));
    accounts.push(SYSTEM);
    Instruction::ours(accounts, purchase_data(discriminator::PURCHASE_USDC, args))
}

/// `renew`: pays the next period of a subscription at the present terms, at most `max_price` base units.
pub fn renew(buyer: &Key, route: &Route, max_price: u64, terms_hash: &[u8; 32]) -> Instruction {
    let mut accounts = head(buyer, route);
    accounts.extend(route.recipients());
    accounts.extend([route.token_of(buyer), route.token_program(), SYSTEM]);
    Instruction::ours(accounts, Data::new(discriminator::RENEW).u64(max_price).bytes(terms_hash))
}

/// `deposit_credit`: moves `amount` base units into the licence, and pays what is unbilled. For USDC the credit vault
/// ([`pda::credit_vault`]) must exist.
pub fn deposit_credit(buyer: &Key, route: &Route, amount: u64) -> Instruction {
    let mut accounts = head(buyer, route);
    accounts.extend(route.recipients());
    accounts.extend([route.token_of(buyer), route.token_of(&route.licence(buyer)), route.token_program(), SYSTEM]);
    Instruction::ours(accounts, Data::new(discriminator::DEPOSIT_CREDIT).u64(amount))
}

/// `set_licence_caps`: the buyer's own caps. Looser ones count at once; stricter ones bind new calls at once, and
/// recording after the settle delay.
pub fn set_licence_caps(buyer: &Key, skill: &Key, caps: &Caps) -> Instruction {
    let accounts = vec![AccountMeta::signer(*buyer), config(), AccountMeta::writable(pda::licence(skill, buyer).0)];
    Instruction::ours(accounts, Data::new(discriminator::SET_LICENCE_CAPS).caps(caps))
}

/// `request_exit`: freezes spending and starts the settle delay.
pub fn request_exit(buyer: &Key, skill: &Key, exit: ExitKind) -> Instruction {
    let accounts = vec![AccountMeta::signer(*buyer), config(), AccountMeta::writable(pda::licence(skill, buyer).0)];
    Instruction::ours(accounts, Data::new(discriminator::REQUEST_EXIT).u8(exit as u8))
}

/// `execute_exit`: pays the credit back once the delay has passed, and closes the licence when that was asked for.
/// `has_vault`: whether a USDC licence ever took a deposit (`licence.vault_bump() != 0`); the buyer's associated token
/// account must then exist.
pub fn execute_exit(buyer: &Key, route: &Route, has_vault: bool) -> Instruction {
    let mut accounts = head(buyer, route);
    accounts.extend(route.recipients());
    let vault = if has_vault { route.token_of(&route.licence(buyer)) } else { AccountMeta::absent() };
    let own = if has_vault { route.token_of(buyer) } else { AccountMeta::absent() };
    accounts.extend([own, vault, route.token_program()]);
    Instruction::ours(accounts, Data::new(discriminator::EXECUTE_EXIT))
}

/// Buyer, Config, Skill and Licence: what every payment begins with.
fn head(buyer: &Key, route: &Route) -> Vec<AccountMeta> {
    vec![
        AccountMeta::signer_mut(*buyer),
        config(),
        AccountMeta::writable(route.skill),
        AccountMeta::writable(route.licence(buyer)),
    ]
}

fn purchase_data(discriminator: [u8; 8], args: &PurchaseArgs) -> Data {
    Data::new(discriminator)
        .u8(args.kind as u8)
        .u8(args.tier as u8)
        .u64(args.max_price)
        .bytes(&args.terms_hash)
        .caps(&args.caps)
}
