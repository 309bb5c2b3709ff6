//! The program's errors for Anchor and its IDL, made from `interface`'s list, and how rules' refusals become program
//! errors.

use anchor_lang::prelude::*;
use interface::ProgramError as Refusal;

macro_rules! declare {
    ($($name:ident = $code:literal, $message:literal;)*) => {
        /// Every refusal of the program; the same names, codes and messages as in `interface`.
        #[error_code]
        pub enum MarketError {
            $(#[msg($message)] $name,)*
        }

        // Anchor numbers variants from 6000 in their order.
        const _: () = {
            $(assert!(MarketError::$name as u32 + 6000 == $code);)*
        };
    };
}
interface::for_each_error!(declare);

/// The form in which a refusal leaves the program.
#[cold]
pub fn fail(refusal: Refusal) -> Error {
    Error::Custom(refusal.code())
}

/// Refuses with `interface::ProgramError::$refusal` unless `$condition` holds.
macro_rules! ensure {
    ($condition:expr, $refusal:ident) => {
        if !$condition {
            return Err($crate::errors::fail(interface::ProgramError::$refusal));
        }
    };
}
pub(crate) use ensure;
