// Whole flows with @solana/kit: airdrop, estimate, send and confirm, subscriptions, tokens, parsed reads, blocks.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getSetComputeUnitPriceInstruction } from '@solana-program/compute-budget';
import { getCreateAccountInstruction, getTransferSolInstruction } from '@solana-program/system';
import {
  TOKEN_PROGRAM_ADDRESS,
  fetchToken,
  findAssociatedTokenPda,
  getCreateAssociatedTokenIdempotentInstruction,
  getInitializeMint2Instruction,
  getMintSize,
  getMintToInstruction,
  getTransferCheckedInstruction,
} from '@solana-program/token';
import {
  airdropFactory,
  appendTransactionMessageInstructions,
  assertIsTransactionWithBlockhashLifetime,
  createRpc,
  createDefaultRpcTransport,
  createJsonRpcApi,
  createSolanaRpc,
  createSolanaRpcSubscriptions,
  createTransactionMessage,
  estimateAndSetResourceLimitsFactory,
  estimateResourceLimitsFactory,
  generateKeyPairSigner,
  getSignatureFromTransaction,
  isSolanaError,
  lamports,
  pipe,
  sendAndConfirmTransactionFactory,
  setTransactionMessageFeePayerSigner,
  setTransactionMessageLifetimeUsingBlockhash,
  signTransactionMessageWithSigners,
  SOLANA_ERROR__JSON_RPC__SERVER_ERROR_SEND_TRANSACTION_PREFLIGHT_FAILURE,
} from '@solana/kit';

const SOL = 1_000_000_000n;
const url = process.env.CLAWOS_TEST_RPC;
const rpc = createSolanaRpc(url);
const rpcSubscriptions = createSolanaRpcSubscriptions(process.env.CLAWOS_TEST_WEBSOCKET);
const airdrop = airdropFactory({ rpc, rpcSubscriptions });
const sendAndConfirm = sendAndConfirmTransactionFactory({ rpc, rpcSubscriptions });
const estimate = estimateResourceLimitsFactory({ rpc });
const withEstimatedLimits = estimateAndSetResourceLimitsFactory(estimate);

/** A new wallet with some SOL, confirmed. */
async function wallet(sol) {
  const signer = await generateKeyPairSigner();
  await airdrop({ commitment: 'confirmed', lamports: lamports(sol * SOL), recipientAddress: signer.address });
  return signer;
}

/** A message of `instructions` that `payer` pays for, under the latest blockhash. */
async function message(payer, instructions) {
  const { value: latest } = await rpc.getLatestBlockhash({ commitment: 'confirmed' }).send();
  return pipe(
    createTransactionMessage({ version: 0 }),
    (empty) => setTransactionMessageFeePayerSigner(payer, empty),
    (paid) => setTransactionMessageLifetimeUsingBlockhash(latest, paid),
    (timed) => appendTransactionMessageInstructions(instructions, timed),
  );
}

/** Estimates, signs, sends and confirms; gives the signature. */
async function send(payer, instructions) {
  const estimated = await withEstimatedLimits(await message(payer, instructions), { commitment: 'confirmed' });
  const signed = await signTransactionMessageWithSigners(estimated);
  assertIsTransactionWithBlockhashLifetime(signed);
  await sendAndConfirm(signed, { commitment: 'confirmed' });
  return getSignatureFromTransaction(signed);
}

/** The first thing that a subscription tells, and when it stands. */
async function first(request) {
  const abort = new AbortController();
  const told = await request.subscribe({ abortSignal: abort.signal });
  const next = (async () => {
    for await (const notification of told) {
      abort.abort();
      return notification;
    }
    throw new Error('the subscription ended');
  })();
  return { next };
}

test('the chain describes itself', async () => {
  const version = await rpc.getVersion().send();
  assert.equal(typeof version['feature-set'], 'number');
  const { identity } = await rpc.getIdentity().send();
  const slot = await rpc.getSlot().send();
  assert.deepEqual(await rpc.getSlotLeaders(slot, 2).send(), [identity, identity]);
  assert.equal(await rpc.getSlotLeader().send(), identity);
  assert.equal((await rpc.getEpochInfo().send()).absoluteSlot >= slot, true);
  assert.ok((await rpc.getEpochSchedule().send()).slotsPerEpoch > 0n);
  assert.deepEqual((await rpc.getVoteAccounts().send()).current, []);
  assert.equal((await rpc.getClusterNodes().send())[0].pubkey, identity);
  assert.ok((await rpc.getSupply().send()).value.total > 0n);
  assert.ok((await rpc.getLargestAccounts().send()).value.length > 0);
  assert.ok((await rpc.getTransactionCount().send()) > 0n);
  assert.equal((await rpc.getInflationRate().send()).total, 0);
  assert.equal(await rpc.minimumLedgerSlot().send(), await rpc.getFirstAvailableBlock().send());
});

test('a transfer is estimated, confirmed, and told to all who watch', async () => {
  const from = await wallet(2n);
  const to = (await generateKeyPairSigner()).address;
  const transfer = getTransferSolInstruction({ source: from, destination: to, amount: SOL });
  const limits = await estimate(await message(from, [transfer]), { commitment: 'confirmed' });
  // kit adds an instruction for the limit to what it simulates.
  assert.equal(limits.computeUnitLimit, 300);
  assert.ok(limits.loadedAccountsDataSizeLimit > 0);

  const config = { commitment: 'confirmed' };
  const logs = await first(rpcSubscriptions.logsNotifications({ mentions: [to] }, config));
  const account = await first(rpcSubscriptions.accountNotifications(to, { ...config, encoding: 'base64' }));
  const root = await first(rpcSubscriptions.rootNotifications());
  const signature = await send(from, [getSetComputeUnitPriceInstruction({ microLamports: 1_000_000n }), transfer]);
  assert.equal((await logs.next).value.signature, signature);
  assert.equal((await account.next).value.lamports, SOL);
  assert.ok((await root.next) > 0n);

  const options = { commitment: 'confirmed', encoding: 'jsonParsed', maxSupportedTransactionVersion: 0 };
  const found = await rpc.getTransaction(signature, options).send();
  const parsed = found.transaction.message.instructions.find((instruction) => instruction.program === 'system');
  assert.deepEqual(parsed.parsed.info, { source: from.address, destination: to, lamports: SOL });
  // Each unit that was asked for cost a lamport: 450 were estimated, the price's own instruction included.
  assert.equal(found.meta.fee, 5_450n);
  const block = await rpc.getBlock(found.slot, { commitment: 'confirmed', transactionDetails: 'signatures', rewards: false }).send();
  assert.ok(block.signatures.includes(signature));
});

test('a token is made, minted, transferred and watched', async () => {
  const [alice, bob, mint] = [await wallet(2n), await generateKeyPairSigner(), await generateKeyPairSigner()];
  const ata = async (owner) => (await findAssociatedTokenPda({ owner, mint: mint.address, tokenProgram: TOKEN_PROGRAM_ADDRESS }))[0];
  const [from, to] = [await ata(alice.address), await ata(bob.address)];
  const space = BigInt(getMintSize());
  const rent = await rpc.getMinimumBalanceForRentExemption(space).send();
  await send(alice, [
    getCreateAccountInstruction({ payer: alice, newAccount: mint, lamports: rent, space, programAddress: TOKEN_PROGRAM_ADDRESS }),
    getInitializeMint2Instruction({ mint: mint.address, decimals: 6, mintAuthority: alice.address }),
    getCreateAssociatedTokenIdempotentInstruction({ payer: alice, ata: from, owner: alice.address, mint: mint.address }),
    getCreateAssociatedTokenIdempotentInstruction({ payer: alice, ata: to, owner: bob.address, mint: mint.address }),
    getMintToInstruction({ mint: mint.address, token: from, mintAuthority: alice, amount: 5_000_000n }),
  ]);
  const filters = [{ dataSize: 165n }, { memcmp: { offset: 32n, bytes: bob.address, encoding: 'base58' } }];
  const config = { commitment: 'confirmed', encoding: 'base64', filters };
  const watched = await first(rpcSubscriptions.programNotifications(TOKEN_PROGRAM_ADDRESS, config));
  const amount = 1_500_000n;
  const signature = await send(alice, [
    getTransferCheckedInstruction({ source: from, mint: mint.address, destination: to, authority: alice, amount, decimals: 6 }),
  ]);
  assert.equal((await watched.next).value.pubkey, to);
  assert.equal((await fetchToken(rpc, to, { commitment: 'confirmed' })).data.amount, amount);
  const { value: supply } = await rpc.getTokenSupply(mint.address, { commitment: 'confirmed' }).send();
  assert.equal(supply.uiAmountString, '5');
  const { value: largest } = await rpc.getTokenLargestAccounts(mint.address, { commitment: 'confirmed' }).send();
  assert.deepEqual(largest.map((found) => found.amount), ['3500000', '1500000']);
  const { value: account } = await rpc.getAccountInfo(to, { commitment: 'confirmed', encoding: 'jsonParsed' }).send();
  assert.equal(account.data.parsed.info.tokenAmount.uiAmountString, '1.5');
  const options = { commitment: 'confirmed', encoding: 'jsonParsed', maxSupportedTransactionVersion: 0 };
  const found = await rpc.getTransaction(signature, options).send();
  const parsed = found.transaction.message.instructions.find((instruction) => instruction.program === 'spl-token');
  assert.deepEqual([parsed.parsed.type, parsed.parsed.info.tokenAmount.amount], ['transferChecked', '1500000']);
});

test('a refused transfer names its cause', async () => {
  const from = await wallet(1n);
  const transfer = getTransferSolInstruction({ source: from, destination: from.address, amount: 5n * SOL });
  const signed = await signTransactionMessageWithSigners(await message(from, [transfer]));
  assertIsTransactionWithBlockhashLifetime(signed);
  await assert.rejects(sendAndConfirm(signed, { commitment: 'confirmed' }), (error) => {
    assert.ok(isSolanaError(error, SOLANA_ERROR__JSON_RPC__SERVER_ERROR_SEND_TRANSACTION_PREFLIGHT_FAILURE));
    assert.ok(error.context.logs.some((line) => line.includes('insufficient lamports')));
    return true;
  });
});

test('local USDC is given out for an amount in digits', async () => {
  const faucet = createRpc({ api: createJsonRpcApi(), transport: createDefaultRpcTransport({ url }) });
  const owner = (await generateKeyPairSigner()).address;
  const answer = await faucet.requestUsdcAirdrop(owner, 2_500_000n.toString()).send();
  assert.equal(answer.error, undefined);
  const filter = { programId: TOKEN_PROGRAM_ADDRESS };
  const config = { commitment: 'processed', encoding: 'jsonParsed' };
  const { value: accounts } = await rpc.getTokenAccountsByOwner(owner, filter, config).send();
  assert.equal(accounts[0].account.data.parsed.info.tokenAmount.uiAmountString, '2.5');
});
