import { BlockList, isIPv4 } from "node:net";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { networkKey, parseIp, parseNetwork } from "./ip-address.ts";

function hexOf(text: string): string | undefined {
  const ip = parseIp(text);
  return ip && Buffer.from(ip).toString("hex");
}

describe("parseIp", () => {
  test.each([
    ["10.1.2.255", "0a0102ff"],
    ["0.0.0.0", "00000000"],
    ["::", "00000000000000000000000000000000"],
    ["::1", "00000000000000000000000000000001"],
    ["2001:db8::", "20010db8000000000000000000000000"],
    ["2001:DB8:0:1::a:b", "20010db80000000100000000000a000b"],
    ["1:2:3:4:5:6:7:8", "00010002000300040005000600070008"],
    ["64:ff9b::192.0.2.33", "0064ff9b0000000000000000c0000221"],
    ["fe80::1%eth0", "fe800000000000000000000000000001"],
  ])("reads %s", (text, hex) => expect(hexOf(text)).toBe(hex));

  test.each(["::ffff:10.1.2.3", "::ffff:a01:203", "0:0:0:0:0:FFFF:10.1.2.3"])("reads %s as IPv4", (text) => {
    expect(hexOf(text)).toBe("0a010203");
  });

  test.each([
    "",
    "10.1.2",
    "10.1.2.256",
    "10.1.2.3/8",
    "010.1.2.3",
    "1::2::3",
    "12345::",
    "localhost",
    "/a.sock",
    "%eth0",
  ])("refuses %j", (text) => expect(parseIp(text)).toBeUndefined());
});

describe("parseNetwork", () => {
  test.each([
    ["10.0.0.0/8", "10.255.1.2/8"],
    ["10.1.2.3", "10.1.2.3/32"],
    ["10.1.128.0/17", "10.1.255.255/17"],
    ["::1", "0:0::1/128"],
    ["::ffff:10.0.0.0/104", "10.0.0.0/8"],
    ["::ffff:10.1.2.3", "10.1.2.3"],
    ["0.0.0.0/0", "::ffff:0:0/96"],
  ])("takes %s and %s for one", (one, other) => {
    expect(parseNetwork(one)).toBeDefined();
    expect(parseNetwork(one)).toEqual(parseNetwork(other));
  });

  test.each([
    ["10.0.0.0/8", "10.0.0.0/9"],
    ["10.0.0.0/9", "10.128.0.0/9"],
    ["::/0", "0.0.0.0/0"],
    ["::/95", "::ffff:0:0/95"],
  ])("tells %s from %s", (one, other) => expect(parseNetwork(one)).not.toEqual(parseNetwork(other)));

  test("refuses what is no address", () => expect(parseNetwork("host/8")).toBeUndefined());
});

test("an address is in a network exactly if BlockList of node:net says so", () => {
  const ip = fc.oneof(fc.ipV4(), fc.ipV6());
  const scenario = ip.chain((network) =>
    fc.tuple(
      fc.constant(network),
      fc.nat(isIPv4(network) ? 32 : 128),
      // Most addresses are in no network of another: many here are near.
      fc.oneof(fc.constant(network), isIPv4(network) ? fc.ipV4() : fc.ipV6()),
    ),
  );
  fc.assert(
    fc.property(scenario, ([network, prefix, address]) => {
      const list = new BlockList();
      const family = isIPv4(network) ? "ipv4" : "ipv6";
      list.addSubnet(network, prefix, family);
      const ours = parseNetwork(`${network}/${prefix}`);
      const bytes = parseIp(address);
      // To BlockList, IPv4 addresses are in networks of IPv6 too.
      fc.pre(ours !== undefined && bytes !== undefined && (bytes.length === 4) === (ours.family === 4));
      expect(networkKey(bytes, ours.prefix) === ours.key).toBe(list.check(address, family));
    }),
  );
});
