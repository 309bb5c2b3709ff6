//! Addresses that never change: our program and those of Solana it deals with.

use crate::Key;

/// The marketplace program: base58 `6SPvkMXN7kJjcHFioeqyoEWZArufXPm8Bo6hM6moBxW8`.
pub const PROGRAM_ID: Key = [
    80, 203, 224, 205, 186, 20, 238, 120, 10, 212, 87, 151, 80, 158, 109, 181, 200, 203, 162, 231, 225, 140, 252, 4,
    190, 206, 221, 28, 254, 199, 2, 133,
];

/// The account that holds the program's code and names its upgrade authority: `pda([PROGRAM_ID], UPGRADEABLE_LOADER)`.
pub const PROGRAM_DATA: Key = [
    82, 148, 2, 6, 64, 91, 53, 170, 233, 121, 25, 10, 198, 44, 212, 62, 115, 189, 243, 206, 111, 116, 37, 45, 145, 130,
    27, 18, 168, 255, 110, 67,
];

/// The System program.
pub const SYSTEM_PROGRAM: Key = [0; 32];

/// The classic SPL Token program, `TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA`.
pub const TOKEN_PROGRAM: Key = [
    6, 221, 246, 225, 215, 101, 161, 147, 217, 203, 225, 70, 206, 235, 121, 172, 28, 180, 133, 237, 95, 91, 55, 145,
    58, 140, 245, 133, 126, 255, 0, 169,
];

/// The Associated Token Account program, `ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL`.
pub const ASSOCIATED_TOKEN_PROGRAM: Key = [
    140, 151, 37, 143, 78, 36, 137, 241, 187, 61, 16, 41, 20, 142, 13, 131, 11, 90, 19, 153, 218, 255, 16, 132, 4, 142,
    123, 216, 219, 233, 248, 89,
];

/// The upgradeable loader, `BPFLoaderUpgradeab1e11111111111111111111111`.
pub const UPGRADEABLE_LOADER: Key = [
    2, 168, 246, 145, 78, 136, 161, 176, 226, 16, 21, 62, 247, 99, 174, 43, 0, 194, 185, 61, 22, 193, 36, 210, 192, 83,
    122, 16, 4, 128, 0, 0,
];

/// The Compute Budget program, `ComputeBudget111111111111111111111111111111`.
pub const COMPUTE_BUDGET_PROGRAM: Key = [
    3, 6, 70, 111, 229, 33, 23, 50, 255, 236, 173, 186, 114, 195, 155, 231, 188, 140, 229, 187, 197, 247, 18, 107, 44,
    67, 155, 58, 64, 0, 0, 0,
];

/// First seed of Config's address.
pub const CONFIG_SEED: &[u8] = b"config";

/// First seed of a Skill's address; then creator and skill id.
pub const SKILL_SEED: &[u8] = b"skill";

/// First seed of a Licence's address; then skill and buyer.
pub const LICENCE_SEED: &[u8] = b"licence";

/// First seed of a Purchase's address; then licence and number (u32, little-endian).
pub const PURCHASE_SEED: &[u8] = b"purchase";

/// First seed of a badge's mint; then licence and number (u32, little-endian).
pub const MINT_SEED: &[u8] = b"mint";

/// First seed of a Channel's address; then licence, authorised signer, mint, salt and opening slot (u64,
/// little-endian).
pub const CHANNEL_SEED: &[u8] = b"channel";
