import { expect, test } from "vitest";
import { specialUse } from "./special-addresses.ts";

test.each([
  ["127.0.0.1", "loopback"],
  ["127.255.255.255", "loopback"],
  ["0.0.0.0", "of this host"],
  ["10.1.2.3", "private"],
  ["172.31.255.255", "private"],
  ["192.168.0.1", "private"],
  ["100.127.0.1", "of a carrier's network"],
  ["169.254.169.254", "link-local"],
  ["224.0.0.1", "multicast"],
  ["255.255.255.255", "reserved"],
  ["::1", "of this host, or an IPv4 address in an old form"],
  ["::", "of this host, or an IPv4 address in an old form"],
  ["::127.0.0.1", "of this host, or an IPv4 address in an old form"],
  ["::ffff:127.0.0.1", "loopback"],
  ["::ffff:a00:1", "private"],
  ["0:0:0:0:0:ffff:7f00:1", "loopback"],
  ["64:ff9b::7f00:1", "an IPv4 address behind a translator"],
  ["2002:7f00:1::", "an IPv4 address within 6to4"],
  ["2001::1", "of a protocol"],
  ["fc00::1", "private"],
  ["fdff::1", "private"],
  ["fe80::1", "link-local"],
  ["febf::1", "link-local"],
  ["ff02::1", "multicast"],
])("%s is %s", (ip, what) => {
  expect(specialUse(ip)).toBe(what);
});

test.each([
  "1.1.1.1",
  "9.255.255.255",
  "11.0.0.0",
  "172.15.255.255",
  "172.32.0.0",
  "223.255.255.255",
  "2606:4700::1",
  "2a00::1",
  "2001:200::1",
  "::ffff:8.8.8.8",
])("%s is an ordinary host's", (ip) => {
  expect(specialUse(ip)).toBeUndefined();
});
