import { createSocket } from "node:dgram";
import { once } from "node:events";
import { expect, test } from "vitest";
import { queryFor, resolve } from "../testing/resolve.ts";
import { Regulars } from "./regulars.ts";

test("a client that asks from the same port again and again gets each answer", async () => {
  await using site = await resolve('.records = (["name": "a.test", "type": "A", "values": ("192.0.2.7")])');
  const socket = createSocket("udp4");
  socket.connect(site.udp, "127.0.0.1");
  await once(socket, "connect");
  for (let id = 1; id <= 5; id++) {
    socket.send(queryFor("a.test A", { id }));
    const [answer] = (await once(socket, "message")) as [Buffer];
    expect(answer.readUInt16BE(0)).toBe(id);
  }
  socket.close();
});

test("only the sessions of clients that come back are kept, and not more than a thousand", () => {
  const regulars = new Regulars();
  const from = (srcPort: number) => ({ srcHost: "192.0.2.1", srcPort });
  expect(regulars.admit(from(1))).toBe(false);
  expect(regulars.admit(from(1))).toBe(true);
  // A flood of others: the first one is forgotten.
  for (let port = 2; port < 2000; port++) expect(regulars.admit(from(port))).toBe(false);
  regulars.left();
  expect(regulars.admit(from(1))).toBe(false);
  let kept = 0;
  for (let i = 0; i < 1500; i++) kept += regulars.admit(from(1)) ? 1 : 0;
  expect(kept).toBe(1000);
});
