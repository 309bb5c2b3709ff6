// Tokens with @solana/spl-token: a mint of one's own, accounts, transfers, delegates, and the parsed views of them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TOKEN_PROGRAM_ID, approve, createMint, getAccount, getMint, getOrCreateAssociatedTokenAccount, mintTo, transfer } from '@solana/spl-token';
import { Keypair } from '@solana/web3.js';
import { connect, heard, wallet } from './world.js';

test('a token like USDC is made, minted, transferred and watched', async () => {
  const connection = connect();
  const alice = await wallet(connection, 2);
  const bob = Keypair.generate().publicKey;
  const mint = await createMint(connection, alice, alice.publicKey, null, 6);
  const from = await getOrCreateAssociatedTokenAccount(connection, alice, mint, alice.publicKey);
  const to = await getOrCreateAssociatedTokenAccount(connection, alice, mint, bob);
  await mintTo(connection, alice, mint, from.address, alice, 5_000_000n);
  const filters = [{ dataSize: 165 }, { memcmp: { offset: 32, bytes: bob.toBase58() } }];
  const watched = heard((tell) => connection.onProgramAccountChange(TOKEN_PROGRAM_ID, tell, { filters }));
  const slot = heard((tell) => connection.onSlotChange(tell));
  await slot.first;
  const signature = await transfer(connection, alice, from.address, to.address, alice, 1_500_000n);
  const { accountId } = await watched.first;
  assert.ok(accountId.equals(to.address));
  await connection.removeProgramAccountChangeListener(watched.id);
  await connection.removeSlotChangeListener(slot.id);

  assert.equal((await getAccount(connection, to.address)).amount, 1_500_000n);
  assert.equal((await getMint(connection, mint)).supply, 5_000_000n);
  assert.equal((await connection.getTokenSupply(mint)).value.uiAmountString, '5');
  const [largest] = (await connection.getTokenLargestAccounts(mint)).value;
  assert.deepEqual([largest.address.toBase58(), largest.amount], [from.address.toBase58(), '3500000']);

  const { value: account } = await connection.getParsedAccountInfo(to.address);
  assert.equal(account.data.parsed.info.tokenAmount.uiAmountString, '1.5');
  const { value: parsedMint } = await connection.getParsedAccountInfo(mint);
  assert.deepEqual([parsedMint.data.parsed.type, parsedMint.data.parsed.info.decimals], ['mint', 6]);
  const { value: owned } = await connection.getParsedTokenAccountsByOwner(bob, { mint });
  assert.equal(owned.length, 1);
  const parsed = await connection.getParsedTransaction(signature, { maxSupportedTransactionVersion: 0 });
  const [instruction] = parsed.transaction.message.instructions;
  assert.deepEqual([instruction.program, instruction.parsed.type], ['spl-token', 'transfer']);
  assert.equal(instruction.parsed.info.amount, '1500000');
  const balances = parsed.meta.postTokenBalances.map((balance) => balance.uiTokenAmount.amount).sort();
  assert.deepEqual(balances, ['1500000', '3500000']);
});

test('an account is made by the associated-token program and may be delegated', async () => {
  const connection = connect();
  const alice = await wallet(connection, 2);
  const mint = await createMint(connection, alice, alice.publicKey, null, 0);
  const { address } = await getOrCreateAssociatedTokenAccount(connection, alice, mint, alice.publicKey);
  const [made] = await connection.getSignaturesForAddress(address);
  const parsed = await connection.getParsedTransaction(made.signature, { maxSupportedTransactionVersion: 0 });
  const [instruction] = parsed.transaction.message.instructions;
  assert.deepEqual([instruction.program, instruction.parsed.type], ['spl-associated-token-account', 'create']);
  const inner = parsed.meta.innerInstructions[0].instructions.map((found) => found.parsed?.type);
  assert.ok(inner.includes('createAccount') && inner.includes('initializeAccount3'), `${inner}`);
  const delegate = Keypair.generate().publicKey;
  await approve(connection, alice, address, delegate, alice, 7n);
  assert.equal((await getAccount(connection, address)).delegatedAmount, 7n);
});
