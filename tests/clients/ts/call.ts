// Buys nothing and signs nothing: finds a skill, asks its price, calls it under a licence, reads the receipt, and is refused.
// usage: node out/call.js ORIGIN API-KEY SKILL. Prints the receipt as JSON.
import { randomUUID } from "node:crypto";
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

type Code = components["schemas"]["Code"];
type SignedReceipt = components["schemas"]["SignedReceipt"];

const [origin, key, skill] = process.argv.slice(2);
if (origin === undefined || key === undefined || skill === undefined) {
  throw new Error("usage: call.js ORIGIN API-KEY SKILL");
}
const client = createClient<paths>({ baseUrl: origin, headers: { Authorization: `Bearer ${key}` } });

// Either the answer or the problem, as the document types them.
function answer<T>(result: { data?: T | undefined; error?: components["schemas"]["Problem"] | undefined }): T {
  if (result.data === undefined) {
    throw new Error(JSON.stringify(result.error));
  }
  return result.data;
}

const path = { id: skill };
const shown = answer(await client.GET("/api/v1/skills/{id}", { params: { path } }));
const quote = answer(await client.GET("/api/v1/skills/{id}/quote", { params: { path, query: { kind: "usage", units: 1 } } }));
const call = (max_cost: string) =>
  client.POST("/api/v1/skills/{id}/execute", {
    params: { path, header: { "Idempotency-Key": randomUUID() } },
    body: { endpoint: "echo", payload: { text: "hello" }, max_cost },
  });

const done = answer(await call(quote.total.amount));
const receipt: SignedReceipt | null | undefined = done.receipt;
if (!receipt || receipt.amount !== quote.total.amount || receipt.skill !== shown.id) {
  throw new Error(`not what was quoted: ${JSON.stringify(receipt)}`);
}
const read = answer(await client.GET("/api/v1/receipts/{id}", { params: { path: { id: receipt.id } } }));
if (read.receipt.evidence.signature !== receipt.evidence.signature) {
  throw new Error("another receipt");
}

const refused = await call("0");
const expected: Code = "max_cost_exceeded";
if (refused.error?.code !== expected) {
  throw new Error(`not refused: ${JSON.stringify(refused)}`);
}
console.log(JSON.stringify(receipt));
