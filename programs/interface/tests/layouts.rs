//! Layouts: frozen sizes, discriminators as Anchor derives them, round trips, and refusals of anything else.

use clawos_interface::accounts::{Channel, Config, Licence, Purchase, Skill};
use clawos_interface::events::{self, Event};
use clawos_interface::instruction::discriminator;
use clawos_interface::rules::validity::Reason;
use clawos_interface::{
    sha256, Currency, DecodeError, ExitKind, Kind, LicenceStatus, ProgramError, SkillStatus, SuspendReason, Tier, Unit,
};
use proptest::prelude::*;

fn anchor(name: &str) -> [u8; 8] {
    sha256(&[name.as_bytes()])[..8].try_into().expect("eight of 32 bytes")
}

#[test]
fn sizes_are_frozen() {
    assert_eq!([Config::LEN, Skill::LEN, Licence::LEN, Purchase::LEN, Channel::LEN], [368, 400, 448, 208, 264]);
}

#[test]
fn discriminators_are_anchors() {
    for (name, ours) in [
        ("Config", Config::DISCRIMINATOR),
        ("Skill", Skill::DISCRIMINATOR),
        ("Licence", Licence::DISCRIMINATOR),
        ("Purchase", Purchase::DISCRIMINATOR),
        ("Channel", Channel::DISCRIMINATOR),
    ] {
        assert_eq!(ours, anchor(&format!("account:{name}")), "{name}");
    }
    for (name, ours) in discriminator::ALL {
        assert_eq!(*ours, anchor(&format!("global:{name}")), "{name}");
    }
    for (name, ours) in events::ALL {
        assert_eq!(*ours, anchor(&format!("event:{name}")), "{name}");
    }
}

macro_rules! round_trip {
    ($($test:ident: $account:ident;)*) => {
        proptest! {$(
            #[test]
            fn $test(bytes in prop::collection::vec(any::<u8>(), $account::LEN - 8), wrong in 0usize..8) {
                let mut body: $account = bytemuck::pod_read_unaligned(&bytes);
                body.version = $account::VERSION;
                let mut encoded = body.encode().to_vec();
                prop_assert_eq!($account::decode(&encoded), Ok(body));

                body.version = 2;
                prop_assert_eq!($account::decode(&body.encode()), Err(DecodeError::Version { found: 2 }));
                let length = |found| Err(DecodeError::Length { expected: $account::LEN, found });
                prop_assert_eq!($account::decode(&encoded[..$account::LEN - 1]), length($account::LEN - 1));
                prop_assert_eq!($account::decode(&encoded[..7]), length(7));
                encoded.push(0);
                prop_assert_eq!($account::decode(&encoded), length($account::LEN + 1));
                encoded.pop();
                encoded[wrong] ^= 1;
                prop_assert_eq!($account::decode(&encoded), Err(DecodeError::Discriminator));
            }
        )*}
    };
}

round_trip! {
    config_round_trips: Config;
    skill_round_trips: Skill;
    licence_round_trips: Licence;
    purchase_round_trips: Purchase;
    channel_round_trips: Channel;
}

proptest! {
    #[test]
    fn accessors_read_what_was_set(credit: u64, expires: i64, day: u32, prices: [u64; 2], fee: u16) {
        let mut licence = crate::samples::licence();
        licence.credit.set(credit);
        licence.expires_at.set(expires);
        licence.day.set(day);
        prop_assert_eq!((licence.credit(), licence.expires_at(), licence.day()), (credit, expires, day));
        let mut config = crate::samples::config();
        config.min_price = prices.map(Into::into);
        config.fee_bps.set(fee);
        prop_assert_eq!((config.min_price(), config.fee_bps()), (prices, fee));
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = (Config::decode(&bytes), Skill::decode(&bytes), Licence::decode(&bytes), Event::decode(&bytes));
    }

    #[test]
    fn events_round_trip(bytes in prop::collection::vec(any::<u8>(), events::UsageRecorded::LEN - 8)) {
        let mut body: events::UsageRecorded = bytemuck::pod_read_unaligned(&bytes);
        body.schema_version = events::SCHEMA_VERSION;
        prop_assert_eq!(Event::decode(&body.encode()), Ok(Event::UsageRecorded(body)));
    }
}

#[test]
fn errors_have_unique_codes_names_and_messages() {
    for (index, error) in ProgramError::ALL.iter().enumerate() {
        assert_eq!(error.code(), 6_000 + index as u32);
        assert_eq!(ProgramError::from_code(error.code()), Some(*error));
        assert_eq!(
            ProgramError::ALL.iter().filter(|other| other.message() == error.message()).count(),
            1,
            "{}",
            error.name()
        );
    }
    assert_eq!(ProgramError::from_code(5_999), None);
    assert_eq!(ProgramError::from_code(6_000 + ProgramError::ALL.len() as u32), None);
}

macro_rules! codes_round_trip {
    ($($code:ident),*) => {
        #[test]
        fn codes_and_names_round_trip() {
            $(
                for value in $code::ALL {
                    assert_eq!($code::try_from(*value as u8), Ok(*value));
                    assert_eq!($code::from_name(value.as_str()), Some(*value));
                    let json = serde_json::to_string(value).expect("a word");
                    assert_eq!(json, format!("\"{value}\""));
                    assert_eq!(serde_json::from_str::<$code>(&json).expect("its own word"), *value);
                }
                assert!($code::try_from($code::ALL.len() as u8 + 1).is_err());
                assert!($code::try_from(200).is_err());
                assert_eq!($code::from_name(""), None);
            )*
        }
    };
}
codes_round_trip!(Kind, Tier, Currency, Unit, SkillStatus, LicenceStatus, SuspendReason, ExitKind, Reason);

#[test]
fn an_unknown_word_is_refused_with_the_known_ones() {
    let refusal = |json: &str| serde_json::from_str::<Currency>(json).expect_err(json).to_string();
    for word in ["\"EUR\"", "\"usdc\"", "\"\""] {
        let refusal = refusal(word);
        assert!(refusal.contains("unknown variant") && refusal.contains("`SOL` or `USDC`"), "{refusal}");
    }
    assert!(refusal("1").contains("expected one of `SOL` `USDC`"));
}
