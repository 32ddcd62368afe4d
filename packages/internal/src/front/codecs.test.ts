import { Socket } from "node:net";
import { expect, test } from "vitest";
import type { TlsFacts } from "../net/tls/tls-facts.ts";
import { Codecs, type Codec, type CodecConn } from "./codecs.ts";

interface Site {
  readonly opened: string[];
  readonly isNewOn: boolean;
}

/** A codec that notes what it is given. */
function codec(name: string, more: Partial<Codec<Site>> = {}): Codec<Site> {
  return {
    transport: "tcp",
    alpn: [name],
    open(_socket, peer, tls, server): CodecConn {
      server.opened.push(name);
      return { tls, peer, drain() {}, destroy() {} };
    },
    ...more,
  };
}

const peer = { address: "192.0.2.1", port: 1 };

const begins = (text: string) => (bytes: Buffer) => {
  const given = bytes.toString();
  return given.startsWith(text) || (text.startsWith(given) && "perhaps");
};

function codecs(isNewOn = true) {
  const host: Site = { opened: [], isNewOn };
  const made = new Codecs<Site>(
    [
      codec("new", { isSpoken: ({ isNewOn }) => isNewOn, accepts: begins("NEW") }),
      codec("old", { alpn: ["old", "older"] }),
    ],
    host,
  );
  return { host, made };
}

function agreedOn(nextProto: string): TlsFacts {
  const facts: Partial<TlsFacts> = { nextProto };
  return facts as TlsFacts;
}

test("who serves a connection is what its handshake agreed on, and the last one where it agreed on nothing", () => {
  const { host, made } = codecs();
  const socket = new Socket();
  made.open(socket, peer, agreedOn("new"));
  made.open(socket, peer, agreedOn("older"));
  made.open(socket, peer, agreedOn(""));
  made.open(socket, peer, undefined);
  expect(host.opened).toEqual(["new", "old", "old", "old"]);
});

test("first bytes belong to the codec that claims them, as soon as they tell", () => {
  const { host, made } = codecs();
  expect(made.claimantOf(Buffer.from("NE"))).toBe("perhaps");
  expect(made.claimantOf(Buffer.from("GET"))).toBeUndefined();
  const conn: CodecConn = { tls: undefined, peer, drain() {}, destroy() {} };
  expect(made.openClaimed(Buffer.from("NEWS"), new Socket(), conn).peer).toBe(conn.peer);
  expect(host.opened).toEqual(["new"]);
});

test("one that is switched off is neither offered nor claims anything", () => {
  expect(codecs().made.protocols).toEqual(["new", "old", "older"]);
  const { made } = codecs(false);
  expect(made.protocols).toEqual(["old", "older"]);
  expect(made.claimantOf(Buffer.from("NEWS"))).toBeUndefined();
});

test.each([
  ["h3, which is spoken over QUIC", [codec("h3")], "h3 is spoken over QUIC only, never over TCP"],
  ["two of one name", [codec("a"), codec("a")], "two codecs of a server have the ALPN name a"],
  ["none", [], "a server needs a codec"],
])("a server cannot have %s", (_name, list, message) => {
  expect(() => new Codecs<Site>(list, { opened: [], isNewOn: true })).toThrow(message);
});
