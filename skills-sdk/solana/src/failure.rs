//! What the error of a transaction says: which instruction failed, and why in the program's own words.

use clawos_interface::ProgramError;
use solana_instruction::error::InstructionError;
use solana_transaction::TransactionError;

/// The marketplace program's own error, where it is the one that refused.
pub fn program_error(error: &TransactionError) -> Option<ProgramError> {
    match error {
        TransactionError::InstructionError(_, InstructionError::Custom(code)) => ProgramError::from_code(*code),
        _ => None,
    }
}

/// The index of the instruction that failed; none when the transaction failed as a whole.
pub fn failed_instruction(error: &TransactionError) -> Option<usize> {
    match error {
        TransactionError::InstructionError(index, _) => Some(usize::from(*index)),
        _ => None,
    }
}

/// The program's own words for its errors, Solana's for the rest.
pub fn describe(error: &TransactionError) -> String {
    if let Some(error) = program_error(error) {
        return format!("{}: {}", error.name(), error.message());
    }
    match error {
        TransactionError::InstructionError(_, InstructionError::Custom(code)) => format!("program error {code}"),
        TransactionError::InstructionError(_, error) => error.to_string(),
        error => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_s_errors_are_named_and_the_others_are_solana_s() {
        let custom = |code| TransactionError::InstructionError(2, InstructionError::Custom(code));
        let ours = ProgramError::TermsChanged;
        let named = custom(ours.code());
        assert_eq!(describe(&named), format!("{}: {}", ours.name(), ours.message()));
        assert_eq!((program_error(&named), failed_instruction(&named)), (Some(ours), Some(2)));
        assert_eq!(describe(&custom(1)), "program error 1");
        assert_eq!((program_error(&custom(1)), failed_instruction(&custom(1))), (None, Some(2)));
        let whole = TransactionError::BlockhashNotFound;
        assert_eq!(describe(&whole), "Blockhash not found");
        assert_eq!((program_error(&whole), failed_instruction(&whole)), (None, None));
    }
}
