//! What is assembled here reads back with Solana's own types.

use clawos_interface::instruction::{AccountMeta, set_compute_unit_limit};
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// A key of a few, so that instructions share accounts.
fn key() -> impl Strategy<Value = Key> {
    (1..8u8).prop_map(|n| [n; 32])
}

/// Any instruction whose only possible signer is `payer`.
fn instruction(payer: Key) -> impl Strategy<Value = Instruction> {
    let account = (key(), any::<bool>(), any::<bool>());
    let account =
        account.prop_map(move |(key, signs, writable)| AccountMeta { key, signer: signs && key == payer, writable });
    (key(), vec(account, 0..6), vec(any::<u8>(), 0..40)).prop_map(|(program_id, accounts, data)| Instruction {
        program_id,
        accounts,
        data,
    })
}

proptest! {
    #[test]
    fn the_wire_form_reads_back_and_is_as_long_as_said(
        instructions in vec(instruction([1; 32]), 1..6), blockhash: [u8; 32],
    ) {
        let message = message(&[1; 32], &instructions, &blockhash);
        prop_assert_eq!(message.header.num_required_signatures, 1);
        let wire = BASE64_STANDARD.decode(unsigned_base64(&message)).expect("base64");
        prop_assert_eq!(wire.len(), wire_len(&[1; 32], &instructions));
        let read: Transaction = wincode::deserialize(&wire).expect("Solana reads it");
        prop_assert_eq!(&read, &Transaction::new_unsigned(message));
        for (compiled, instruction) in read.message.instructions.iter().zip(&instructions) {
            prop_assert_eq!(&compiled.data, &instruction.data);
            let accounts: Vec<Key> =
                compiled.accounts.iter().map(|at| read.message.account_keys[usize::from(*at)].to_bytes()).collect();
            prop_assert_eq!(accounts, instruction.accounts.iter().map(|meta| meta.key).collect::<Vec<_>>());
        }
    }
}

#[test]
fn a_signed_transaction_verifies_and_names_its_signer_as_payer() {
    let signer = SigningKey::from_bytes(&[7; 32]);
    let instructions = [set_compute_unit_limit(1)];
    let transaction = signed(&signer, &instructions, &[8; 32]);
    transaction.verify().expect("the signature is good");
    assert_eq!(transaction.message.account_keys[0].to_bytes(), signer.verifying_key().to_bytes());
    assert_eq!(transaction.message.recent_blockhash.to_bytes(), [8; 32]);
    let wire = wincode::serialize(&transaction).expect("Solana writes it");
    assert_eq!(wire.len(), wire_len(&signer.verifying_key().to_bytes(), &instructions));
}
