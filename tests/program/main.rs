//! The shipped program binary in litesvm: what each instruction does, refuses and costs.
//!
//! `harness.rs` is the world they run in, `people.rs` who lives there, `tokens.rs` its USDC, `forge.rs` writes accounts behind the program's back,
//! `attack` tries what an attacker would, `idl.rs` reads the committed IDL. Then one module per instruction, and those about the whole.

mod attack;
mod forge;
mod harness;
mod idl;
mod people;
mod tokens;

mod deposit_credit;
mod execute_exit;
mod exit_recipients;
mod initialize;
mod pause;
mod purchase_sol;
mod purchase_usdc;
mod record_usage;
mod register_skill;
mod renew;
mod request_exit;
mod set_licence_caps;
mod set_skill_status;
mod unpause;
mod update_skill;
mod verify_access;

mod artifacts;
mod charging;
mod compute_spread;
mod compute_units;
mod conservation;
mod flow;
mod layouts;
mod sale;
mod validity;
