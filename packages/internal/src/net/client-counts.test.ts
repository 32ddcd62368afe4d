import { expect, test } from "vitest";
import { ClientCounts, clientOf } from "./client-counts.ts";

test.each([
  ["192.0.2.7", "192.0.2.7"],
  ["", ""],
  ["2001:db8:0:1:2:3:4:5", "2001:db8:0:1::/64"],
  ["2001:db8:1:2::", "2001:db8:1:2::/64"],
  ["2001:db8::1", "2001:db8:0:0::/64"],
  ["2001:db8::1:2:3:4:5", "2001:db8:0:1::/64"],
  ["::1", "0:0:0:0::/64"],
  ["::", "0:0:0:0::/64"],
  ["64:ff9b::192.0.2.7", "64:ff9b:0:0::/64"],
  ["fe80::1%eth0", "fe80:0:0:0::/64"],
])("%s counts for %s", (address, client) => {
  expect(clientOf(address)).toBe(client);
});

test("each client has its own count, and none that is over is remembered", () => {
  const counts = new ClientCounts();
  for (const client of ["a", "a", "b"]) counts.add(client);
  expect([counts.of("a"), counts.of("b"), counts.of("c")]).toEqual([2, 1, 0]);
  for (const client of ["a", "b", "a"]) counts.remove(client);
  expect([counts.of("a"), counts.of("b")]).toEqual([0, 0]);
});
