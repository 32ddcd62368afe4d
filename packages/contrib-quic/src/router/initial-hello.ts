// What a connection of QUIC asks for, read from its first datagrams.

import { noHello, type HelloReader, type SessionHello } from "@hemi/internal";
import { ClientInitial } from "../initial/client-initial.ts";
import { isInitialVersion, type LongHeader } from "../initial/long-header.ts";

/** The reader of a connection. `header`: that of its first packet. Of an unknown version nothing can be read. */
export function initialHello({ dcid, version }: LongHeader): HelloReader {
  // Nothing is decrypted, and no key is made, unless some case asks.
  let initial: ClientInitial | undefined;
  let count = 0;
  return {
    transport: "quic",
    protocol: "quic",
    read(datagrams): SessionHello | undefined {
      if (!isInitialVersion(version)) return noHello;
      if (datagrams.length <= count) return undefined;
      initial ??= new ClientInitial(dcid, version);
      for (const datagram of datagrams.slice(count)) {
        count++;
        const hello = initial.push(datagram);
        if (hello !== undefined) return { serverName: hello.serverName, nextProto: hello.nextProtos[0] ?? "" };
        if (initial.isBroken) return noHello;
      }
      return undefined;
    },
  };
}
