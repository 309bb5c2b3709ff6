//! The first eight bytes of each instruction's data, as Anchor derives them from the name.

macro_rules! discriminators {
    ($($name:ident, $text:literal = $bytes:expr;)*) => {
        $(#[doc = concat!("`", $text, "`.")] pub const $name: [u8; 8] = $bytes;)*

        /// Names and discriminators of all instructions, to compare with the IDL.
        pub const ALL: &[(&str, [u8; 8])] = &[$(($text, $name),)*];
    };
}

discriminators! {
    INITIALIZE, "initialize" = [175, 175, 109, 31, 13, 152, 155, 237];
    REGISTER_SKILL, "register_skill" = [166, 249, 255, 189, 192, 197, 102, 2];
    UPDATE_SKILL, "update_skill" = [116, 142, 164, 86, 9, 27, 112, 227];
    SET_SKILL_STATUS, "set_skill_status" = [160, 246, 95, 193, 217, 209, 66, 8];
    PURCHASE_SOL, "purchase_sol" = [187, 7, 180, 242, 158, 124, 34, 194];
    PURCHASE_USDC, "purchase_usdc" = [148, 180, 61, 224, 16, 184, 119, 243];
    RENEW, "renew" = [43, 239, 15, 46, 27, 7, 163, 73];
    VERIFY_ACCESS, "verify_access" = [198, 35, 119, 166, 140, 214, 241, 222];
    DEPOSIT_CREDIT, "deposit_credit" = [41, 246, 186, 72, 221, 109, 1, 65];
    RECORD_USAGE, "record_usage" = [185, 5, 42, 72, 185, 187, 202, 147];
    PAUSE, "pause" = [211, 22, 221, 251, 74, 121, 193, 47];
    UNPAUSE, "unpause" = [169, 144, 4, 38, 10, 141, 188, 255];
    SET_LICENCE_CAPS, "set_licence_caps" = [48, 120, 57, 82, 22, 167, 66, 163];
    REQUEST_EXIT, "request_exit" = [121, 186, 203, 74, 138, 218, 135, 151];
    EXECUTE_EXIT, "execute_exit" = [130, 90, 198, 58, 73, 242, 0, 236];
}
