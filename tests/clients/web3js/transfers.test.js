// Money with @solana/web3.js 1: airdrop, transfer, confirmation, subscriptions, and what is read of it afterwards.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  Keypair,
  LAMPORTS_PER_SOL,
  PublicKey,
  SendTransactionError,
  SystemProgram,
  Transaction,
  TransactionInstruction,
  TransactionMessage,
  VersionedTransaction,
  sendAndConfirmTransaction,
} from '@solana/web3.js';
import { connect, heard, wallet } from './world.js';

const MEMO = new PublicKey('MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr');

test('the chain describes itself', async () => {
  const connection = connect();
  const version = await connection.getVersion();
  assert.equal(typeof version['feature-set'], 'number');
  assert.match(version['solana-core'], /^\d+\.\d+\.\d+$/);
  const epoch = await connection.getEpochInfo();
  assert.equal((await connection.getEpochSchedule()).getEpoch(epoch.absoluteSlot), epoch.epoch);
  assert.equal((await connection.getClusterNodes()).length, 1);
  assert.deepEqual((await connection.getVoteAccounts()).current, []);
  assert.ok((await connection.getSupply()).value.total > 0);
  assert.ok((await connection.getLeaderSchedule())[await connection.getSlotLeader()].length > 0);
  assert.equal((await connection.getInflationRate()).total, 0);
  const first = await connection.getFirstAvailableBlock();
  assert.equal((await connection.getBlocks(first, first + 1)).length, 2);
});

test('a transfer is confirmed by subscription and told to all who watch', async () => {
  const connection = connect();
  const from = await wallet(connection, 2);
  const to = Keypair.generate().publicKey;
  const logs = heard((tell) => connection.onLogs(from.publicKey, tell, 'confirmed'));
  const account = heard((tell) => connection.onAccountChange(to, tell, { commitment: 'confirmed' }));
  const root = heard((tell) => connection.onRootChange(tell));
  const slot = heard((tell) => connection.onSlotChange(tell));
  await slot.first;

  const transfer = SystemProgram.transfer({ fromPubkey: from.publicKey, toPubkey: to, lamports: LAMPORTS_PER_SOL });
  const memo = new TransactionInstruction({ programId: MEMO, keys: [], data: Buffer.from('for lunch') });
  const signature = await sendAndConfirmTransaction(connection, new Transaction().add(transfer, memo), [from]);

  const told = await logs.first;
  assert.equal(told.signature, signature);
  assert.equal(told.err, null);
  assert.ok(told.logs.some((line) => line.includes('for lunch')));
  assert.equal((await account.first).lamports, LAMPORTS_PER_SOL);
  assert.ok((await root.first) > 0);
  await connection.removeOnLogsListener(logs.id);
  await connection.removeAccountChangeListener(account.id);
  await connection.removeRootChangeListener(root.id);
  await connection.removeSlotChangeListener(slot.id);

  const parsed = await connection.getParsedTransaction(signature, { maxSupportedTransactionVersion: 0 });
  const [first, second] = parsed.transaction.message.instructions;
  assert.deepEqual(first.parsed, {
    type: 'transfer',
    info: { source: from.publicKey.toBase58(), destination: to.toBase58(), lamports: LAMPORTS_PER_SOL },
  });
  assert.deepEqual([second.program, second.parsed], ['spl-memo', 'for lunch']);
  const [latest] = await connection.getSignaturesForAddress(to);
  assert.deepEqual([latest.signature, latest.memo], [signature, '[9] for lunch']);
  const block = await connection.getParsedBlock(parsed.slot, { maxSupportedTransactionVersion: 0 });
  assert.ok(block.transactions.some((found) => found.transaction.signatures[0] === signature));
  assert.equal(await connection.getBlockTime(parsed.slot), parsed.blockTime);
});

test('a versioned transaction is simulated, sent and confirmed', async () => {
  const connection = connect();
  const from = await wallet(connection, 1);
  const to = Keypair.generate().publicKey;
  const { blockhash, lastValidBlockHeight } = await connection.getLatestBlockhash();
  const transfer = SystemProgram.transfer({ fromPubkey: from.publicKey, toPubkey: to, lamports: 10_000_000 });
  const message = new TransactionMessage({
    payerKey: from.publicKey,
    recentBlockhash: blockhash,
    instructions: [transfer],
  }).compileToV0Message();
  const transaction = new VersionedTransaction(message);
  transaction.sign([from]);
  assert.equal((await connection.getFeeForMessage(message)).value, 5_000);
  const { value } = await connection.simulateTransaction(transaction, { sigVerify: true, innerInstructions: true });
  assert.deepEqual([value.err, value.unitsConsumed], [null, 150]);
  const signature = await connection.sendTransaction(transaction);
  const confirmed = await connection.confirmTransaction({ signature, blockhash, lastValidBlockHeight });
  assert.equal(confirmed.value.err, null);
  assert.equal(await connection.getBalance(to), 10_000_000);
});

test('a transfer of what is not there is refused with its logs', async () => {
  const connection = connect();
  const from = await wallet(connection, 1);
  const lamports = 5 * LAMPORTS_PER_SOL;
  const transfer = SystemProgram.transfer({ fromPubkey: from.publicKey, toPubkey: MEMO, lamports });
  const sending = sendAndConfirmTransaction(connection, new Transaction().add(transfer), [from]);
  await assert.rejects(sending, (error) => {
    assert.ok(error instanceof SendTransactionError);
    assert.ok(error.logs.some((line) => line.includes('insufficient lamports')));
    return true;
  });
  assert.equal(await connection.getBalance(from.publicKey), LAMPORTS_PER_SOL);
});
