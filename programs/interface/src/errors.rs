//! Every reason for which the program refuses, with its code on chain.

/// Hands the list of all errors to another macro, as `Name = code, "message";` lines. The program declares Anchor's
/// error enum from it.
#[macro_export]
macro_rules! for_each_error {
    ($then:ident) => {
        $then! {
            FeeTooHigh = 6000, "the fee is above 1,000 basis points";
            NotUpgradeAuthority = 6001, "only the program's upgrade authority may initialise it";
            WrongProgramData = 6002, "this is not the program's own ProgramData account";
            KeyMissing = 6003, "a key that must be set is all zeros";
            PriceBoundsInvalid = 6004, "the lowest price must be at least 1 and not above the highest, which fits 63 bits";
            RefundWindowTooLong = 6005, "the refund window is longer than allowed";
            SettleDelayInvalid = 6006, "the settle delay must be between 120 and 604,800 seconds";
            WrongMint = 6007, "this is not the accepted USDC mint";
            Paused = 6008, "this instruction is paused; try again after it is resumed";
            NotAuthority = 6009, "only the authority may do this";
            NotGuardian = 6010, "only the guardian or the authority may pause";
            PauseBitsInvalid = 6011, "name at least one pause bit, and none that is unknown";
            UnknownKind = 6012, "the kind must be 1 (one-time), 2 (subscription) or 3 (usage)";
            UnknownTier = 6013, "the tier must be 0 (personal), 1 (commercial) or 2 (enterprise)";
            UnknownCurrency = 6014, "the currency must be 0 (SOL) or 1 (USDC)";
            UnknownUnitKind = 6015, "the unit kind must be 0 (call) or 1 (megafuel)";
            UnknownStatus = 6016, "the status code is unknown";
            UnknownExitKind = 6017, "the exit must be 1 (withdraw) or 3 (close)";
            KindsInvalid = 6018, "offer at least one kind, and none that is unknown";
            PriceOutOfRange = 6019, "a price is outside the bounds of its currency";
            PeriodInvalid = 6020, "the period must be between one hour and 366 days";
            TierInvalid = 6021, "multipliers are 10,000 for personal and 10,000 to 1,000,000 for the others";
            NotSeller = 6022, "only the skill's seller may do this";
            SkillRetired = 6023, "the skill is retired for good";
            SkillInactive = 6024, "the skill is not on sale";
            KindNotOffered = 6025, "the skill does not offer this kind of licence";
            WrongCurrency = 6026, "the skill is priced in the other currency";
            PriceAboveMax = 6027, "the price is above the highest the buyer accepts";
            TermsChanged = 6028, "the terms are not those the buyer agreed to; read them again";
            SelfPurchase = 6029, "the seller cannot buy the own skill";
            LicenceActive = 6030, "the licence is still in force; renew it or change its caps instead";
            LicenceClosing = 6031, "an exit is pending on the licence";
            LicenceUnpaid = 6032, "recorded usage is unpaid; deposit credit first";
            KindChangeTooEarly = 6033, "the licence changes kind only once the settle delay has passed after its end";
            NotRenewable = 6034, "only a subscription of this kind and tier can be renewed";
            LicenceRefunded = 6035, "the licence was refunded; purchase it anew";
            NotBuyer = 6036, "only the licence's buyer may do this";
            WrongSkill = 6037, "the licence belongs to another skill";
            WrongLicence = 6038, "this is not the licence's address for that skill and buyer";
            WrongPayout = 6039, "this is not the seller's receiving account";
            WrongTreasury = 6040, "this is not the treasury's receiving account";
            WrongSource = 6041, "this is not a token account of the payer in the accepted mint";
            WrongVault = 6042, "this is not the licence's credit vault";
            TokenAccountsMissing = 6043, "a USDC licence needs its token accounts and the token program";
            RecipientNotRentExempt = 6044, "a receiving wallet would stay below the rent minimum; fund it first";
            AmountInvalid = 6045, "the amount must be between 1 and 2^63 - 1";
            NotMeter = 6046, "only the licence's meter may record usage";
            BadSequence = 6047, "the batch number must be the last one plus one";
            RootMismatch = 6048, "the previous root is not the licence's present one";
            UnitsMissing = 6049, "a batch must carry at least one unit";
            BatchTooLarge = 6050, "the batch is above the buyer's cap per batch";
            DayCapExceeded = 6051, "the batch is above what the buyer's daily cap leaves";
            UsageLimitExceeded = 6052, "the batch is above the licence's usage limit";
            MathOverflow = 6053, "an amount or counter would exceed 63 bits";
            ExitPending = 6054, "an exit is pending already";
            NoExitPending = 6055, "no exit is pending; request it first";
            ExitNotReady = 6056, "the settle delay has not passed yet";
            NothingToWithdraw = 6057, "there is no credit to withdraw";
            VersionUnsupported = 6058, "the account's layout version is not supported";
            NotUsageLicence = 6059, "only a usage licence takes credit";
            RecipientFrozen = 6060, "a receiving account is frozen, closed or cannot be written";
            DayInvalid = 6061, "the chain's clock is before 1970 or after 2106";
            VaultUnusable = 6062, "the licence's credit vault does not exist or is frozen; make it, or have it thawed";
            MeterChangeTooEarly = 6063, "the meter before the present one can still record; renew once the settle delay has passed";
        }
    };
}

macro_rules! declare {
    ($($name:ident = $code:literal, $message:literal;)*) => {
        /// A refusal of the program.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        #[repr(u32)]
        pub enum ProgramError {
            $(#[doc = $message] $name = $code,)*
        }

        impl ProgramError {
            /// Every error, in order of its code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code as it appears in a failed transaction (`Custom(code)`).
            pub const fn code(self) -> u32 {
                self as u32
            }

            /// The name, as in the IDL.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }

            /// What is wrong and what to do, in one sentence.
            pub const fn message(self) -> &'static str {
                match self { $(Self::$name => $message,)* }
            }

            /// The error of a failed transaction's code.
            pub const fn from_code(code: u32) -> Option<Self> {
                match code { $($code => Some(Self::$name),)* _ => None }
            }
        }
    };
}
for_each_error!(declare);

impl core::fmt::Display for ProgramError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.message())
    }
}

impl core::error::Error for ProgramError {}
