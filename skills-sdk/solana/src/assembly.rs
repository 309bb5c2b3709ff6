//! Which instructions the marketplace's transactions consist of: the compute budget first, then the token accounts that
//! have to exist, then the instruction itself. Server and client assemble by this file, so equal orders are equal bytes.

use clawos_interface::accounts::Skill;
use clawos_interface::instruction::{
    Instruction, Route, create_associated_token_idempotent, set_compute_unit_limit, set_compute_unit_price,
};
use clawos_interface::known::COMPUTE_BUDGET_PROGRAM;
use clawos_interface::{Currency, Key, ProgramError};

/// The compute units that a buyer's or seller's transaction asks for: three new token accounts (about 25,000 each) and
/// the marketplace's instruction (below 10,000), with room. Unused ones cost nothing.
pub const COMPUTE_UNITS: u32 = 200_000;
/// The most compute units one transaction can ask for.
pub const MAX_COMPUTE_UNITS: u32 = 1_400_000;

/// The compute budget: at most `units` compute units at `unit_price` micro-lamports each. No instruction sets a price of 0.
pub fn compute_budget(units: u32, unit_price: u64) -> Vec<Instruction> {
    let mut instructions = vec![set_compute_unit_limit(units)];
    if unit_price > 0 {
        instructions.push(set_compute_unit_price(unit_price));
    }
    instructions
}

/// Whether `buyer` may buy licences of the skill: neither who sells it may, nor who is paid for it. Asked before a purchase
/// is assembled: the runtime refuses one whose buyer is also its seller before the program can say why.
///
/// # Errors
/// [`ProgramError::SelfPurchase`].
pub fn check_buyer(buyer: &Key, skill: &Skill) -> Result<(), ProgramError> {
    if *buyer == skill.seller || *buyer == skill.payout { Err(ProgramError::SelfPurchase) } else { Ok(()) }
}

/// The instructions without those of the compute budget.
pub fn without_budget(instructions: &[Instruction]) -> Vec<Instruction> {
    let rest = instructions.iter().filter(|instruction| instruction.program_id != COMPUTE_BUDGET_PROGRAM);
    rest.cloned().collect()
}

/// A transaction that may move a licence's money: the limit of [`COMPUTE_UNITS`]; for USDC the associated token accounts
/// of payout, treasury and `holder`, each made by `payer` unless it exists; `instruction`.
pub fn payment(payer: &Key, route: &Route, holder: &Key, instruction: Instruction) -> Vec<Instruction> {
    let mut instructions = compute_budget(COMPUTE_UNITS, 0);
    if route.currency == Currency::Usdc {
        let owners = [&route.payout, &route.treasury, holder];
        instructions.extend(owners.map(|owner| create_associated_token_idempotent(payer, owner, &route.usdc_mint)));
    }
    instructions.push(instruction);
    instructions
}

#[cfg(test)]
mod tests {
    use super::*;
    use clawos_interface::instruction::deposit_credit;

    #[test]
    fn a_price_of_zero_is_not_set() {
        assert_eq!(compute_budget(7, 0), [set_compute_unit_limit(7)]);
        assert_eq!(compute_budget(7, 5), [set_compute_unit_limit(7), set_compute_unit_price(5)]);
        assert_eq!(without_budget(&compute_budget(7, 5)), []);
    }

    #[test]
    fn only_usdc_needs_token_accounts() {
        let (payer, holder) = ([1; 32], [2; 32]);
        let mut route =
            Route { skill: [3; 32], payout: [4; 32], treasury: [5; 32], currency: Currency::Sol, usdc_mint: [6; 32] };
        let deposit = |route: &Route| deposit_credit(&payer, route, 7);
        let limit = set_compute_unit_limit(COMPUTE_UNITS);
        assert_eq!(payment(&payer, &route, &holder, deposit(&route)), [limit.clone(), deposit(&route)]);
        route.currency = Currency::Usdc;
        let account = |owner| create_associated_token_idempotent(&payer, &owner, &route.usdc_mint);
        let expected = [limit, account([4; 32]), account([5; 32]), account(holder), deposit(&route)];
        assert_eq!(payment(&payer, &route, &holder, deposit(&route)), expected);
    }
}
