import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { inheritNoDelay } from "./no-delay.ts";
import { askNow, peerOf, peerOnDemand } from "./peer.ts";

const opened = new Set<{ close(): unknown }>();
afterEach(() => {
  for (const each of opened) each.close();
  opened.clear();
});

/** A server, a socket that it has accepted, and the other end of it. */
async function accepted(): Promise<{ socket: Socket; client: Socket; server: ReturnType<typeof createServer> }> {
  const server = createServer().listen(0, "127.0.0.1");
  opened.add(server);
  await once(server, "listening");
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1").on("error", () => undefined);
  const [[socket]] = (await Promise.all([once(server, "connection"), once(client, "connect")])) as [[Socket], unknown];
  socket.on("error", () => undefined);
  return { socket, client, server };
}

async function close(socket: Socket): Promise<void> {
  socket.destroy();
  await once(socket, "close");
}

test("a peer on demand is what its socket says as long as it is open", async () => {
  const { socket, client } = await accepted();
  const peer = peerOnDemand(socket);
  expect({ address: peer.address, port: peer.port }).toEqual({ address: "127.0.0.1", port: client.localPort });
  expect(peer.local).toEqual({ address: "127.0.0.1", port: client.remotePort });
  await close(socket);
  expect(peer.port).toBe(client.localPort);
  client.destroy();
});

test("a peer that is asked at once is known after the end of its socket, one on demand is not", async () => {
  const { socket, client } = await accepted();
  const [never, asked] = [peerOnDemand(socket), peerOnDemand(socket)];
  const known = askNow(asked);
  await close(socket);
  expect(known).toMatchObject({ address: "127.0.0.1", port: client.localPort });
  expect(asked.port).toBe(client.localPort);
  expect({ ...known }).toEqual({ address: "127.0.0.1", port: client.localPort });
  expect(askNow(known)).toBe(known);
  // The runtime remembers what anyone has asked of a socket; of another one, nobody has.
  expect(never.address).toBe("127.0.0.1");
  const other = await accepted();
  const late = peerOnDemand(other.socket);
  await close(other.socket);
  expect({ address: late.address, port: late.port }).toEqual({ address: "", port: 0 });
  expect({ ...peerOf(other.socket) }).toEqual({ address: "", port: 0 });
  client.destroy();
  other.client.destroy();
});

test.runIf(process.platform === "linux")("accepted sockets inherit TCP_NODELAY of a TCP server", async () => {
  const { server, socket, client } = await accepted();
  expect(inheritNoDelay(server)).toBe(true);
  client.destroy();
  await close(socket);
});
