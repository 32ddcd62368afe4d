import type { TcpsBackend } from "@hemi/internal";
import { expect, test } from "vitest";
import { ClientTransactions } from "./transactions.ts";

const backend = (): TcpsBackend => ({
  dial: () => ({ cancel: () => undefined }),
  whyNoRetry: () => undefined,
  explain: () => ({ chosen: undefined, nodes: new Map() }),
});
const [here, there] = [backend(), backend()];

test("connections of one client share its transactions, and nobody else finds them", () => {
  const clients = new ClientTransactions();
  const [first, second, other] = ["192.0.2.1", "192.0.2.1", "192.0.2.2"].map((address) => clients.enter(address));
  first?.remember("s", here);
  other?.remember("s", there);
  expect(second?.find("s")).toBe(here);
  for (let i = 0; i < 5000; i++) other?.remember(`s${i}`, there);
  expect(second?.find("s")).toBe(here);
  expect(other?.find("s0")).toBeUndefined();
  second?.remember("s", undefined);
  expect(first?.find("s")).toBeUndefined();
});

test("nothing is kept of a client without a connection", () => {
  const clients = new ClientTransactions();
  clients.enter("2001:db8::1").remember("s", here);
  clients.enter("2001:db8::2");
  clients.leave("2001:db8::1");
  expect(clients.enter("2001:db8::3").find("s")).toBe(here);
  clients.leave("2001:db8::2");
  clients.leave("2001:db8::3");
  expect(clients.enter("2001:db8::1").find("s")).toBeUndefined();
});
