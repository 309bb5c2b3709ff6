//! Writing events to the log. The layouts are `interface::events`; the declarations below only put them into the IDL,
//! and must have the same size and discriminator.

use anchor_lang::prelude::*;

/// Logs the encoded bytes of an event.
pub fn log(encoded: &[u8]) {
    sol_log_data(&[encoded]);
}

macro_rules! idl_event {
    ($name:ident { $($field:ident: $ty:tt),* $(,)? }) => {
        #[event(bytemuck)]
        pub struct $name { $(pub $field: $ty,)* }

        const _: () = {
            type Layout = interface::events::$name;
            assert!(core::mem::size_of::<$name>() == core::mem::size_of::<Layout>());
            $(assert!(core::mem::offset_of!($name, $field) == core::mem::offset_of!(Layout, $field));)*
            let (mut i, ours) = (0, <$name as Discriminator>::DISCRIMINATOR);
            while i < 8 {
                assert!(ours[i] == Layout::DISCRIMINATOR[i]);
                i += 1;
            }
        };
    };
}

idl_event!(ProgramInitialized {
    schema_version: u8,
    authority: Address,
    treasury: Address,
    meter: Address,
    usdc_mint: Address,
    fee_bps: PodU16,
});
idl_event!(SkillRegistered { schema_version: u8, skill: Address, seller: Address, skill_id: [u8; 32] });
idl_event!(SkillUpdated { schema_version: u8, skill: Address, terms_version: PodU32, terms_hash: [u8; 32] });
idl_event!(SkillStatusChanged { schema_version: u8, skill: Address, old: u8, new: u8 });
idl_event!(LicencePurchased {
    schema_version: u8,
    licence: Address,
    skill: Address,
    buyer: Address,
    n: PodU32,
    kind: u8,
    tier: u8,
    currency: u8,
    amount: PodU64,
    fee: PodU64,
    expires_at: PodI64,
    terms_hash: [u8; 32],
});
idl_event!(LicenceRenewed {
    schema_version: u8,
    licence: Address,
    n: PodU32,
    currency: u8,
    amount: PodU64,
    fee: PodU64,
    expires_at: PodI64,
    terms_hash: [u8; 32],
});
idl_event!(CreditDeposited { schema_version: u8, licence: Address, amount: PodU64, credit: PodU64 });
idl_event!(UsageRecorded {
    schema_version: u8,
    licence: Address,
    seq: PodU64,
    units: PodU64,
    root: [u8; 32],
    billed: PodU64,
    fee: PodU64,
    credit: PodU64,
    unbilled: PodU64,
});
idl_event!(UsageBilled { schema_version: u8, licence: Address, currency: u8, amount: PodU64, fee: PodU64 });
idl_event!(LicenceCapsSet {
    schema_version: u8,
    licence: Address,
    usage_limit: PodU64,
    max_units_per_batch: PodU64,
    max_units_per_day: PodU64,
    effective_at: PodI64,
});
idl_event!(ExitRequested { schema_version: u8, licence: Address, exit_kind: u8, exit_at: PodI64 });
idl_event!(CreditWithdrawn { schema_version: u8, licence: Address, currency: u8, amount: PodU64 });
idl_event!(LicenceClosed {
    schema_version: u8,
    licence: Address,
    skill: Address,
    buyer: Address,
    usage_total: PodU64,
    chain_root: [u8; 32],
});
idl_event!(PauseChanged { schema_version: u8, old: PodU16, new: PodU16, by: Address });
