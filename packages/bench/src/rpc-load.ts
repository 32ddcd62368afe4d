// The load of an RPC client, in a process of its own: `CALLER PORT SECONDS CALLS`, so many calls in flight. Prints the
// calls a second.

import { callers } from "./rpc-callers.ts";

const [name = "", ...numbers] = process.argv.slice(2);
const [port = 0, seconds = 0, inFlight = 0] = numbers.map(Number);

const found = Object.entries(callers).find(([each]) => each === name);
if (found === undefined) throw new Error(`there is no client ${name}`);
const [, connect] = found;
const call = await connect(port);

let count = 0;

async function callInTurn(until: number): Promise<void> {
  while (performance.now() < until) {
    await call();
    count++;
  }
}

async function callFor(ms: number): Promise<number> {
  count = 0;
  const began = performance.now();
  await Promise.all(Array.from({ length: inFlight }, () => callInTurn(began + ms)));
  return (count * 1000) / (performance.now() - began);
}

// Warmed up.
await callFor(1000);
console.log(Math.round(await callFor(seconds * 1000)));
process.exit();
