import { once } from "node:events";
import { expect, test } from "vitest";
import { connectPair } from "../testing/socket-pair.ts";
import { forgetSocket, leaveSocket, useSocket, type SocketUser } from "./socket-user.ts";

/** Notes what it is told. */
class Notes implements SocketUser {
  readonly told: string[] = [];
  #heard = Promise.withResolvers<void>();

  socketReceived(bytes: Buffer): void {
    this.#note(bytes.toString("latin1"));
  }

  socketEnded(): void {
    this.#note("ended");
  }

  socketDrained(): void {
    this.#note("drained");
  }

  socketClosed(): void {
    this.#note("closed");
  }

  #note(text: string): void {
    this.told.push(text);
    this.#heard.resolve();
  }

  /** Settles once it is told something more. */
  async more(): Promise<void> {
    await this.#heard.promise;
    this.#heard = Promise.withResolvers();
  }
}

test("the user of a socket learns what comes, that the peer has ended, and that the socket is closed", async () => {
  await using pair = await connectPair();
  const notes = new Notes();
  useSocket(pair.accepted, notes);
  pair.client.write("a");
  await notes.more();
  pair.client.end();
  await notes.more();
  pair.accepted.destroy();
  await notes.more();
  expect(notes.told).toEqual(["a", "ended", "closed"]);
});

test("the user of a socket learns that all has been passed on which the peer was slow to take", async () => {
  await using pair = await connectPair();
  const notes = new Notes();
  useSocket(pair.accepted, notes);
  pair.client.pause();
  const piece = Buffer.alloc(1 << 20);
  while (pair.accepted.write(piece));
  pair.client.resume();
  await notes.more();
  expect(notes.told).toEqual(["drained"]);
});

test("all sockets have the same listeners", async () => {
  await using first = await connectPair();
  await using second = await connectPair();
  for (const { accepted } of [first, second]) useSocket(accepted, new Notes());
  for (const event of ["drain", "error"]) {
    expect(first.accepted.listeners(event)).toHaveLength(1);
    expect(first.accepted.listeners(event)).toEqual(second.accepted.listeners(event));
  }
});

test("a socket that its user leaves is read as a stream, from what was unread on; its user learns of its close", async () => {
  await using pair = await connectPair();
  const notes = new Notes();
  useSocket(pair.accepted, notes);
  pair.client.write("abc");
  await notes.more();
  pair.accepted.pause();
  leaveSocket(pair.accepted, Buffer.from("c"));
  pair.client.end("de");
  expect(Buffer.concat(await pair.accepted.toArray()).toString()).toBe("cde");
  pair.accepted.destroy();
  await notes.more();
  expect(notes.told).toEqual(["abc", "closed"]);
});

test("a socket that is forgotten, too, tells its former user nothing, and has no listener of ours", async () => {
  await using pair = await connectPair();
  const notes = new Notes();
  const before = ["end", "drain", "error", "close"].map((event) => pair.accepted.listenerCount(event));
  useSocket(pair.accepted, notes);
  pair.accepted.pause();
  leaveSocket(pair.accepted, Buffer.alloc(0));
  forgetSocket(pair.accepted);
  expect(["end", "drain", "error", "close"].map((event) => pair.accepted.listenerCount(event))).toEqual(before);
  pair.accepted.destroy();
  await once(pair.accepted, "close");
  expect(notes.told).toEqual([]);
});
