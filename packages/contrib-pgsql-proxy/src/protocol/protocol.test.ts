// Messages whole, in pieces and broken; first messages; both sides of SCRAM.

import fc from "fast-check";
import { expect, test } from "vitest";
import { errorMessage, readError } from "./errors.ts";
import { int32, message, MessageReader, ProtocolError } from "./messages.ts";
import { parseVerifier, ScramClient, ScramServer, verifierOf } from "./scram.ts";
import { cancelRequest, readStartup, startupMessage, tlsRequest } from "./startup.ts";

function read(bytes: Buffer, size: number, maxSize = 1000): Buffer[] {
  const found: Buffer[] = [];
  const reader = new MessageReader({
    maxMessageSize: maxSize,
    message: (_type, all, start, end) => void found.push(Buffer.from(all.subarray(start, end))),
  });
  for (let at = 0; at < bytes.length; at += size) {
    const piece = Buffer.from(bytes.subarray(at, at + size));
    reader.add(piece);
    // As shared bytes are.
    piece.fill(0);
  }
  return found;
}

test("messages are found, whatever pieces they come in", () => {
  const messages = [message("Q", "select 1\0"), message("S"), message("d", Buffer.alloc(300, 1)), message("X")];
  const all = Buffer.concat(messages);
  for (let size = 1; size <= all.length; size++) expect(read(all, size)).toEqual(messages);
});

test("a message whose length lies, or is too long, is refused", () => {
  expect(() => read(Buffer.concat([Buffer.from("Q"), int32(3)]), 5)).toThrow("a length that lies");
  expect(() => read(Buffer.concat([Buffer.from("Q"), int32(0x7fffffff)]), 5)).toThrow("more than 1000 bytes");
});

test("no first message does anything else than begin a session, wait for more, or be refused", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.boolean(), (bytes, hasLength) => {
      const first = Buffer.from(bytes);
      if (hasLength && first.length >= 8) {
        first.writeUInt32BE(first.length, 0);
        first.writeUInt32BE(0x30000, 4);
      }
      try {
        readStartup(first);
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
      }
    }),
  );
});

test("first messages are read", () => {
  const params = new Map([["TimeZone", "UTC"]]);
  const session = readStartup(startupMessage("ann", "shop", params));
  expect(session?.startup).toEqual({ kind: "session", user: "ann", database: "shop", params, negotiation: undefined });
  expect(readStartup(tlsRequest)?.startup).toEqual({ kind: "tls" });
  const key = Buffer.from([1, 2, 3, 4]);
  expect(readStartup(cancelRequest(7, key))?.startup).toEqual({ kind: "cancel", id: 7, key: 0x01020304 });
  const newer = startupMessage("ann", "shop", params);
  newer.writeUInt32BE(0x30002, 4);
  expect(readStartup(newer)?.startup).toMatchObject({ negotiation: message("v", int32(0), int32(0)) });
});

test("both sides of SCRAM agree, unless the password is another one", () => {
  const verifier = verifierOf("geheim", 4096);
  const talk = (password: string) => {
    const [server, client] = [new ScramServer(verifier), new ScramClient(password)];
    const proof = server.final(client.final(server.first(client.first) ?? "") ?? "");
    return { proof, isProof: client.isProof(proof ?? "") };
  };
  expect(talk("geheim").isProof).toBe(true);
  expect(talk("other")).toEqual({ proof: undefined, isProof: false });
});

test("the keys are those of the example in RFC 7677, and a verifier is read as PostgreSQL stores it", () => {
  const { storedKey, serverKey } = verifierOf("pencil", 4096, Buffer.from("W22ZaJ0SNY7soEsUEjb6gQ==", "base64"));
  const keys = `${storedKey.toString("base64")}:${serverKey.toString("base64")}`;
  const text = `SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$${keys}`;
  expect(parseVerifier(text)).toMatchObject({ iterations: 4096, storedKey, serverKey });
  expect(storedKey.toString("base64")).toBe("WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=");
  expect(parseVerifier("md5abc")).toBeUndefined();
});

test("an error can be read again", () => {
  const bytes = errorMessage("FATAL", "28P01", "no\0 entry");
  expect(readError(bytes, 0, bytes.length)).toEqual({ state: "28P01", text: "no entry" });
});
