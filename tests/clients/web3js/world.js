// What the tests share: a connection to the chain of CLAWOS_TEST_RPC, wallets with money, and listeners as promises.

import { Connection, Keypair, LAMPORTS_PER_SOL } from '@solana/web3.js';
import { after } from 'node:test';

// How long the chain may take to tell of something.
const PATIENCE_MS = 60_000;

/** A connection of its own, closed when the tests of the file are over. */
export function connect() {
  const connection = new Connection(process.env.CLAWOS_TEST_RPC, 'confirmed');
  // The library keeps its websocket open for as long as the process lives.
  after(() => connection._rpcWebSocket.close());
  return connection;
}

/** A new wallet with some SOL, confirmed. */
export async function wallet(connection, sol) {
  const keypair = Keypair.generate();
  const signature = await connection.requestAirdrop(keypair.publicKey, sol * LAMPORTS_PER_SOL);
  const latest = await connection.getLatestBlockhash();
  await connection.confirmTransaction({ signature, ...latest });
  return keypair;
}

/** Subscribes with a callback; gives the subscription's id and a promise of the first thing that is told. */
export function heard(subscribe) {
  const listener = {};
  listener.first = new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('nothing was told')), PATIENCE_MS);
    listener.id = subscribe((told) => {
      clearTimeout(late);
      resolve(told);
    });
  });
  return listener;
}
