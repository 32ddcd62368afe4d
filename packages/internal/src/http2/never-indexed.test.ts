import { expect, test } from "vitest";
import { frameFlag, frameType } from "./frames.ts";
import { HpackDecoder, type DecodedBlock } from "./hpack/decoder.ts";
import { frame, FrameClient } from "../testing/frame-client.ts";
import { FrameNode, proxyToHTTP2 } from "../testing/frame-node.ts";

/** A short field as a literal that is never indexed (RFC 7541 6.2.3). */
function secret(name: string, value: string): Buffer {
  return Buffer.from(
    `\x10${String.fromCharCode(name.length)}${name}${String.fromCharCode(value.length)}${value}`,
    "latin1",
  );
}

function decode(decoder: HpackDecoder, block: Buffer): DecodedBlock | undefined {
  return decoder.decode(block, 0, block.length, { maxHeadSize: 10_000, maxFields: 100 });
}

test("a field that may never be indexed stays so through a proxy, both ways, and through repeated heads", async () => {
  const requests: (DecodedBlock | undefined)[] = [];
  await using node = await FrameNode.listen(async (conn) => {
    const decoder = new HpackDecoder();
    for (;;) {
      const { id, payload } = await conn.nextOfType(frameType.headers);
      requests.push(decode(decoder, payload));
      const last = frameFlag.endHeaders | frameFlag.endStream;
      // :status 200, as the static table has it.
      conn.send(frame(frameType.headers, last, id, Buffer.concat([Buffer.of(0x88), secret("x-receipt", "abc")])));
    }
  });
  await using proxy = await proxyToHTTP2([node], { proxy: { forwarded: "none" } });
  for (let i = 0; i < 2; i++) {
    const client = await FrameClient.connect(proxy);
    const decoder = new HpackDecoder();
    for (const id of [1, 3]) {
      const head = client.request(id, { "x-open": "1" });
      const block = Buffer.concat([
        head.subarray(9),
        secret("x-token", "s3cret"),
        secret("accept-encoding", "gzip, deflate"),
      ]);
      client.send(frame(frameType.headers, frameFlag.endHeaders | frameFlag.endStream, id, block));
      const { payload } = await client.nextOfType(frameType.headers, id);
      const answer = decode(decoder, payload);
      expect(answer?.list).toContain("x-receipt");
      expect(answer?.neverIndexed).toEqual(new Set(["x-receipt"]));
    }
  }
  expect(requests[0]?.list).toContain("s3cret");
  expect(node.conns.length).toBe(1);
  for (const request of requests) expect(request?.neverIndexed).toEqual(new Set(["x-token", "accept-encoding"]));
});
