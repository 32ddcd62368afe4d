import fc from "fast-check";
import { expect, test } from "vitest";
import { TestClient } from "../testing/http3-client.ts";

test("any bytes on any streams are answered, or end the connection with a code", () => {
  const piece = fc.record({
    id: fc.constantFrom(0, 2, 4, 6, 8, 10),
    bytes: fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.constantFrom(
        new TestClient({ isGreeted: false }).head(),
        Buffer.from([0, 4, 0]),
        Buffer.from("023fe11f41610162", "hex"),
        Buffer.from([3, 0x80]),
        Buffer.from([0, 3, 1, 2, 3]),
      ),
    ),
    isEnd: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      using client = new TestClient({ isGreeted: false });
      const ended = new Set<number>();
      for (const { id, bytes, isEnd } of pieces) {
        if (ended.has(id)) continue;
        client.quic.send(id, bytes, isEnd);
        if (isEnd) ended.add(id);
      }
      expect(client.failures).toEqual([]);
      client.conn.destroy();
    }),
    { numRuns: 500 },
  );
});
