// A namer for tests, with all that it deals with in the test's hand.

import { openErrorLog } from "../log/error-log.ts";
import { MemorySink } from "../log/sink.ts";
import { Namer } from "../fixtures/namer.ts";
import type { NamerOptions } from "../fixtures/namer.ts";
import { DnsServer } from "./dns-server.ts";

/** A namer that asks a DNS server of our own, with a clock that stands still. */
export async function makeNamer(options: NamerOptions = {}) {
  const dns = await DnsServer.start();
  const clock = { ms: 0 };
  const sink = new MemorySink();
  const namer = new Namer({
    servers: [dns.address],
    hostsFile: "",
    timeout: 5000,
    tries: 1,
    now: () => clock.ms,
    log: openErrorLog({ sink }),
    ...options,
  });
  return {
    dns,
    clock,
    sink,
    namer,
    async ips(name: string): Promise<readonly string[]> {
      return (await namer.lookup(name)).map(({ ip }) => ip);
    },
    async [Symbol.asyncDispose]() {
      await namer.shutdown();
      await dns[Symbol.asyncDispose]();
    },
  };
}
