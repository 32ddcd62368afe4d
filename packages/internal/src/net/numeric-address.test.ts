import { expect, test } from "vitest";
import { HemiError } from "../errors/hemi-error.ts";
import { Namer } from "../fixtures/namer.ts";
import { numericAddress } from "./numeric-address.ts";

test("numbers, all addresses and paths stay as they are", async () => {
  const namer = { lookup: () => Promise.reject(new Error("nobody is to be asked")) };
  for (const address of [
    { host: "", port: 80 },
    { host: "127.0.0.1", port: 80 },
    { host: "::1", port: 80 },
    { path: "/x.sock" },
  ]) {
    expect(await numericAddress(address, namer)).toEqual(address);
  }
});

test("of a name's addresses the first IPv4 one counts", async () => {
  const namer = new Namer({
    names: new Map([
      ["both", ["::1", "127.0.0.2", "127.0.0.3"]],
      ["six", ["::1"]],
    ]),
    hostsFile: "",
  });
  expect(await numericAddress({ host: "both", port: 80 }, namer)).toEqual({ host: "127.0.0.2", port: 80 });
  expect(await numericAddress({ host: "six", port: 80 }, namer)).toEqual({ host: "::1", port: 80 });
  await namer.shutdown();
});

test("a name without an address is told with the address that it stands in", async () => {
  const namer = { lookup: () => Promise.reject(new HemiError("HEMI_NAME", "there is no such name")) };
  await expect(numericAddress({ host: "nowhere", port: 80 }, namer)).rejects.toThrow(
    "cannot listen on nowhere:80: the name nowhere has no address",
  );
});
