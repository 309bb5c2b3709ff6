// The marketplace from its IDL: with Anchor's client a skill is registered and a licence bought, and its events are heard.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import anchor from '@coral-xyz/anchor';
import { Keypair, LAMPORTS_PER_SOL, PublicKey } from '@solana/web3.js';
import { connect, heard, wallet } from './world.js';

const { AnchorProvider, BN, Program, Wallet } = anchor;
const IDL = JSON.parse(readFileSync(process.env.CLAWOS_TEST_IDL, 'utf8'));
const ONE_TIME = 1;
const PERSONAL = 0;
const PRICE = 50_000_000;

/** The marketplace as one wallet sees it. */
function marketplace(connection, keypair) {
  return new Program(IDL, new AnchorProvider(connection, new Wallet(keypair), { commitment: 'confirmed' }));
}

/** The hash that a buyer agrees to: all terms, and the slot in which the skill was made. */
function termsHash(skill, meter) {
  const words = (value, bytes) => new BN(value.toString()).toArrayLike(Buffer, 'le', bytes);
  return createHash('sha256')
    .update('clawos/terms/v1')
    .update(skill.payout.toBuffer())
    .update(meter.toBuffer())
    .update(Buffer.concat([skill.priceOnce, skill.pricePeriod, skill.priceUnit].map((price) => words(price, 8))))
    .update(Buffer.concat([skill.periodSecs, skill.refundWindow, ...skill.tierBps].map((value) => words(value, 4))))
    .update(Buffer.from([skill.currency, skill.kinds, skill.unitKind]))
    .update(words(skill.createdSlot, 8))
    .digest();
}

test('a licence is bought with instructions from the IDL', async () => {
  const connection = connect();
  const [author, buyer] = [await wallet(connection, 1), await wallet(connection, 1)];
  const sells = marketplace(connection, author);
  const [configAddress] = PublicKey.findProgramAddressSync([Buffer.from('config')], sells.programId);
  const config = await sells.account.config.fetch(configAddress);
  const skillId = Keypair.generate().publicKey.toBuffer();
  const terms = {
    payout: author.publicKey,
    meter: PublicKey.default,
    priceOnce: new BN(PRICE),
    pricePeriod: new BN(0),
    priceUnit: new BN(0),
    periodSecs: 0,
    refundWindow: 0,
    tierBps: [10_000, 10_000, 10_000],
    currency: 0,
    kinds: 1 << (ONE_TIME - 1),
    unitKind: 0,
  };
  const registration = sells.methods.registerSkill([...skillId], [...Buffer.alloc(32, 1)], terms);
  await registration.accounts({ creator: author.publicKey, config: configAddress, payout: author.publicKey }).rpc();
  const { skill } = await registration.pubkeys();
  const listed = await sells.account.skill.fetch(skill);
  assert.equal(listed.priceOnce.toString(), `${PRICE}`);

  const buys = marketplace(connection, buyer);
  const events = heard((tell) => buys.addEventListener('licencePurchased', tell));
  const slot = heard((tell) => connection.onSlotChange(tell));
  await slot.first;
  const before = await connection.getBalance(author.publicKey);
  const caps = { usageLimit: new BN(0), maxUnitsPerBatch: new BN(0), maxUnitsPerDay: new BN(0) };
  const purchase = buys.methods.purchaseSol(ONE_TIME, PERSONAL, new BN(PRICE), [...termsHash(listed, config.meter)], caps);
  const accounts = { buyer: buyer.publicKey, config: configAddress, skill, payout: author.publicKey };
  await purchase.accounts({ ...accounts, treasury: config.treasury }).rpc();
  const event = await events.first;
  assert.ok(event.buyer.equals(buyer.publicKey) && event.skill.equals(skill));
  await buys.removeEventListener(await events.id);
  await connection.removeSlotChangeListener(slot.id);
  assert.equal((await connection.getBalance(author.publicKey)) - before, PRICE - PRICE / 40);
  const { licence } = await purchase.pubkeys();
  const owned = await buys.account.licence.fetch(licence);
  assert.ok(owned.buyer.equals(buyer.publicKey));
  assert.ok((await connection.getBalance(buyer.publicKey)) < LAMPORTS_PER_SOL - PRICE);
});
