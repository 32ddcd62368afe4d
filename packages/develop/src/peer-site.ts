// A server of others that answers on a port of its own, from a configuration in a folder of its own.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, startPeer } from "./peer-process.ts";

export interface PeerSite extends AsyncDisposable {
  /** `127.0.0.1:port` */
  readonly address: string;
}

/** What a server is started with. */
export interface PeerSetup {
  /** The content of its configuration file. */
  readonly text: string;
  /** The arguments of the program. */
  readonly args: readonly string[];
}

/**
 * Starts a program, and waits until it listens. `setUp` is told the folder, the path of the configuration file and the
 * port that the server is to listen on, on 127.0.0.1. Disposing ends the program and removes the folder.
 */
export async function startPeerSite(
  program: string,
  setUp: (folder: string, file: string, port: number) => PeerSetup,
): Promise<PeerSite> {
  const folder = await mkdtemp(join(tmpdir(), "hemi-peer-"));
  const file = join(folder, "site.conf");
  const port = await freePort();
  const { text, args } = setUp(folder, file, port);
  await writeFile(file, text);
  const process = await startPeer(program, args, port);
  return {
    address: `127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      await process[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}
